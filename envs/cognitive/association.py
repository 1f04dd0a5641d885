"""Association: for each of k stimuli one of two answers is right, and which is drawn for every lifetime.

A step shows a stimulus, the network answers, and the reward is 1 for the right answer and -1 for the other. Every
block of k steps shows each stimulus once, in an order of its own. In a lifetime of n blocks

- chance, and the best that fixed weights without memory can do, is half of the answers right: the right answer is
  independent of the stimulus;
- an oracle that guesses each stimulus once and then knows it is right in (n - 1/2) / n of the steps: 0.95 in 10
  blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from pydantic import Field
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import LearningTask, LearningTaskConfig, compiled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles

BLOCKS: Final = 10
"""Times that each stimulus is shown, where the length of a lifetime is not given."""


class AssociationConfig(LearningTaskConfig):
    """The right answer to each stimulus is drawn anew for every lifetime."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.association:Association"
    question_per_input: ClassVar[bool] = True

    name: Literal["association"] = "association"
    stimuli: int = Field(default=8, ge=1, le=1000, description="stimuli, each with a right answer of its own")

    @property
    @override
    def whole_lifetime(self) -> int:
        return BLOCKS * self.stimuli

    @property
    @override
    def trial_count(self) -> int:
        return -(-self.steps // self.stimuli)

    @property
    @override
    def observation_size(self) -> int:
        return self.stimuli

    @property
    @override
    def oracle(self) -> float:
        return float(self.steps - min(self.steps, self.stimuli))

    @property
    @override
    def chance(self) -> float:
        return 0.0


class Association(LearningTask):
    """The association task for a batch of lifetimes; a trial is a block, and phases do not change.

    Attributes:
        answers: the right one for each stimulus, int64 ``(batch_size, stimuli)``.
        shown: stimulus of each step of whole blocks, int64 ``(batch_size, steps or more)``.
    """

    def __init__(self, config: AssociationConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._steps, stimuli = config.steps, config.stimuli
        self._blocks = -(-config.steps // stimuli)
        self.answers: Integers = np.zeros((batch_size, stimuli), np.int64)
        self.shown: Integers = np.zeros((batch_size, self._blocks * stimuli), np.int64)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw as NumPy's ``integers(0, 2, stimuli)``, then ``permuted`` of every block."""

        from hebbevo.envs.cognitive.draws import halves

        drawn = 2 * (self.observation_size + self.shown.shape[1])
        while not compiled(_shuffle)(halves(seeds, drawn), self.answers, self.shown):
            drawn *= 2

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        compiled(_answer_and_show)(
            rows,
            first,
            self._steps,
            self._choice,
            self.answers,
            self.shown,
            self._step,
            self.trial,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )


def _shuffle(halves: npt.NDArray[np.uint32], answers: Integers, shown: Integers) -> bool:
    """Draw answers and orders from 32-bit words ``(lifetimes, words)``; return False where one has too few of them.

    Fisher and Yates, with numbers that are cut to as many bits as needed and drawn again where they are too large.
    """
    stimuli = answers.shape[1]
    for row in range(halves.shape[0]):
        for stimulus in range(stimuli):
            answers[row, stimulus] = halves[row, stimulus] >> 31
        used = stimuli
        for start in range(0, shown.shape[1], stimuli):
            for i in range(stimuli):
                shown[row, start + i] = i
            mask = 1
            while mask < stimuli - 1:
                mask = 2 * mask + 1
            for last in range(stimuli - 1, 0, -1):
                while mask >> 1 >= last:
                    mask >>= 1
                other = last + 1
                while other > last:
                    if used == halves.shape[1]:
                        return False
                    other = halves[row, used] & mask
                    used += 1
                swapped = shown[row, start + last]
                shown[row, start + last] = shown[row, start + other]
                shown[row, start + other] = swapped
    return True


def _answer_and_show(
    rows: Integers,
    first: bool,
    last_step: int,
    choice: Integers,
    answers: Integers,
    shown: Integers,
    steps: Integers,
    trial: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Score each row's answer, unless it is the first call, and show the next stimulus."""
    for row in rows:
        step = steps[row]
        if not first:
            stimulus = shown[row, step]
            right = choice[row] == answers[row, stimulus]
            rewards[row] = 1.0 if right else -1.0
            trial[row], optimal[row] = step // answers.shape[1], right
            step += 1
            steps[row] = step
            if step == last_step:
                terminated[row] = True
                continue
            observations[row, stimulus] = 0.0
        observations[row, shown[row, step]] = 1.0
