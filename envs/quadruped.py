"""The quadruped: Gymnasium's Ant MJCF at 60 Hz, several bodies side by side in one `mujoco.batch`.

Source: Najarro & Risi 2020, arXiv 2007.02686; observation, end of a lifetime and control rate are those of
PyBullet's AntBulletEnv-v0. The physics is MuJoCo's, not Bullet's: at the XML's gear of 150 a saturated random
policy throws the body on its back, at 20 it stays upright, so 20 is the default.

Front is +x. The reward is the torso's progress along +x (m) in a control step; the fitness is its sum. An
action is one number in [-1, 1] per motor, in the order of the XML's actuators: hip and ankle of front right,
front left, rear left, rear right (`hip_4 ankle_4 hip_1 ankle_1 hip_2 ankle_2 hip_3 ankle_3`). `done` is a
torso at or below 0.26 m.

| index | observation | range | unit |
|---|---|---|---|
| 0 | height of the torso minus its initial height (0.55 m, before the burn-in) | [-5, 5] | m |
| 1, 2 | sine, cosine of the direction to the target at (1000 m, 0) minus the yaw | [-1, 1] | - |
| 3, 4, 5 | 0.3 * velocity of the torso, in the frame turned by the yaw | [-5, 5] | 0.3 m/s |
| 6, 7 | roll, pitch (Z-Y-X Euler angles) | [-pi, pi], [-pi/2, pi/2] | rad |
| 8 + 2j | position of joint j, its limits mapped to [-1, 1] | [-5, 5] | - |
| 9 + 2j | 0.1 * velocity of joint j | [-5, 5] | 0.1 rad/s |
| 24 to 27 | the foot touches: front left, front right, rear left, rear right | {0, 1} | - |

Joints j = 0..7 in the model's order: hip, ankle of front left (1), rear left (2), rear right (3), front right
(4). Contacts are one substep old, as all that MuJoCo derives from the state.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal, cast

import mujoco
import mujoco.batch
import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from hebbevo.envs.base import BatchedEnvironment, EarlyStop, EnvConfig, environment_stream
from hebbevo.envs.errors import EnvError
from hebbevo.envs.morphology import get_morphology
from hebbevo.envs.quadruped_observation import (
    BODY_SIZE,
    JOINTS,
    OBSERVATION_SIZE,
    body_constants,
    foot_geoms,
    observe,
    take_actions,
)
from hebbevo.envs.quadruped_trim import compile_trimmed

Integrator = Literal["Euler", "RK4", "implicit", "implicitfast"]

PAPER_STEP: Final = 0.0165
"""Control step (s) by which the paper divides progress: its "distance" of 1051 is 17.3 m."""


def paper_distance(progress: float) -> float:
    """Return progress (m) in the paper's unit."""
    return progress / PAPER_STEP


class QuadrupedConfig(EnvConfig):
    """The quadruped's settings; the defaults are ones that evolution works with."""

    unit: ClassVar[str] = "m"
    releases_gil: ClassVar[bool] = True

    name: Literal["quadruped"] = "quadruped"
    early_stop: EarlyStop | None = EarlyStop()
    morphologies: tuple[str, ...] = Field(default=("intact", "right_front_damaged"), min_length=1)
    gear: float = Field(default=20.0, gt=0, description="torque of a motor at action 1, N m")
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

    def build(self, capacity: int) -> BatchedQuadruped:
        """Make a block for up to `capacity` lifetimes."""
        return BatchedQuadruped(self, capacity)


def compile_model(
    morphology: str,
    *,
    gear: float = 20.0,
    integrator: Integrator = "implicitfast",
    timestep: float = 0.00825,
    trim: bool = True,
) -> mujoco.MjModel:
    """Compile the body `morphology`: Gymnasium's Ant with the morphology's edits, motors and integrator.

    Args:
        morphology: a name of the registry.
        gear: torque of a motor at action 1, N m.
        integrator: MuJoCo's.
        timestep: seconds of one physics substep.
        trim: skip what has no effect; trajectories are the same, bit for bit.

    Raises:
        EnvError: an unknown morphology, or no Ant in the installed Gymnasium.
    """
    body = get_morphology(morphology)
    spec = mujoco.MjSpec.from_file(str(_ant_path()))
    spec.option.timestep = timestep
    spec.option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{integrator.upper()}")
    for motor in spec.actuators:
        motor.gear = [gear, 0, 0, 0, 0, 0]
    body.apply(spec)
    return compile_trimmed(spec) if trim else spec.compile()


def _ant_path() -> Path:
    """Return the Ant of the installed Gymnasium, without importing its environments."""
    package = importlib.util.find_spec("gymnasium")
    if package is None or not package.submodule_search_locations:
        raise EnvError(
            "the quadruped needs Gymnasium's Ant, but gymnasium is not installed; pip install gymnasium"
        )
    path = Path(package.submodule_search_locations[0]) / "envs" / "mujoco" / "assets" / "ant.xml"
    if not path.is_file():
        raise EnvError(f"the installed gymnasium has no {path}; install gymnasium>=1.4")
    return path


class BatchedQuadruped(BatchedEnvironment):
    """A block of quadrupeds, each row with a body of its own; the module's docstring has the spaces."""

    def __init__(self, config: QuadrupedConfig, capacity: int) -> None:
        super().__init__(capacity, OBSERVATION_SIZE, JOINTS)
        self.config = config
        first = config.morphologies[0]
        self._models: dict[str, mujoco.MjModel] = {}
        base = self._model(first)
        self._batch = mujoco.batch.Batch(base, nsim=capacity, nthread=1)
        self._step_batch = _unchecked_step(self._batch)
        self._bind()
        self._assigned = [first] * capacity
        self._bodies = np.tile(body_constants(base), (capacity, 1))
        assert self._bodies.shape == (capacity, BODY_SIZE)
        self._feet = foot_geoms(base)
        self._pose: npt.NDArray[np.float64] = base.numeric("init_qpos").data.copy()
        self._start_x = np.zeros(capacity)
        self._moving = np.zeros(capacity, np.int32)

    def _bind(self) -> None:
        """Hold the batch's live arrays: state (written and read) and the geom poses it copies out."""
        self._qpos = self._batch.bind("qpos")
        self._qvel = self._batch.bind("qvel")
        self._ctrl = self._batch.bind("ctrl")
        self._geom_xpos = self._batch.bind("geom_xpos")
        self._geom_xmat = self._batch.bind("geom_xmat")
        self._warnings = self._batch.warning

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """Live positions ``(capacity, nq)``: the torso's x, y, z (m) and quaternion, then the joints (rad)."""
        return np.asarray(self._qpos)

    def _model(self, morphology: str) -> mujoco.MjModel:
        """Return this body, compiled once per block."""
        if morphology not in self._models:
            config = self.config
            self._models[morphology] = compile_model(
                morphology, gear=config.gear, integrator=config.integrator, timestep=config.timestep
            )
        return self._models[morphology]

    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Start lifetimes in the first rows: the XML's pose with noise on the joints, then the burn-in."""
        count = self._check_reset(seeds, morphologies)
        self._assign(morphologies)
        self._clear_rows(count)
        rows = np.arange(count, dtype=np.int32)
        self._batch.reset(rows, stage=mujoco.mjtStage.mjSTAGE_NONE)
        self._warnings[:count] = 0
        noise = self.config.reset_noise
        for row, seed in enumerate(seeds):
            self._qpos[row] = self._pose
            self._qpos[row, 7:] += environment_stream(seed).uniform(-noise, noise, JOINTS)
        if self.config.burn_in:
            self._advance(rows, self.config.burn_in * self.config.substeps)
        else:  # the geom poses would be those of an earlier lifetime
            self._batch.forward(rows, stage=mujoco.mjtStage.mjSTAGE_POS)
        self._observe(rows)
        self.rewards[:count] = 0.0

    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        """Move the active rows by one control step; a non-finite action makes its row diverge."""
        assert actions.shape == (self.capacity, self.action_size), actions.shape
        count = take_actions(
            actions,
            active,
            self._qpos,
            self._ctrl,
            self._start_x,
            self.observations,
            self.rewards,
            self.diverged,
            self._moving,
        )
        if count:
            moving = self._moving[:count]
            self._advance(moving, self.config.substeps)
            self._observe(moving)

    def _assign(self, morphologies: Sequence[str]) -> None:
        """Give the first rows their bodies; costs nothing when they have them already."""
        wanted = [*morphologies, *self._assigned[len(morphologies) :]]
        if wanted == self._assigned:
            return
        models = [self._model(name) for name in wanted]
        for name, model in zip(wanted, models, strict=True):
            if _layout(model) != _layout(self._batch.model):
                raise EnvError(
                    f"morphology {name!r} has other joints, motors or geoms than "
                    f"{self.config.morphologies[0]!r}, for which the block was built; run it by itself"
                )
        self._batch.set_models(models)
        self._bodies[:] = [body_constants(model) for model in models]
        self._assigned = wanted

    def _advance(self, rows: npt.NDArray[np.int32], substeps: int) -> None:
        """Run physics; rows in which MuJoCo raises diverge, the others run to completion."""
        # no rows is the fast path of the batch
        if self._step_batch(None if len(rows) == self.capacity else rows, substeps):
            self.diverged[rows[self._batch.status[rows] != 0]] = True

    def _observe(self, rows: npt.NDArray[np.int32]) -> None:
        observe(
            rows,
            self._qpos,
            self._qvel,
            self._geom_xpos,
            self._geom_xmat,
            self._warnings,
            self._bodies,
            self._feet,
            self._pose[2],
            self._start_x,
            self.observations,
            self.rewards,
            self.done,
            self.diverged,
        )


def _unchecked_step(batch: mujoco.batch.Batch) -> Callable[[npt.NDArray[np.int32] | None, int], int]:
    """Return `batch.step` as a function of ascending rows (None: all) and substeps: how many rows failed.

    What the batch wraps is called directly, as checking the rows takes 3 us a call, up to 5 % of a step when
    part of a small block lives on. Where there is no such thing, `batch.step` does the same.
    """
    wrapped = getattr(batch, "_b", None)
    if wrapped is not None:
        return cast(Callable[[npt.NDArray[np.int32] | None, int], int], wrapped.step)

    def step(rows: npt.NDArray[np.int32] | None, substeps: int) -> int:
        try:
            batch.step(rows, nstep=substeps)
        except mujoco.batch.SimulationError as error:
            return len(error.ids)
        return 0

    return step


def _layout(model: mujoco.MjModel) -> tuple[int, ...]:
    """Return the sizes that bodies of one block share."""
    sizes = (model.nq, model.nv, model.nu, model.nbody, model.njnt, model.ngeom, model.nsensordata)
    return (*sizes, model.nbvh)
