"""What can befall quadrupeds in mid-life: a push, another friction, gravity or body. Row by row, neighbours untouched.

An edited world is a copy of the row's model; bodies of the same layout swap models under the same state. A body of
another layout takes over the pose and the velocities of the parts that both have; parts that come back are in their
pose at birth, at rest. If the new body would reach deeper into the floor than the old one, it is raised by as much.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mujoco
import numpy as np
import numpy.typing as npt

from hebbevo.envs.robots.body import Body, lowest_point

if TYPE_CHECKING:
    from hebbevo.envs.robots.walker import BatchedQuadruped

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """What is different for a while: another body (None: the same), factors of friction and gravity."""

    morphology: str | None = None
    friction: float = 1.0
    gravity: float = 1.0


class Interventions:
    """The changes that are in force in the rows of a block of quadrupeds."""

    def __init__(self, environment: BatchedQuadruped) -> None:
        self._environment = environment
        self._born: dict[int, str] = {}
        self._changes: dict[int, dict[int, Change]] = {}
        self._edited: dict[tuple[str, float, float], Body] = {}

    def born(self, morphologies: Iterable[str]) -> None:
        """Take note of new lifetimes in the first rows, on which nothing has been changed yet."""
        for row, morphology in enumerate(morphologies):
            self._born[row] = morphology
            self._changes.pop(row, None)

    def change(self, rows: Iterable[int], key: int, change: Change | None) -> None:
        """Put a change in force, or take it back.

        Factors multiply in the order of the keys; of several bodies that of the highest key counts.

        Args:
            rows: lifetimes that it befalls.
            key: what to take it back by.
            change: None takes back.

        Raises:
            EnvError: an unknown morphology.
        """
        for row in rows:
            mine, before = self._changes.setdefault(row, {}), self._morphology(row)
            if change is None:
                mine.pop(key, None)
            else:
                mine[key] = change
            self._environment.set_body(row, self._body(row), reshape=self._morphology(row) != before)

    def push(
        self,
        row: int,
        *,
        velocity: tuple[float, float, float] = (0.0, 0.0, 0.0),
        impulse: tuple[float, float, float] | None = None,
    ) -> None:
        """Add a velocity (m/s) to the torso's, or what an impulse (N s) on its centre of mass makes of the body."""
        live = self._environment.velocity(row)
        if impulse is None:
            live[:3] += velocity
        else:
            live += impulse_response(self._environment.model(row), self._environment.position(row), impulse)

    def _morphology(self, row: int) -> str:
        switches = [
            change.morphology for _, change in sorted(self._changes[row].items()) if change.morphology
        ]
        return switches[-1] if switches else self._born[row]

    def _body(self, row: int) -> Body:
        """Return the body of a row with all that is in force."""
        morphology, friction, gravity = self._morphology(row), 1.0, 1.0
        for _, change in sorted(self._changes[row].items()):
            friction, gravity = friction * change.friction, gravity * change.gravity
        body = self._environment.body(morphology)
        if friction == gravity == 1.0:
            return body
        key = (morphology, friction, gravity)
        if key not in self._edited:
            self._edited[key] = Body(edited(body.model, friction, gravity), body.intact, body.anatomy)
        return self._edited[key]


def edited(model: mujoco.MjModel, friction: float, gravity: float) -> mujoco.MjModel:
    """Return a copy of a model with the friction of all contacts, and gravity, times these factors."""
    other = copy.copy(model)
    other.opt.gravity[:] *= gravity
    other.pair_friction[:] *= friction
    other.geom_friction[:] *= friction  # where contacts are not listed as pairs
    return other


def impulse_response(model: mujoco.MjModel, pose: Floats, impulse: tuple[float, float, float]) -> Floats:
    """Return the change of the generalised velocity ``(nv,)``: M^-1 J' impulse, J of the torso's centre of mass."""
    data, force, response = mujoco.MjData(model), np.zeros(model.nv), np.zeros((1, model.nv))
    data.qpos[:] = pose
    mujoco.mj_fwdPosition(model, data)
    torso = model.body("torso").id
    mujoco.mj_applyFT(model, data, np.array(impulse), np.zeros(3), data.xipos[torso], torso, force)
    mujoco.mj_solveM(model, data, response, force[None, :])
    change: Floats = response[0]
    return change


def transplant(old: Body, new: Body, pose: Floats, velocity: Floats) -> tuple[Floats, Floats]:
    """Return the state of the new body, ``(nq,)`` and ``(nv,)``, that carries on that of the old one."""
    qpos, qvel = new.pose.copy(), np.zeros(new.model.nv)
    qpos[:7], qvel[:6] = pose[:7], velocity[:6]
    both = (old.joints >= 0) & (new.joints >= 0)
    there, here = new.joints[both], old.joints[both]
    qpos[7 + there], qvel[6 + there] = pose[7 + here], velocity[6 + here]
    qpos[2] += max(0.0, lowest_point(old.model, pose) - lowest_point(new.model, qpos))
    return qpos, qvel
