"""Presets for Gymnasium's ids learn from random weights, and not without their rules: a part of their budgets."""

from pathlib import Path

import pytest
from tasks import HERE

import hebbevo


@pytest.mark.slow
def test_cart_pole_is_learnt(tmp_path: Path) -> None:
    budget = {"search.population": 128, "training.agent_steps": 500_000}
    run = hebbevo.evolve("quick-gymnasium", tmp_path / "run", overrides=budget, execution=HERE)
    found = hebbevo.evaluate(run, episodes=100, seed=1, execution=HERE)
    assert found.progress("default").mean() > 300  # of 500; random genomes come to 20 to 60
    assert found.progress("default", "off").mean() < 100


@pytest.mark.slow
def test_the_cheetah_learns_to_run(tmp_path: Path) -> None:
    budget = {"env.steps": 100, "training.agent_steps": 64_000}
    run = hebbevo.evolve("quick-cheetah", tmp_path / "run", overrides=budget, execution=HERE)
    found = hebbevo.evaluate(run, episodes=8, seed=1, execution=HERE)
    assert found.progress("default").mean() > 20  # it was 41; standing still is 0
    assert found.progress("default", "off").mean() < 2
