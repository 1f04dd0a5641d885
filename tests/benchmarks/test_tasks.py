"""The bench of a learning task: scripts and hebbevo live in the same world with the same network."""

import numpy as np
import pytest
import torch

from hebbevo.benchmarks import tasks
from hebbevo.benchmarks.replays import Recording
from hebbevo.benchmarks.tables import sheets
from hebbevo.benchmarks.tasks_peers import AssociationEnv, TorchNetwork, gymnasium_lifetimes, torch_lifetimes
from hebbevo.benchmarks.timing import Effort


def test_the_record_has_all_sides_and_the_networks_are_the_same(monkeypatch):
    monkeypatch.setattr(tasks, "BATCH_SIZES", (2, 6))
    monkeypatch.setattr(tasks, "BESIDE", 6)
    record = tasks.measure(Effort(repeats=1, steps=12))
    assert record["synapses"] == 8 * 50 + 50 * 2
    assert record["checks"]["same"], record["checks"]
    assert record["checks"]["weights"] > 0  # another order of sums: compared, not copied
    assert [entry["block"] for entry in record["blocks"]] == [2, 6]
    assert tasks.ratios(record).keys() == {
        "association_torch_over_the_batch",
        "association_gymnasium_vector",
    }
    assert len(list(sheets("tasks", record))) == 2


@pytest.mark.parametrize("lifetimes", [torch_lifetimes, gymnasium_lifetimes])
def test_the_worlds_of_the_scripts_are_learnt_by_what_learns_ours(lifetimes):
    """Association of stimulus and rewarded answer, without a hidden layer: far above chance, below the oracle."""
    recording = Recording(tasks.association_task(80), 32)
    network = TorchNetwork(recording)
    network._coefficients = [[torch.zeros(1)] * 4, [torch.ones(1), *[torch.zeros(1)] * 3]]
    network._initial = [torch.eye(50, 8).expand(32, 50, 8).clone(), torch.zeros(32, 2, 50)]
    torch.manual_seed(0)
    assert 35 < float(np.mean(np.asarray(lifetimes(network, 80)))) < 72


def test_a_world_shows_each_stimulus_once_a_block():
    world = AssociationEnv(3, 6)
    seen = [world.reset(seed=1)[0], *(world.step(np.int64(0))[0] for _ in range(5))]
    np.testing.assert_array_equal(np.sum(seen[:3], axis=0), 1)
    np.testing.assert_array_equal(np.sum(seen[3:], axis=0), 1)
