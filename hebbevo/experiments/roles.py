"""Bodies that rotate over runs, under their roles: the one that a run evolved on is seen, those of other runs are not.

Each of four runs may evolve on another damaged leg, and be evaluated on all four: what they have in common is a leg
that they saw and three that they did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from hebbevo.evaluation.run_statistics import mean_of_bodies
from hebbevo.experiments.records import FloatArray, RunRecord
from hebbevo.experiments.rotation import SEEN, UNSEEN


def by_role(run: RunRecord, rotated: frozenset[str]) -> RunRecord:
    """Return a run whose rotated bodies stand under `SEEN` and `UNSEEN`.

    A lifetime there is the mean over these bodies of the lifetimes with one seed.
    """
    if not rotated:
        return run
    center = _together({body: np.array([mean]) for body, mean in run.center.items()}, run, rotated)
    evaluation = run.evaluation and replace(
        run.evaluation, fitness=_together(run.evaluation.fitness, run, rotated)
    )
    return replace(run, center={body: float(mean[0]) for body, mean in center.items()}, evaluation=evaluation)


def in_order(bodies: Iterable[str]) -> tuple[str, ...]:
    """Return bodies in their order, roles at the end."""
    return tuple(sorted(bodies, key=lambda body: (body in (SEEN, UNSEEN), body == UNSEEN)))


def _together(
    fitness: Mapping[str, FloatArray], run: RunRecord, rotated: frozenset[str]
) -> dict[str, FloatArray]:
    parts: dict[str, list[FloatArray]] = {}
    for body, lifetimes in fitness.items():
        role = body if body not in rotated else SEEN if body in run.evolved_on else UNSEEN
        parts.setdefault(role, []).append(lifetimes)
    return {role: mean_of_bodies(lifetimes) for role, lifetimes in parts.items()}
