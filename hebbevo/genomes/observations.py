"""The statistics of observations in a genome file: two arrays outside the vector that evolves."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.errors import FileError
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.tasks.task import Task

FloatArray = npt.NDArray[np.float32]

MEAN: Final = "observation.mean"
STD: Final = "observation.std"
STEPS: Final = "observation_steps"
"""Key of the header: the agent-steps that the statistics were measured over."""


def statistics_arrays(task: Task) -> dict[str, FloatArray]:
    """Return the arrays of a genome file that hold the statistics; none where observations are not normalised."""
    statistics = task.statistics_of_observations()
    if statistics is None:
        return {}
    return {MEAN: np.array(statistics.mean, np.float32), STD: np.array(statistics.std, np.float32)}


def statistics_header(task: Task) -> dict[str, Any]:
    """Return what the header says of the statistics."""
    statistics = task.statistics_of_observations()
    return {} if statistics is None else {STEPS: statistics.steps}


def take_statistics(
    task: Task, arrays: dict[str, FloatArray], header: dict[str, Any]
) -> ObservationStatistics | None:
    """Take the statistics out of the arrays of a genome file; None where the task does not normalise observations.

    Raises:
        FileError: statistics that are missing or cannot be those of the task.
    """
    if not task.network.normalise_observations:
        return None
    size, steps = task.env.interface.observation_size, header.get(STEPS)
    for name in (MEAN, STD):
        if name not in arrays or arrays[name].shape != (size,):
            raise FileError(f"array {name!r} is missing or not of {size} observations; write the file again")
    mean, std = arrays.pop(MEAN), arrays.pop(STD)
    if not (std > 0).all() or not isinstance(steps, int) or steps < 0:
        raise FileError(f"{STD!r} must be positive and {STEPS!r} a number of steps; write the file again")
    return ObservationStatistics.of(mean, std, steps)
