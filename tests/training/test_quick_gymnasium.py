"""`quick-gymnasium` solves CartPole-v1 from random weights, and not without its rule."""

from pathlib import Path

import pytest
from tasks import HERE

import hebbevo


@pytest.mark.slow
def test_cart_pole_is_solved(tmp_path: Path) -> None:
    budget = {"training.agent_steps": 500_000}
    run = hebbevo.evolve("quick-gymnasium", tmp_path / "run", overrides=budget, execution=HERE)
    found = hebbevo.evaluate(run, episodes=100, seed=1, execution=HERE)
    assert found.progress("default").mean() >= 475  # the threshold in Gymnasium's registry
    assert found.progress("default", "off").mean() < 100
