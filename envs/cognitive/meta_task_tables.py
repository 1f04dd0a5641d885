"""Specifications as arrays: what each step pays and does to the flag, for every value of the state variables."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hebbevo.envs.cognitive.meta_task import (
    ACTIONS,
    PROBABILITIES,
    STATE_VARIABLES,
    MetaTask,
    Step,
    stimulus_code,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tables:
    """Meta-tasks of up to S states with all their variants: a variant is a value for each of the state variables.

    A reward of `value` is paid with probability `base + slopes @ (p0, p1)`.

    Attributes:
        stimuli: code shown in each state, -1 for none, int64 ``(tasks, S)``.
        transitions: float64 ``(tasks, S, actions, S)``.
        task: of each variant, int64 ``(variants,)``.
        value, base: float64 ``(variants, S, actions, S, flag)``.
        slopes: float64 ``(variants, S, actions, S, flag, 2)``.
        flag: after the step, int64 ``(variants, S, actions, S, flag)``.
    """

    stimuli: Integers
    transitions: Floats
    task: Integers
    value: Floats
    base: Floats
    slopes: Floats
    flag: Integers


def tables(tasks: Sequence[MetaTask]) -> Tables:
    """Return the tables of meta-tasks, at least one, of any sizes."""
    states = max(task.states for task in tasks)
    stimuli = np.full((len(tasks), states), -1)
    transitions = np.zeros((len(tasks), states, ACTIONS, states))
    for i, task in enumerate(tasks):
        codes = [-1 if shown is None else stimulus_code(shown) for shown in task.stimuli]
        stimuli[i, : task.states] = codes
        transitions[i, : task.states, :, : task.states] = task.transitions
    variants = [
        (i, variant) for i, task in enumerate(tasks) for variant in itertools.product(*task.variables)
    ]
    shape = (len(variants), states, ACTIONS, states, 2)
    value, base, slopes = np.zeros(shape), np.zeros(shape), np.zeros((*shape, 2))
    flag = np.broadcast_to(np.arange(2), shape).copy()
    for row, (i, variant) in enumerate(variants):
        named = dict(zip(STATE_VARIABLES, variant, strict=False))
        for rule in tasks[i].rewards:
            fits = (row, *_fitting(rule, named), slice(None) if rule.flag is None else rule.flag)
            value[fits], base[fits], slopes[fits] = rule.value, *_probability(rule.probability)
        for setting in tasks[i].flags:
            flag[(row, *_fitting(setting, named))] = setting.set
    flag[:, :, :, 0] = 0
    return Tables(stimuli, transitions, np.array([i for i, _ in variants]), value, base, slopes, flag)


@functools.cache
def tables_of(task: MetaTask) -> Tables:
    """Return the tables of one meta-task."""
    return tables([task])


def _fitting(rule: Step, named: Mapping[str, int]) -> tuple[slice | int, slice | int, slice | int]:
    """Return the index of the steps (old, action, new) that a rule fits."""
    old, new = (named.get(name, name) if isinstance(name, str) else name for name in (rule.old, rule.new))
    anything = slice(None)
    parts = (anything if part is None else int(part) for part in (old, rule.action, new))
    return next(parts), next(parts), next(parts)


def _probability(given: float | str) -> tuple[float, Floats]:
    """Return a probability as its value at p0 = p1 = 0 and its slopes there."""
    slopes = np.zeros(2)
    if not isinstance(given, str):
        return given, slopes
    which, sign = PROBABILITIES[given]
    slopes[which] = sign
    return float(sign < 0), slopes
