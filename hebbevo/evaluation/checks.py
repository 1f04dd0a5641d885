"""What can be evaluated: numbers of episodes, seeds, morphologies."""

from __future__ import annotations

from collections.abc import Sequence

from hebbevo.errors import InputError
from hebbevo.seeding import SEED_LIMIT
from hebbevo.tasks.task import Task

MOST_EPISODES = 1_000_000


def check_sample(episodes: int, seed: int) -> None:
    """Raise `InputError` for a number of episodes, or a seed, that lifetimes cannot have."""
    if not 1 <= episodes <= MOST_EPISODES:
        raise InputError(f"episodes must be from 1 to {MOST_EPISODES}, got {episodes}")
    if not 0 <= seed < SEED_LIMIT:
        raise InputError(f"seed must be from 0 to 2**63 - 1, got {seed}")


def checked_bodies(task: Task, morphologies: Sequence[str] | None) -> tuple[str, ...]:
    """Return bodies that the task's environment knows; by default the task's own.

    Raises:
        InputError: an unknown one, or an environment with one body only.
    """
    if not morphologies:
        return task.env.morphology_names
    return task.env.with_morphologies(morphologies).morphology_names
