"""A video of one lifetime: the body, its progress and perturbations, and the weights as the rule rewrites them.

The lifetime is lived first, watched by a hook that only looks, and is therefore bit for bit the first one that
`evaluate` lives with the same seed. Then it is drawn, from the poses or the actions that were noted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hebbevo.errors import InputError
from hebbevo.evaluation.evaluation import checked_bodies
from hebbevo.genomes.genome import Genome
from hebbevo.perturbations.catalogue import read_protocols
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rendering.cameras import Camera, camera_for
from hebbevo.rendering.offscreen import Picture
from hebbevo.rollouts.hooks import Batch, Hook
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task, Worker

FRAMES_PER_SECOND = 30
SUFFIX = ".mp4"

Watcher = Callable[[int, int], None]
"""Called with frames drawn and frames in all."""


@dataclass(frozen=True)
class Moment:
    """What one picture shows.

    Attributes:
        step: the time step t whose forward pass comes next.
        frames: how many frames of the video show it.
        progress: fitness so far.
        weights: of every layer, ``(n_out, n_in)``.
        sight: what the camera noted.
    """

    step: int
    frames: int
    progress: float
    weights: tuple[npt.NDArray[np.float32], ...]
    sight: object


@dataclass(frozen=True)
class Recording:
    """A lifetime as it was watched.

    Attributes:
        lifetimes: what it came to, one row.
        actions: of every step, ``(steps, n_out)``.
        perturbations: what happened to it.
        seconds_per_step: for the clock of the video.
    """

    lifetimes: RolloutResult
    moments: list[Moment]
    actions: npt.NDArray[np.float32]
    seed: int
    morphology: str
    perturbations: tuple[Perturbation, ...]
    seconds_per_step: float


class Recorder(Hook):
    """Note, for each frame of a real-time video, the weights and what the camera needs; changes no bit."""

    def __init__(self, camera: Camera) -> None:
        self.moments: list[Moment] = []
        self.actions: list[npt.NDArray[np.float32]] = []
        self._camera = camera
        self._steps_per_frame = 1 / (FRAMES_PER_SECOND * camera.seconds_per_step)
        self._frame = 0
        self._progress = 0.0

    def on_observation(self, batch: Batch) -> None:
        """Note the moment, if a frame shows it."""
        first = self._frame
        while int(self._frame * self._steps_per_frame) == batch.step:
            self._frame += 1
        if self._frame > first:
            layers = range(1, batch.network.layers + 1)
            weights = tuple(batch.network.weights(layer)[0].copy() for layer in layers)
            sight = self._camera.look(batch.environment)
            self.moments.append(Moment(batch.step, self._frame - first, self._progress, weights, sight))

    def on_action(self, batch: Batch) -> None:
        """Note the action."""
        self.actions.append(batch.actions[0].copy())

    def on_step(self, batch: Batch) -> None:
        """Note the reward."""
        self._progress += float(batch.environment.rewards[0])


def render(
    genome: Genome,
    out: str | Path,
    *,
    morphology: str | None = None,
    perturb: str | Sequence[Perturbation] | None = None,
    seed: int = 1,
    steps: int | None = None,
    watch: Watcher | None = None,
) -> Recording:
    """Live the first lifetime of `evaluate` with this seed, and write its video.

    Args:
        genome: from `load_genome`.
        out: the video, a file ``.mp4`` that must not exist.
        morphology: by default the task's first.
        perturb: what happens to the lifetime, as `perturb` takes a protocol; by default what is the task's own.
        seed: as `evaluate` takes it.
        steps: length of the lifetime; by default the task's own.
        watch: called after every frame.

    Raises:
        InputError: `out` cannot be written, an unknown morphology or perturbation, no pictures of the environment.
        OSError: the disk is full or fails.
    """
    path = check_video(out)
    task = genome.lasting(steps).task
    if not 0 <= seed < 2**63:
        raise InputError(f"seed must be from 0 to 2**63 - 1, got {seed}")
    (body, *_) = checked_bodies(task, None if morphology is None else [morphology])
    task = task if perturb is None else replace(task, perturbations=_protocol(perturb))
    task.check(task.perturbations)
    with closing(camera_for(task.env)) as camera:
        recording = record(task, genome.values, camera, body, lifetime_seed(seed, SeedPurpose.EVALUATION, 0))
        title = f"{genome.name}   {body}   seed {seed}"
        write_video(path, _frames(recording, camera, title, task.env.unit), _length(recording), watch)
    return recording


def record(
    task: Task, values: npt.NDArray[np.float32], camera: Camera, morphology: str, seed: int
) -> Recording:
    """Live one lifetime, watched."""
    recorder = Recorder(camera)
    with closing(Worker(task, 1)) as worker:
        lifetimes = worker.rollout(
            values[None], [0], [seed], [morphology], early_stop=False, hooks=[recorder]
        )
    actions = np.array(recorder.actions)
    return Recording(
        lifetimes,
        recorder.moments,
        actions,
        seed,
        morphology,
        task.perturbations,
        camera.seconds_per_step,
    )


def _protocol(perturb: str | Sequence[Perturbation]) -> tuple[Perturbation, ...]:
    if not isinstance(perturb, str):
        return tuple(perturb)
    protocols = read_protocols(perturb)
    if len(protocols) != 1:
        raise InputError(f"{perturb} holds {len(protocols)} protocols; a video shows one lifetime: leave one")
    (perturbations,) = protocols.values()
    return perturbations


def check_video(out: str | Path) -> Path:
    """Return the path of a video that can be written.

    Raises:
        InputError: it exists, is no ``.mp4``, or its directory does not exist.
    """
    path = Path(out)
    if path.suffix.lower() != SUFFIX:
        raise InputError(f"cannot write {path}: a video is an {SUFFIX} file; name one, as walk{SUFFIX}")
    if os.path.lexists(path):
        raise InputError(f"{path} exists; choose another --out, or remove it")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no directory {path.parent}; make it first")
    return path


def write_video(path: Path, frames: Iterator[Picture], length: int, watch: Watcher | None = None) -> None:
    """Write H.264; the file appears when it is whole.

    Args:
        path: the video.
        frames: pictures of one size, whose sides are multiples of 16 pixels.
        length: how many they are.
        watch: called after every frame.

    Raises:
        OSError: the disk is full or fails.
    """
    unfinished = path.with_name(f".{path.stem}.tmp{SUFFIX}")
    try:
        _encode(unfinished, frames, length, watch)
        check_video(path)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(path: Path, frames: Iterator[Picture], length: int, watch: Watcher | None) -> None:
    import imageio_ffmpeg

    first = next(frames)
    writer = imageio_ffmpeg.write_frames(
        str(path), first.shape[1::-1], fps=FRAMES_PER_SECOND, quality=8, ffmpeg_log_level="quiet"
    )
    try:
        with closing(writer):
            writer.send(None)
            for number, frame in enumerate(chain([first], frames), start=1):
                writer.send(np.ascontiguousarray(frame))
                if watch is not None:
                    watch(number, length)
        written, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    except (OSError, RuntimeError):  # its text is ffmpeg's command line
        written = 0
    if written != length:
        raise OSError("ffmpeg could not write the video; is the disk full?")


def _frames(recording: Recording, camera: Camera, title: str, unit: str) -> Iterator[Picture]:
    from hebbevo.rendering.canvas import Canvas, Window

    windows = [Window(str(what), what.begins, what.ends) for what in recording.perturbations]
    canvas = Canvas(recording, title, unit, [window for window in windows if window.label != "none"])
    pictures = camera.pictures(recording)
    for number, (moment, picture) in enumerate(zip(recording.moments, pictures, strict=True)):
        frame = canvas.draw(number, picture)
        for _ in range(moment.frames):
            yield frame


def _length(recording: Recording) -> int:
    return sum(moment.frames for moment in recording.moments)
