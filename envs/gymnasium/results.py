"""What a Gymnasium environment returns, checked: much of it is a stranger's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.envs.gymnasium.observations import described
from hebbevo.errors import EnvError


def read_reset(identifier: str, result: Any) -> Any:
    """Return the observation of what `reset` returned, or raise `EnvError`."""
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping):
        return result[0]
    raise EnvError(
        f"{identifier}: reset must return (observation, info), got {described(result)}; an environment of Gym before "
        "0.26 needs a wrapper"
    )


def read_step(identifier: str, result: Any) -> tuple[Any, float, bool]:
    """Return the observation, reward and end of what `step` returned, or raise `EnvError`."""
    if not (isinstance(result, tuple) and len(result) == 5 and isinstance(result[4], Mapping)):
        raise EnvError(
            f"{identifier}: step must return (observation, reward, terminated, truncated, info), got "
            f"{described(result)}; an environment of Gym before 0.26 needs a wrapper"
        )
    observation, reward, terminated, truncated, _ = result
    if not _is_number(reward):
        raise EnvError(f"{identifier}: step must return a number as reward, got {described(reward)}")
    for name, flag in (("terminated", terminated), ("truncated", truncated)):
        if not isinstance(flag, bool | np.bool_ | int):
            raise EnvError(f"{identifier}: step must return a bool as {name}, got {described(flag)}")
    return observation, float(reward), bool(terminated or truncated)


def read_vector_step(
    identifier: str, result: Any, rows: int
) -> tuple[Any, npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the observations, rewards and ends of what `step` of a `VectorEnv` returned, or raise `EnvError`."""
    if not (isinstance(result, tuple) and len(result) == 5):
        raise EnvError(
            f"{identifier}: step must return (observations, rewards, terminations, truncations, infos), got "
            f"{described(result)}"
        )
    observations, *columns, _ = result
    for name, column, kinds in zip(
        ("rewards", "terminations", "truncations"), columns, ("buif", "b", "b"), strict=True
    ):
        array = np.asarray(column)
        if array.shape != (rows,) or array.dtype.kind not in kinds:
            raise EnvError(f"{identifier}: step must return {rows} {name}, got {described(array)}")
    rewards, terminations, truncations = map(np.asarray, columns)
    return observations, rewards.astype(np.float64), terminations | truncations


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "buif"
    return isinstance(value, float | int | np.floating | np.integer | np.bool_)
