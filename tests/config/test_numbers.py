"""Every number of a config, of a genome's header or of a perturbation has bounds, and is what was written."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from hebbevo import load_config
from hebbevo.config.schema import Config
from hebbevo.envs.registry import ENVIRONMENTS, config_class
from hebbevo.errors import InputError
from hebbevo.experiments.evaluation import Evaluation
from hebbevo.experiments.plan import ExperimentFile
from hebbevo.experiments.studies import KINDS as STUDIES
from hebbevo.perturbations.catalogue import PERTURBATIONS
from hebbevo.search import SEARCHERS
from hebbevo.search import config_class as search_class

SECTIONS: dict[str, type[BaseModel]] = {
    "config": Config,
    **{f"env {name}": config_class(name) for name in ENVIRONMENTS},
    **{f"search {name}": search_class(name) for name in SEARCHERS},
    **PERTURBATIONS,
    "experiment": ExperimentFile,
    "evaluation of an experiment": Evaluation,
    **{f"study {name} of an experiment": options for name, options in STUDIES.items()},
}

CHECKED = re.compile(r"env generated\.specifications\.(?!rewards\.value)")
"""States, stimuli and probabilities, which a meta-task checks against its own states and names."""


def numbers(annotation: Any, metadata: list[Any], name: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield every number that an annotation holds, with the constraints upon it."""
    if typing.get_origin(annotation) is Annotated:
        annotation, *given = typing.get_args(annotation)
        metadata = [*metadata, *(part for one in given for part in getattr(one, "metadata", [one]))]
    if annotation in (int, float):
        yield name, metadata
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for key, field in annotation.model_fields.items():
            yield from numbers(field.annotation, field.metadata, f"{name}.{key}")
    elif typing.get_origin(annotation) is not Literal:
        outer = typing.get_origin(annotation) in (tuple, list, dict)
        for part in typing.get_args(annotation):
            yield from numbers(part, [] if outer else metadata, name)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_number_has_a_smallest_and_a_largest_value(section: str) -> None:
    found = list(numbers(SECTIONS[section], [], section))
    assert found
    for name, metadata in found:
        limits = {limit for one in metadata for limit in ("ge", "gt", "le", "lt") if hasattr(one, limit)}
        if CHECKED.match(name):
            continue
        assert limits & {"ge", "gt"}, f"{name} has no smallest value"
        assert limits & {"le", "lt"}, f"{name} has no largest value"


AS_MEANT = {
    "run.seed=010": 10,
    "run.seed=0099": 99,
    "search.agent_steps=5e6": 5_000_000,
    "env.steps=1e3": 1000,
    "search.sigma=1e-1": 0.1,
    "search.population=6_4": 64,
}

NOT_AS_MEANT = {
    "run.seed=1:30": "'1:30'",
    "run.seed=true": "must be a number, got true",
    "run.seed=1e17": "must be written with all digits, got 1e+17",
    "run.seed=1.5": "got 1.5",
    "search.sigma=yes": "'yes'",
    "search.sigma=true": "must be a number",
    "network.hidden=[4, false]": "must be a number",
    "env.early_stop.after=true": "must be a number",
    "search.sigma=1e999": "finite",
    "network.encoder={image_size: 3, image_size: 4}": "stands twice",
}


@pytest.mark.parametrize("override", AS_MEANT)
def test_numbers_of_overrides_are_read_as_people_mean_them(override: str) -> None:
    section, key = override.partition("=")[0].split(".")
    data = load_config("quick-quadruped", [override]).model_dump()
    section = "training" if key == "agent_steps" else section
    assert data[section][key] == AS_MEANT[override]


@pytest.mark.parametrize("override", NOT_AS_MEANT)
def test_what_may_mean_another_number_is_refused(override: str) -> None:
    with pytest.raises(InputError) as refused:
        load_config("quick-quadruped", [override])
    assert NOT_AS_MEANT[override] in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("source", "overrides", "expected"),
    [
        ("quick-carracing", ["env.early_stop.after=7"], (7, 20)),
        ("quick-quadruped", ["env.early_stop.after=7"], (7, 30)),
        ("quick-quadruped", ["env.name=car_racing", "env.early_stop.negative_rewards=5"], (0, 5)),
        ("quick-quadruped", ["env.early_stop.negative_rewards=5", "env.name=car_racing"], (0, 5)),
        ("quick-carracing", ["env.name=quadruped"], (200, 30)),
        ("quick-quadruped", ["env.name=association", "env.early_stop.negative_rewards=5"], (0, 5)),
    ],
)
def test_the_rest_of_an_early_stop_is_that_of_its_environment(
    source: str, overrides: list[str], expected: tuple[int, int]
) -> None:
    stop = load_config(source, overrides).env.early_stop
    assert stop is not None
    assert (stop.after, stop.negative_rewards) == expected


def test_an_early_stop_without_a_usual_one_says_how_many_rewards() -> None:
    with pytest.raises(InputError, match=r"env.early_stop.negative_rewards: field required"):
        load_config("quick-quadruped", ["env.name=association", "env.early_stop.after=5"])
