"""The lifetimes of a study of perturbations: lived in blocks, with what is recorded on the way.

A block is a pure function of its key, so it may be lived on any worker with the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.evaluation import SeedKey, random_genome
from hebbevo.rollouts.hooks import Batch, Hook
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import lifetime_seed
from hebbevo.studies.perturbation.plan import Protocol
from hebbevo.tasks.worker import Worker

Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

EVOLVED, RANDOM = "evolved", "random"
"""Whose weights a trajectory is of: the genome's, or those of one that never evolved."""

SNAPSHOT_EVERY = 5
"""Steps between two points of a trajectory."""


@dataclass(frozen=True)
class Shared:
    """What all blocks of a genome share."""

    values: Singles
    key: SeedKey


@dataclass(frozen=True)
class Piece:
    """Episodes `start` to `stop` of a protocol on a body; or of a condition, with their weights."""

    protocol: Protocol
    morphology: str
    start: int
    stop: int
    trajectory_of: str | None = None


@dataclass(frozen=True)
class Trajectory:
    """The weights of one lifetime.

    Attributes:
        weights: of all layers at every `SNAPSHOT_EVERY`-th step, float32 ``(points, synapses)``.
        change: root mean square over synapses of w(t + 1) - w(t), ``(steps - 1,)``.
        size: root mean square of w(t), ``(steps - 1,)``.
        turn: angle between w(t) and w(t + 1) as vectors, radians, ``(steps - 1,)``.
    """

    weights: Singles
    change: Floats
    size: Floats
    turn: Floats


@dataclass(frozen=True)
class Record:
    """What a block came to.

    Attributes:
        progress: reward of every step, ``(lifetimes, steps)``; 0 after the end.
        images: weights per layer of the block's first lifetime, by step.
        trajectories: of every lifetime, where asked for.
    """

    lifetimes: RolloutResult
    progress: Floats
    images: dict[int, tuple[Singles, ...]] = field(default_factory=dict)
    trajectories: tuple[Trajectory, ...] = ()


def rollout_piece(worker: Worker, shared: Shared, piece: Piece) -> Record:
    """Live a block and record it."""
    seeds = [lifetime_seed(*shared.key, episode) for episode in range(piece.start, piece.stop)]
    genomes, genome_of = shared.values[None, :], [0] * len(seeds)
    if piece.trajectory_of == RANDOM:
        genomes = np.stack([random_genome(worker.task, shared.values, seed) for seed in seeds])
        genome_of = list(range(len(seeds)))
    progress = _Progress(len(seeds), worker.task.env.steps)
    images = _Images(piece.protocol.pictured if piece.start == 0 else ())
    weights = _Trajectories(len(seeds)) if piece.trajectory_of else None
    lifetimes = worker.rollout(
        genomes,
        genome_of,
        seeds,
        [piece.morphology] * len(seeds),
        early_stop=False,
        hooks=[progress, images, *([weights] if weights else [])],
        perturbations=piece.protocol.perturbations,
    )
    return Record(lifetimes, progress.values, images.images, weights.finished() if weights else ())


class _Progress(Hook):
    def __init__(self, lifetimes: int, steps: int) -> None:
        self.values = np.zeros((lifetimes, steps))

    def on_step(self, batch: Batch) -> None:
        """Note the step's rewards."""
        self.values[batch.active, batch.step] = batch.environment.rewards[batch.active]


class _Images(Hook):
    def __init__(self, steps: Sequence[int]) -> None:
        self.steps = steps
        self.images: dict[int, tuple[Singles, ...]] = {}

    def on_observation(self, batch: Batch) -> None:
        """Photograph the weights of the first lifetime."""
        if batch.step in self.steps and 0 in batch.active:
            layers = range(1, batch.network.layers + 1)
            self.images[batch.step] = tuple(batch.network.weights(layer)[0].copy() for layer in layers)


class _Trajectories(Hook):
    def __init__(self, lifetimes: int) -> None:
        self.points: list[list[Singles]] = [[] for _ in range(lifetimes)]
        self.moves: list[list[tuple[float, float, float]]] = [[] for _ in range(lifetimes)]
        self.last: dict[int, Floats] = {}

    def on_observation(self, batch: Batch) -> None:
        """Note the weights, and how far they have moved."""
        layers = [batch.network.weights(layer) for layer in range(1, batch.network.layers + 1)]
        for row in batch.active.tolist():
            now = np.concatenate([layer[row].ravel() for layer in layers])
            if batch.step % SNAPSHOT_EVERY == 0:
                self.points[row].append(now)
            wide = now.astype(np.float64)
            if row in self.last:
                self.moves[row].append(_move(self.last[row], wide))
            self.last[row] = wide

    def finished(self) -> tuple[Trajectory, ...]:
        """Return what was noted."""
        return tuple(
            Trajectory(np.array(points), *np.array(moves, np.float64).reshape(-1, 3).T)
            for points, moves in zip(self.points, self.moves, strict=True)
        )


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
