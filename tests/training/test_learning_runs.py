"""The preset of the T-maze: a life that learns where the high end is, and does not without its rule."""

import pytest
from tasks import HERE

from hebbevo import evaluate, evolve, load_config, load_genome


@pytest.mark.slow
def test_a_walker_finds_the_high_end_again_after_it_has_moved() -> None:
    config = load_config("quick-t-maze", ["training.generations=30", "evaluation.every=30"])
    run = evolve(config, "run", execution=HERE)
    found = evaluate(load_genome(run.path), episodes=128, execution=HERE).lifetimes["default"]
    progress = {name: lifetimes.fitness.mean() for name, lifetimes in found.items()}
    assert progress["genome"] > 95  # the oracle comes to 98.8
    assert progress["off"] < config.env.reactive + 3
