"""Shipped genomes: each is small, says where it comes from, and walks as far as its header states."""

import json
import math

import numpy as np
import pytest
from tasks import HERE

from hebbevo import Execution, Genome, evaluate, load_genome
from hebbevo.cli.catalogues import entries
from hebbevo.config.building import build_config
from hebbevo.genomes.genome import ZOO, zoo_names
from hebbevo.tasks.task import Task

FEW = 6
STOPPED = {
    f"{ZOO}{name}"
    for name in (
        "quadruped-abcd_lr",
        "quadruped-static",
        "carracing-abcd_lr",
        "carracing-static",
        "paper-quadruped-abcd_lr",
    )
}
"""Runs that were ended by hand, before their last generation."""
SHUFFLED = 0.65
"""Of the reward of association, the most that remains with coefficients shuffled within their arrays."""


@pytest.fixture(params=zoo_names())
def genome(request: pytest.FixtureRequest) -> Genome:
    genome = load_genome(f"{ZOO}{request.param}")
    if genome.task.env.name == "car_racing":
        pytest.importorskip("Box2D")
    return genome


def test_there_are_a_plastic_and_a_static_one_of_the_same_bodies() -> None:
    plastic, static = (load_genome(f"{ZOO}quick-quadruped-{rule}") for rule in ("abcd_lr", "static"))
    assert plastic.task.env == static.task.env
    assert plastic.task.env.morphology_names == ("intact", "right_front_damaged")
    assert (plastic.task.plasticity.rule, static.task.plasticity.rule) == ("ABCD_lr", "none")


def test_its_header_holds_the_whole_config(genome: Genome) -> None:
    provenance = genome.provenance
    config = build_config(provenance["config"])
    assert Task.of(config) == genome.lasting(config.env.steps).task
    assert config.run.seed == provenance["seed"]
    sections = {name: part for name, part in provenance["config"].items() if name != "training"}
    assert build_config({**sections, "search": provenance["search"]}) == config
    if config.training.agent_steps is None and genome.name not in STOPPED:
        assert config.training.generations == provenance["generation"]
    else:
        assert config.training.generations >= provenance["generation"]
    text = json.dumps(dict(provenance))
    for word in ("/", 'time"', "threads", "host"):
        assert word not in text
    assert genome.values.nbytes < 2_000_000


def test_the_list_says_what_it_does(genome: Genome) -> None:
    about = entries("genomes")[genome.name]
    assert about.startswith(f"{genome.task.env.name}, rule {genome.task.plasticity.parsed_rule.name}, ")
    for body, stated in genome.provenance["evaluation"]["morphologies"].items():
        assert f"{body} {stated['mean']:.1f} " in about


def test_it_does_what_its_header_states(genome: Genome) -> None:
    """The mean of a few lifetimes lies within four of its standard errors, on any kind of CPU."""
    stated = genome.provenance["evaluation"]
    bodies = list(stated["morphologies"]) if len(genome.task.env.morphology_names) > 1 else None
    few = evaluate(
        genome, episodes=FEW, seed=stated["seed"], morphologies=bodies, controls=False, execution=HERE
    )
    for body, figures in stated["morphologies"].items():
        error = 4 * figures["sd"] / math.sqrt(FEW)
        assert few.progress(body).mean() == pytest.approx(figures["mean"], abs=error)
    again = evaluate(
        genome, episodes=2, seed=stated["seed"], controls=False, execution=Execution(threads=1, batch_size=1)
    )
    for body in again.lifetimes:
        np.testing.assert_array_equal(again.progress(body), few.progress(body)[:2])


@pytest.mark.slow
def test_its_evaluation_comes_out_as_stated(genome: Genome) -> None:
    """The mean of as many lifetimes lies in the stated interval, twice as wide: another CPU is another sample."""
    if not genome.task.env.releases_gil:
        pytest.skip("its lifetimes take minutes on one thread; a few are compared above")
    stated = genome.provenance["evaluation"]
    bodies = list(stated["morphologies"]) if len(genome.task.env.morphology_names) > 1 else None
    found = evaluate(
        genome, episodes=stated["episodes"], seed=stated["seed"], morphologies=bodies, controls=False
    ).summary()
    for body, figures in stated["morphologies"].items():
        low, high = figures["ci95"]
        assert abs(found["morphologies"][body]["mean"] - figures["mean"]) <= high - low


@pytest.mark.slow
def test_its_controls_reach_less_than_half(genome: Genome) -> None:
    stated, few = genome.provenance["evaluation"], FEW if genome.task.env.releases_gil else 2
    found = evaluate(genome, episodes=few, seed=stated["seed"]).summary()["morphologies"]
    for body, figures in found.items():
        assert set(figures["controls"]) == set(stated["morphologies"][body]["controls"])
        for control in figures["controls"].values():
            assert control["mean"] < figures["mean"] * (
                SHUFFLED if genome.task.env.name == "association" else 0.5
            )
