"""CarRacing with `--device`: convolutions on the device, cars in processes; the same bytes however they are spread."""

import sys
from pathlib import Path

import numpy as np
import pytest
from test_device_execution import same_bytes

from hebbevo import Config, Execution, load_config
from hebbevo.envs.subprocess.environment import ProcessEnvironment
from hebbevo.execution.device_worker import DeviceWorker
from hebbevo.networks.torch.device import bytes_per_lifetime
from hebbevo.rollouts.result import RolloutResult
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker, Worker
from hebbevo.training.evolution import evolve

pytest.importorskip("Box2D")

SMALL = (
    "network.hidden=5",
    "network.encoder.image_size=32",
    "network.encoder.convolutions=[{channels: 3, kernel: 3, pool: 2}, {channels: 2, kernel: 5, stride: 2}]",
    "env.steps=10",
    "search.population=6",
    "search.generations=2",
    "evaluation.every=2",
    "evaluation.episodes=3",
)
REAL = ("env.steps=40", "search.population=6", "search.generations=1", "evaluation.episodes=2")


def config_of(*overrides: str) -> Config:
    return load_config("quick-carracing", overrides)


def evolved(config: Config, path: Path, **execution: int) -> Path:
    evolve(config, path, execution=Execution(device="cpu", **execution))
    return path


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose cars all drive in this process."""
    return evolved(config_of(*SMALL), tmp_path_factory.mktemp("pixels") / "run", threads=1)


def test_processes_change_no_byte(one_by_one: Path, tmp_path: Path) -> None:
    same_bytes(evolved(config_of(*SMALL), tmp_path / "run", threads=3), one_by_one)


def test_batch_sizes_change_no_byte(one_by_one: Path, tmp_path: Path) -> None:
    same_bytes(evolved(config_of(*SMALL), tmp_path / "run", threads=1, batch_size=4), one_by_one)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_actors_on_ray_change_no_byte(one_by_one: Path, tmp_path: Path) -> None:
    """Each actor has cars in two processes of its own, as beside a GPU."""
    same_bytes(evolved(config_of(*SMALL), tmp_path / "run", workers=2, threads=2), one_by_one)


def results_of(worker: Worker, count: int = 4) -> RolloutResult:
    genomes = np.stack([worker.task.first_genome(np.random.default_rng(k)) for k in range(count)])
    return worker.rollout(
        genomes, range(count), [k + 11 for k in range(count)], ["default"] * count, early_stop=False
    )


@pytest.mark.parametrize(
    "overrides", [SMALL, pytest.param(REAL, marks=pytest.mark.slow)], ids=["small", "real"]
)
def test_the_first_steps_are_those_of_the_compiled_kernels(overrides: tuple[str, ...]) -> None:
    """Two kinds of arithmetic drift apart in a closed loop; over ten steps they have not."""
    task = Task.of(config_of(*overrides, "env.steps=10"))
    on_device, on_cpu = results_of(DeviceWorker(task, 4, "cpu", 1)), results_of(CpuWorker(task, 4))
    np.testing.assert_allclose(on_device.fitness, on_cpu.fitness, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(on_device.steps, on_cpu.steps)


def test_each_half_has_processes_of_its_own_and_takes_them_along() -> None:
    worker = DeviceWorker(Task.of(config_of(*SMALL)), 4, "cpu", 2)
    results_of(worker)
    environments = [half[0] for half in worker._halves if half is not None]
    assert all(isinstance(environment, ProcessEnvironment) for environment in environments)
    children = [child for environment in environments for child in environment._children]
    assert len(children) == 4
    worker.close()
    assert not any(child.is_alive() for child in children)


def test_frames_count_in_the_memory_of_a_lifetime() -> None:
    spec = Task.of(config_of(*SMALL)).kernel_spec
    difference = bytes_per_lifetime(spec, 10, "cuda", 27_648) - bytes_per_lifetime(spec, 10, "cuda")
    assert difference >= 4 * 27_648


@pytest.mark.slow
def test_the_real_sizes_are_the_same_in_processes(tmp_path: Path) -> None:
    one = evolved(config_of(*REAL), tmp_path / "one", threads=1)
    same_bytes(evolved(config_of(*REAL), tmp_path / "three", threads=3, batch_size=4), one)
