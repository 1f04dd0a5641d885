"""The two-step task: the first action leads to one of two states, mostly to its own, and that state pays or does not.

A trial takes two steps. In state 0 the action a leads to state 1 + a with probability `common`, else to the other
one. There the second action pays 1 with the probability of its arm, else 0, and the next trial begins. The
observation is the state, one-hot (3). Two schedules:

| schedule | `common` | arms and their probabilities |
|---|---|---|
| `wang` (Wang et al. 2016, 2018) | 0.8 | one a state, `good` and `bad`; swapped before a trial with prob. `hazard` |
| `daw` (Daw et al. 2011) | 0.7 | two a state: walks of standard deviation `drift` that bounce off `bad` and `good` |

In a trial

- the oracle, who knows the probabilities and no outcome, goes for the better state: common * high + (1 - common) *
  low. For `wang` these are good and bad: 0.8 * 0.9 + 0.2 * 0.1 = 0.74. For `daw` the arms are uniform in [bad, good],
  as walks that bounce stay so. On [0, 1] the best of all four is 4/5 in the mean, each state's better arm 2/3, so
  that the worse state's better arm is 4/3 - 4/5 = 8/15: 0.7 * 4/5 + 0.3 * 8/15 = 0.72, which is 0.61 on [0.25, 0.75].
- chance is the mean of good and bad.
- a fixed map from the observation always takes the same way, and no way is better before a lifetime begins: chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import NO_CHOICE, LearningTask, LearningTaskConfig, compiled
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles

SCHEDULES: Final[dict[str, dict[str, float]]] = {
    "wang": {"common": 0.8, "good": 0.9, "bad": 0.1, "trials": 100},
    "daw": {"common": 0.7, "good": 0.75, "bad": 0.25, "trials": 201},
}
"""Settings of each schedule, where they are not given."""


class TwoStepConfig(LearningTaskConfig):
    """A choice leads to a state, mostly the one expected, and only the state pays: model-free or model-based?"""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.two_step:TwoStep"

    name: Literal["two_step"] = "two_step"
    schedule: Literal["wang", "daw"] = Field(default="wang", description="arms, and how they change")
    trials: int = Field(default=100, ge=1, le=100_000, description="pairs of steps")
    common: float = Field(default=0.8, ge=0.5, le=1, description="probability of an action's own state")
    good: float = Field(default=0.9, ge=0, le=1, description="highest probability to pay")
    bad: float = Field(default=0.1, ge=0, le=1, description="lowest probability to pay")
    hazard: float = Field(default=0.025, ge=0, le=1, description="of a swap before a trial (wang)")
    drift: float = Field(default=0.025, ge=0, le=1, description="standard deviation of an arm's step (daw)")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_schedule(cls, data: Any) -> Any:
        return {**SCHEDULES.get(str(data.get("schedule")), {}), **data} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.good <= self.bad:
            raise EnvError(f"env.good must be above env.bad, got {self.good} and {self.bad}")
        return self

    @property
    @override
    def whole_lifetime(self) -> int:
        return 2 * self.trials

    @property
    @override
    def trial_count(self) -> int:
        return min(self.trials, -(-self.steps // 2))

    @property
    @override
    def observation_size(self) -> int:
        return 3

    @property
    @override
    def oracle(self) -> float:
        high, low = (1.0, 0.0) if self.schedule == "wang" else (4 / 5, 8 / 15)
        share = self.common * high + (1 - self.common) * low
        return self._paid * (self.bad + (self.good - self.bad) * share)

    @property
    @override
    def chance(self) -> float:
        return self._paid * (self.bad + self.good) / 2

    @property
    def _paid(self) -> int:
        """Second steps of a lifetime."""
        return min(self.trials, self.steps // 2)


class TwoStep(LearningTask):
    """The two-step task for a batch of lifetimes; a phase ends with a swap.

    Attributes:
        state: 0, 1 or 2, int64 ``(batch_size,)``.
        probabilities: of the arms of states 1 and 2 in each trial, float64 ``(batch_size, trials, 4)``.
    """

    def __init__(self, config: TwoStepConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config, trials = config, config.trials
        self.state: Integers = np.zeros(batch_size, np.int64)
        self.probabilities: Floats = np.zeros((batch_size, trials, 4))
        self._uniforms: Floats = np.zeros((batch_size, trials, 2))  # of the transition, of the outcome
        self._phases: Integers = np.zeros((batch_size, trials), np.int64)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: two numbers per trial, then two per trial and walk, or two per trial for the swaps."""
        import numpy as np

        from hebbevo.envs.cognitive.draws import uniforms
        from hebbevo.envs.cognitive.schedules import pick, reflected_walks, switching

        config, count, trials = self._config, len(seeds), self._config.trials
        streams = 1 if config.schedule == "wang" else 4
        drawn = uniforms(seeds, 2 * trials * (1 + streams)).reshape(count, 1 + streams, 2 * trials)
        self._uniforms[:count] = drawn[:, 0].reshape(count, trials, 2)
        if config.schedule == "daw":
            walks = reflected_walks(drawn[:, 1:], config.bad, config.good, config.drift)
            self.probabilities[:count] = walks.swapaxes(1, 2)
        else:
            swaps = drawn[:, 1, 0::2] < config.hazard
            swaps[:, 0] = False
            best = switching(pick(drawn[:, 1, 0], 2), swaps, drawn[:, 1, 1::2], 2)
            pays = best[:, :, None] == np.array([0, 0, 1, 1])
            self.probabilities[:count] = np.where(pays, config.good, config.bad)
            self._phases[:count] = np.cumsum(swaps, axis=1)
        self.state[:count] = 0
        self.observations[:count, 0] = 1.0

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        if first:
            return
        compiled(_walk)(
            rows,
            self._choice,
            self._config.common,
            self._config.schedule == "daw",
            self.probabilities,
            self._uniforms,
            self._phases,
            self._step,
            self.state,
            self.trial,
            self.phase,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )


def _walk(
    rows: Integers,
    choice: Integers,
    common: float,
    two_arms: bool,
    probabilities: Floats,
    uniforms: Floats,
    phases: Integers,
    steps: Integers,
    state: Integers,
    trial: Integers,
    phase: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Take the first or second step of the trial."""
    for row in rows:
        t = steps[row] // 2
        steps[row] += 1
        trial[row], phase[row] = t, phases[row, t]
        here, chosen = state[row], choice[row]
        observations[row, here] = 0.0
        if here == 0:
            own = max(probabilities[row, t, 2 * chosen], probabilities[row, t, 2 * chosen + 1])
            other = max(probabilities[row, t, 2 - 2 * chosen], probabilities[row, t, 3 - 2 * chosen])
            optimal[row] = own >= other
            state[row] = 1 + chosen if uniforms[row, t, 0] < common else 2 - chosen
        else:
            first = 2 * (here - 1)
            paid = probabilities[row, t, first + chosen]
            optimal[row] = paid >= probabilities[row, t, first + 1 - chosen] if two_arms else NO_CHOICE
            rewards[row] = 1.0 if uniforms[row, t, 1] < paid else 0.0
            state[row] = 0
            terminated[row] = t + 1 == probabilities.shape[1]
        observations[row, state[row]] = 1.0
