"""The bench of recurrent and modulated networks: both sides compute the same."""

import numpy as np

from hebbevo.benchmarks import graphs
from hebbevo.benchmarks.tables import sheets
from hebbevo.benchmarks.timing import Effort


def test_torch_computes_the_same_actions():
    replay = graphs.Replay(graphs.recurrent(modulated=True), 3, 12)
    plain = graphs.TorchReplay(replay).run().numpy()
    np.testing.assert_allclose(replay.run(), plain, atol=1e-5)
    assert np.ptp(plain) > 0.01


def test_the_record_names_every_network_and_the_ratios_are_of_its_numbers():
    record = graphs.measure(Effort(repeats=1, steps=2, batch_sizes=(2,)))
    assert record["recurrent"]["synapses"] == 28 * 64 + 64 * 64 + 64 * 8
    ratios = graphs.ratios(record)
    cost = record["recurrent"]["ns_per_synapse"] / record["perceptron"]["ns_per_synapse"]
    assert abs(ratios["recurrent_cost_of_a_synapse"] - cost) < 1e-3
    titles = [sheet.title for sheet in sheets("graphs", record)]
    assert titles == ["network", "modulated, 64 lifetimes"]
