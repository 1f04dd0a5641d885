"""The best actions in meta-tasks, lifetime by lifetime: the oracle's recursion of `meta_task_values`, compiled."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

TIE: Final = 1e-9
"""Actions whose worth differs by less are equally good."""


def plan_backwards(
    count: int,
    variant: Integers,
    tasks: Integers,
    transitions: Floats,
    value: Floats,
    base: Floats,
    slopes: Floats,
    flags: Integers,
    probabilities: Floats,
    best: npt.NDArray[np.int8],
) -> None:
    """Set the bits of the best actions of the first `count` lifetimes, 1 for action 0 and 2 for action 1.

    Args:
        count: lifetimes.
        variant: of each lifetime, a row of the tables.
        tasks, transitions, value, base, slopes, flags: `hebbevo.envs.cognitive.meta_task_tables.Tables`.
        probabilities: p0 and p1 of each lifetime.
        best: ``(lifetimes, steps of a trial, states, flags)``; with k + 1 steps left, place k.
    """
    states = transitions.shape[1]
    ahead, now = np.zeros((states, 2)), np.zeros((states, 2))
    worth = np.zeros(2)
    for row in range(count):
        v = variant[row]
        task = tasks[v]
        ahead[:] = 0.0
        for left in range(best.shape[1]):
            for old in range(states):
                for flag in range(2):
                    for action in range(2):
                        worth[action] = 0.0
                        for new in range(states):
                            share = transitions[task, old, action, new]
                            if share == 0:
                                continue
                            chance = base[v, old, action, new, flag]
                            for i in range(2):
                                chance += slopes[v, old, action, new, flag, i] * probabilities[row, i]
                            later = ahead[new, flags[v, old, action, new, flag]] if new else 0.0
                            worth[action] += share * (chance * value[v, old, action, new, flag] + later)
                    difference = worth[1] - worth[0]
                    best[row, left, old, flag] = 3 if abs(difference) < TIE else 2 if difference > 0 else 1
                    now[old, flag] = max(worth[0], worth[1])
            ahead[:] = now
