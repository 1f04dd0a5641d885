"""A rollout in halves: its results, which half works while the other waits, and errors of one of them."""

import threading
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from tasks import cart_pole_task, quadruped_task

from hebbevo.envs import BatchedEnvironment
from hebbevo.execution.device_worker import DeviceWorker
from hebbevo.networks.torch.network import TorchNetwork
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.pipeline import Interrupted, Pipeline, run_pipelined
from hebbevo.rollouts.result import WORST_FITNESS
from hebbevo.rollouts.rollout import rollout
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker, Worker

COUNT = 7
SEEDS = [11, 12, 13, 14, 15, 16, 17]


@pytest.fixture(scope="module", params=["quadruped", "cart pole"])
def task(request: pytest.FixtureRequest) -> Task:
    if request.param == "cart pole":
        return cart_pole_task("env.steps=100")
    return quadruped_task("env.steps=150", "env.early_stop.after=60", "env.early_stop.negative_rewards=5")


def genomes_of(task: Task, count: int = COUNT) -> np.ndarray:
    return np.stack([task.first_genome(np.random.default_rng(number)) for number in range(count)])


def results_of(worker: Worker, order: Sequence[int], genomes: np.ndarray, **options) -> np.ndarray:
    """Return fitness, steps and divergence of lifetimes run in this order, sorted by number."""
    bodies = worker.task.env.morphology_names
    rollout = worker.rollout(
        genomes,
        list(order),
        [SEEDS[number] for number in order],
        [bodies[number % len(bodies)] for number in order],
        early_stop=True,
        **options,
    )
    result = np.empty((len(order), 3))
    result[list(order)] = np.stack([rollout.fitness, rollout.steps, rollout.diverged], axis=1)
    return result


def device_worker(task: Task, batch_size: int = 64) -> DeviceWorker:
    return DeviceWorker(task, batch_size, "cpu", threads=2 if task.env.releases_gil else 1)


@pytest.fixture(scope="module")
def alone(task: Task) -> np.ndarray:
    """Each lifetime by itself, through the plain loop."""
    genomes, env, results = genomes_of(task), task.env, []
    for number in range(COUNT):
        environment = env.build(1)
        network = TorchNetwork(task.kernel_spec, task.layout, 1)
        body = env.morphology_names[number % len(env.morphology_names)]
        lifetime = [SEEDS[number]], [body]
        result = rollout(
            environment,
            network,
            genomes[[number]],
            [0],
            *lifetime,
            steps=env.steps,
            early_stop=env.early_stop,
        )
        results.append([result.fitness[0], result.steps[0], result.diverged[0]])
    return np.array(results, float)


@pytest.mark.parametrize("batch_size", [1, 4, 16])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [3, 0, 6, 2, 5, 1, 4]])
def test_a_lifetime_is_the_same_however_the_population_is_split(task, alone, batch_size, order) -> None:
    np.testing.assert_array_equal(results_of(device_worker(task, batch_size), order, genomes_of(task)), alone)


def test_a_worker_grows_and_shrinks_without_a_trace(task: Task, alone: np.ndarray) -> None:
    worker = device_worker(task)
    results_of(worker, [0], genomes_of(task, 1), plastic=False)
    for _ in range(2):
        np.testing.assert_array_equal(results_of(worker, range(COUNT), genomes_of(task)), alone)
    np.testing.assert_array_equal(results_of(worker, [0], genomes_of(task, 1)), alone[:1])


def test_a_genome_that_diverges_touches_no_neighbor(task: Task, alone: np.ndarray) -> None:
    genomes = genomes_of(task)
    genomes[2] = np.float32(3e38)
    results = results_of(device_worker(task), range(COUNT), genomes)
    rest = [number for number in range(COUNT) if number != 2]
    np.testing.assert_array_equal(results[rest], alone[rest])
    assert results[2].tolist()[::2] == [WORST_FITNESS, 1.0]


def test_the_first_steps_are_those_of_the_compiled_kernels() -> None:
    """Two kinds of arithmetic drift apart in a closed loop; over ten steps they have not."""
    task = quadruped_task("env.steps=10")
    compiled = results_of(CpuWorker(task, 8), range(COUNT), genomes_of(task))
    on_device = results_of(device_worker(task), range(COUNT), genomes_of(task))
    np.testing.assert_allclose(on_device, compiled, rtol=0, atol=1e-4)


class Recorder(Hook):
    def __init__(self) -> None:
        self.rows: list[int] = []
        self.sums: list[float] = []

    def on_observation(self, batch: Batch) -> None:
        self.rows.append(len(batch.active))
        self.sums.append(float(batch.network.weights(1)[batch.active].sum()))

    def on_step(self, batch: Batch) -> None:
        self.sums.append(float(batch.network.activations(1)[batch.active].sum()))


def test_hooks_see_one_batch_and_change_no_bit(task: Task, alone: np.ndarray) -> None:
    recorder = Recorder()
    results = results_of(device_worker(task, batch_size=4), range(COUNT), genomes_of(task), hooks=[recorder])
    np.testing.assert_array_equal(results, alone)
    assert recorder.rows[0] == COUNT
    assert len(set(recorder.sums)) > 20


def test_perturbations_change_each_lifetime_as_if_it_were_alone(task: Task) -> None:
    perturbations = parse_perturbations("zero_weights:at=5,fraction=0.5")
    together = results_of(device_worker(task), range(COUNT), genomes_of(task), perturbations=perturbations)
    one_by_one = results_of(
        device_worker(task, 1), range(COUNT), genomes_of(task), perturbations=perturbations
    )
    plain = results_of(device_worker(task), range(COUNT), genomes_of(task))
    np.testing.assert_array_equal(together, one_by_one)
    assert (together[:, 0] != plain[:, 0]).any()


class WaitingEnvironment(BatchedEnvironment):
    """An environment whose step k ends only when the other half's network has computed step k."""

    def __init__(self, computed: threading.Semaphore) -> None:
        super().__init__(2, 2, 1)
        self.computed = computed
        self.met: list[bool] = []

    def reset(self, seeds, morphologies) -> None:
        self._clear_rows(self._check_reset(seeds, morphologies))

    def step(self, actions, active) -> None:
        self.met.append(self.computed.acquire(timeout=20))


class SignalingNetwork:
    """A network that signals each of its forward passes."""

    def __init__(self, computed: threading.Semaphore) -> None:
        self.computed = computed

    def reset(self, genomes, genome_of, seeds, *, plastic=True) -> None:
        pass

    def forward(self, observations, active) -> np.ndarray:
        self.computed.release()
        return np.zeros((2, 1), np.float32)

    def learn(self, active, rewards) -> None:
        pass


def test_one_half_computes_while_the_other_steps() -> None:
    """Each environment's step waits for the other half's network: one after the other would wait in vain."""
    computed = threading.Semaphore(0), threading.Semaphore(0)
    environments = [WaitingEnvironment(computed[1 - half]) for half in (0, 1)]
    pipeline = Pipeline(record=[])

    def half(number: int):
        network, environment = SignalingNetwork(computed[number]), environments[number]
        common = np.zeros((1, 1), np.float32), [0, 0], [1, 2], ["default"] * 2
        return lambda hook: rollout(environment, network, *common, steps=5, early_stop=None, hooks=[hook])

    results = run_pipelined([half(0), half(1)], pipeline)
    assert [result.steps.tolist() for result in results] == [[5, 5], [5, 5]]
    assert all(environment.met == [True] * 5 for environment in environments)
    steps = sorted(
        (span for span in pipeline.record if span.part == "environment"), key=lambda span: span.begin
    )
    assert all(one.end <= other.begin for one, other in pairwise(steps)), "the CPU was held twice"
    assert len(pipeline.record) == 20


class CountingEnvironment(WaitingEnvironment):
    """An environment that counts how many are being reset at a time."""

    inside = most = 0

    def reset(self, seeds, morphologies) -> None:
        CountingEnvironment.inside += 1
        CountingEnvironment.most = max(CountingEnvironment.most, CountingEnvironment.inside)
        time.sleep(0.1)
        CountingEnvironment.inside -= 1
        super().reset(seeds, morphologies)

    def step(self, actions, active) -> None:
        pass


def test_halves_are_reset_one_after_the_other() -> None:
    """Python environments share more than one thinks: pygame loads a module when a second thread uses it, half."""
    computed = threading.Semaphore(0)

    def half(hook: Hook):
        common = np.zeros((1, 1), np.float32), [0, 0], [1, 2], ["default"] * 2
        return rollout(
            CountingEnvironment(computed),
            SignalingNetwork(computed),
            *common,
            steps=2,
            early_stop=None,
            hooks=[hook],
        )

    assert len(run_pipelined([half, half], Pipeline())) == 2
    assert CountingEnvironment.most == 1


def test_environments_take_turns() -> None:
    task = quadruped_task("env.steps=30")
    worker = device_worker(task)
    worker.pipeline.record = []
    results_of(worker, range(COUNT), genomes_of(task))
    spans = worker.pipeline.record
    steps = sorted((span for span in spans if span.part == "environment"), key=lambda span: span.begin)
    assert len(steps) == 60
    assert all(one.end <= other.begin for one, other in pairwise(steps))


def test_a_half_that_fails_ends_the_other() -> None:
    class Failure(Hook):
        def on_action(self, batch: Batch) -> None:
            if batch.step == 3 and 13 in seeds_of[id(batch.network)]:
                raise RuntimeError("lost")

    seeds_of: dict[int, list[int]] = {}
    task = quadruped_task("env.steps=100000")
    worker = device_worker(task)

    def half(number: int):
        environment, network = worker._half(number, 1)
        seeds_of[id(network)] = [12 + number]
        common = genomes_of(task, 1), [0], [12 + number], ["intact"]
        return lambda hook: rollout(
            environment, network, *common, steps=100000, early_stop=None, hooks=[Failure(), hook]
        )

    with pytest.raises(RuntimeError, match="lost"):
        run_pipelined([half(0), half(1)], worker.pipeline)
    for lock in (worker.pipeline.cpu, worker.pipeline.device):
        lock.acquire()  # it is free


def test_an_interrupted_worker_ends_at_its_next_step() -> None:
    task = quadruped_task("env.steps=100000", "env.early_stop.after=100000")
    worker = device_worker(task)
    timer = threading.Timer(0.5, worker.interrupt)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        results_of(worker, range(COUNT), genomes_of(task))
    assert time.monotonic() - began < 60, "100,000 steps would take minutes"
