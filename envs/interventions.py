"""What an environment may let happen to a lifetime in the middle of it: a push, other physics, another body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Vector = tuple[float, float, float]

Intervention = Literal["push", "friction", "gravity", "morphology"]
"""The kinds; a config lists those that its environment offers."""

NO_VELOCITY: Final[Vector] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Change:
    """What differs while a change is in force.

    Attributes:
        morphology: the body to go on in; None is the same body.
        friction: factor of the friction of all contacts.
        gravity: factor of gravity.
    """

    morphology: str | None = None
    friction: float = 1.0
    gravity: float = 1.0


class Interventions(Protocol):
    """The interventions in the rows of a batch; a row is changed without touching its neighbours."""

    def reset(self, morphologies: Iterable[str]) -> None:
        """Forget all changes in the first rows, which start new lifetimes with these bodies."""

    def apply(self, rows: Iterable[int], key: int, change: Change | None) -> None:
        """Put a change in force, or take it back.

        Factors multiply in the order of the keys; of several bodies that of the highest key counts.

        Args:
            rows: of the lifetimes.
            key: names the change, so that it can be taken back.
            change: None takes back.

        Raises:
            EnvError: an unknown morphology.
        """

    def push(self, row: int, *, velocity: Vector = NO_VELOCITY, impulse: Vector | None = None) -> None:
        """Push the torso of a lifetime.

        Args:
            row: of the lifetime.
            velocity: added to the torso's, m/s.
            impulse: on the torso's center of mass, N s; takes the place of `velocity`.
        """
