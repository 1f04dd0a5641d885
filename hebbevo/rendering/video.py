"""A video of one lifetime: the body, its progress and perturbations, and the weights as the rule rewrites them.

The lifetime is run first, recorded by a hook that only reads, and is therefore bit for bit the first one of
`evaluate` with the same seed. Then it is drawn, from the poses or the actions in the recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.evaluation.checks import checked_bodies
from hebbevo.genomes.genome import Genome, as_genome
from hebbevo.networks.effective_weights import EffectiveWeights
from hebbevo.perturbations.catalogue import read_protocols
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rendering.cameras import Camera, camera_for
from hebbevo.rendering.canvas import Canvas, Window
from hebbevo.rendering.layout import Picture
from hebbevo.rendering.mp4 import Watcher, check_video, write_video
from hebbevo.rendering.recording import FRAMES_PER_SECOND, Recorder, Recording
from hebbevo.seeding import SEED_LIMIT, SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker


def render(
    genome: Genome | str | PathLike[str],
    out: str | Path,
    *,
    morphology: str | None = None,
    perturb: str | Sequence[Perturbation] | None = None,
    seed: int = 1,
    steps: int | None = None,
    watch: Watcher | None = None,
) -> Recording:
    """Run the first lifetime of `evaluate` with this seed, and write its video.

    Args:
        genome: from `load_genome`, or what that takes: a run, a file, ``zoo:NAME``.
        out: the video, a file ``.mp4`` that must not exist.
        morphology: by default the task's first.
        perturb: perturbations of the lifetime, in the form of a protocol of `perturb`; by default the task's own.
        seed: as in `evaluate`.
        steps: length of the lifetime; by default the task's own.
        watch: called after every frame.

    Raises:
        InputError: `out` cannot be written, an unknown morphology or perturbation, no pictures of the environment.
        OSError: the disk is full or fails.
    """
    path = check_video(out)
    genome = as_genome(genome)
    task = genome.lasting(steps).task
    if not 0 <= seed < SEED_LIMIT:
        raise InputError(f"seed must be from 0 to 2**63 - 1, got {seed}")
    (body, *_) = checked_bodies(task, None if morphology is None else [morphology])
    task = task if perturb is None else replace(task, perturbations=_protocol(perturb))
    task.check(task.perturbations)
    with closing(camera_for(task.env)) as camera:
        recording = record(task, genome.values, camera, body, lifetime_seed(seed, SeedPurpose.EVALUATION, 0))
        frames = _frames(recording, camera, f"{genome.name}   {body}   seed {seed}", task.env)
        write_video(path, frames, recording.frames, FRAMES_PER_SECOND, watch)
    return recording


def record(
    task: Task, values: npt.NDArray[np.float32], camera: Camera, morphology: str, seed: int
) -> Recording:
    """Run and record one lifetime.

    Args:
        task: with the perturbations of the lifetime.
        values: the genome, ``(size,)``.
        camera: takes a snapshot for each frame.
        morphology: name of the body.
        seed: of the lifetime.
    """
    weights = EffectiveWeights(task.kernel_spec, task.layout, values)
    recorder = Recorder(weights, camera.snapshot, camera.seconds_per_step)
    with closing(CpuWorker(task, 1)) as worker:
        result = worker.rollout(values[None], [0], [seed], [morphology], early_stop=False, hooks=[recorder])
    actions = np.array(recorder.actions)
    return Recording(
        result,
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


def _frames(recording: Recording, camera: Camera, title: str, env: EnvConfig) -> Iterator[Picture]:
    windows = [
        Window(str(perturbation), perturbation.begins, perturbation.ends)
        for perturbation in recording.perturbations
        if perturbation.kind != "none"
    ]
    canvas = Canvas(recording, title, env.unit, env.axis_label("{}"), windows)
    pictures = camera.pictures(recording)
    for number, (moment, picture) in enumerate(zip(recording.moments, pictures, strict=True)):
        frame = canvas.draw(number, picture)
        for _ in range(moment.frames):
            yield frame
