"""CarRacing as an environment of hebbevo: Gymnasium's CarRacing-v3, seen at 96x96, three actions.

Source: Najarro & Risi 2020, arXiv 2007.02686. Each lifetime drives one track, which follows from its seed. The fitness
is the environment's own reward: 1000 shared out over the track's tiles, -0.1 a step, -100 for leaving the field; a
lifetime ends with the lap. Actions lie in [-1, 1]: steering, gas and brake; the latter two are mapped to [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from pydantic import Field
from typing_extensions import override

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.config import EarlyStop, EnvConfig

IMAGE_SHAPE: Final = (3, 96, 96)
"""Channels, height and width of an observation."""


class CarRacingConfig(EnvConfig):
    """CarRacing's settings; the early stop is the paper's: more than 20 negative rewards in a row."""

    environment: ClassVar[str] = "hebbevo.envs.car_racing.batch:BatchedCarRacing"
    requires: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(("Box2D", "pygame"), "gymnasium[box2d]")
    )
    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    has_levels: ClassVar[bool] = True
    camera: ClassVar[CameraSpec | None] = CameraSpec("render")
    preferred_batch_size: ClassVar[int] = 1

    name: Literal["car_racing"] = "car_racing"
    early_stop: EarlyStop | None = EarlyStop(after=0, negative_rewards=20)
    sub_rows: Literal[1, 2, 4, 8] = Field(
        default=4, description="sample lines per row of pixels: 4 is fast, 8 faithful"
    )
    official: bool = Field(default=False, description="let Gymnasium draw what the network sees: slow")

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        import numpy as np

        return EnvironmentInterface(math.prod(IMAGE_SHAPE), np.array([1, 0.5, 0.5], np.float32), IMAGE_SHAPE)

    @override
    def reference_environment(self) -> CarRacingConfig:
        return self.model_copy(update={"official": True})
