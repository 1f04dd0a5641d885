"""The lifetime loop: the order of a time step, ends of lifetimes, and results that no neighbor can change."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from tasks import cart_pole_task, quadruped_task

from hebbevo.envs import BatchedEnvironment, EarlyStop
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.result import WORST_FITNESS, RolloutResult
from hebbevo.rollouts.rollout import rollout
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

Script = Callable[[int, int], float]  # (seed, step 1, 2, ...) -> value


class ScriptedWorld(BatchedEnvironment):
    """Rewards and ends by a script; everything that is called is written to `journal`."""

    def __init__(self, batch_size: int, journal: list[tuple[str, list[int]]]) -> None:
        super().__init__(batch_size, 2, 1)
        self.journal = journal
        self.reward: Script = lambda seed, step: 1.0
        self.ends: dict[str, Script] = {}
        self.diverged_at_reset: tuple[int, ...] = ()
        self.seeds: list[int] = []
        self.time = np.zeros(batch_size, int)

    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        self._clear_rows(self._check_reset(seeds, morphologies))
        self.seeds = list(seeds)
        self.time[:] = 0
        self.diverged[: len(seeds)] = [seed in self.diverged_at_reset for seed in seeds]

    def step(self, actions: np.ndarray, active: np.ndarray) -> None:
        self.journal.append(("step", [self.seeds[row] for row in active]))
        for row in active:
            self.time[row] += 1
            key = self.seeds[row], int(self.time[row])
            self.rewards[row] = self.reward(*key)
            for name, script in self.ends.items():
                getattr(self, name)[row] = bool(script(*key))


class JournalNetwork:
    """Stands in for the network: it only writes down its calls."""

    def __init__(self, world: ScriptedWorld) -> None:
        self.world, self.journal = world, world.journal

    def reset(self, genomes, genome_of, seeds, *, plastic=True) -> None:
        self.journal.append(("reset plastic" if plastic else "reset", list(genome_of)))

    def forward(self, observations, active) -> np.ndarray:
        self.journal.append(("forward", [self.world.seeds[row] for row in active]))
        return np.zeros((self.world.batch_size, 1), np.float32)

    def learn(self, active, rewards) -> None:
        self.journal.append(("learn", [self.world.seeds[row] for row in active]))


class JournalHook(Hook):
    def __init__(self, journal: list, name: str = "") -> None:
        self.journal, self.name = journal, name

    def note(self, call: str, batch: Batch) -> None:
        self.journal.append((f"{call}{self.name} {batch.step}", batch.active.tolist()))

    def on_observation(self, batch: Batch) -> None:
        self.note("on_observation", batch)

    def on_action(self, batch: Batch) -> None:
        self.note("on_action", batch)

    def on_step(self, batch: Batch) -> None:
        self.note("on_step", batch)


def scripted(
    seeds: Sequence[int] = (0,),
    *,
    steps: int = 10,
    early_stop: EarlyStop | None = None,
    reward: Script = lambda seed, step: 1.0,
    diverged_at_reset: tuple[int, ...] = (),
    hooks: Callable[[list], list[Hook]] = lambda journal: [],
    **ends: Script,
) -> tuple[RolloutResult, list[tuple[str, list[int]]]]:
    journal: list[tuple[str, list[int]]] = []
    world = ScriptedWorld(len(seeds) + 1, journal)
    world.reward, world.ends, world.diverged_at_reset = reward, ends, diverged_at_reset
    genomes = np.zeros((1, 1), np.float32)
    bodies = ["default"] * len(seeds)
    result = rollout(
        world,
        JournalNetwork(world),
        genomes,
        [0] * len(seeds),
        seeds,
        bodies,
        steps=steps,
        early_stop=early_stop,
        hooks=hooks(journal),
    )
    return result, journal


def test_a_time_step_is_forward_world_end_then_rule() -> None:
    result, journal = scripted([10, 11], steps=3, terminated=lambda seed, step: seed == 10 and step == 2)
    assert journal == [
        ("reset plastic", [0, 0]),
        *(("forward", [10, 11]), ("step", [10, 11]), ("learn", [10, 11])),
        *(("forward", [10, 11]), ("step", [10, 11]), ("learn", [11])),  # 10 ended: no further update
        *(("forward", [11]), ("step", [11]), ("learn", [11])),
    ]
    assert result.steps.tolist() == [2, 3]
    assert result.fitness.tolist() == [2.0, 3.0]


def test_hooks_run_between_the_parts_of_a_step_in_their_order() -> None:
    _, journal = scripted(
        steps=2,
        terminated=lambda seed, step: step == 2,
        hooks=lambda journal: [JournalHook(journal, " a"), JournalHook(journal, " b")],
    )
    assert [name for name, _ in journal[1:]] == [
        part.format(step)
        for step in (0, 1)
        for part in (
            *("on_observation a {}", "on_observation b {}", "forward"),
            *("on_action a {}", "on_action b {}", "step"),
            *("on_step a {}", "on_step b {}", "learn"),
        )
    ]
    assert all(active == [0] for name, active in journal if name.startswith("on_"))


def test_fitness_is_the_sum_of_the_rewards_up_to_the_end() -> None:
    result, _ = scripted(
        [1, 2], steps=7, reward=lambda seed, step: seed * step, terminated=lambda seed, step: step == 4
    )
    assert result.fitness.tolist() == [10.0, 20.0]
    assert result.steps.tolist() == [4, 4]
    assert not result.diverged.any()


@pytest.mark.parametrize("fall", [1, 3, 5, 8])
def test_done_ends_a_lifetime_only_past_the_grace(fall: int) -> None:
    stop = EarlyStop(after=5, negative_rewards=100)
    result, _ = scripted(early_stop=stop, done=lambda seed, step: step >= fall)
    assert result.steps.tolist() == [max(fall, 5)]


def test_done_that_has_passed_ends_nothing() -> None:
    stop = EarlyStop(after=5, negative_rewards=100)
    assert scripted(early_stop=stop, done=lambda seed, step: step == 3)[0].steps.tolist() == [10]


def test_done_alone_ends_nothing() -> None:
    assert scripted(done=lambda seed, step: True)[0].steps.tolist() == [10]


def test_more_than_so_many_negative_rewards_in_a_row_end_a_lifetime() -> None:
    stop = EarlyStop(after=0, negative_rewards=3)
    result, _ = scripted(early_stop=stop, reward=lambda seed, step: -1.0 if step > 2 else 1.0)
    assert result.steps.tolist() == [6]  # the 4th in a row
    assert result.fitness.tolist() == [-2.0]
    result, _ = scripted(early_stop=stop, reward=lambda seed, step: 0.0 if step % 4 == 0 else -1.0)
    assert result.steps.tolist() == [10]
    assert scripted(reward=lambda seed, step: -1.0)[0].steps.tolist() == [10]


def test_negative_rewards_count_from_the_start_but_end_nothing_before_the_grace() -> None:
    stop = EarlyStop(after=6, negative_rewards=3)
    assert scripted(early_stop=stop, reward=lambda seed, step: -1.0)[0].steps.tolist() == [6]


@pytest.mark.parametrize("how", ["diverged", "nan", "inf", "at reset"])
def test_a_diverged_lifetime_has_the_worst_fitness_and_touches_no_neighbor(how: str) -> None:
    bad = {"nan": np.nan, "inf": np.inf}.get(how, 1.0)
    result, journal = scripted(
        [1, 2, 3],
        reward=lambda seed, step: bad if (seed, step) == (2, 4) else 1.0,
        diverged_at_reset=(2,) if how == "at reset" else (),
        diverged=lambda seed, step: how == "diverged" and (seed, step) == (2, 4),
    )
    assert result.fitness.tolist() == [10.0, WORST_FITNESS, 10.0]
    assert result.diverged.tolist() == [False, True, False]
    assert result.steps.tolist() == [10, 0 if how == "at reset" else 4, 10]
    assert journal[-1] == ("learn", [1, 3])


@pytest.mark.parametrize(
    ("reward", "diverged"), [(9e298, False), (-9e298, False), (2e299, True), (-1e308, True)]
)
def test_a_sum_of_rewards_that_no_mean_could_hold_has_diverged(reward: float, diverged: bool) -> None:
    result, _ = scripted([1, 2], reward=lambda seed, step: reward if seed == 1 else 1.0)
    assert result.diverged.tolist() == [diverged, False]
    assert np.isfinite(result.fitness.sum())


def test_all_lifetimes_diverged() -> None:
    result, journal = scripted([1, 2], diverged=lambda seed, step: True)
    assert result.diverged.all()
    assert (result.fitness == WORST_FITNESS).all()
    assert np.isfinite(result.fitness).all()
    assert [name for name, _ in journal].count("step") == 1
    result, journal = scripted([1, 2], diverged_at_reset=(1, 2))
    assert result.diverged.all()
    assert [name for name, _ in journal] == ["reset plastic"]


COUNT = 7
SEEDS = [1000 + number for number in range(COUNT)]


def genomes_of(task: Task, count: int = COUNT) -> np.ndarray:
    return np.stack([task.first_genome(np.random.default_rng(number)) for number in range(count)])


def results_of(
    task: Task, batch_size: int, order: Sequence[int], genomes: np.ndarray | None = None
) -> np.ndarray:
    """Return (fitness, steps, diverged) of the lifetimes, cut in this order into batches of this size."""
    genomes = genomes_of(task) if genomes is None else genomes
    bodies = task.env.morphology_names
    worker = CpuWorker(task, batch_size)
    results = np.zeros((len(order), 3))
    for start in range(0, len(order), batch_size):
        numbers = list(order[start : start + batch_size])
        part = worker.rollout(
            genomes[numbers],
            list(range(len(numbers))),
            [SEEDS[number] for number in numbers],
            [bodies[number % len(bodies)] for number in numbers],
            early_stop=True,
        )
        results[numbers] = np.stack([part.fitness, part.steps, part.diverged], axis=1)
    worker.close()
    return results


@pytest.fixture(
    scope="module", params=["quadruped", "CartPole"], ids=["quadruped, two bodies", "gymnasium:CartPole-v1"]
)
def task(request: pytest.FixtureRequest) -> Task:
    if request.param == "CartPole":
        return cart_pole_task("env.steps=200")
    return quadruped_task("env.steps=260", "env.early_stop.after=100", "env.early_stop.negative_rewards=5")


@pytest.fixture(scope="module")
def alone(task: Task) -> np.ndarray:
    return results_of(task, 1, range(COUNT))


@pytest.mark.parametrize("batch_size", [1, 4, 16])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 2, 5, 1, 4]])
def test_a_lifetime_is_the_same_in_every_batch_and_order(
    task: Task, alone: np.ndarray, batch_size: int, order: list[int]
) -> None:
    np.testing.assert_array_equal(results_of(task, batch_size, order), alone)


def test_lifetimes_end_at_different_times(alone: np.ndarray) -> None:
    assert len(set(alone[:, 1])) > 1, "the comparison above would say little"
    assert len(set(alone[:, 0])) == COUNT or alone[:, 0].max() < 300


def test_a_lifetime_is_the_same_whatever_ran_before(task: Task, alone: np.ndarray) -> None:
    worker, genomes, bodies = CpuWorker(task, 4), genomes_of(task), task.env.morphology_names
    worker.rollout(
        genomes[:4] * np.float32(1e20), [3, 2, 1, 0], [1, 2, 3, 4], list(bodies[-1:]) * 4, early_stop=False
    )
    worker.rollout(genomes[:2], [0, 1], [5, 6], list(bodies[:1]) * 2, early_stop=False, plastic=False)
    part = worker.rollout(genomes[:1], [0], SEEDS[:1], bodies[:1], early_stop=True)
    assert (part.fitness[0], part.steps[0]) == tuple(alone[0, :2])


def test_a_genome_that_diverges_touches_no_neighbor(task: Task, alone: np.ndarray) -> None:
    genomes = genomes_of(task)
    genomes[2] = np.float32(3e38)  # eta * A overflows: NaN in the weights, then in the actions
    results = results_of(task, 4, range(COUNT), genomes)
    rest = [number for number in range(COUNT) if number != 2]
    np.testing.assert_array_equal(results[rest], alone[rest])
    assert results[2].tolist()[::2] == [WORST_FITNESS, 1.0]


def test_early_stop_is_left_out_where_lifetimes_are_to_be_full(task: Task) -> None:
    if task.env.early_stop is None:
        pytest.skip("this environment ends by itself")
    part = CpuWorker(task, 2).rollout(
        genomes_of(task, 2), [0, 1], SEEDS[:2], task.env.morphology_names, early_stop=False
    )
    assert part.steps.tolist() == [task.env.steps] * 2


def test_a_hook_that_only_reads_changes_no_bit(task: Task, alone: np.ndarray) -> None:
    class Recorder(Hook):
        def __init__(self) -> None:
            self.seen: list[float] = []

        def on_observation(self, batch: Batch) -> None:
            self.seen.append(float(batch.network.weights(1)[batch.active].sum()))

        def on_step(self, batch: Batch) -> None:
            self.seen.append(float(batch.network.activations(1)[batch.active].sum()))

    recorder, bodies = Recorder(), task.env.morphology_names
    part = CpuWorker(task, 3).rollout(
        genomes_of(task, 3),
        [0, 1, 2],
        SEEDS[:3],
        [bodies[number % len(bodies)] for number in range(3)],
        early_stop=True,
        hooks=[recorder],
    )
    np.testing.assert_array_equal(part.fitness, alone[:3, 0])
    assert len(set(recorder.seen)) > 20


def test_a_hook_may_take_the_action_over(task: Task) -> None:
    class Freeze(Hook):
        def on_action(self, batch: Batch) -> None:
            batch.actions[:] = 0.0

    def fitness(genome: int, *hooks: Hook) -> float:
        worker = CpuWorker(task, 1)
        bodies = task.env.morphology_names[:1]
        return worker.rollout(
            genomes_of(task)[[genome]], [0], SEEDS[:1], bodies, early_stop=False, hooks=hooks
        ).fitness[0]

    assert fitness(0, Freeze()) == fitness(1, Freeze())


def test_joined_results_keep_the_order_of_their_lifetimes() -> None:
    first = RolloutResult(np.array([1.5, -2.0]), np.array([3, 4]), np.array([False, True]))
    second = RolloutResult(np.array([0.5]), np.array([5]), np.array([False]))
    joined = RolloutResult.join(iter([first, second, first]))
    assert joined.fitness.tolist() == [1.5, -2.0, 0.5, 1.5, -2.0]
    assert joined.steps.tolist() == [3, 4, 5, 3, 4]
    assert joined.diverged.tolist() == [False, True, False, False, True]
    assert (joined.fitness.dtype, joined.steps.dtype, joined.diverged.dtype) == (
        np.float64,
        np.int64,
        np.bool_,
    )
