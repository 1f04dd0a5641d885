"""Maze: a reward lies in one hidden cell, the same one for a whole lifetime; each find puts the walker somewhere else.

Miconi et al. 2018, arXiv 1804.02464, and 2019 (Backpropamine), arXiv 2002.10585, with their public code. A square of
`size` cells a side has a border of walls, and pillars where row and column are even; the center is free, and the walk
starts there. Entering the reward's cell, any free one but the center, pays 10 and puts the walker on a random free
cell, another than the reward's. A wall stops a move, for `bump`. Published sizes: 13 (Backpropamine), 11 and 9
(2018).

| observation | |
|---|---|
| 0 to 8 | 1 for a wall, else 0, in the 3x3 cells about the walker, row by row |
| 9 | the share of the lifetime gone, with `clock` |

Actions: up, down, left, right. The published network also sees the last action, the last reward and 1, which are
inputs of every network here (`network.inputs`).

A lifetime of 200 steps without `bump`, by exact recursion over cells and time for every cell of the reward:

| size | free cells | chance | reactive | oracle |
|---|---|---|---|---|
| 9 | 41 | 14.4 | 92.6 | 416.2 |
| 11 | 65 | 7.7 | 57.1 | 324.2 |
| 13 | 97 | 5.4 | 37.6 | 269.6 |

- chance: every move at random. The distribution over cells moves by the walk's matrix; what enters the reward's cell
  counts 10 and spreads over the other free cells.
- reactive: a walker that goes out to the outer ring and then round and round (`ring_walk`), which the walls in view
  suffice for. It is a lower bound of the best map from what is seen (without `clock`) to a move; gradient ascent over
  all such maps, random moves included, found 94.2 and 57.8 for the sizes 9 and 11.
- oracle: a walker that knows the cell and takes a shortest path: V(t) = mean of 10 + V(t - distance) over the cells.
  No learner gets as much, because it has to search first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.cognitive.learning_task import LearningTask, LearningTaskConfig, compiled
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles


class MazeConfig(LearningTaskConfig):
    """A reward in a hidden cell, the same for a whole lifetime: find it, then find it again from elsewhere."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.maze:Maze"
    camera: ClassVar[CameraSpec | None] = CameraSpec("render")

    name: Literal["maze"] = "maze"
    size: int = Field(default=9, ge=5, le=51, description="cells a side, walls included; odd")
    bump: float = Field(
        default=0.0, ge=-1000, le=0, description="reward of running into a wall; -0.1 in 2018"
    )
    clock: bool = Field(default=False, description="whether the share of the lifetime gone is observed")

    @field_validator("size")
    @classmethod
    def _odd(cls, size: int) -> int:
        if size % 2 == 0:
            raise EnvError(f"env.size must be odd, got {size}; use {size + 1}")
        return size

    @property
    @override
    def whole_lifetime(self) -> int:
        return 200

    @property
    @override
    def trial_count(self) -> int:
        from hebbevo.envs.cognitive.maze_walks import REWARD

        return max(1, round(self.oracle / REWARD))

    @property
    @override
    def guess(self) -> float:
        from hebbevo.envs.cognitive.maze_walks import random_guess

        return random_guess(self.size, self.steps)

    @property
    @override
    def observation_size(self) -> int:
        return 10 if self.clock else 9

    @property
    @override
    def action_size(self) -> int:
        return 4

    @property
    @override
    def oracle(self) -> float:
        from hebbevo.envs.cognitive.maze_walks import shortest_paths

        return shortest_paths(self.size, self.steps)

    @property
    @override
    def chance(self) -> float:
        from hebbevo.envs.cognitive.maze_walks import random_walk

        return random_walk(self.size, self.steps, self.bump)

    @property
    @override
    def reactive(self) -> float:
        from hebbevo.envs.cognitive.maze_walks import ring_walk

        return max(self.chance, ring_walk(self.size, self.steps, self.bump))


class Maze(LearningTask):
    """The maze for a batch of lifetimes; a trial ends with a find, and phase 1 begins with the first.

    Attributes:
        cell: of the walker, an index into `free_cells`, int64 ``(batch_size,)``.
        goal: of the reward, likewise.
        free_cells: row and column of each free cell, int64 ``(cells, 2)``.
    """

    frames_per_second: float = 10
    is_mujoco: bool = False

    def __init__(self, config: MazeConfig, batch_size: int, render_mode: str | None = None) -> None:
        import numpy as np

        from hebbevo.envs.cognitive.maze_walks import REWARD, Grid

        super().__init__(config, batch_size)
        self._reward = REWARD
        self._config, self._grid = config, Grid.of(config.size)
        self.free_cells = self._grid.cells
        self.cell, self.goal = np.zeros((2, batch_size), np.int64)
        self._found: Flags = np.zeros(batch_size, np.bool_)  # whether the last step did
        self._landing: Floats = np.zeros((batch_size, config.steps))

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: one number for the reward's cell, then one per step for where a find in it leads."""
        from hebbevo.envs.cognitive.draws import uniforms
        from hebbevo.envs.cognitive.schedules import pick

        count, grid = len(seeds), self._grid
        drawn = uniforms(seeds, 1 + self._config.steps)
        goal = pick(drawn[:, 0], len(grid.cells) - 1)
        self.goal[:count] = goal + (goal >= grid.center)
        self.cell[:count] = grid.center
        self._found[:count] = False
        self._landing[:count] = drawn[:, 1:]
        self.observations[:count, :9] = grid.views[grid.center]

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        if first:
            return
        compiled(_walk)(
            rows,
            self._choice,
            self._reward,
            self._config.bump,
            self._config.clock,
            self._grid.neighbours,
            self._grid.distances,
            self._grid.views,
            self.goal,
            self._landing,
            self._step,
            self.cell,
            self._found,
            self.trial,
            self.phase,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Return the maze of a lifetime from above: the walker, the cell of the reward."""
        from hebbevo.envs.cognitive.pictures import FREE, draw_cells

        cells = [(int(r), int(c)) for r, c in self.free_cells]
        return draw_cells(dict.fromkeys(cells, FREE), cells[self.cell[row]], cells[self.goal[row]])


def _walk(
    rows: Integers,
    choice: Integers,
    reward: float,
    bump: float,
    clock: bool,
    neighbours: Integers,
    distances: Integers,
    views: Singles,
    goal: Integers,
    landing: Floats,
    steps: Integers,
    cell: Integers,
    found: Flags,
    trial: Integers,
    phase: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Move each walker by one cell, and a find somewhere else."""
    for row in rows:
        step, here = steps[row], cell[row]
        there = neighbours[here, choice[row]]
        trial[row] += found[row]
        found[row] = there == goal[row]
        phase[row] = min(trial[row], 1)
        optimal[row] = distances[there, goal[row]] < distances[here, goal[row]]
        if found[row]:
            rewards[row] = reward
            landed = int(landing[row, step] * (neighbours.shape[0] - 1))
            there = landed + 1 if landed >= goal[row] else landed
        elif there == here:
            rewards[row] = bump
        cell[row] = there
        steps[row] = step + 1
        terminated[row] = step + 1 == landing.shape[1]
        for i in range(9):
            observations[row, i] = views[there, i]
        if clock:
            observations[row, 9] = (step + 1) / landing.shape[1]
