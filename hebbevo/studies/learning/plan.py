"""The plan of a study of learning: genomes, tasks, conditions; checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hebbevo.envs.base import DEFAULT_MORPHOLOGY
from hebbevo.envs.cognitive.learning_task import LearningTaskConfig
from hebbevo.errors import InputError
from hebbevo.evaluation.checks import check_sample, checked_bodies
from hebbevo.evaluation.controls import CONTROLS, GENOME
from hebbevo.genomes.genome import Genome
from hebbevo.studies.arms import Arms, Genomes, split_arms, subjects
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.genomes import check_names, check_worlds, is_static, unperturbed
from hebbevo.tasks.task import Task

DEFAULT_EPISODES: Final = 64
WITHHELD, YOKED, FROZEN = "withheld", "yoked", "frozen"
STANDARD_CONTROLS: Final = ("off", "shuffled")
"""Of `hebbevo.evaluation.controls`."""
FREEZES: Final = (10, 2)
"""Weights are frozen, where nothing else is asked for, after these parts of the trials: a tenth and a half."""


@dataclass(frozen=True)
class LearningCondition:
    """What a lifetime of a learning task meets.

    Attributes:
        kind: `GENOME`, one of `STANDARD_CONTROLS`, `FROZEN`, `WITHHELD` or `YOKED`.
        frozen_at: first trial, from 0, in which no weight changes any more; None for any other kind.
    """

    kind: str
    frozen_at: int | None = None

    @property
    def name(self) -> str:
        """Name in tables and files."""
        return self.kind if self.frozen_at is None else f"{self.kind}_at_{self.frozen_at}"


@dataclass(frozen=True)
class Plan:
    """A study, ready to be run.

    Attributes:
        genomes: of different names, all in the same world.
        morphologies: tasks of the world, where it has several.
        freezes: trials from which on weights are frozen.
        episodes: lifetimes per genome, condition and task, with the same seeds everywhere.
        seed: the lifetimes' seeds follow from it, as those of `evaluate` do.
        arms: names of genomes that are runs of one recipe.
    """

    genomes: tuple[Genome, ...]
    morphologies: tuple[str, ...]
    freezes: tuple[int, ...]
    episodes: int
    seed: int
    arms: Arms = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Return all but the genomes, as a study's directory keeps it."""
        return {name: value for name, value in vars(self).items() if name != "genomes"}

    @classmethod
    def of(cls, study: StoredStudy) -> Plan:
        """Return the plan of a study that is kept."""
        kept = study.settings
        lists = {name: tuple(kept[name]) for name in ("morphologies", "freezes")}
        arms = {label: tuple(names) for label, names in kept["arms"].items()}
        return cls(study.genomes, **{**kept, **lists, "arms": arms})

    @property
    def drawn(self) -> tuple[Genome, ...]:
        """The genomes that figures show: the first of every arm, and those of none."""
        return tuple(genomes[0] for genomes in subjects(self.genomes, self.arms).values())

    @property
    def env(self) -> LearningTaskConfig:
        """The world that all genomes share."""
        return learning_task(self.genomes[0])

    def world(self, morphology: str) -> LearningTaskConfig:
        """Return the world with one task alone, whose chance and oracle are that task's."""
        return self.env.with_morphologies([morphology]) if self.tasks else self.env

    @property
    def tasks(self) -> bool:
        """Whether the world has tasks to choose from."""
        return self.morphologies != (DEFAULT_MORPHOLOGY,)

    def conditions(self, genome: Genome) -> tuple[LearningCondition, ...]:
        """Return the conditions that say something about a genome, its own first."""
        task, values = genome.task, genome.values
        standard = [name for name in STANDARD_CONTROLS if CONTROLS[name].differs(task, values)]
        frozen = () if is_static(genome) else self.freezes
        told = (WITHHELD, YOKED) if is_told(task) else ()
        return (
            *map(LearningCondition, (GENOME, *standard)),
            *(LearningCondition(FROZEN, trial) for trial in frozen),
            *map(LearningCondition, told),
        )


def learning_task(genome: Genome) -> LearningTaskConfig:
    """Return the world of a genome.

    Raises:
        InputError: it has no trials.
    """
    if not isinstance(env := genome.task.env, LearningTaskConfig):
        raise InputError(
            f"{genome.name} is of {env.name}, which has no trials; a study of learning takes genomes of learning "
            "tasks, as association or bandit"
        )
    return env


def is_told(task: Task) -> bool:
    """Tell whether rule, network or observation learn of the reward."""
    assert isinstance(task.env, LearningTaskConfig)
    return task.kernel_spec.uses_reward or bool(task.env.feedback_inputs)


def make_plan(
    given: Genomes,
    morphologies: Sequence[str] | None,
    freezes: Sequence[int] | None,
    episodes: int,
    seed: int,
) -> Plan:
    """Check a study that is asked for, and fill in its defaults.

    Raises:
        InputError, EnvError: no genome, one named twice, genomes of different worlds or of no learning task, an
            unknown task, a trial that no lifetime has, not one episode, a negative seed.
    """
    check_sample(episodes, seed)
    genomes, arms = split_arms(given)
    check_names(genomes)
    genomes = tuple(map(unperturbed, genomes))
    env = learning_task(genomes[0])
    check_worlds(genomes)
    bodies = checked_bodies(genomes[0].task, morphologies)
    if freezes is None:
        freezes = [trial for part in FREEZES if (trial := env.trial_count // part)]
    return Plan(genomes, bodies, _checked_freezes(freezes, env.trial_count), episodes, seed, arms)


def _checked_freezes(freezes: Sequence[int], trials: int) -> tuple[int, ...]:
    for trial in freezes:
        if not 0 < trial < trials:
            raise InputError(
                f"freeze must be a trial from 1 to {trials - 1}, got {trial}; `off` is a genome frozen from the start"
            )
    return tuple(sorted(set(freezes)))
