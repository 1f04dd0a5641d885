"""A lifetime in MuJoCo's own window, as it goes on."""

from __future__ import annotations

import copy
import importlib
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from os import PathLike
from typing import Any, cast

from typing_extensions import override

from hebbevo.envs.cameras import CameraSpec, HasBody
from hebbevo.envs.physics import mujoco
from hebbevo.errors import InputError
from hebbevo.evaluation.checks import check_sample, checked_bodies
from hebbevo.genomes.genome import Genome, as_genome
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rendering.gl import works
from hebbevo.rendering.offscreen import show_hidden_bodies
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.worker import CpuWorker

_NO_DISPLAY = "cannot open a window: {}; hebbevo render makes a video without one"


def view(
    genome: Genome | str | PathLike[str],
    *,
    morphology: str | None = None,
    perturb: str | Sequence[Perturbation] | None = None,
    seed: int = 1,
    steps: int | None = None,
    speed: float = 1.0,
) -> RolloutResult | None:
    """Show the first lifetime of `evaluate` with this seed in a window, until it ends or the window is closed.

    Args:
        genome: from `load_genome`, or what that takes: a run, a file, ``zoo:NAME``.
        morphology: by default the task's first.
        perturb: perturbations in the short form; by default the task's own.
        seed: as in `evaluate`.
        steps: length of the lifetime; by default the task's own.
        speed: simulated seconds in a second.

    Returns:
        the result; None where the window was closed before the end.

    Raises:
        InputError: no body to show, no display, an unknown morphology or perturbation.
    """
    genome = as_genome(genome).lasting(steps)
    check_sample(1, seed)
    if not 0.01 <= speed <= 100:
        raise InputError(f"speed must be from 0.01 to 100, got {speed:g}")
    task, camera, seconds = genome.task, genome.task.env.camera_spec, genome.task.env.seconds_per_step
    if camera is None or camera.kind != "body" or seconds is None:
        raise InputError(f"{task.env.name} has no body of MuJoCo to show; hebbevo render may draw it")
    (body, *_) = checked_bodies(task, None if morphology is None else [morphology])
    if perturb is not None:
        given = parse_perturbations(perturb) if isinstance(perturb, str) else tuple(perturb)
        task = replace(task, perturbations=given)
    task.check(task.perturbations)
    check_display()
    seeds = [lifetime_seed(seed, SeedPurpose.EVALUATION, 0)]
    with (
        closing(CpuWorker(task, 1)) as worker,
        closing(_Window(seconds / speed, camera)) as window,
    ):
        try:
            return worker.rollout(genome.values[None], [0], seeds, [body], early_stop=False, hooks=[window])
        except _ClosedError:
            return None


def check_display() -> None:
    """Refuse to open a window where there is none to be had.

    Raises:
        InputError: no display, or no OpenGL on it.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise InputError(_NO_DISPLAY.format("there is no display (DISPLAY is not set)"))
    if not works("glfw"):
        raise InputError(_NO_DISPLAY.format("no OpenGL works on this display"))


class _ClosedError(Exception):
    """The window was closed."""


class _Window(Hook):
    """Shows the first row before every step, no sooner than `seconds` after the one before, as `spec` says."""

    def __init__(self, seconds: float, spec: CameraSpec) -> None:
        self._seconds, self._due = seconds, time.monotonic()
        self._spec = spec
        self._shown: mujoco.MjModel | None = None
        self._viewer: Any = None

    @override
    def on_observation(self, batch: Batch) -> None:
        body = cast(HasBody, batch.environment)
        if body.model(0) is not self._shown:
            self._open(body.model(0))
        if not self._viewer.is_running():
            raise _ClosedError
        with self._viewer.lock():
            self._data.qpos[:] = body.position(0)
            mujoco.mj_forward(self._model, self._data)
            self._viewer.cam.lookat[:] = self._spec.look_at(body.place(0))
        self._viewer.sync()
        self._due += self._seconds
        time.sleep(max(0.0, self._due - time.monotonic()))

    def _open(self, model: mujoco.MjModel) -> None:
        """Open a window; a body that is switched comes in a new one."""
        self.close()
        self._shown, self._model = model, copy.copy(model)
        show_hidden_bodies(self._model)
        self._data = mujoco.MjData(self._model)
        viewer: Any = importlib.import_module("mujoco.viewer")
        try:
            self._viewer = viewer.launch_passive(
                self._model, self._data, show_left_ui=False, show_right_ui=False
            )
        except RuntimeError as error:  # macOS wants mjpython
            raise InputError(_NO_DISPLAY.format(str(error).splitlines()[0].rstrip("."))) from None
        camera = self._viewer.cam
        camera.distance, camera.azimuth, camera.elevation = self._spec.distance, 110, -22
        self._due = time.monotonic()

    def close(self) -> None:
        """Close the window."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None
