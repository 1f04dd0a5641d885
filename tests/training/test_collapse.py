"""Searches that collapse say so, once, and go on."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from tasks import HERE, small_config

from hebbevo import evolve
from hebbevo.search import MatrixProposals, OpenAIESConfig
from hebbevo.training.collapse import has_collapsed


def test_it_is_all_individuals_that_are_one_genome() -> None:
    genomes = np.random.default_rng(0).normal(size=(1, 50)).astype(np.float32).repeat(6, axis=0)
    assert has_collapsed(MatrixProposals(genomes))
    assert has_collapsed(MatrixProposals(np.zeros((3, 4), np.float32)))
    genomes[5, 7] *= 1 + 1e-7
    assert has_collapsed(MatrixProposals(genomes))
    genomes[5, 7] += 1e-4
    assert not has_collapsed(MatrixProposals(genomes))
    assert not has_collapsed(MatrixProposals(np.full((3, 4), np.nan, np.float32)))


@pytest.mark.parametrize(("sigma", "collapsed"), [(0.1, False), (1e-9, True)])
def test_mirrored_pairs_that_round_to_their_center(sigma: float, collapsed: bool) -> None:
    searcher = OpenAIESConfig(population=4, sigma=sigma).build(np.ones(20, np.float32), 0)
    assert has_collapsed(searcher.ask()) is collapsed


def test_a_run_that_collapsed_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        evolve(small_config("search.sigma=1e-12"), "run", execution=HERE)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith("all individuals of generation 1 are the same genome")
    events = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert [event["generation"] for event in events if event["event"] == "collapsed"] == [1]
    assert events[-1]["event"] == "end"
