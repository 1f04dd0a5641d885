"""CarRacing with a fast drawing: Gymnasium's world, car, track, contacts and reward, another way to its 96x96 picture.

`FastCarRacing` subclasses Gymnasium's `CarRacing` (CarRacing-v3) and replaces how an observation is drawn: an
official step spends 98 % of its time on a picture of 1000x800 that is then shrunk. Importing this module
imports Box2D and pygame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.error import DependencyNotInstalled
from gymnasium.utils import EzPickle
from gymnasium.utils.seeding import np_random

from hebbevo.envs.car_racing.drawing import Drawing
from hebbevo.envs.car_racing.raster import MAX_SUB_ROWS
from hebbevo.errors import EnvError

try:
    import Box2D  # type: ignore[import-untyped]
    from gymnasium.envs.box2d import car_dynamics
    from gymnasium.envs.box2d.car_racing import CarRacing
except (DependencyNotInstalled, ImportError) as error:
    raise EnvError(
        'CarRacing needs Box2D and pygame, which are missing; pip install "gymnasium[box2d]"'
    ) from error

SUB_ROWS = tuple(2**k for k in range(MAX_SUB_ROWS.bit_length()))

Image = npt.NDArray[np.uint8]


class _World(Box2D.b2World):  # type: ignore[misc]
    """A Box2D world that frees the shapes a dynamic body is made from.

    A fixture definition takes the shape over from Python and never frees it: 2.4 KB for every car. The body has a
    copy, so the shapes can be freed as soon as the body exists.
    """

    def CreateDynamicBody(self, **definition: Any) -> Any:
        """Create a body as Box2D does."""
        body = super().CreateDynamicBody(**definition)
        fixtures = definition.get("fixtures") or ()
        for fixture in fixtures if isinstance(fixtures, list | tuple) else (fixtures,):
            fixture.shape.thisown = True
        return body


class FastCarRacing(CarRacing):
    """Gymnasium's CarRacing-v3 whose observations are drawn straight at 96x96.

    Poses, rewards and termination are bit-equal to the official environment's. `render()` gives the official
    picture. The arguments are those of CarRacing, and:

    sub_rows: sample lines in each row of pixels: 1, 2, 4 (fast) or 8 (faithful).
    track_seed: every reset has the track that the official environment builds for `reset(seed=track_seed)`; None
        for another one each time. `reset(options={"track_seed": s})` sets it from then on. While the track stays
        the same its tiles are kept, and a reset is several times faster.
    """

    def __init__(
        self,
        render_mode: str | None = None,
        verbose: bool = False,
        lap_complete_percent: float = 0.95,
        domain_randomize: bool = False,
        continuous: bool = True,
        *,
        sub_rows: int = 4,
        track_seed: int | None = None,
    ) -> None:
        if sub_rows not in SUB_ROWS:
            raise EnvError(
                f"sub_rows must be one of {', '.join(map(str, SUB_ROWS))}, got {sub_rows!r}; use 4"
            )
        official = (render_mode, verbose, lap_complete_percent, domain_randomize, continuous)
        super().__init__(*official)
        EzPickle.__init__(self, *official, sub_rows=sub_rows, track_seed=track_seed)
        self.world = _World((0, 0), contactListener=self.contactListener_keepref)
        self.track_seed = _checked_seed(track_seed)
        self._current_seed: int | None = None  # of the track that is built
        self._track_random: np.random.Generator | None = None
        parts = [getattr(car_dynamics, f"HULL_POLY{i}") for i in (1, 2, 3, 4)]
        self._drawing = Drawing(
            sub_rows, parts, (car_dynamics.WHEEL_W, car_dynamics.WHEEL_R), car_dynamics.SIZE
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Image, dict[str, Any]]:
        """Start an episode; see Gymnasium's reset. `options` may hold `track_seed`."""
        if options is not None and "track_seed" in options:
            self.track_seed = _checked_seed(options["track_seed"])
        observation, info = super().reset(seed=seed, options=options)
        return observation, info

    def render(self) -> Any:
        """Return or show the official picture, in `render_mode`."""
        if self.render_mode == "state_pixels":
            return super()._render(self.render_mode)
        return super().render()  # type: ignore[no-untyped-call]

    def _render(self, mode: str) -> Any:
        """Draw an observation fast, anything else as Gymnasium does."""
        return self._drawing.draw(self) if mode == "state_pixels" else super()._render(mode)

    def _keeps_track(self) -> bool:
        return self.track_seed is not None and self.track_seed == self._current_seed

    def _destroy(self) -> None:
        """Remove the car, and the track unless the next episode has the same."""
        if not self._keeps_track():
            super()._destroy()  # type: ignore[no-untyped-call]
        elif self.car is not None:
            self.car.destroy()  # type: ignore[no-untyped-call]

    def _create_track(self) -> bool:
        """Build a track, or clean the current one; False: the checkpoints drawn do not make a closed one."""
        if self._keeps_track():
            self.road_poly = self._drawing.polygons
            tiles: Any = self.road
            for tile in tiles:
                tile.road_visited = False
            self._drawing.repaint(self)
            return True
        generator = self.np_random
        if self.track_seed is not None:
            self._track_random = self._track_random or np_random(self.track_seed)[0]
            self._np_random = self._track_random
        try:
            closed: bool = super()._create_track()  # type: ignore[no-untyped-call]
        finally:
            self._np_random = generator
        if closed:
            self._current_seed, self._track_random = self.track_seed, None
            self._drawing.set_track(self)
        return closed


def _checked_seed(track_seed: object) -> int | None:
    """Return `track_seed`, or raise an EnvError if no track can be seeded with it."""
    if track_seed is None:
        return None
    if isinstance(track_seed, int | np.integer) and track_seed >= 0:
        return int(track_seed)
    raise EnvError(f"track_seed must be an int >= 0, or None for new tracks, got {track_seed!r}")
