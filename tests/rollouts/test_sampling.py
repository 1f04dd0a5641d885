"""Sampled actions: the softmax's frequencies, and the same draws whatever the batch."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare

from hebbevo.config.loading import load_config
from hebbevo.errors import InputError
from hebbevo.execution.device_worker import DeviceWorker
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.sampling import CHUNK, ActionSampler
from hebbevo.seeding import Stream, stream
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

CARTPOLE = (
    *("env.name=gymnasium:CartPole-v1", "env.steps=30", "network.hidden=[4]", "network.actions=sample"),
    "network.inputs=[observation, action]",
)


def draws(seeds, outputs, steps=200):
    sampler, active = ActionSampler(seeds), np.arange(len(seeds))
    chosen = np.zeros((steps, len(seeds)), np.int64)
    for step in range(steps):
        batch = np.tile(outputs, (len(seeds), 1)).astype(np.float32)
        sampler.sample(batch, active, step)
        assert (batch.sum(axis=1) == 1).all()
        chosen[step] = batch.argmax(axis=1)
    return chosen


def test_frequencies_are_those_of_the_softmax():
    outputs = np.array([0.3, -1.0, 2.0, 0.0])
    counts = np.bincount(draws(range(100), outputs).ravel(), minlength=4)
    assert chisquare(counts, counts.sum() * softmax(outputs)).pvalue > 0.01


def test_actions_are_those_of_numpy_and_its_streams():
    """Cumulative sums of the softmax in float64, against the lifetime's stream of float32 numbers."""
    seeds, active, rng = [4, 2**40, 6], np.array([0, 2]), np.random.default_rng(0)
    sampler, streams = ActionSampler(seeds), [stream(seed, Stream.ACTION) for seed in seeds]
    for step in range(2 * CHUNK + 3):
        outputs = rng.normal(0, 2, (4, 5)).astype(np.float32)
        batch = outputs.copy()
        sampler.sample(batch, active, step)
        for row in active:
            weights = np.exp(outputs[row].astype(float) - outputs[row].max())
            below = weights.cumsum() <= streams[row].random(dtype=np.float32) * weights.cumsum()[-1]
            assert batch[row].tolist() == np.eye(5)[below.sum()].tolist()
        np.testing.assert_array_equal(batch[[1, 3]], outputs[[1, 3]])


def test_a_lifetime_draws_the_same_whatever_the_others():
    outputs = np.array([0.3, -1.0, 2.0])
    together = draws([5, 6, 7], outputs)
    assert (draws([6], outputs)[:, 0] == together[:, 1]).all()
    assert (together[:, 0] != together[:, 1]).any()


def test_outputs_that_are_not_finite_still_give_an_action():
    batch = np.array([[np.nan, 1.0], [np.inf, 0.0], [1e30, -1e30]], np.float32)
    ActionSampler([0, 1, 2]).sample(batch, np.arange(3), 0)
    assert (batch.sum(axis=1) == 1).all()
    assert batch[2, 0] == 1


def test_lifetimes_depend_on_their_seeds_alone():
    task = Task.of(load_config("quick-quadruped", CARTPOLE))
    genome = task.first_center(0)[None]
    arguments = {"early_stop": False}
    worker = CpuWorker(task, 4)
    together = worker.rollout(genome, [0] * 4, [1, 2, 3, 4], ["default"] * 4, **arguments).fitness
    alone = CpuWorker(task, 1).rollout(genome, [0], [3], ["default"], **arguments).fitness
    assert together[2] == alone[0]


class Steps(Hook):
    """Keeps weights, observation, action and reward of every step of the first lifetime."""

    def __init__(self):
        self.steps = []

    def on_observation(self, batch: Batch):
        observation = batch.environment.observations[0].copy()
        self.steps.append([batch.network.weights(1)[0].copy(), observation])

    def on_step(self, batch: Batch):
        self.steps[-1] += [batch.actions[0].copy(), float(batch.environment.rewards[0])]


@pytest.mark.parametrize("make", [CpuWorker, lambda task, size: DeviceWorker(task, size, "cpu", 1)])
def test_what_a_rule_sees_of_a_sampled_output_is_the_action(make):
    task, hook = Task.of(load_config("quick-association", ["env.steps=12"])), Steps()
    genome = task.first_center(3)
    worker = make(task, 2)
    worker.rollout(genome[None], [0, 0], [1, 2], ["default"] * 2, early_stop=False, hooks=[hook])
    parts = {name: array.astype(float) for name, array in task.layout.split(genome).items()}
    a, b, c, d = (parts[f"layer1.{letter}"] for letter in "ABCD")
    w = hook.steps[0][0].astype(float)
    assert len({action.argmax() for _, _, action, _ in hook.steps}) == 2
    for weights, pre, post, reward in hook.steps:
        np.testing.assert_allclose(weights, w, rtol=1e-5, atol=1e-6)
        assert sorted(post) == [0, 1]
        w += reward * (a * np.outer(post, pre) + b * pre + c * post[:, None] + d)


def test_the_mean_of_a_sampled_output_is_refused():
    with pytest.raises(InputError, match=r"projection layer1 .* sampled"):
        load_config("quick-association", ["plasticity.window=3"])
    load_config("quick-association", ["plasticity.window=3", "network.actions=argmax"])


def test_numbers_cannot_be_sampled():
    with pytest.raises(InputError, match="sample needs discrete actions"):
        load_config("quick-quadruped", ["network.actions=sample"])
