"""A batch of quadrupeds of any build, each row with a body of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.base import BatchedEnvironment, environment_stream
from hebbevo.envs.morphologies.own import INTACT
from hebbevo.envs.physics import mujoco
from hebbevo.envs.robots.body import Body
from hebbevo.envs.robots.config import RobotConfig
from hebbevo.envs.robots.interventions import RobotInterventions, transplant
from hebbevo.envs.robots.simulations import Simulations
from hebbevo.errors import EnvError
from hebbevo.seeding import Stream, stream

Floats = npt.NDArray[np.float64]


class BatchedQuadruped(BatchedEnvironment):
    """Quadrupeds side by side; the modules of the builds have tables of the observations.

    Rows whose bodies have the same layout share a `mujoco.batch`; a body that lacks a segment or carries a box is
    simulated in another one, made when it is first needed.
    """

    simulations: ClassVar[type[Simulations]] = Simulations
    """What steps and observes rows of one layout."""

    def __init__(self, config: RobotConfig, batch_size: int) -> None:
        interface = config.interface
        super().__init__(batch_size, interface.observation_size, interface.action_size)
        self.config = config
        self._substeps = config.control_substeps
        self._drawn = config.drawn
        self.interventions: RobotInterventions = RobotInterventions(self)
        self._bodies: dict[str, Body] = {}
        self._in_use: list[tuple[Simulations, npt.NDArray[np.bool_]]] = []
        self.use_threads(1)

    @override
    def use_threads(self, threads: int) -> None:
        self._threads = threads
        self._simulations: dict[tuple[object, ...], Simulations] = {}
        first = self.config.morphology_names[0]
        body = self.body(INTACT if first in self._drawn else first)
        self._of_row = [self._simulations_of(body)] * self.batch_size
        self._note_use()

    @property
    def positions(self) -> Floats:
        """Generalised positions ``(batch_size, nq)``: the torso's x, y, z (m) and quaternion, then joints (rad).

        They are the simulation's own memory: later steps write into it, and what is written into it counts.

        Raises:
            EnvError: the batch has bodies of several layouts.
        """
        return self._only().qpos

    @property
    def velocities(self) -> Floats:
        """Generalised velocities ``(batch_size, nv)``, as `positions`: m/s and rad/s."""
        return self._only().qvel

    def position(self, row: int) -> Floats:
        """Return the row of `positions` of one lifetime, ``(nq,)``, whatever the other rows' layouts are."""
        position: Floats = self._of_row[row].qpos[row]
        return position

    def velocity(self, row: int) -> Floats:
        """Return the row of `velocities` of one lifetime, ``(nv,)``, whatever the other rows' layouts are."""
        velocity: Floats = self._of_row[row].qvel[row]
        return velocity

    def model(self, row: int) -> mujoco.MjModel:
        """Return the model that a lifetime runs on; other rows may share it."""
        return self._of_row[row].model(row)

    def place(self, row: int) -> tuple[float, float]:
        """Return where the torso of a lifetime is on the ground, x and y (m)."""
        position = self.position(row)
        return position[0], position[1]

    def set_body(self, row: int, body: Body, *, reshape: bool) -> None:
        """Let a lifetime go on in another body, or under an edited model of its own one unless it is to `reshape`."""
        before, after = self._of_row[row], self._simulations_of(body)
        if not reshape:
            after.assign({row: body})
            return
        state = transplant(before.body(row), body, before.qpos[row], before.qvel[row])
        after.take_over(row, body, *state, clear=after is not before)
        self._of_row[row] = after
        self._note_use()

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        count = self._check_reset(seeds, morphologies)
        if self._drawn:
            morphologies = [self._draw(name, seed) for name, seed in zip(morphologies, seeds, strict=True)]
        bodies = [self.body(name) for name in morphologies]
        limit, joints = self.config.reset_noise, len(self.config.parts.sensed_joints)
        noises = np.empty((count, joints))
        for row, seed in enumerate(seeds):
            noises[row] = environment_stream(seed).uniform(-limit, limit, joints)
        self._assign(bodies)
        self.interventions.reset(morphologies)
        self._clear_rows(count)
        substeps = self.config.burn_in * self._substeps
        for simulations, members in self._in_use:
            rows = np.flatnonzero(members[:count]).astype(np.int32)
            if len(rows):
                simulations.reset(rows, noises[rows], substeps)
        self.rewards[:count] = 0.0

    @override
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        self._check_actions(actions)
        if len(self._in_use) == 1:
            self._in_use[0][0].step(actions, active, self._substeps)
            return
        for simulations, members in self._in_use:
            simulations.step(actions, active[members[active]], self._substeps)

    def body(self, morphology: str) -> Body:
        """Return the body of this name, compiled once per batch; `EnvError` if there is none."""
        if morphology not in self._bodies:
            model = self.config.compile(morphology)
            intact = model if morphology == INTACT else self.body(INTACT).model
            self._bodies[morphology] = self._make_body(model, intact)
        return self._bodies[morphology]

    def _draw(self, morphology: str, seed: int) -> str:
        """Return the body that a lifetime has, which follows from its seed where it is drawn."""
        if (drawn := self._drawn.get(morphology)) is None:
            return morphology
        generator = stream(seed, Stream.BODY)
        if generator.random() < drawn.none:
            return INTACT
        return drawn.choices[int(generator.integers(len(drawn.choices)))]

    def _make_body(self, model: mujoco.MjModel, intact: mujoco.MjModel) -> Body:
        return Body(model, intact, self.config.parts)

    def _simulations_of(self, body: Body) -> Simulations:
        """Return the simulations of bodies of this layout, made when first needed."""
        if body.layout not in self._simulations:
            self._simulations[body.layout] = self.simulations(body, self, self._threads)
        return self._simulations[body.layout]

    def _assign(self, bodies: Sequence[Body]) -> None:
        """Give the first rows their bodies."""
        parts: dict[Simulations, dict[int, Body]] = {}
        for row, body in enumerate(bodies):
            self._of_row[row] = self._simulations_of(body)
            parts.setdefault(self._of_row[row], {})[row] = body
        for simulations, part in parts.items():
            simulations.assign(part)
        self._note_use()

    def _note_use(self) -> None:
        """Note for the simulations in use the rows that they simulate, ``(batch_size,)``."""
        self._in_use = [
            (simulations, np.array([other is simulations for other in self._of_row]))
            for simulations in dict.fromkeys(self._of_row)
        ]

    def _only(self) -> Simulations:
        if len(self._in_use) > 1:
            raise EnvError("the batch has bodies of several layouts; ask row by row, as in position(row)")
        return self._of_row[0]
