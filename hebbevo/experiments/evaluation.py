"""The evaluation of an experiment as a user writes it: of every finished run, and in studies of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from hebbevo.config.schema import Config
from hebbevo.config.section import Section
from hebbevo.errors import InputError
from hebbevo.evaluation.checks import checked_bodies
from hebbevo.experiments.rotation import SEEN, UNSEEN, rotated_bodies
from hebbevo.experiments.studies import STUDIES_FOLDER, Studies, read_studies
from hebbevo.seeding import SEED_LIMIT
from hebbevo.tasks.task import Task
from hebbevo.validation import check_section, shown


class Evaluation(Section):
    """The fresh lifetimes that finished runs are compared by, as of `hebbevo evaluate`."""

    episodes: int = Field(default=64, ge=1, le=1_000_000, description="lifetimes per morphology, full length")
    seed: int = Field(default=1, ge=0, lt=SEED_LIMIT, description="the lifetimes' seeds follow from it")
    morphologies: tuple[str, ...] = Field(
        default=(), description="bodies; none: those that any arm evolves on"
    )
    steps: int | None = Field(
        default=None, ge=1, le=1_000_000, description="length of a lifetime; null: that of the task"
    )


def read_evaluate(values: Any) -> tuple[Evaluation, Studies]:
    """Check the keys of ``evaluate:`` of an experiment, those of studies among them.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    studies = values.get(STUDIES_FOLDER) if isinstance(values, Mapping) else None
    if isinstance(values, Mapping):
        values = {key: value for key, value in values.items() if key != STUDIES_FOLDER}
    return read_evaluation(values), read_studies(studies)


def read_evaluation(values: Any) -> Evaluation:
    """Check the keys of `evaluate:`; None is a section in which every line is commented out.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    if not isinstance(values, Mapping | None):
        raise InputError(
            f"evaluate: expected keys and values, got {shown(values)}; write evaluate: {{episodes: 64}}"
        )
    checked = check_section("evaluate", Evaluation, values or {})
    assert isinstance(checked, Evaluation)
    return checked


def with_bodies(evaluation: Evaluation, arms: Sequence[Sequence[Config]]) -> Evaluation:
    """Return the evaluation with the bodies that every run is evaluated on; none where a world has only one.

    Args:
        evaluation: as a user wrote it.
        arms: the configs of each, one for every turn.

    Raises:
        InputError, EnvError: an unknown body, or a role where nothing rotates.
    """
    configs = [config for turns in arms for config in turns]
    first = Task.of(configs[0])
    if not evaluation.morphologies and not first.env.has_bodies:
        return evaluation
    rotated = frozenset[str]().union(
        *(rotated_bodies(turn.env.single_bodies for turn in turns) for turns in arms)
    )
    names = [config.env.single_bodies if rotated else config.env.morphology_names for config in configs]
    evolved_on = tuple(dict.fromkeys(name for of_one in names for name in of_one))
    asked = _without_roles(evaluation.morphologies, evolved_on, rotated)
    bodies = checked_bodies(first, asked or evolved_on)
    return evaluation.model_copy(update={"morphologies": bodies})


def _without_roles(
    bodies: Sequence[str], evolved_on: Sequence[str], rotated: frozenset[str]
) -> tuple[str, ...]:
    """Return bodies in which `SEEN` and `UNSEEN` are those that rotate: every run is evaluated on all of these.

    Raises:
        InputError: none rotates.
    """
    found: list[str] = []
    for body in bodies:
        if body not in (SEEN, UNSEEN):
            found.append(body)
        elif not rotated:
            raise InputError(
                f"evaluate.morphologies: {body} says something where env.morphologies rotates; name bodies"
            )
        else:
            found += [name for name in evolved_on if name in rotated]
    return tuple(dict.fromkeys(found))
