"""The cells of the maze, and what walks through it are worth, by exact recursion."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

REWARD: Final = 10.0
"""Of entering the hidden cell."""

MOVES: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""Up, down, left, right, in rows and columns."""

UP, DOWN, LEFT, RIGHT = range(len(MOVES))

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grid:
    """The free cells of a maze.

    Attributes:
        cells: row and column, int64 ``(cells, 2)``, row by row.
        center: the cell in the middle.
        neighbours: the cell that each move leads to, the same one before a wall, int64 ``(cells, 4)``.
        distances: moves of a shortest path, int64 ``(cells, cells)``.
        views: the walls in the 3x3 cells about each, float32 ``(cells, 9)``.
    """

    cells: Integers
    center: int
    neighbours: Integers
    distances: Integers
    views: npt.NDArray[np.float32]

    @staticmethod
    @functools.cache
    def of(size: int) -> Grid:
        """Return the maze of so many cells a side."""
        walls = np.zeros((size, size), bool)
        walls[[0, -1]] = walls[:, [0, -1]] = walls[::2, ::2] = True
        walls[size // 2, size // 2] = False
        cells = np.argwhere(~walls)
        number = np.full((size, size), -1)
        number[~walls] = np.arange(len(cells))
        ahead = number[tuple((cells[:, None] + np.array(MOVES)).T)].T
        neighbours = np.where(ahead >= 0, ahead, np.arange(len(cells))[:, None])
        views = np.stack([walls[r - 1 : r + 2, c - 1 : c + 2].ravel() for r, c in cells]).astype(np.float32)
        center = int(number[size // 2, size // 2])
        return Grid(cells, center, neighbours, _distances(neighbours), views)

    @property
    def goals(self) -> Integers:
        """Cells where the reward may lie."""
        return np.delete(np.arange(len(self.cells)), self.center)


def _distances(neighbours: Integers) -> Integers:
    """Return the lengths of shortest paths between all cells, by breadth first."""
    distances = np.full((len(neighbours), len(neighbours)), -1)
    for start, row in enumerate(distances):
        row[start], queue = 0, deque([start])
        while queue:
            cell = queue.popleft()
            for there in neighbours[cell]:
                if row[there] < 0:
                    row[there] = row[cell] + 1
                    queue.append(there)
    return distances


@functools.cache
def shortest_paths(size: int, steps: int) -> float:
    """Return the mean reward of a lifetime on shortest paths: V(t) = mean of 1 + V(t - distance) over the cells."""
    grid = Grid.of(size)
    finds = []
    for goal in grid.goals:
        lengths = np.delete(grid.distances[goal], goal)
        value = np.zeros(steps + 1)
        for left in range(1, steps + 1):
            near = lengths[lengths <= left]
            value[left] = (1 + value[left - near]).sum() / len(lengths)
        first = grid.distances[goal, grid.center]
        finds.append(1 + value[steps - first] if first <= steps else 0.0)
    return REWARD * float(np.mean(finds))


def walk_reward(size: int, steps: int, bump: float, policy: Floats) -> float:
    """Return the mean reward of a lifetime of a walker without memory.

    Args:
        size: cells a side.
        steps: moves of the lifetime.
        bump: reward of a wall.
        policy: probability of each move in each cell, ``(cells, 4)``.
    """
    grid = Grid.of(size)
    blocked = (policy * (grid.neighbours == np.arange(len(grid.cells))[:, None])).sum(axis=1)
    total = 0.0
    for at, found in _occupancy(size, steps, policy):
        total += bump * (at @ blocked).mean()
        total += REWARD * found.mean()
    return float(total)


def _occupancy(size: int, steps: int, policy: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield for each move where a walker is before it, ``(goals, cells)``, and whether it finds, ``(goals,)``."""
    grid, goals = Grid.of(size), Grid.of(size).goals
    count = len(grid.cells)
    moves = np.zeros((count, count))
    for move in range(len(MOVES)):
        np.add.at(moves, (np.arange(count), grid.neighbours[:, move]), policy[:, move])
    at = np.zeros((len(goals), count))  # a row for each cell of the reward
    at[:, grid.center] = 1
    rows = np.arange(len(goals))
    for _ in range(steps):
        before, at = at, at @ moves
        found = at[rows, goals].copy()
        at += found[:, None] / (count - 1)
        at[rows, goals] = 0
        yield before, found


@functools.cache
def random_guess(size: int, steps: int) -> float:
    """Return the share of random moves that shorten the way to the reward."""
    grid = Grid.of(size)
    ahead = grid.distances[:, grid.neighbours]  # from a cell of the reward: (goal, cell, move)
    shortens = (ahead < grid.distances[:, :, None]).mean(axis=2)[grid.goals]
    policy = np.full((len(grid.cells), len(MOVES)), 1 / len(MOVES))
    shares = [(at * shortens).sum(axis=1).mean() for at, _ in _occupancy(size, steps, policy)]
    return float(np.mean(shares))


@functools.cache
def random_walk(size: int, steps: int, bump: float) -> float:
    """Return the mean reward of a lifetime of random moves."""
    return walk_reward(size, steps, bump, np.full((len(Grid.of(size).cells), 4), 1 / 4))


@functools.cache
def ring_walk(size: int, steps: int, bump: float) -> float:
    """Return the mean reward of a lifetime of the walker that goes out to the outer ring and then round and round.

    Each move follows from the walls around the cell: along the border where there is one, else up, or right.
    """
    grid, last = Grid.of(size), size - 2
    moves = np.where(grid.neighbours[:, UP] != np.arange(len(grid.cells)), UP, RIGHT)
    row, column = grid.cells.T
    moves[(column == 1) & (row > 1)] = UP
    moves[(row == last) & (column > 1)] = LEFT
    moves[(column == last) & (row < last)] = DOWN
    moves[(row == 1) & (column < last)] = RIGHT
    return walk_reward(size, steps, bump, np.eye(len(MOVES))[moves])
