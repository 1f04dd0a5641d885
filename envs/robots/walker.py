"""What the quadrupeds of every build share: the settings that a user writes, and a block of their lifetimes.

A build adds its intact body and its defaults: `hebbevo.envs.robots.quadruped` (the ant) and `hebbevo.envs.robots.dog`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import mujoco
import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from hebbevo.envs.base import BatchedEnvironment, EarlyStop, EnvConfig, environment_stream
from hebbevo.envs.morphologies.anatomy import Anatomy
from hebbevo.envs.morphologies.catalogue import get_morphology
from hebbevo.envs.robots.body import Body
from hebbevo.envs.robots.interventions import Interventions, transplant
from hebbevo.envs.robots.observation import observation_size
from hebbevo.envs.robots.simulations import Simulations
from hebbevo.errors import EnvError

Integrator = Literal["Euler", "RK4", "implicit", "implicitfast"]

INTACT = "intact"
"""The morphology without edits."""


class WalkerConfig(EnvConfig):
    """Settings of a quadruped; a build sets its name, its gear and how its bodies compile."""

    unit: ClassVar[str] = "m"
    releases_gil: ClassVar[bool] = True
    anatomy: ClassVar[Anatomy]

    early_stop: EarlyStop | None = EarlyStop()
    morphologies: tuple[str, ...] = Field(default=(INTACT, "right_front_damaged"), min_length=1)
    gear: float = Field(gt=0, description="torque of a motor at action 1, N m")
    integrator: Integrator = "implicitfast"
    timestep: float = Field(default=0.00825, gt=0, le=0.1, description="seconds of one physics substep")
    substeps: int = Field(default=2, ge=1, description="physics substeps in a control step")
    burn_in: int = Field(default=40, ge=0, description="uncounted control steps of zero action at the start")
    reset_noise: float = Field(
        default=0.1, ge=0, le=1, description="joint angles start within this of the pose, rad"
    )

    @field_validator("morphologies")
    @classmethod
    def _known_and_different(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            get_morphology(name)
            if names.count(name) > 1:
                raise EnvError(f"env.morphologies names {name!r} twice; list each body once")
        return names

    @property
    def morphology_names(self) -> tuple[str, ...]:
        """Names of the bodies that a genome is evaluated on."""
        return self.morphologies

    @abstractmethod
    def compile(self, morphology: str) -> mujoco.MjModel:
        """Compile a body with these settings; `EnvError` if there is no such morphology."""

    def build(self, batch_size: int) -> BatchedQuadruped:
        """Make a block for up to `capacity` lifetimes."""
        return BatchedQuadruped(self, batch_size)


class BatchedQuadruped(BatchedEnvironment):
    """A block of quadrupeds, each row with a body of its own; the builds' docstrings have the spaces.

    Rows whose bodies have the same layout share a `mujoco.batch`; a body that lacks a segment or carries a box
    lives in another one, made when it is first needed.
    """

    def __init__(self, config: WalkerConfig, batch_size: int) -> None:
        joints = len(config.anatomy.sensed_joints)
        super().__init__(batch_size, observation_size(joints), len(config.anatomy.motor_joints))
        self.config = config
        self.interventions = Interventions(self)
        self._bodies: dict[str, Body] = {}
        self._in_use: list[tuple[Simulations, npt.NDArray[np.bool_]]] = []
        self.use_threads(1)

    def use_threads(self, threads: int) -> None:
        """Step on several threads from now on; between lifetimes only."""
        self._threads = threads
        self._simulations: dict[tuple[object, ...], Simulations] = {}
        self._of_row = [self._simulations_of(self.body(self.config.morphologies[0]))] * self.batch_size
        self._note_use()

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """Live generalised positions ``(capacity, nq)``: the torso's x, y, z (m) and quaternion, then joints (rad).

        Raises:
            EnvError: bodies of several layouts live in the block.
        """
        return self._only().qpos

    @property
    def velocities(self) -> npt.NDArray[np.float64]:
        """Live generalised velocities ``(capacity, nv)``, as `positions`: m/s and rad/s."""
        return self._only().qvel

    def position(self, row: int) -> npt.NDArray[np.float64]:
        """Live generalised position of one lifetime, ``(nq,)``, whatever the other rows are."""
        live: npt.NDArray[np.float64] = self._of_row[row].qpos[row]
        return live

    def velocity(self, row: int) -> npt.NDArray[np.float64]:
        """Live generalised velocity of one lifetime, ``(nv,)``."""
        live: npt.NDArray[np.float64] = self._of_row[row].qvel[row]
        return live

    def model(self, row: int) -> mujoco.MjModel:
        """Return the model that a lifetime runs on; other rows may share it."""
        return self._of_row[row].model(row)

    def set_body(self, row: int, body: Body, *, reshape: bool) -> None:
        """Let a lifetime go on in another body, or under its edited model where it is not to `reshape`."""
        before, after = self._of_row[row], self._simulations_of(body)
        if not reshape:
            after.assign({row: body})
            return
        state = transplant(before.body(row), body, before.qpos[row], before.qvel[row])
        after.take_over(row, body, *state, afresh=after is not before)
        self._of_row[row] = after
        self._note_use()

    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Start lifetimes in the first rows: the pose at birth with noise on the joints, then the burn-in."""
        count = self._check_reset(seeds, morphologies)
        bodies = [self.body(name) for name in morphologies]
        limit, joints = self.config.reset_noise, len(self.config.anatomy.sensed_joints)
        noises = np.empty((count, joints))
        for row, seed in enumerate(seeds):
            noises[row] = environment_stream(seed).uniform(-limit, limit, joints)
        self._assign(bodies)
        self.interventions.born(morphologies)
        self._clear_rows(count)
        substeps = self.config.burn_in * self.config.substeps
        for simulations, mine in self._in_use:
            rows = np.flatnonzero(mine[:count]).astype(np.int32)
            if len(rows):
                simulations.reset(rows, noises[rows], substeps)
        self.rewards[:count] = 0.0

    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        """Move the active rows by one control step; a non-finite action makes its row diverge."""
        assert actions.shape == (self.batch_size, self.action_size), actions.shape
        if len(self._in_use) == 1:
            self._in_use[0][0].step(actions, active, self.config.substeps)
            return
        for simulations, mine in self._in_use:
            simulations.step(actions, active[mine[active]], self.config.substeps)

    def body(self, morphology: str) -> Body:
        """Return this body, compiled once per block."""
        if morphology not in self._bodies:
            model = self.config.compile(morphology)
            intact = model if morphology == INTACT else self.body(INTACT).model
            self._bodies[morphology] = Body(model, intact, self.config.anatomy)
        return self._bodies[morphology]

    def _simulations_of(self, body: Body) -> Simulations:
        """Return the batch for bodies of this layout, made when first needed."""
        if body.layout not in self._simulations:
            self._simulations[body.layout] = Simulations(body, self, self._threads)
        return self._simulations[body.layout]

    def _assign(self, bodies: Sequence[Body]) -> None:
        """Give the first rows their bodies."""
        parts: dict[Simulations, dict[int, Body]] = {}
        for row, body in enumerate(bodies):
            self._of_row[row] = self._simulations_of(body)
            parts.setdefault(self._of_row[row], {})[row] = body
        for simulations, mine in parts.items():
            simulations.assign(mine)
        self._note_use()

    def _note_use(self) -> None:
        """Note which rows live in which batch."""
        self._in_use = [
            (simulations, np.array([mine is simulations for mine in self._of_row]))
            for simulations in dict.fromkeys(self._of_row)
        ]

    def _only(self) -> Simulations:
        if len(self._in_use) > 1:
            raise EnvError(
                "bodies of several layouts live in this block; ask row by row, as in position(row)"
            )
        return self._of_row[0]
