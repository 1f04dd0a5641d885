"""`--device`: the same bits in this process and through Ray, what is refused, and how a run with it goes on."""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tasks import QUADRUPED, small_config

import hebbevo
from hebbevo.cli.app import run
from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.evaluation.fitness import evaluate_generation
from hebbevo.execution.device_worker import DeviceWorker
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.networks.torch.device import bytes_per_lifetime, lifetimes_that_fit
from hebbevo.tasks.task import Task
from hebbevo.training.evolution import evolve, resume

FILES = ("center.safetensors", "best.safetensors", "progress.csv")
WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.fixture(scope="module")
def config() -> Config:
    return small_config("search.population=8", "training.lifetimes=2", env=QUADRUPED)


@pytest.fixture(scope="module")
def in_process(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("device") / "run"
    evolve(config, path, execution=Execution(device="cpu", threads=1))
    return path


def same_bytes(a: Path, b: Path) -> None:
    for name in FILES:
        assert (a / name).read_bytes() == (b / name).read_bytes(), name


@pytest.mark.parametrize(
    "execution", [Execution(device="cpu", threads=2), Execution(device="cpu", batch_size=3)]
)
def test_threads_and_batches_change_no_byte(
    config: Config, in_process: Path, tmp_path: Path, execution: Execution
) -> None:
    evolve(config, tmp_path / "run", execution=execution)
    same_bytes(tmp_path / "run", in_process)


@pytest.mark.skipif(sys.platform == "win32", reason="Ray on Windows is experimental")
@pytest.mark.parametrize("workers", [1, 2])
def test_actors_on_ray_change_no_byte(config: Config, in_process: Path, tmp_path: Path, workers: int) -> None:
    """The placement of GPUs, without them: each actor has several CPUs and one share of the population."""
    evolve(config, tmp_path / "run", execution=Execution(device="cpu", workers=workers, threads=1))
    same_bytes(tmp_path / "run", in_process)
    log = (tmp_path / "run" / "log.jsonl").read_text()
    assert log.count('"worker_started"') == workers


def test_a_run_goes_on_from_its_checkpoint(config: Config, in_process: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(step: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        evolve(config, tmp_path / "run", execution=Execution(device="cpu"), watch=stop)
    resume(tmp_path / "run", execution=Execution(device="cpu"))
    same_bytes(tmp_path / "run", in_process)


def test_each_worker_gets_one_share(config: Config) -> None:
    """A generation on a device is one piece of work for its only worker."""
    task, pieces = Task.of(config), []

    class Watching:
        workers = 1

        def map(self, function, shared, items):
            pieces.extend(items)
            return self.executor.map(function, shared, items)

    resolved = Execution(device="cpu", threads=1).resolve(task)
    assert resolved.even
    with executor_for(resolved) as executor:
        watching = Watching()
        watching.executor = executor
        searcher = config.search.build(task.first_genome(np.random.default_rng(0)), 1)
        evaluate_generation(
            watching,
            searcher.ask(),
            run_seed=1,
            number=0,
            morphologies=config.env.morphology_names,
            lifetime_seeds="pair",
            batch_size=resolved.batch_size,
            even=resolved.even,
        )
    assert [(piece.start, piece.stop) for piece in pieces] == [(0, 8)]


def test_evaluation_with_controls_agrees_between_batch_sizes(in_process: Path) -> None:
    genome = hebbevo.load_genome(in_process)

    def progress(**settings) -> list[npt.NDArray[np.float64]]:
        found = hebbevo.evaluate(genome, episodes=5, execution=Execution(device="cpu", **settings))
        return [part.fitness for conditions in found.lifetimes.values() for part in conditions.values()]

    whole, parts = progress(threads=2), progress(batch_size=2, threads=1)
    assert len(whole) == 8
    for mine, wanted in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_a_worker_lives_no_more_at_once_than_its_memory_holds(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task.of(config)
    each = bytes_per_lifetime(task.kernel_spec, task.layout.size, "cpu")
    synapses = 28 * 6 + 6 * 8
    assert each > 4 * (2 * synapses + task.layout.size), "states and coefficients, at least"
    monkeypatch.setattr("hebbevo.networks.torch.device.free_memory", lambda device: 10 * each)
    assert lifetimes_that_fit(task.kernel_spec, task.layout.size, "cpu") == 6
    assert DeviceWorker(task, 1000, "cpu", 1).batch_size == 6
    assert DeviceWorker(task, 4, "cpu", 1).batch_size == 4


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cdua", "unknown device 'cdua'; did you mean cuda?"),
        ("tpu-v7", "unknown device 'tpu-v7'; known: cpu, cuda"),
        pytest.param("cuda", "device cuda: no GPU is usable here (torch ", marks=WITHOUT_GPU),
    ],
)
def test_a_device_that_is_not_there_is_one_line(
    device: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = hebbevo_command("evolve", "quick-quadruped", "--device", device, "--out", str(tmp_path / "run"))
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@WITHOUT_GPU
def test_ray_on_this_machine_is_not_started_for_gpus_that_are_not_there(config: Config) -> None:
    with pytest.raises(InputError, match=r"torch .*built (without CUDA|for CUDA)"):
        Execution(device="cuda", workers=2).resolve(Task.of(config))


def test_threads_of_actors_may_be_chosen() -> None:
    assert Execution(device="cpu", workers=2, threads=3).threads == 3
    with pytest.raises(InputError, match="threads is for workers=0"):
        Execution(workers=2, threads=3)


def hebbevo_command(*words: str) -> int:
    return run(list(words))
