"""Runs whose rules merge: the same bits however they are executed and resumed, and genomes like any other."""

from pathlib import Path

import numpy as np
import pytest
from tasks import HERE, small_config
from test_evolution import Stopped, results, rows_of, stopping

from hebbevo import Config, Execution, InputError, evolve, load_genome, resume
from hebbevo.tasks.task import Task
from hebbevo.training.merging import rules_of_synapses


def config_of(*overrides: str) -> Config:
    merging = ("training.merge_to=3", "training.merge_every=1", "training.generations=4")
    return small_config(*merging, "search.optimizer=adam", *overrides)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evolve(config_of(), tmp_path_factory.mktemp("straight") / "run", execution=HERE).path


def test_a_genome_holds_every_synapse_under_few_rules(straight: Path) -> None:
    genome = load_genome(straight)
    arrays = genome.arrays
    rules = [
        np.stack([arrays[f"{layer}.{name}"].ravel() for name in ("A", "B", "C", "D", "eta")], axis=1)
        for layer in ("layer1", "layer2")
    ]
    assert len(np.unique(np.concatenate(rules), axis=0)) == 3
    np.testing.assert_array_equal(genome.values[rules_of_synapses(genome.task)], np.concatenate(rules))
    assert [row["rules"] for row in rows_of(straight)] == [24, 12, 6, 3]


def test_bits_do_not_depend_on_threads_or_stops(straight: Path) -> None:
    evolve(config_of(), "threads", execution=Execution(threads=2, batch_size=3))
    assert results("threads") == results(straight)
    for stop in (1, 3):
        with pytest.raises(Stopped):
            evolve(config_of(), f"stopped{stop}", execution=HERE, watch=stopping(stop))
        resume(f"stopped{stop}", execution=HERE)
        assert results(f"stopped{stop}") == results(straight)


def test_what_cannot_merge_is_refused() -> None:
    with pytest.raises(InputError, match="use openai_es"):
        small_config("training.merge_to=3", "search.algorithm=snes")
    for sharing, message in (("layer", "use plasticity.sharing=synapse"), ("{A: layer}", None)):
        task = Task.of(config_of(f"plasticity.sharing={sharing}"))
        if message is None:
            assert rules_of_synapses(task).shape == (24, 4)
            continue
        with pytest.raises(InputError, match=message):
            rules_of_synapses(task)
    own = "network.projections=[observation -> a, a -> out: {rule: hebb}]"
    task = Task.of(config_of("network.populations={a: {size: 4}, out: {}}", own))
    with pytest.raises(InputError, match="a_to_out eta"):
        rules_of_synapses(task)
