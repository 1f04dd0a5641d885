"""How a lifetime can be drawn, as a config declares it, and what drawing then asks of the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class CameraSpec:
    """The kind of camera that draws an environment.

    Attributes:
        kind: "body", a free camera that follows a simulated body (`HasBody`), or "render", the environment's own
            picture (`HasPicture`).
        distance: from the camera to the body, m; of the kind "body" only.
        height: of the point that it looks at, m; None: of one near the ground.
    """

    kind: Literal["body", "render"]
    distance: float = 0.0
    height: float | None = None

    def look_at(self, place: tuple[float, float]) -> tuple[float, float, float]:
        """Return the point (m) that the camera looks at where the body is at `place`."""
        return (*place, 0.08 * self.distance if self.height is None else self.height)


class HasBody(Protocol):
    """An environment whose rows are bodies simulated by MuJoCo."""

    def model(self, row: int) -> Any:
        """Return the `mujoco.MjModel` that a lifetime runs on."""

    def position(self, row: int) -> npt.NDArray[np.float64]:
        """Return the generalised position of a lifetime, ``(nq,)``; later steps write into it."""

    def place(self, row: int) -> tuple[float, float]:
        """Return where the body of a lifetime is on the ground, x and y (m)."""


class HasPicture(Protocol):
    """An environment built with ``render_mode="rgb_array"``.

    Attributes:
        frames_per_second: steps in a second of the simulated world.
        is_mujoco: whether MuJoCo draws the pictures.
    """

    frames_per_second: float
    is_mujoco: bool

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Return the environment's own picture of a lifetime, ``(height, width, 3)``."""
