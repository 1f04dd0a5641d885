"""Bandit: arms that pay or do not, with probabilities that a lifetime has to find out, and to follow.

A step pulls an arm, which pays 1 with its probability, else 0. The observation is always 1. Schedules of the
probabilities of k arms (Wang et al. 2016; Daw et al. 2006 for the walk):

| schedule | probabilities |
|---|---|
| `dependent` | two arms, p and 1 - p; p uniform in [0, 1], new in every lifetime |
| `independent` | each arm's own, uniform in [0, 1], new in every lifetime |
| `reversing` | `good` for one arm, `bad` for the others; with probability `hazard` a pull finds another one good |
| `drifting` | each arm's own, a Gaussian walk of standard deviation `drift` that bounces off `bad` and `good` |

In each step

- the oracle, who knows the probabilities and no outcome, gets E[max]: with uniform ones over [0, 1] k / (k + 1),
  which is also 3/4 for p and 1 - p: E[max(p, 1 - p)]; `good`; or bad + (good - bad) k / (k + 1), as a walk that
  bounces stays uniform. No learner gets as much: it has to try.
- chance is the mean probability: 1/2; (good + (k - 1) bad) / k; (bad + good) / 2.
- a fixed map from the observation, which never changes, pulls one arm for ever. No arm is better than another before
  a lifetime begins, so that it gets what chance does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import LearningTask, LearningTaskConfig, compiled
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles


class BanditConfig(LearningTaskConfig):
    """Arms that pay with probabilities which are new in every lifetime, and change."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.bandit:Bandit"

    name: Literal["bandit"] = "bandit"
    arms: int = Field(default=2, ge=2, le=100, description="arms to pull")
    schedule: Literal["dependent", "independent", "reversing", "drifting"] = Field(
        default="reversing", description="how the arms' probabilities come about, and change"
    )
    good: float = Field(default=0.9, ge=0, le=1, description="highest probability to pay")
    bad: float = Field(default=0.1, ge=0, le=1, description="lowest probability to pay")
    hazard: float = Field(default=0.04, ge=0, le=1, description="probability of a reversal before a pull")
    drift: float = Field(default=0.025, ge=0, le=1, description="standard deviation of a drifting arm's step")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.good <= self.bad:
            raise EnvError(f"env.good must be above env.bad, got {self.good} and {self.bad}")
        if self.schedule == "dependent" and self.arms != 2:
            raise EnvError(f"env.schedule dependent has two arms, got {self.arms}; use independent")
        return self

    @property
    @override
    def whole_lifetime(self) -> int:
        return 100

    @property
    @override
    def trial_count(self) -> int:
        return self.steps

    @property
    @override
    def observation_size(self) -> int:
        return 1

    @property
    @override
    def action_size(self) -> int:
        return self.arms

    @property
    @override
    def oracle(self) -> float:
        share = {"dependent": 3 / 4, "reversing": 1.0}.get(self.schedule, self.arms / (self.arms + 1))
        return self.steps * self._at(share)

    @property
    @override
    def chance(self) -> float:
        return self.steps * self._at(1 / self.arms if self.schedule == "reversing" else 1 / 2)

    def _at(self, share: float) -> float:
        """Return the probability at this share of the way from the lowest to the highest."""
        bounded = self.schedule in ("reversing", "drifting")
        low, high = (self.bad, self.good) if bounded else (0.0, 1.0)
        return low + (high - low) * share


class Bandit(LearningTask):
    """The bandit for a batch of lifetimes; a phase ends with a reversal.

    Attributes:
        probabilities: of each arm in each pull, float64 ``(batch_size, pulls, arms)``.
    """

    def __init__(self, config: BanditConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config = config
        self.probabilities: Floats = np.zeros((batch_size, config.steps, config.arms))
        self._uniforms: Floats = np.zeros((batch_size, config.steps))
        self._phases: Integers = np.zeros((batch_size, config.steps), np.int64)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: a number per pull for its outcome, then two per pull and arm, or two per pull, for the schedule."""
        from hebbevo.envs.cognitive.draws import uniforms

        count, pulls, arms = len(seeds), self._config.steps, self._config.arms
        streams = 1 if self._config.schedule == "reversing" else arms
        drawn = uniforms(seeds, pulls + 2 * pulls * streams)
        self._uniforms[:count] = drawn[:, :pulls]
        self._schedule(drawn[:, pulls:].reshape(count, streams, 2 * pulls))
        self.observations[:count] = 1.0

    def _schedule(self, drawn: Floats) -> None:
        """Set probabilities and phases from uniform numbers ``(lifetimes, streams, 2 * pulls)``."""
        import numpy as np

        from hebbevo.envs.cognitive.schedules import pick, reflected_walks, switching

        config, count = self._config, len(drawn)
        rows = self.probabilities[:count]
        if config.schedule == "dependent":
            rows[:, :, 0] = drawn[:, 0, :1]
            rows[:, :, 1] = 1 - rows[:, :, 0]
        elif config.schedule == "independent":
            rows[:] = drawn[:, None, :, 0]
        elif config.schedule == "drifting":
            walks = reflected_walks(drawn, config.bad, config.good, config.drift)
            rows[:] = walks.swapaxes(1, 2)
        else:
            switches = drawn[:, 0, 0::2] < config.hazard
            switches[:, 0] = False
            first = pick(drawn[:, 0, 0], config.arms)
            best = switching(first, switches, drawn[:, 0, 1::2], config.arms)
            rows[:] = np.where(best[:, :, None] == np.arange(config.arms), config.good, config.bad)
            self._phases[:count] = np.cumsum(switches, axis=1)

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        if first:
            return
        compiled(_pull)(
            rows,
            self._choice,
            self.probabilities,
            self._uniforms,
            self._phases,
            self._step,
            self.trial,
            self.phase,
            self.optimal,
            self.rewards,
            self.terminated,
        )


def _pull(
    rows: Integers,
    choice: Integers,
    probabilities: Floats,
    uniforms: Floats,
    phases: Integers,
    steps: Integers,
    trial: Integers,
    phase: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
) -> None:
    """Pull the arm that each row chose."""
    for row in rows:
        pull = steps[row]
        probability, best = probabilities[row, pull, choice[row]], 1
        for arm in range(probabilities.shape[2]):
            if probabilities[row, pull, arm] > probability:
                best = 0
        rewards[row] = 1.0 if uniforms[row, pull] < probability else 0.0
        trial[row], phase[row], optimal[row] = pull, phases[row, pull], best
        steps[row] = pull + 1
        terminated[row] = pull + 1 == probabilities.shape[1]
