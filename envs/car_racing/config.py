"""CarRacing as an environment of hebbevo: Gymnasium's CarRacing-v3, seen at 96x96, three actions.

Source: Najarro & Risi 2020, arXiv 2007.02686. Each lifetime drives one track, which follows from its seed. The fitness
is the environment's own reward: 1000 shared out over the track's tiles, -0.1 a step, -100 for leaving the field; a
lifetime ends with the lap. Actions lie in [-1, 1]: steering, gas and brake; the latter two are mapped to [0, 1].
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from hebbevo.envs.base import EarlyStop, EnvConfig
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    from hebbevo.envs.car_racing.batch import BatchedCarRacing


class CarRacingConfig(EnvConfig):
    """CarRacing's settings; the early stop is the paper's: more than 20 negative rewards in a row."""

    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    draws_tracks: ClassVar[bool] = True
    preferred_batch_size: ClassVar[int] = 1

    name: Literal["car_racing"] = "car_racing"
    early_stop: EarlyStop | None = EarlyStop(after=0, negative_rewards=20)
    sub_rows: Literal[1, 2, 4, 8] = Field(
        default=4, description="sample lines per row of pixels: 4 is fast, 8 faithful"
    )
    official: bool = Field(default=False, description="let Gymnasium draw what the network sees: slow")

    def build(self, batch_size: int) -> BatchedCarRacing:
        """Make a block for up to `capacity` lifetimes; Box2D and pygame are imported only now."""
        if importlib.util.find_spec("Box2D") is None:
            raise EnvError(
                'car_racing needs Box2D and pygame, which are missing; pip install "gymnasium[box2d]"'
            )
        from hebbevo.envs.car_racing.batch import BatchedCarRacing

        return BatchedCarRacing(self, batch_size)

    def reference_environment(self) -> CarRacingConfig:
        """Return the same task on Gymnasium's own environment."""
        return self.model_copy(update={"official": True})
