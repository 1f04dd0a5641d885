"""What is compared: the arms of experiments, and run directories under a label."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hebbevo.config.schema import Config
from hebbevo.errors import InputError, unknown
from hebbevo.experiments.arms import check_name
from hebbevo.experiments.directory import is_experiment, read_stored_plan, run_path
from hebbevo.experiments.records import (
    ArmRecord,
    RunRecord,
    is_complete,
    lifetimes_of,
    read_run,
    stacked,
)
from hebbevo.experiments.roles import by_role, in_order
from hebbevo.experiments.rotation import rotated_bodies
from hebbevo.tasks.task import Task
from hebbevo.training.run_summary import summarise_run

_SEED = re.compile(r"seed-(\d+)")


@dataclass(frozen=True)
class _Arm:
    """An arm before it is known what its runs are compared by.

    Attributes:
        name: of the arm.
        config: of its first run.
        runs: that are finished.
        missing: names of planned runs that are not.
        rotated: bodies that some of its runs evolve on, and others do not.
    """

    name: str
    config: Config
    runs: tuple[RunRecord, ...]
    missing: tuple[str, ...]
    rotated: frozenset[str]


@dataclass(frozen=True)
class Compared:
    """Everything that a comparison is made of.

    Attributes:
        arms: with at least one run each.
        baseline: the arm that the others are compared with.
        bodies: that every run has lifetimes on; `SEEN` and `UNSEEN` for those that rotate over runs.
        rotated: these, by name.
        evaluated: the lifetimes are those of evaluations, all with the same settings; else of every run there is one
            number, the last mean of its center in training.
    """

    arms: tuple[ArmRecord, ...]
    baseline: ArmRecord
    bodies: tuple[str, ...]
    rotated: frozenset[str]
    evaluated: bool


def read_sources(sources: Sequence[str | Path], baseline: str | None) -> Compared:
    """Read what lies there.

    Args:
        sources: directories of experiments, of arms or of runs; or texts ``LABEL=DIR,DIR,...`` of runs.
        baseline: name of an arm.

    Raises:
        InputError: no such directory, nothing finished in it, or runs that cannot be compared.
    """
    groups = [_arms_of(str(source)) for source in sources]
    names = [arm.name for (arms, _) in groups for arm in arms]
    if len(set(names)) < len(names):
        groups = [_qualified(*group, str(source)) for source, group in zip(sources, groups, strict=True)]
    arms = [arm for (group, _) in groups for arm in group]
    _check(arms)
    evaluated = len({_settings(run) for arm in arms for run in arm.runs}) == 1 and None not in {
        _settings(run) for arm in arms for run in arm.runs
    }
    rotated = frozenset().union(*(arm.rotated for arm in arms))
    arms = [replace(arm, runs=tuple(by_role(run, rotated) for run in arm.runs)) for arm in arms]
    bodies = _bodies(arms, evaluated)
    records = tuple(record for arm in arms if arm.runs and (record := _record(arm, bodies, evaluated)).runs)
    if not records:
        raise InputError(
            f"{', '.join(map(str, sources))}: no run is finished yet; there is nothing to compare"
        )
    planned = groups[0][1] if len(groups) == 1 else None
    return Compared(records, _baseline(records, baseline, planned), bodies, rotated, evaluated)


def _arms_of(source: str) -> tuple[list[_Arm], str | None]:
    """Return the arms of a source, and the baseline that an experiment names."""
    path, (label, separator, listed) = Path(source), source.partition("=")
    if os.path.isdir(path) or not separator:
        if is_experiment(path):
            return _of_experiment(path)
        return [_labelled(path.name or str(path), run_directories(path))], None
    runs = [run for part in listed.split(",") for run in run_directories(Path(part))]
    return [_labelled(label, runs)], None


def _qualified(arms: list[_Arm], baseline: str | None, source: str) -> tuple[list[_Arm], str | None]:
    """Return the arms of an experiment under its name and theirs, for where two have arms of one name."""
    if baseline is None:
        return arms, None
    name = Path(source).resolve().name
    renamed = [replace(arm, name=f"{name}.{arm.name}") for arm in arms]
    return renamed, f"{name}.{baseline}"


def _of_experiment(path: Path) -> tuple[list[_Arm], str]:
    plan, arms = read_stored_plan(path), []
    for name, config in plan.arms.items():
        runs, missing = [], []
        for seed in plan.seeds:
            directory = run_path(path, name, seed)
            there = (directory / "config.yaml").is_file()
            run = read_run(directory, plan.config(name, seed)) if there else None
            if run is None or not is_complete(run, plan.config(name, seed), plan.evaluation):
                missing.append(f"{name}/seed-{seed}")
            else:
                runs.append(run)
        rotated = rotated_bodies(turn.env.single_bodies for turn in plan.turns[name])
        arms.append(_Arm(name, config, tuple(runs), tuple(missing), rotated))
    return arms, plan.baseline


def run_directories(path: Path) -> list[Path]:
    """Return a run directory, or those of an arm."""
    if os.path.isfile(path / "config.yaml"):
        return [path]
    inside = path.glob("seed-*/") if os.path.isdir(path) else ()
    found = [(int(match[1]), run) for run in inside if (match := _SEED.fullmatch(run.name))]
    if not found:
        raise InputError(f"{path} is no experiment, no arm of one and no run; check the path")
    return [run for _, run in sorted(found)]


def _labelled(label: str, directories: Sequence[Path]) -> _Arm:
    """Return an arm of given runs; those that are not finished are missing."""
    summaries = [summarise_run(path) for path in directories]
    done = [one.finished and one.center is not None for one in summaries]
    runs = [read_run(one.path, one.config) for one, use in zip(summaries, done, strict=True) if use]
    missing = [str(one.path) for one, use in zip(summaries, done, strict=True) if not use]
    rotated = rotated_bodies(one.config.env.single_bodies for one in summaries)
    return _Arm(check_name(label), summaries[0].config, tuple(runs), tuple(missing), rotated)


def _check(arms: Sequence[_Arm]) -> None:
    names = [arm.name for arm in arms]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two arms are called {name!r}; give labels: LABEL=DIR,DIR,...")
    for other in arms[1:]:
        if other.config.env.name != arms[0].config.env.name:
            raise InputError(
                f"{arms[0].name} is of {arms[0].config.env.name} and {other.name} of {other.config.env.name}; "
                "compare runs of one world"
            )


def _settings(run: RunRecord) -> tuple[str, bool] | None:
    """Return what the lifetimes of two runs must share; None of a run without an evaluation."""
    if run.evaluation is None:
        return None
    return run.evaluation.settings.model_dump_json(), run.evaluation.perturbed


def _bodies(arms: Sequence[_Arm], evaluated: bool) -> tuple[str, ...]:
    """Return the bodies that all runs know, in the order of the first."""
    known = [
        list(run.evaluation.fitness if evaluated and run.evaluation is not None else run.center)
        for arm in arms
        for run in arm.runs
    ]
    if not known:
        return ()
    bodies = in_order(body for body in known[0] if all(body in others for others in known))
    if not bodies:
        raise InputError("the runs have no body in common; compare runs that were evaluated on the same")
    return bodies


def _record(arm: _Arm, bodies: tuple[str, ...], evaluated: bool) -> ArmRecord:
    found = [(run, lifetimes_of(run, bodies, evaluated)) for run in arm.runs]
    kept = [(run, lifetimes) for run, lifetimes in found if lifetimes is not None]
    lost = tuple(f"{arm.name}/seed-{run.seed}" for run, lifetimes in found if lifetimes is None)
    stack = stacked([lifetimes for _, lifetimes in kept], len(bodies))
    runs = tuple(run for run, _ in kept)
    return ArmRecord(arm.name, arm.config, bodies, runs, stack, arm.missing, lost)


def _baseline(arms: Sequence[ArmRecord], asked: str | None, planned: str | None) -> ArmRecord:
    by_name = {arm.name: arm for arm in arms}
    if asked is not None and asked not in by_name:
        raise InputError(unknown("arm", asked, by_name))
    if asked is None and planned in by_name:
        asked = planned
    if asked is not None:
        return by_name[asked]
    return next((arm for arm in arms if not Task.of(arm.config).learns), arms[0])
