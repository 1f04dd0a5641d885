"""Sampled actions: the softmax's frequencies, and the same draws whatever the batch."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare

from hebbevo.config.loading import load_config
from hebbevo.errors import InputError
from hebbevo.rollouts.sampling import ActionSampler
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


def test_numbers_cannot_be_sampled():
    with pytest.raises(InputError, match="sample needs discrete actions"):
        load_config("quick-quadruped", ["network.actions=sample"])
