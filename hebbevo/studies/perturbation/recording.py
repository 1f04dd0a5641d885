"""One piece of work of a study of perturbations: lifetimes under a protocol, and the hooks that record them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from hebbevo.evaluation.controls import CONDITIONS, GENOME
from hebbevo.evaluation.episodes import Episodes, Subject
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.studies.perturbation.plan import Protocol
from hebbevo.studies.perturbation.records import (
    EVOLVED,
    RANDOM,
    SNAPSHOT_EVERY,
    Floats,
    Record,
    Singles,
    WeightTrajectory,
)
from hebbevo.tasks.worker import Worker

_CONDITIONS = {EVOLVED: GENOME, RANDOM: "random"}


@dataclass(frozen=True)
class Replay:
    """What lifetimes meet.

    Attributes:
        protocol: perturbations.
        morphology: the body that they start with.
        followed: the rule whose weights are followed, `EVOLVED` or `RANDOM`; None follows no weights.
    """

    protocol: Protocol
    morphology: str
    followed: str | None = None


def rollout_replay(worker: Worker, subject: Subject, item: Episodes[Replay]) -> Record:
    """Run the lifetimes of one piece of work, and record them."""
    seeds, replay = subject.seeds(item.numbers), item.condition
    control = CONDITIONS[_CONDITIONS[replay.followed or EVOLVED]]
    genomes, genome_of = control.genomes(worker.task, subject.values, seeds)
    progress = _Progress(len(seeds), worker.task.env.steps, tuple(worker.task.env.measured_metrics))
    images = _Images(replay.protocol.pictured if item.numbers.start == 0 else ())
    weights = _Trajectories(len(seeds)) if replay.followed else None
    lifetimes = worker.rollout(
        genomes,
        genome_of,
        seeds,
        [replay.morphology] * len(seeds),
        early_stop=False,
        hooks=[progress, images, *([weights] if weights else [])],
        perturbations=replay.protocol.perturbations,
    )
    trajectories = weights.finished() if weights else ()
    return Record(lifetimes, progress.values, images.images, trajectories, progress.measured)


class _Progress(Hook):
    """Records the reward of every step, and how far each measure moves in it, ``(lifetimes, steps)``."""

    def __init__(self, lifetimes: int, steps: int, measures: Sequence[str]) -> None:
        self.values = np.zeros((lifetimes, steps))
        self.measured = {name: np.zeros((lifetimes, steps)) for name in measures}
        self._last = {name: np.zeros(lifetimes) for name in measures}

    @override
    def on_step(self, batch: Batch) -> None:
        active = batch.active
        self.values[active, batch.step] = batch.environment.rewards[active]
        for name, moved in self.measured.items():
            now, last = batch.environment.measures[name][active], self._last[name]
            moved[active, batch.step] = now - last[active]
            last[active] = now


class _Images(Hook):
    """Records the weights of the first lifetime at some steps."""

    def __init__(self, steps: Sequence[int]) -> None:
        self.steps = steps
        self.images: dict[int, tuple[Singles, ...]] = {}

    @override
    def on_observation(self, batch: Batch) -> None:
        if batch.step in self.steps and 0 in batch.active:
            layers = range(1, batch.network.layers + 1)
            self.images[batch.step] = tuple(batch.network.weights(layer)[0].copy() for layer in layers)


class _Trajectories(Hook):
    """Records the weights of every lifetime, and how far they move in a step."""

    def __init__(self, lifetimes: int) -> None:
        self.points: list[list[Singles]] = [[] for _ in range(lifetimes)]
        self.moves: list[list[tuple[float, float, float]]] = [[] for _ in range(lifetimes)]
        self.last: dict[int, Floats] = {}
        self.overflowed: set[int] = set()

    @override
    def on_observation(self, batch: Batch) -> None:
        layers = [batch.network.weights(layer) for layer in range(1, batch.network.layers + 1)]
        for row in set(batch.active.tolist()) - self.overflowed:
            weights = np.concatenate([layer[row].ravel() for layer in layers])
            if not np.isfinite(weights).all():
                self.overflowed.add(row)
                continue
            if batch.step % SNAPSHOT_EVERY == 0:
                self.points[row].append(weights)
            wide = weights.astype(np.float64)
            if row in self.last:
                self.moves[row].append(_move(self.last[row], wide))
            self.last[row] = wide

    def finished(self) -> tuple[WeightTrajectory, ...]:
        """Return the trajectory of every lifetime."""
        return tuple(
            _trajectory(points, moves, row not in self.overflowed)
            for row, (points, moves) in enumerate(zip(self.points, self.moves, strict=True))
        )


def _trajectory(
    points: Sequence[Singles], moves: Sequence[tuple[float, float, float]], finite: bool
) -> WeightTrajectory:
    change, size, turn = np.array(moves, np.float64).reshape(-1, 3).T
    return WeightTrajectory(np.array(points), change, size, turn, finite)


def _move(before: Floats, after: Floats) -> tuple[float, float, float]:
    """Return change, size and turn; the angle of unit vectors u, v is 2 asin(|u - v| / 2)."""
    sizes = _rms(before), _rms(after)
    turn = 0.0
    if all(sizes):
        distance = _rms(before / sizes[0] - after / sizes[1])
        turn = 2 * float(np.arcsin(min(1.0, distance / 2)))
    return _rms(after - before), sizes[0], turn


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.square(values).mean()))
