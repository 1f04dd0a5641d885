"""The plan of an experiment: what a user writes, resolved and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from hebbevo.config.loading import load_config
from hebbevo.config.schema import Config
from hebbevo.config.section import Section
from hebbevo.errors import InputError, MissingImport, unknown
from hebbevo.experiments.arms import read_arms
from hebbevo.experiments.evaluation import Evaluation, read_evaluate, with_bodies
from hebbevo.experiments.rotation import Rotation, read_rotation, take_turns
from hebbevo.experiments.studies import Studies, check_studies
from hebbevo.io.yaml_text import read_yaml
from hebbevo.seeding import SEED_LIMIT
from hebbevo.tasks.task import Task
from hebbevo.validation import check_section, shown

SECTION = "experiment"
MOST_RUNS = 100_000

_OF_THE_BUDGET = ("generations", "agent_steps")


class ExperimentFile(Section):
    """An experiment as a user writes it."""

    base: Any = Field(description="a preset, a file, or a mapping as such a file holds it")
    arms: Any = Field(
        description="overrides of the base by name; or keys and lists of values; or a list of both"
    )
    seeds: Any = Field(default=8, description="run seeds: how many from 0 on, or a list")
    rotate: Any = Field(
        default=None, description="keys and lists of values, of which every run has one, by its seed"
    )
    agent_steps: int | None = Field(
        default=None,
        ge=1,
        le=10**15,
        description="budget of every run; left out: that of the base; null: each arm's own length",
    )
    evaluate: Any = Field(default=None, description="keys of `Evaluation`, and studies")
    baseline: str | None = Field(
        default=None,
        description="arm that others are compared with; null: the first that does not learn, or the first",
    )


@dataclass(frozen=True)
class Plan:
    """An experiment, ready to be run.

    Attributes:
        arms: the config of each by name, in their order; `run.seed` means nothing.
        seeds: of the runs of every arm, in their order.
        evaluation: of every finished run.
        baseline: name of the arm that the others are compared with.
        rotation: what depends on the run seed.
        studies: of all runs, once they are finished.
    """

    arms: Mapping[str, Config]
    seeds: tuple[int, ...]
    evaluation: Evaluation
    baseline: str
    rotation: Rotation = field(default_factory=dict)
    studies: Studies = field(default_factory=dict)

    @cached_property
    def turns(self) -> Mapping[str, tuple[Config, ...]]:
        """The configs of each arm; run seed s has number s modulo their number."""
        return {name: take_turns(name, config, self.rotation) for name, config in self.arms.items()}

    def runs(self) -> list[tuple[str, int]]:
        """Return arm and seed of all runs, by seed and then arm: whatever is done at a moment is balanced."""
        return [(arm, seed) for seed in self.seeds for arm in self.arms]

    def config(self, arm: str, seed: int) -> Config:
        """Return the config of a run."""
        turns = self.turns[arm]
        return with_seed(turns[seed % len(turns)], seed)


def with_seed(config: Config, seed: int) -> Config:
    """Return a config with another run seed."""
    return config.model_copy(update={"run": config.run.model_copy(update={"seed": seed})})


def read_plan(source: str | Path | Mapping[str, Any]) -> Plan:
    """Read and check an experiment.

    Args:
        source: a YAML file, or a mapping as such a file holds it. A base that is a file lies relative to the
            experiment's.

    Raises:
        InputError: one line with the place and the remedy.
    """
    folder, data = (Path(), source) if isinstance(source, Mapping) else _read(Path(source))
    written = check_section(SECTION, ExperimentFile, data)
    assert isinstance(written, ExperimentFile)
    (evaluation, studies), rotation = read_evaluate(written.evaluate), read_rotation(written.rotate)
    base = _base(written.base, folder)
    budget = written.agent_steps if "agent_steps" in written.model_fields_set else _budget(load_config(base))
    overrides = read_arms(written.arms)
    _check_rotated(rotation, overrides)
    arms = {name: _arm(name, base, changes, budget) for name, changes in overrides.items()}
    plan = make_plan(arms, _seeds(written.seeds), evaluation, written.baseline, rotation)
    check_studies(studies, plan.turns)
    return replace(plan, studies=studies)


def make_plan(
    arms: Mapping[str, Config],
    seeds: Sequence[int],
    evaluation: Evaluation,
    baseline: str | None,
    rotation: Rotation,
) -> Plan:
    """Check that the runs of an experiment can be compared, and fill in what is left open.

    Raises:
        InputError: arms of different worlds, a body or a baseline that is not there, a turn that cannot be, too many
            runs.
    """
    tasks = {name: Task.of(config) for name, config in arms.items()}
    if len(arms) * len(seeds) > MOST_RUNS:
        raise InputError(f"{SECTION}: {len(arms)} arms x {len(seeds)} seeds are more than {MOST_RUNS} runs")
    worlds = {config.env.name: name for name, config in reversed([*arms.items()])}
    if len(worlds) > 1:
        both = " and ".join(f"{world} ({arm})" for world, arm in list(worlds.items())[-2:])
        raise InputError(f"arms: env.name differs, {both}; give each world an experiment of its own")
    if baseline is None:
        baseline = next((name for name, task in tasks.items() if not task.learns), next(iter(arms)))
    elif baseline not in arms:
        raise InputError(unknown("arm", baseline, arms, "baseline: "))
    plan = Plan(arms, tuple(seeds), evaluation, baseline, rotation)
    return replace(plan, evaluation=with_bodies(evaluation, [*plan.turns.values()]))


def _read(path: Path) -> tuple[Path, Mapping[str, Any]]:
    try:
        data = read_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; name the YAML file of an experiment") from None
    if not isinstance(data, Mapping):
        raise InputError(f"{path}: expected base:, arms: and seeds:, got {shown(data)}")
    return path.parent, data


def _base(base: Any, folder: Path) -> str | Path | Mapping[str, Any]:
    if isinstance(base, Mapping):
        return base
    if not isinstance(base, str):
        raise InputError(f"{SECTION}.base must be a preset, a file or a mapping, got {shown(base)}")
    return folder / base if base.endswith((".yaml", ".yml")) else base


def _budget(base: Config) -> int:
    """Return the agent-steps of the base: its own budget, or all its generations with lifetimes of full length."""
    training = base.training
    return training.agent_steps or training.generations * base.lifetimes_per_generation * base.env.steps


def _arm(name: str, base: Any, overrides: Mapping[str, Any], budget: int | None) -> Config:
    """Return the config of an arm, with the budget that all arms share."""
    try:
        config = load_config(base, overrides)
        for key in _fixed_keys(budget):
            if _sets(overrides, key):
                raise InputError(f"{key} {_REMEDIES[key]}")
    except MissingImport as error:
        raise MissingImport(f"arm {name}: {error}", error.names) from None
    except InputError as error:
        raise InputError(f"arm {name}: {error}") from None
    if budget is None:
        return with_seed(config, 0)
    length = {"agent_steps": budget, "generations": config.generations_within(budget)}
    training = config.training.model_copy(update=length)
    return with_seed(config.model_copy(update={"training": training}), 0)


_REMEDIES = {
    "run.seed": "follows from seeds:; leave it out",
    **{
        f"{section}.{key}": "follows from agent_steps:, the budget of every run; leave it out, or write "
        "agent_steps: null to give each arm a length of its own"
        for section in ("training", "search")
        for key in _OF_THE_BUDGET
    },
}


def _check_rotated(rotation: Rotation, arms: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse keys that may not depend on the run seed, or that an arm sets too."""
    for key in rotation:
        if key in _REMEDIES or key == "env.name":
            raise InputError(f"rotate: {key} cannot depend on the run seed; leave it out")
        for name, overrides in arms.items():
            if key.count(".") == 1 and _sets(overrides, key):
                raise InputError(f"rotate: {key} is set by arm {name} too; let one of them set it")


def _fixed_keys(budget: int | None) -> list[str]:
    return ["run.seed"] if budget is None else list(_REMEDIES)


def _sets(overrides: Mapping[str, Any], key: str) -> bool:
    section, name = key.split(".")
    values = overrides.get(section)
    return key in overrides or (isinstance(values, Mapping) and name in values)


def _seeds(seeds: Any) -> tuple[int, ...]:
    if isinstance(seeds, int) and 1 <= seeds <= MOST_RUNS:
        return tuple(range(seeds))
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int for seed in seeds):
        raise InputError(
            f"{SECTION}.seeds must be a number from 1 to {MOST_RUNS}, or a list, got {shown(seeds)}"
        )
    for seed in seeds:
        if not 0 <= seed < SEED_LIMIT or seeds.count(seed) > 1:
            raise InputError(
                f"{SECTION}.seeds: {seed} is not from 0 to 2**63 - 1, or comes twice; name it once"
            )
    return tuple(seeds)
