"""Random meta-tasks, with the distributions of Miconi's Meta-Task-Generator (arXiv 2302.05583, public code).

Two departures, both of slips in that code: variable probabilities are p0, p1 and their complements throughout, and
where a normal number is compared with 0.5 we compare a uniform one.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from hebbevo.envs.cognitive.meta_task import ACTIONS, FIXED_STIMULI, FlagRule, MetaTask, RewardRule
from hebbevo.seeding import meta_task_stream

if TYPE_CHECKING:
    import numpy as np

STATES: Final = 4
SPLITS: Final = {"train": 120, "test": 30}
"""Meta-tasks of each split, the same for everybody."""

_VARIABLE_STIMULI: Final = ("v0", "v1")
_PROBABILITIES: Final = ("p0", "p1")


def split_names(split: str) -> tuple[str, ...]:
    """Return the names of a split's meta-tasks: train_000, ..., test_00, ..."""
    count = SPLITS[split]
    return tuple(f"{split}_{number:0{len(str(count - 1))}d}" for number in range(count))


@functools.cache
def drawn_meta_task(name: str) -> MetaTask:
    """Return the meta-task of a name of `split_names`."""
    split, _, number = name.partition("_")
    return draw_meta_task(meta_task_stream(split, int(number)))


def draw_meta_task(generator: np.random.Generator) -> MetaTask:
    """Draw until one is worth learning: see `is_interesting`."""
    while True:
        drawn = _candidate(generator)
        if is_interesting(drawn):
            return drawn


def is_interesting(task: MetaTask) -> bool:
    """Return whether lifetimes differ, two states leave a choice, and every state can be entered from another one."""
    used = [rule.old for rule in task.rewards] + [rule.probability for rule in task.rewards]
    varies = any(isinstance(name, str) for name in (*used, *(rule.old for rule in task.flags), *task.stimuli))
    choices = sum(rows[0] != rows[1] for rows in task.transitions)
    entered = all(
        any(state in task.successors(other) for other in range(task.states) if other != state)
        for state in range(task.states)
    )
    return varies and choices >= 2 and entered and task.successors(0) != {0}


def _candidate(generator: np.random.Generator) -> MetaTask:
    pick = functools.partial(_pick, generator)
    size = 2 if generator.random() < 0.5 else int(generator.integers(2, STATES))
    values = sorted(int(state) for state in generator.permutation(STATES - 1)[:size] + 1)
    state_share = pick((0.0, 0.0, 0.5))
    return MetaTask(
        stimuli=_stimuli(generator),
        transitions=tuple(_transition_rows(generator) for _ in range(STATES)),
        variables=(tuple(values),),
        rewards=_reward_rules(generator, state_share, pick((1, 1, 1, 2, 3))),
        flags=_flag_rules(generator, state_share, pick((1, 1, 1, 2))),
    )


def _pick(generator: np.random.Generator, choices: tuple[Any, ...]) -> Any:
    return choices[int(generator.integers(len(choices)))]


def _state(generator: np.random.Generator, variable_share: float) -> int | str:
    return "s0" if generator.random() < variable_share else int(generator.integers(STATES))


def _action(generator: np.random.Generator) -> Any:
    return int(generator.integers(ACTIONS)) if generator.random() < 0.33 else None


def _stimuli(generator: np.random.Generator) -> tuple[int | str | None, ...]:
    """Draw what each state shows; one variable stimulus alone would vary nothing."""
    while True:
        shown: list[int | str | None] = []
        for _ in range(STATES):
            if generator.random() < 0.2:
                shown.append(None)
            elif generator.random() < 0.666:
                shown.append(int(generator.integers(FIXED_STIMULI)))
            else:
                shown.append(_pick(generator, _VARIABLE_STIMULI))
        if len(set(shown) & set(_VARIABLE_STIMULI)) != 1:
            return tuple(shown)


def _reward_rules(generator: np.random.Generator, state_share: float, count: int) -> tuple[RewardRule, ...]:
    random = generator.random() < 0.25
    variable_share, flag_share = _pick(generator, (0.2, 0.5, 0.8)), _pick(generator, (0.0, 0.0, 0.5))
    rules = []
    for _ in range(count):
        probability: float | str = 1.0
        if random and generator.random() < variable_share:
            probability = ("1-" if generator.random() < 0.5 else "") + _pick(generator, _PROBABILITIES)
        elif random:
            probability = _pick(generator, (0.2, 0.5, 0.8, 1.0))
        flag: Any = int(generator.random() < 0.75) if generator.random() < flag_share else None
        old, action = _state(generator, state_share), _action(generator)
        rules.append(RewardRule(old=old, action=action, probability=probability, flag=flag))
    return tuple(rules)


def _flag_rules(generator: np.random.Generator, state_share: float, count: int) -> tuple[FlagRule, ...]:
    rules = []
    for i in range(count):
        value: Any = int(i == 0 or generator.random() < 0.75)
        rules.append(FlagRule(old=_state(generator, state_share), action=_action(generator), set=value))
    return tuple(rules)


def _transition_rows(generator: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """Draw a distribution for each action; half of the time one for both, perhaps with two outcomes swapped."""
    if generator.random() >= 0.5:
        return tuple(tuple(_distribution(generator)) for _ in range(ACTIONS))
    shared = _distribution(generator)
    swapped = list(shared)
    if generator.random() < 0.5:
        one, other = (int(state) for state in generator.permutation(STATES)[:2])
        swapped[one], swapped[other] = swapped[other], swapped[one]
    return tuple(shared), tuple(swapped)


def _distribution(generator: np.random.Generator) -> list[float]:
    order = [int(state) for state in generator.permutation(STATES)]
    weights = [0.0] * STATES
    weights[order[0]] = 5.0 if generator.random() < 0.33 else 1.0
    for state, share in zip(order[1:], (0.5, 0.33, 0.33), strict=True):
        weights[state] = float(generator.random() < share)
    return [weight / sum(weights) for weight in weights]
