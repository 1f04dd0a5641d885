"""Bodies of one layout side by side in one `mujoco.batch`, behind the arrays of a batch of environments.

Simulation i is row i of the environments; rows whose body has another layout are left alone, as another
`mujoco.batch` simulates them. Nothing is allocated in a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import numpy.typing as npt

from hebbevo.envs.base import BatchedEnvironment
from hebbevo.envs.physics import mujoco
from hebbevo.envs.robots.body import Body
from hebbevo.envs.robots.observation import observe, take_actions

ROWS_TO_SHARE = 64
"""From how many rows on several threads observe them: fewer take less time than handing them out."""

LONGEST_CALL = 20_000
"""Substeps of all rows in one call of MuJoCo, a fifth of a second: nothing interrupts a call."""

Step = Callable[[npt.NDArray[np.int32] | None, int], int]


class Simulations:
    """The physics of the rows whose bodies have one layout.

    Attributes:
        qpos, qvel: the state in the memory of MuJoCo, ``(batch_size, nq)`` and ``(batch_size, nv)``.
        batch: the simulations.
    """

    _observed_stage = mujoco.mjtStage.mjSTAGE_POS
    """The last stage of MuJoCo's forward computation that is observed."""

    def __init__(self, body: Body, environment: BatchedEnvironment, threads: int = 1) -> None:
        """Make room for every row of `environment`, whose arrays are written in place; `body` sets the layout."""
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None
        self._parts = threads
        self._environment = environment
        self._first = body
        batch_size = environment.batch_size
        self.batch = mujoco.batch.Batch(body.model, nsim=batch_size, nthread=threads)
        self._step = unchecked_step(self.batch)
        self.qpos: npt.NDArray[np.float64] = self.batch.bind("qpos")
        self.qvel: npt.NDArray[np.float64] = self.batch.bind("qvel")
        self._ctrl = self.batch.bind("ctrl")
        self._warnings = self.batch.warning
        self._bind(body)
        self._bodies = [body] * batch_size
        self._constants = np.tile(body.constants, (batch_size, 1))
        self._start_x = np.zeros(batch_size)
        self._moving = np.zeros(batch_size, np.int32)

    def _bind(self, body: Body) -> None:
        """Bind what is observed besides the state."""
        self._geom_xpos = self.batch.bind("geom_xpos")
        self._geom_xmat = self.batch.bind("geom_xmat")

    def assign(self, bodies: Mapping[int, Body]) -> None:
        """Give these rows their bodies; costs nothing when they have them already."""
        changed = {row: body for row, body in bodies.items() if self._bodies[row] is not body}
        if not changed:
            return
        for row, body in changed.items():
            assert body.layout == self._first.layout
            self._bodies[row] = body
            self._constants[row] = body.constants
        self.batch.set_models([body.model for body in self._bodies])

    def model(self, row: int) -> mujoco.MjModel:
        """Return the model that a row runs on."""
        return self._bodies[row].model

    def body(self, row: int) -> Body:
        """Return the body of a row."""
        return self._bodies[row]

    def take_over(
        self,
        row: int,
        body: Body,
        qpos: npt.NDArray[np.float64],
        qvel: npt.NDArray[np.float64],
        *,
        clear: bool,
    ) -> None:
        """Give a row a body and a state; `clear` what an earlier lifetime may have left there."""
        self.assign({row: body})
        if clear:
            self.batch.reset([row], stage=mujoco.mjtStage.mjSTAGE_NONE)
            self._warnings[row] = 0
        self.qpos[row], self.qvel[row] = qpos, qvel

    def reset(self, rows: npt.NDArray[np.int32], noises: npt.NDArray[np.float64], substeps: int) -> None:
        """Reset these rows: pose, `noises` (rows, J) on the joints, then `substeps` of zero action."""
        self.batch.reset(rows, stage=mujoco.mjtStage.mjSTAGE_NONE)
        self._warnings[rows] = 0
        for row, noise in zip(rows, noises, strict=True):
            self.qpos[row] = self._bodies[row].initial_pose(noise)
        if substeps:
            self._advance(rows, substeps)
        else:  # the geom poses would be those of an earlier lifetime
            self.batch.forward(rows, stage=self._observed_stage)
        self._observe(rows)

    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64], substeps: int) -> None:
        """Move the rows `active` by `substeps`; a non-finite action makes its row diverge."""
        count = self._take(actions, active)
        if count:
            moving = self._moving[:count]
            self._advance(moving, substeps)
            self._observe(moving)

    def _take(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> int:
        """Set the controls of the active rows; return how many can move."""
        environment = self._environment
        return take_actions(
            actions,
            active,
            self._first.motors,
            self.qpos,
            self._ctrl,
            self._start_x,
            environment.observations,
            environment.rewards,
            environment.diverged,
            self._moving,
        )

    def _advance(self, rows: npt.NDArray[np.int32], substeps: int) -> None:
        """Run physics; rows in which MuJoCo raises diverge, the others run to completion."""
        # no rows is the fast path of the batch
        moving = None if len(rows) == self._environment.batch_size else rows
        at_once = max(1, LONGEST_CALL // len(rows))
        for done in range(0, substeps, at_once):
            if self._step(moving, min(at_once, substeps - done)):
                self._environment.diverged[rows[self.batch.status[rows] != 0]] = True

    def _observe(self, rows: npt.NDArray[np.int32]) -> None:
        if self._threads is None or len(rows) < ROWS_TO_SHARE:
            self._observe_part(rows)
        else:
            for _ in self._threads.map(self._observe_part, np.array_split(rows, self._parts)):
                pass

    def _observe_part(self, rows: npt.NDArray[np.int32]) -> None:
        environment, body = self._environment, self._first
        observe(
            rows,
            self.qpos,
            self.qvel,
            self._geom_xpos,
            self._geom_xmat,
            self._warnings,
            self._constants,
            body.joints,
            body.joint_velocities,
            body.feet,
            body.anatomy.fallen_height,
            self._start_x,
            environment.observations,
            environment.rewards,
            environment.done,
            environment.diverged,
        )


def unchecked_step(batch: mujoco.batch.Batch) -> Step:
    """Return `batch.step` as a function of ascending rows (None: all) and substeps: how many rows failed.

    What the batch wraps is called directly, as checking the rows takes 3 us a call, up to 5 % of a step when
    only part of a small batch still runs. Where nothing is wrapped, `batch.step` does the same.
    """
    wrapped = getattr(batch, "_b", None)
    if wrapped is not None:
        return cast(Step, wrapped.step)

    def step(rows: npt.NDArray[np.int32] | None, substeps: int) -> int:
        try:
            batch.step(rows, nstep=substeps)
        except mujoco.batch.SimulationError as error:
            return len(error.ids)
        return 0

    return step
