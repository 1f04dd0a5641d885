"""What meta-tasks are worth to those who know them, to chance, and to fixed maps: backwards over the steps of a trial.

With k steps left, the state s and the flag f, an action is worth

    Q_k(s, a, f) = sum over s' of T(s, a, s') (r(s, a, s', f) + [s' != 0] V_(k-1)(s', f'))

and V is the maximum, the mean, or the chosen one of Q: the oracle, chance, or a map from stimuli to actions.
Values are means over the variants, and over p0 and p1: in a chance or a map rewards are linear in them, so that 1/2
stands for all values; for the oracle they take 16 values each, in the middles of equal parts.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.envs.cognitive.meta_task import FIXED_STIMULI, VARIABLE_STIMULI, MetaTask
from hebbevo.envs.cognitive.meta_task_tables import tables_of

Floats = npt.NDArray[np.float64]

_MIDDLES = (np.arange(16) + 0.5) / 16


@functools.cache
def oracle(task: MetaTask, steps: int) -> float:
    """Return the reward of a trial of one who knows all."""
    slopes = tables_of(task).slopes
    grids = [_MIDDLES if slopes[..., i].any() else np.array([0.5]) for i in range(2)]
    points = np.array(list(itertools.product(*grids)))
    return float(_values(task, steps, points, lambda q: q.max(axis=-2)).mean())


@functools.cache
def chance(task: MetaTask, steps: int) -> float:
    """Return the reward of a trial of random actions."""
    return float(_values(task, steps, np.full((1, 2), 0.5), lambda q: q.mean(axis=-2)).mean())


def best_map(tasks: Sequence[Sequence[MetaTask]], steps: int) -> float:
    """Return the reward of a trial of the best map from stimuli to actions, as the mean over tasks and their members.

    A variable stimulus stands for any of several, of which a map answers c with action 1: the pattern of the answers to
    v0 to v3 then comes in as many ways as c ones fall on these places.
    """
    values = np.mean([np.mean([_map_values(one, steps) for one in task], axis=0) for task in tasks], axis=0)
    ones = np.array([sum(bits) for bits in itertools.product((0, 1), repeat=VARIABLE_STIMULI)])
    by_count = [values[:, ones == count].mean(axis=1) for count in range(VARIABLE_STIMULI + 1)]
    return float(np.max(by_count))


@functools.cache
def _map_values(task: MetaTask, steps: int) -> Floats:
    """Return the reward of a trial of each map, ``(answers to 0, 1, 2 and nothing, answers to v0 to v3)``."""
    shown = tables_of(task).stimuli[0]
    fixed, variable = 1 << FIXED_STIMULI + 1, 1 << VARIABLE_STIMULI
    bits = np.array(list(itertools.product((0, 1), repeat=FIXED_STIMULI + 1 + VARIABLE_STIMULI)))
    places = np.where(shown < 0, FIXED_STIMULI, np.where(shown < FIXED_STIMULI, shown, shown + 1))
    answers = bits[:, places]  # (maps, states)
    distinct, where = np.unique(answers, axis=0, return_inverse=True)
    states = np.arange(len(shown))

    def follow(q: Floats) -> Floats:
        chosen: Floats = q[np.arange(len(distinct))[:, None], :, states, distinct].swapaxes(1, 2)
        return chosen

    values = _values(task, steps, np.full((1, 2), 0.5), follow, policies=len(distinct)).mean(axis=1)
    reshaped: Floats = values[where.ravel()].reshape(fixed, variable)
    return reshaped


def _values(
    task: MetaTask,
    steps: int,
    probabilities: Floats,
    choose: Callable[[Floats], Floats],
    policies: int = 1,
) -> Floats:
    """Return the values of a trial, ``(policies, variants * probabilities)``.

    Args:
        task: the specification.
        steps: longest trial.
        probabilities: values of p0 and p1 together, ``(points, 2)``.
        choose: V from Q: ``(policies, draws, state, action, flag)`` -> ``(policies, draws, state, flag)``.
        policies: among which `choose` tells apart.
    """
    table, transitions = tables_of(task), tables_of(task).transitions[0]
    states = len(transitions)
    paid = table.base[:, None] + np.einsum("vsantp,kp->vksant", table.slopes, probabilities)
    rewards = (table.value[:, None] * paid).reshape(-1, *table.value.shape[1:])
    flags = np.repeat(table.flag, len(probabilities), axis=0)
    expected = np.einsum("san,dsanf->dsaf", transitions, rewards)
    going_on = transitions.copy()
    going_on[:, :, 0] = 0
    draws, new = np.arange(len(flags))[:, None, None, None, None], np.arange(states)[:, None]
    values = np.zeros((policies, len(flags), states, 2))
    for _ in range(steps):
        ahead = values[:, draws, new, flags]  # (policies, draws, old, action, new, flag)
        values = choose(expected + np.einsum("san,pdsanf->pdsaf", going_on, ahead))
    return values[:, :, 0, 0]
