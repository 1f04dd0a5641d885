"""Meta-tasks as data: a handful of states, and which variables of them are drawn anew for every lifetime.

After Miconi's Meta-Task-Generator (arXiv 2302.05583), which draws such specifications; it has no simulator, so that the
reading of one as a world is ours (`hebbevo.envs.cognitive.generated`). A specification as YAML:

```yaml
stimuli: [0, 1, 2]              # shown in each state: 0 to 2; v0 to v3, drawn for a lifetime; null shows nothing
transitions:                    # [state][action][next state], each row a distribution
- [[0, 0.9, 0.1], [0, 0.1, 0.9]]
- [[1, 0, 0], [1, 0, 0]]
- [[1, 0, 0], [1, 0, 0]]
variables: [[1, 2]]             # s0, s1: the states that each is drawn from, for a lifetime
rewards:                        # later ones win
- {old: 1, probability: 0.1}
- {old: 2, probability: 0.1}
- {old: s0, probability: 0.9}
```

A rule fits a step from the state `old` to `new` under `action` where all that it names agree; a state is a number, or
`s0` for the one that the first variable stands for. A reward rule pays `value` (1) with its `probability` (1): a
number, or `p0`, `p1`, `1-p0`, `1-p1` of probabilities that are drawn uniformly for a lifetime. With `flag` it also asks
for the flag as it was before the step. Flag rules `set` the flag, later ones win; entering state 0 clears it.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from hebbevo.errors import EnvError
from hebbevo.settings import Settings

ACTIONS: Final = 2
MAX_STATES: Final = 8
FIXED_STIMULI: Final = 3
"""Stimuli that mean the same in every lifetime: 0, 1, 2."""
VARIABLE_STIMULI: Final = 4
"""v0 to v3 stand for one each of so many others, in an order that is drawn for a lifetime."""
STATE_VARIABLES: Final = ("s0", "s1")
PROBABILITIES: Final = {"p0": (0, 1), "p1": (1, 1), "1-p0": (0, -1), "1-p1": (1, -1)}
"""Names of drawn probabilities: which one, and the sign that it enters with."""


class Step(Settings):
    """What a rule asks of a step; null is anything."""

    old: int | str | None = None
    new: int | str | None = None
    action: Literal[0, 1] | None = None


class RewardRule(Step):
    """Pay `value` with a probability."""

    probability: float | str = 1.0
    value: float = Field(default=1.0, ge=-1000, le=1000)
    flag: Literal[0, 1] | None = None

    @model_validator(mode="after")
    def _is_a_probability(self) -> Self:
        given = self.probability
        known = given in PROBABILITIES if isinstance(given, str) else 0 <= given <= 1
        if not known:
            raise EnvError(
                f"a probability must lie in [0, 1] or be one of {', '.join(PROBABILITIES)}, got {given}"
            )
        return self


class FlagRule(Step):
    """Set the flag to `set`."""

    set: Literal[0, 1] = 1


class MetaTask(Settings):
    """States, what they show, where actions lead, what is paid, and what varies between lifetimes."""

    stimuli: tuple[int | str | None, ...] = Field(min_length=1, max_length=MAX_STATES)
    transitions: tuple[tuple[tuple[float, ...], ...], ...]
    rewards: tuple[RewardRule, ...] = Field(min_length=1, max_length=32)
    flags: tuple[FlagRule, ...] = Field(default=(), max_length=32)
    variables: tuple[tuple[int, ...], ...] = Field(default=(), max_length=len(STATE_VARIABLES))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for shown in self.stimuli:
            if shown is not None:
                stimulus_code(shown)
        self._check_transitions()
        for i, values in enumerate(self.variables):
            if not values or not all(0 <= value < self.states for value in values):
                raise EnvError(
                    f"variables: s{i} must name states from 0 to {self.states - 1}, got {list(values)}"
                )
        for rule in (*self.rewards, *self.flags):
            for name in (rule.old, rule.new):
                self._check_state(name)
        return self

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.stimuli)

    @property
    def longest_trial(self) -> int | None:
        """Steps of the longest way from state 0 back to it; None where there is a circle without it."""
        here = {0}
        for steps in range(1, self.states + 1):
            here = {new for old in here for new in self.successors(old)} - {0}
            if not here:
                return steps
        return None

    def successors(self, state: int) -> set[int]:
        """Return where a step from a state may lead."""
        return {new for row in self.transitions[state] for new, chance in enumerate(row) if chance > 0}

    def _check_transitions(self) -> None:
        n = self.states
        if len(self.transitions) != n or any(len(rows) != ACTIONS for rows in self.transitions):
            raise EnvError(f"transitions must have a row for each of {ACTIONS} actions in each of {n} states")
        for state, rows in enumerate(self.transitions):
            for row in rows:
                if len(row) != n or min(row) < 0 or abs(sum(row) - 1) > 1e-6:
                    raise EnvError(
                        f"transitions: a row of state {state} must be {n} probabilities with sum 1, got {list(row)}"
                    )

    def _check_state(self, name: int | str | None) -> None:
        variables = STATE_VARIABLES[: len(self.variables)]
        if not (name is None or name in variables or (isinstance(name, int) and 0 <= name < self.states)):
            known = ", ".join((f"0 to {self.states - 1}", *variables))
            raise EnvError(f"a rule's state must be one of {known}, got {name!r}")


def stimulus_code(shown: int | str) -> int:
    """Return the number of a stimulus: fixed ones from 0, variable ones behind them.

    Raises:
        EnvError: there is no such stimulus.
    """
    names: tuple[Any, ...] = (*range(FIXED_STIMULI), *(f"v{i}" for i in range(VARIABLE_STIMULI)))
    if shown not in names:
        raise EnvError(f"a stimulus must be one of {', '.join(map(str, names))} or null, got {shown!r}")
    return names.index(shown)
