"""The preset of the association task: a life that learns from reward, which switched off answers by chance."""

import pytest
from tasks import HERE

from hebbevo import evaluate, evolve, load_config, load_genome


@pytest.mark.slow
def test_a_life_learns_from_reward() -> None:
    run = evolve(load_config("quick-association", ["evaluation.every=100"]), "run", execution=HERE)
    found = evaluate(load_genome(run.path), episodes=256, execution=HERE).lifetimes["default"]
    right = {name: 0.5 + lifetimes.fitness.mean() / 160 for name, lifetimes in found.items()}
    assert right["genome"] > 0.89
    assert right["off"] == pytest.approx(0.5, abs=0.03)
    assert right["random"] < 0.6
