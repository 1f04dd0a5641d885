"""T-maze: the ends of a branching corridor pay, one of them more, and which one changes in the course of the lifetime.

Soltoggio et al. 2008 (ALIFE XI), as agreed by later codes (AHNI among them); without their observation noise, and
with one network step per position. A trip starts at home and goes through corridors of `passage` positions, with a
turn after each but the last, to an end: 2 ends behind one turn, or 4 behind two (`double`). Each step is spent at one
position:

| observation | at |
|---|---|
| 0: home | the start, where trips begin |
| 1: turn | a turn |
| 2: end | an end |
| 3: reward | an end: what it pays, `high` or `low`, as the reward of this step |

The one action o means straight on for |o| <= 1/3, right above and left below. Straight on at a turn, or turning
anywhere else but at an end, is a crash, which pays `crash` and ends the trip. With `homing` the walker must also go
back, turning the opposite way at each turn; a crash on the way back pays `failed_return`.

At first each end is the high one with the same probability. It changes to another one `switches` times, at trips that
are spread evenly and moved by up to a `jitter`-th of the time between them.

- chance: a trip that turns at random and never crashes gets the mean of the ends: 0.6 for 2, 0.4 for 4.
- reactive: a fixed map always goes to the same end, which is the high one in the same share of trips: chance.
- oracle, a learner that tries unknown ends one after the other and stays with the high one. Until it finds the high
  one among n ends it misses (n - 1) / 2 times in the mean, each for high - low; after a switch it misses once at the
  old end and then (n - 2) / 2 times among the others: 98.8 of 100 for 2 ends, 194 of 200 for 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.cognitive.learning_task import NO_CHOICE, LearningTask, LearningTaskConfig, compiled
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles

HOME, CORRIDOR, TURN, END, TURN_BACK = range(5)
HOME_COLOR: Final = "#88a8c8"
TURN_COLOR: Final = "#d8dee9"
STRAIGHT: Final = 1 / 3
"""Actions up to this size, either way, go straight on."""


class TMazeConfig(LearningTaskConfig):
    """A corridor with turns, ends that pay differently, and a high one that moves: go there, notice, search again."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.t_maze:TMaze"
    values_of_whole: ClassVar[bool] = True
    camera: ClassVar[CameraSpec | None] = CameraSpec("render")
    feedback_inputs: ClassVar[tuple[int, ...]] = (-1,)

    name: Literal["t_maze"] = "t_maze"
    double: bool = Field(default=False, description="two turns and four ends, not one and two")
    homing: bool = Field(default=False, description="whether a trip also leads home again")
    passage: int = Field(default=3, ge=0, le=100, description="positions of each corridor")
    trips: int = Field(default=100, ge=1, le=100_000, description="of a lifetime; 200 for `double`")
    switches: int = Field(default=1, ge=0, le=1000, description="changes of the high end; 3 for `double`")
    jitter: float = Field(
        default=0.3, ge=0, le=0.5, description="share of the time between switches; 0.2 for `double`"
    )
    high: float = Field(default=1.0, ge=-1000, le=1000, description="what the high end pays")
    low: float = Field(default=0.2, ge=-1000, le=1000, description="what the other ends pay")
    crash: float = Field(default=-0.4, ge=-1000, le=0, description="reward of a crash on the way out")
    failed_return: float = Field(
        default=-0.3, ge=-1000, le=0, description="reward of a crash on the way back"
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_double_maze(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("double") is True:
            return {"trips": 200, "switches": 3, "jitter": 0.2, **data}
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.high <= self.low:
            raise EnvError(f"env.high must be above env.low, got {self.high} and {self.low}")
        if self.switches >= self.trips:
            raise EnvError(f"env.switches must be below env.trips, {self.trips}, got {self.switches}")
        return self

    @property
    def turns(self) -> int:
        """Turns on the way out."""
        return 2 if self.double else 1

    @property
    def ends(self) -> int:
        """Ends of the maze."""
        return 1 << self.turns

    @property
    def positions(self) -> tuple[int, ...]:
        """Kinds of the positions of a trip, one after the other."""
        corridor = (CORRIDOR,) * self.passage
        out = (HOME, *corridor, *((TURN, *corridor) * self.turns), END)
        return (*out, *((*corridor, TURN_BACK) * self.turns), *corridor) if self.homing else out

    @property
    @override
    def whole_lifetime(self) -> int:
        return self.trips * len(self.positions)

    @property
    @override
    def trial_count(self) -> int:
        return self.trips

    @property
    @override
    def guess(self) -> float:
        return 1 / self.ends

    @property
    @override
    def observation_size(self) -> int:
        return 4

    @property
    @override
    def action_size(self) -> int:
        return 1

    @property
    @override
    def oracle(self) -> float:
        misses = (self.ends - 1) / 2 + self.switches * (1 + (self.ends - 2) / 2)
        return self.trips * self.high - misses * (self.high - self.low)

    @property
    @override
    def chance(self) -> float:
        return self.trips * (self.low + (self.high - self.low) / self.ends)


class TMaze(LearningTask):
    """The T-maze for a batch of lifetimes; a trial is a trip, and a phase ends with a switch.

    Attributes:
        high_end: of each trip, int64 ``(batch_size, trips)``; an end is the number whose bits are its turns, 1 for
            right, the first turn's the highest.
        turned: turns of this trip, likewise, int64 ``(batch_size,)``.
    """

    frames_per_second: float = 15
    is_mujoco: bool = False

    def __init__(self, config: TMazeConfig, batch_size: int, render_mode: str | None = None) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config = config
        self._positions = np.array(config.positions, np.int64)
        self._pays = np.array([config.high, config.low, config.crash, config.failed_return])
        self._position, self.turned, self._trip = np.zeros((3, batch_size), np.int64)
        self.high_end: Integers = np.zeros((batch_size, config.trips), np.int64)
        self._phases: Integers = np.zeros((batch_size, config.trips), np.int64)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: the first high end, then for each switch its trip and the end that follows."""
        import numpy as np

        from hebbevo.envs.cognitive.draws import uniforms
        from hebbevo.envs.cognitive.schedules import pick

        count, trips, switches, ends = (
            len(seeds),
            self._config.trips,
            self._config.switches,
            self._config.ends,
        )
        drawn = uniforms(seeds, 1 + 2 * switches)
        period = trips / (switches + 1)
        moved = (2 * drawn[:, 1::2] - 1) * self._config.jitter
        at = np.rint(period * (1 + np.arange(switches) + moved)).astype(np.int64)
        late = np.arange(trips) >= at[:, :, None]  # (lifetimes, switches, trips)
        steps = 1 + pick(drawn[:, 2::2], ends - 1)
        first = pick(drawn[:, 0], ends)
        self.high_end[:count] = (first[:, None] + (late * steps[:, :, None]).sum(axis=1)) % ends
        self._phases[:count] = late.sum(axis=1)
        for numbers in (self._position, self.turned, self._trip):
            numbers[:count] = 0
        self.observations[:count, 0] = 1.0

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        if first:
            return
        compiled(_walk)(
            rows,
            actions,
            self._positions,
            self._pays,
            self._config.turns,
            self.high_end,
            self._phases,
            self._trip,
            self._position,
            self.turned,
            self.trial,
            self.phase,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Return the maze of a lifetime from above: the walker, home, the turns, and the high end of this trip."""
        from hebbevo.envs.cognitive.pictures import FREE, draw_cells

        out = [int(kind) for kind in self._positions[: list(self._positions).index(END) + 1]]
        colors = {HOME: HOME_COLOR, CORRIDOR: FREE, TURN: TURN_COLOR, END: FREE}
        paths = [_path(out, end, self._config.turns) for end in range(self._config.ends)]
        cells = {cell: colors[kind] for path in paths for cell, kind in zip(path, out, strict=True)}
        at, last = int(self._position[row]), len(out) - 1
        taken = out[:at].count(TURN) if at <= last else self._config.turns
        towards = int(self.turned[row]) << (self._config.turns - taken)
        high = self.high_end[row, min(int(self._trip[row]), self._config.trips - 1)]
        return draw_cells(cells, paths[towards][at if at <= last else 2 * last - at], paths[high][-1])


def _path(out: Sequence[int], end: int, turns: int) -> list[tuple[int, int]]:
    """Return row and column of each position on the way from home to an end."""
    row = column = done = 0
    down, right = -1, 0  # the way ahead, in rows and columns
    path = []
    for kind in out:
        path.append((row, column))
        if kind == TURN:
            done += 1
            goes_right = end >> (turns - done) & 1
            down, right = (right, -down) if goes_right else (-right, down)
        row, column = row + down, column + right
    return path


def _walk(
    rows: Integers,
    actions: Singles,
    positions: Integers,
    pays: Floats,
    turns: int,
    high_end: Integers,
    phases: Integers,
    trips: Integers,
    position: Integers,
    turned: Integers,
    trial: Integers,
    phase: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Act at the position, and go on to the next one or home."""
    for row in rows:
        trip, at, action = trips[row], position[row], actions[row, 0]
        kind = positions[at]
        trial[row], phase[row], optimal[row] = trip, phases[row, trip], NO_CHOICE
        way = 1 if action > STRAIGHT else -1 if action < -STRAIGHT else 0
        crashed = way != 0
        if kind == TURN:
            crashed = way == 0
            turned[row] = 2 * turned[row] + (way == 1)
        elif kind == TURN_BACK:  # the last turn of the way out first
            left_to_do = 0
            for later in range(at, len(positions)):
                left_to_do += positions[later] == TURN_BACK
            went_right = turned[row] >> (turns - left_to_do) & 1
            crashed = way != (-1 if went_right else 1)
        elif kind == END:
            crashed = False
            optimal[row] = turned[row] == high_end[row, trip]
            rewards[row] = pays[0] if optimal[row] else pays[1]
        if crashed:
            out = False
            for later in range(at, len(positions)):
                out |= positions[later] == END
            optimal[row] = 0
            rewards[row] = pays[2] if out else pays[3]
        at += 1
        if crashed or at == len(positions):
            at, turned[row] = 0, 0
            trips[row] = trip + 1
            terminated[row] = trip + 1 == high_end.shape[1]
        position[row] = at
        kind = positions[at]
        observations[row, 0] = kind == HOME
        observations[row, 1] = kind in (TURN, TURN_BACK)
        observations[row, 2] = kind == END
        shown = pays[0] if turned[row] == high_end[row, min(trips[row], high_end.shape[1] - 1)] else pays[1]
        observations[row, 3] = shown if kind == END else 0.0
