"""One piece of work of a study of learning: lifetimes under a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbevo.envs.cognitive.learning_task import LearningTaskConfig
from hebbevo.evaluation.controls import CONDITIONS, GENOME
from hebbevo.evaluation.episodes import Episodes, Subject
from hebbevo.networks.effective_weights import EffectiveWeights
from hebbevo.perturbations.hooks import Hook
from hebbevo.rollouts.result import RolloutResult
from hebbevo.studies.learning.hooks import (
    Feedback,
    FeedbackRecorder,
    FreezeFromTrial,
    StepRecorder,
    Tell,
    WeightRecorder,
)
from hebbevo.studies.learning.plan import WITHHELD, YOKED, LearningCondition
from hebbevo.studies.learning.records import Record
from hebbevo.tasks.worker import Worker


@dataclass(frozen=True)
class Lives:
    """A condition, and the task of the lifetimes that meet it."""

    condition: LearningCondition
    morphology: str


def rollout_lives(worker: Worker, subject: Subject, item: Episodes[Lives]) -> Record:
    """Run the lifetimes of one piece of work, and record them."""
    env, lives = worker.task.env, item.condition
    recorder = StepRecorder(len(item.numbers), env.steps)
    followed = lives.condition.kind == GENOME and item.numbers.start == 0
    task = worker.task
    read = EffectiveWeights(task.kernel_spec, task.layout, subject.values)
    weights = [WeightRecorder(read)] if followed else []
    hooks = [*_interventions(worker, subject, item), recorder, *weights]
    lifetimes = _rollout(worker, subject, item.numbers, lives, hooks)
    recorded = weights[0].weights if weights else np.zeros((0, 0), np.float32)
    return Record(lifetimes, recorder.steps, recorded)


def _interventions(worker: Worker, subject: Subject, item: Episodes[Lives]) -> list[Hook]:
    """Return the hooks that make the condition; the others differ in their genomes alone."""
    condition, env = item.condition.condition, worker.task.env
    assert isinstance(env, LearningTaskConfig)
    inputs = env.feedback_inputs
    if condition.frozen_at is not None:
        return [FreezeFromTrial(condition.frozen_at)]
    if condition.kind == WITHHELD:
        return [Tell(Feedback.none(len(item.numbers), env.steps, len(inputs)), inputs)]
    if condition.kind == YOKED:
        return [Tell(_feedback_of_others(worker, subject, item, inputs), inputs)]
    return []


def _feedback_of_others(
    worker: Worker, subject: Subject, item: Episodes[Lives], inputs: Sequence[int]
) -> Feedback:
    """Return what the genome is told in other lifetimes: each has the next episode's."""
    others = range(item.numbers.start + 1, item.numbers.stop + 1)
    recorder = FeedbackRecorder(len(others), worker.task.env.steps, inputs)
    _rollout(worker, subject, others, item.condition, [recorder])
    return recorder.feedback


def _rollout(
    worker: Worker, subject: Subject, numbers: range, lives: Lives, hooks: Sequence[Hook]
) -> RolloutResult:
    seeds = subject.seeds(numbers)
    control = CONDITIONS.get(lives.condition.kind, CONDITIONS[GENOME])
    genomes, genome_of = control.genomes(worker.task, subject.values, seeds)
    return worker.rollout(
        genomes,
        genome_of,
        seeds,
        [lives.morphology] * len(seeds),
        early_stop=False,
        plastic=control.plastic,
        hooks=hooks,
        perturbations=(),
    )
