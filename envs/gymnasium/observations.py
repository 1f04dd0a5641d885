"""Observations of Gymnasium's spaces as networks see them: images plane by plane, all else as flat vectors.

An image is a Box of uint8 with two axes, or with three, of which the shorter of the first and the last is that of the
channels (the last where they are equal). Anything else is flattened as Gymnasium does: a Box in row-major order, a
Discrete as one-hot, the parts of a Tuple or Dict one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple

from hebbevo.envs.images import fill_planes
from hebbevo.errors import EnvError

Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Observer:
    """Writes the observations of a space into rows of float32.

    Attributes:
        size: numbers in a row.
        image_shape: (channels, height, width) where observations are images.
    """

    space: Space[Any]
    size: int
    image_shape: Shape | None = None

    def write(self, source: str, value: Any, row: npt.NDArray[np.float32]) -> None:
        """Write an observation into a row ``(size,)``; numbers beyond float32 become infinite.

        Raises:
            EnvError: it is none of the space; `source` is the method that returned it.
        """
        if not fits(self.space, value) or (self.image_shape and np.asarray(value).dtype != np.uint8):
            raise EnvError(f"{source} must return an observation in {self.space}, got {described(value)}")
        if self.image_shape is not None:
            fill_planes(_channels_last(np.asarray(value), self.image_shape), row)
            return
        flat: Any = value if isinstance(self.space, Box) else gymnasium.spaces.flatten(self.space, value)
        with np.errstate(over="ignore"):
            row[:] = np.ravel(flat)


def observer(identifier: str, space: Space[Any]) -> Observer:
    """Return the observer of a space, or raise `EnvError` where its observations have no fixed size."""
    if isinstance(space, Box) and space.dtype == np.uint8 and len(space.shape) in (2, 3):
        image = _image_shape(space.shape)
        return Observer(space, image[0] * image[1] * image[2], image)
    if not _flattens(space) or not (size := gymnasium.spaces.flatdim(space)):
        raise EnvError(f"{identifier} observes {space}; only spaces of a fixed count of numbers can be run")
    return Observer(space, size)


def _flattens(space: Space[Any]) -> bool:
    """Tell whether all values of a space are equally many numbers."""
    if isinstance(space, Dict):
        return all(map(_flattens, space.spaces.values()))
    if isinstance(space, Tuple):
        return all(map(_flattens, space.spaces))
    return isinstance(space, Box | Discrete | MultiBinary | MultiDiscrete)


def fits(space: Space[Any], value: Any) -> bool:
    """Tell whether a value has the form of a space: shapes, keys and kinds of numbers; a Box's bounds do not matter."""
    if isinstance(space, Box):
        try:
            array = np.asarray(value)
        except ValueError:  # lists of different lengths
            return False
        return array.shape == space.shape and array.dtype.kind in "buif"
    if isinstance(space, Dict):
        return (
            isinstance(value, Mapping)
            and value.keys() == space.spaces.keys()
            and all(fits(part, value[key]) for key, part in space.spaces.items())
        )
    if isinstance(space, Tuple):
        return (
            isinstance(value, tuple)
            and len(value) == len(space.spaces)
            and all(map(fits, space.spaces, value))
        )
    return space.contains(value)


def described(value: Any) -> str:
    """Return what a value is in a few words."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    if isinstance(value, tuple):
        return f"({', '.join(map(described, value))})"
    return f"a {type(value).__name__}"


def _image_shape(shape: tuple[int, ...]) -> Shape:
    """Return (channels, height, width) of an image of this shape."""
    if len(shape) == 2:
        return (1, shape[0], shape[1])
    first, middle, last = shape
    return (first, middle, last) if first < last else (last, first, middle)


def _channels_last(frame: npt.NDArray[Any], image: Shape) -> npt.NDArray[np.uint8]:
    """Return a frame as contiguous ``(height, width, channels)``."""
    if frame.shape == image and frame.shape[0] < frame.shape[2]:
        frame = np.moveaxis(frame, 0, -1)
    channels, height, width = image
    return np.ascontiguousarray(frame).reshape(height, width, channels)
