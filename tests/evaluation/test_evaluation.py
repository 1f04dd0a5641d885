"""Evaluation: what the controls are, checked by hand; the statistics against SciPy; numbers that no block changes."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tasks import HERE, cart_pole_task, quadruped_task

from hebbevo import Evaluation, Execution, Genome, InputError, evaluate
from hebbevo.errors import EnvError
from hebbevo.evaluation.bootstrap import RESAMPLES
from hebbevo.evaluation.controls import applicable_controls, random_genome, shuffled_genome
from hebbevo.evaluation.statistics import bootstrap_interval, paired_difference, summarise
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

BODIES = ("intact", "right_front_damaged")
EPISODES = 5


def genome_of(task: Task) -> Genome:
    return Genome(task, task.first_genome(np.random.default_rng(0)), name="mine")


@pytest.fixture(scope="module")
def genome() -> Genome:
    return genome_of(quadruped_task())


@pytest.fixture(scope="module")
def evaluation(genome: Genome) -> Evaluation:
    return evaluate(genome, episodes=EPISODES, seed=4, execution=HERE)


def by_hand(genome: Genome, values: np.ndarray, episode: int, body: str, *, plastic: bool = True) -> float:
    worker = CpuWorker(genome.task, 1)
    seed = lifetime_seed(4, SeedPurpose.EVALUATION, episode)
    return worker.rollout(values[None], [0], [seed], [body], early_stop=False, plastic=plastic).fitness[0]


@pytest.mark.parametrize("body", BODIES)
def test_every_condition_is_what_it_says(genome: Genome, evaluation: Evaluation, body: str) -> None:
    assert list(evaluation.lifetimes) == list(BODIES)
    assert list(evaluation.lifetimes[body]) == ["genome", "off", "shuffled", "random"]
    for episode in (0, EPISODES - 1):
        seed, values = lifetime_seed(4, SeedPurpose.EVALUATION, episode), genome.values
        for condition, expected in (
            ("genome", by_hand(genome, values, episode, body)),
            ("off", by_hand(genome, values, episode, body, plastic=False)),
            ("shuffled", by_hand(genome, shuffled_genome(genome.task, values, seed), episode, body)),
            ("random", by_hand(genome, random_genome(genome.task, values, seed), episode, body)),
        ):
            assert evaluation.progress(body, condition)[episode] == expected
    assert len(set(evaluation.progress(body))) == EPISODES


def test_lifetimes_are_full(evaluation: Evaluation) -> None:
    for conditions in evaluation.lifetimes.values():
        for lifetimes in conditions.values():
            assert lifetimes.steps.tolist() == [40] * EPISODES


def test_off_does_not_depend_on_the_genome(evaluation: Evaluation, genome: Genome) -> None:
    other = evaluate(
        Genome(genome.task, np.roll(genome.values, 1)),
        episodes=EPISODES,
        seed=4,
        morphologies=["intact"],
        execution=HERE,
    )
    np.testing.assert_array_equal(other.progress("intact", "off"), evaluation.progress("intact", "off"))
    assert (other.progress("intact") != evaluation.progress("intact")).all()


def test_shuffling_keeps_each_arrays_numbers(genome: Genome) -> None:
    before = genome.task.layout.split(genome.values)
    after = genome.task.layout.split(shuffled_genome(genome.task, genome.values, 5))
    for name, array in before.items():
        np.testing.assert_array_equal(np.sort(array, axis=None), np.sort(after[name], axis=None))
        assert (array != after[name]).any()
    again, other = (shuffled_genome(genome.task, genome.values, seed) for seed in (5, 6))
    np.testing.assert_array_equal(np.concatenate([a.ravel() for a in after.values()]), again)
    assert (other != again).any()


def test_random_genomes_follow_the_initial_distributions() -> None:
    task = quadruped_task(
        "plasticity.initial_weights=evolved from uniform(2, 3)",
        "plasticity.initial_coefficients=normal(1, 2)",
    )
    arrays = task.layout.split(np.stack([random_genome(task, np.zeros(1), seed) for seed in range(50)]))
    assert stats.kstest(arrays["layer1.weight"].ravel(), stats.uniform(2, 1).cdf).pvalue > 0.01
    assert stats.kstest(arrays["layer2.eta"].ravel(), stats.norm(1, 2).cdf).pvalue > 0.01


def test_controls_that_say_nothing_are_left_out(genome: Genome) -> None:
    static = cart_pole_task("plasticity.rule=none", "plasticity.initial_weights=evolved")
    assert applicable_controls(static, np.arange(float(static.layout.size), dtype=np.float32)) == (
        "shuffled",
        "random",
    )
    assert applicable_controls(genome.task, genome.values) == ("off", "shuffled", "random")
    for sharing in ("layer", "network"):  # an array of one number is shuffled into itself
        shared = genome_of(quadruped_task(f"plasticity.sharing={sharing}"))
        assert applicable_controls(shared.task, shared.values) == ("off", "random")
    partly = genome_of(quadruped_task("plasticity.sharing={default: layer, A: post}"))
    assert applicable_controls(partly.task, partly.values) == ("off", "shuffled", "random")
    without = evaluate(genome, episodes=1, controls=False, morphologies=["intact"], execution=HERE)
    assert list(without.lifetimes["intact"]) == ["genome"]


@pytest.mark.parametrize(
    "execution", [Execution(threads=2, batch_size=1), Execution(threads=1, batch_size=64)]
)
def test_a_seed_gives_the_same_numbers_in_every_block(
    genome: Genome, evaluation: Evaluation, execution: Execution
) -> None:
    again = evaluate(genome, episodes=EPISODES, seed=4, execution=execution)
    assert json.dumps(again.summary()) == json.dumps(evaluation.summary())


def test_another_seed_gives_other_lifetimes_and_more_episodes_keep_the_first(
    genome: Genome, evaluation: Evaluation
) -> None:
    def intact(episodes: int, seed: int) -> np.ndarray:
        return evaluate(
            genome, episodes=episodes, seed=seed, morphologies=["intact"], controls=False, execution=HERE
        ).progress("intact")

    np.testing.assert_array_equal(intact(2, 4), evaluation.progress("intact")[:2])
    assert not np.isin(intact(EPISODES, 5), evaluation.progress("intact")).any()


def test_an_unseen_body_may_be_asked_for(genome: Genome) -> None:
    unseen = evaluate(genome, episodes=1, morphologies=["left_front_damaged"], controls=False, execution=HERE)
    assert list(unseen.lifetimes) == ["left_front_damaged"]


def test_bad_arguments_are_refused(genome: Genome) -> None:
    for arguments, expected in (
        ({"episodes": 0}, "episodes must be from 1 to 1000000, got 0"),
        ({"seed": -1}, "seed must be from 0"),
        ({"seed": 2**63}, "seed must be from 0"),
        ({"morphologies": ["intct"]}, "did you mean intact?"),
        ({"morphologies": ["intact", "intact"]}, "twice"),
    ):
        with pytest.raises((InputError, EnvError)) as caught:
            evaluate(genome, execution=HERE, **arguments)
        assert expected in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="one body only"):
        evaluate(genome_of(cart_pole_task()), morphologies=["intact"], execution=HERE)


def test_the_summary_is_what_json_holds(evaluation: Evaluation) -> None:
    summary = json.loads(json.dumps(evaluation.summary(), allow_nan=False))
    assert summary["genome"] == "mine"
    assert summary["unit"] == "m"
    assert list(summary["morphologies"]) == list(BODIES)
    for body, part in summary["morphologies"].items():
        assert {"mean", "sd", "median", "iqm", "ci95", "episodes", "controls"} <= set(part)
        values = evaluation.progress(body)
        assert part["mean"] == pytest.approx(values.mean())
        assert part["sd"] == pytest.approx(values.std(ddof=1))
        assert part["median"] == pytest.approx(np.median(values))
        assert part["iqm"] == pytest.approx(np.sort(values)[1:-1].mean())  # of five, the middle three
        assert part["paper_distance"] == pytest.approx(values.mean() / 0.0165)
        assert part["ci95"][0] <= part["mean"] <= part["ci95"][1]
        assert (part["episodes"], part["diverged"]) == (EPISODES, 0)
        assert list(part["controls"]) == ["off", "shuffled", "random"]
        for name, control in part["controls"].items():
            assert control["mean"] == pytest.approx(evaluation.progress(body, name).mean())
            assert "controls" not in control


def test_a_difference_is_taken_lifetime_by_lifetime(evaluation: Evaluation) -> None:
    for body, part in evaluation.summary()["morphologies"].items():
        for name, control in part["controls"].items():
            each = evaluation.progress(body) - evaluation.progress(body, name)
            assert control["difference"] == {
                "mean": pytest.approx(each.mean()),
                "ci95": bootstrap_interval(each),
            }


def test_pairs_with_a_lifetime_that_diverged_are_left_out() -> None:
    difference = paired_difference(np.array([1.0, np.nan, 5.0]), np.array([0.5, 1.0, np.nan]))
    assert difference == {"mean": 0.5, "ci95": [0.5, 0.5]}
    assert paired_difference(np.array([np.nan]), np.array([1.0])) == {"mean": None, "ci95": None}


def test_what_has_no_official_environment_says_so(genome: Genome) -> None:
    with pytest.raises(EnvError, match="leave `official` out"):
        evaluate(genome, episodes=1, official=True)


def test_a_reward_has_no_paper_distance() -> None:
    summary = evaluate(genome_of(cart_pole_task()), episodes=2, execution=HERE).summary()
    assert (summary["unit"], list(summary["morphologies"])) == ("reward", ["default"])
    assert "paper_distance" not in summary["morphologies"]["default"]


def test_the_interval_is_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=40)
    low, high = bootstrap_interval(values)
    generator = np.random.default_rng(0)
    means = generator.choice(values, (RESAMPLES, 40)).mean(axis=1)
    np.testing.assert_allclose([low, high], np.percentile(means, [2.5, 97.5]), atol=0.03)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    np.testing.assert_allclose([low, high], [expected.low, expected.high], rtol=1e-14)  # the same draws
    wide = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    np.testing.assert_allclose([low, high], wide, atol=0.1)


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0, 2.0]])
def test_values_without_spread_have_an_interval_of_no_width(values: list[float]) -> None:
    summary = summarise(np.array(values), np.zeros(len(values), np.bool_))
    assert (summary["ci95"], summary["sd"], summary["mean"]) == ([values[0]] * 2, 0.0, values[0])


def test_diverged_lifetimes_are_counted_and_left_out(genome: Genome) -> None:
    values, diverged = np.array([1.0, -1e9, 3.0]), np.array([False, True, False])
    summary = summarise(values, diverged)
    assert (summary["mean"], summary["episodes"], summary["diverged"]) == (2.0, 3, 1)
    assert summary["ci95"][0] >= 1.0
    nothing = RolloutResult(np.full(2, -1e9), np.zeros(2, np.int64), np.ones(2, np.bool_))
    part = Evaluation(genome, {"intact": {"genome": nothing}}, "m").summary()["morphologies"]["intact"]
    assert (part["mean"], part["ci95"], part["diverged"]) == (None, None, 2)


def test_a_genome_that_always_diverges_is_evaluated_to_nothing(genome: Genome) -> None:
    hopeless = Genome(genome.task, np.full_like(genome.values, 3e38))
    part = evaluate(hopeless, episodes=2, morphologies=["intact"], execution=HERE).summary()
    intact = part["morphologies"]["intact"]
    assert (intact["mean"], intact["diverged"]) == (None, 2)
    assert intact["controls"]["off"]["diverged"] == 0
    assert not Path("MUJOCO_LOG.TXT").exists()
