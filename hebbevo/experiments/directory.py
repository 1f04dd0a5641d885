"""The directory of an experiment: its plan as resolved, and its runs.

    experiment.yaml        arms as resolved, seeds, evaluation: what the runs are of
    ARM/seed-N/            a run directory; evaluation.json in it, once it is finished
    runs.csv, table.csv .. tables, figures and report: pure functions of all that

An experiment only grows: seeds and arms may come, runs may become longer, and the evaluation may change;
nothing else of an arm does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hebbevo.config.building import build_config
from hebbevo.config.difference import difference
from hebbevo.errors import InputError, MissingImport
from hebbevo.experiments.evaluation import read_evaluate
from hebbevo.experiments.plan import Plan, with_seed
from hebbevo.experiments.rotation import read_rotation
from hebbevo.experiments.studies import STUDIES_FOLDER, write_studies
from hebbevo.io.atomic import remove_unfinished, unfinished, write_atomically
from hebbevo.io.directories import lock_directory, make_directory
from hebbevo.io.yaml_text import read_yaml, write_yaml
from hebbevo.training.run_config import is_longer

PLAN_FILE: Final = "experiment.yaml"
_MOST_DIFFERENCES = 3
_ENDINGS: Final = (".csv", ".tex", ".html", ".png", ".pdf", ".svg")


def run_path(directory: Path, arm: str, seed: int) -> Path:
    """Return the run directory of an arm and a seed."""
    return directory / arm / f"seed-{seed}"


def is_experiment(path: Path) -> bool:
    """Tell whether a path is the directory of an experiment."""
    return os.path.isfile(path / PLAN_FILE)


def read_stored_plan(directory: Path) -> Plan:
    """Return the plan of an experiment's directory.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = directory / PLAN_FILE
    try:
        data = read_yaml(path.read_text(encoding="utf-8"), str(path))
        arms = {str(name): build_config(config) for name, config in data["arms"].items()}
        seeds = tuple(map(int, data["seeds"]))
        evaluation, studies = read_evaluate(data["evaluate"])
        rotation = read_rotation(data.get("rotate"))
        return Plan(arms, seeds, evaluation, str(data["baseline"]), rotation, studies)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; name the directory of an experiment") from None
    except MissingImport as error:
        raise MissingImport(f"{path}: {error}", error.names) from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); restore it") from None


@contextmanager
def open_experiment(directory: Path, plan: Plan) -> Iterator[None]:
    """Make the directory of an experiment or take it up again, locked until the end of the `with` block.

    Raises:
        InputError: it is something else or in use, or its plan is not part of this one; nothing has changed.
    """
    if os.path.lexists(directory) and not is_experiment(directory) and not _is_empty(directory):
        raise InputError(f"{directory} exists and is not an experiment; choose another out")
    try:
        make_directory(directory)
    except OSError as error:
        raise InputError(f"cannot make {directory}: {error.strerror}; choose another out") from None
    descriptor = lock_directory(directory)
    try:
        text = _text(plan)
        if is_experiment(directory):
            _check_growth(directory, read_stored_plan(directory), plan)
            remove_unfinished(directory, lambda name: name == PLAN_FILE or name.endswith(_ENDINGS))
        path = directory / PLAN_FILE
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text.encode())
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _is_empty(directory: Path) -> bool:
    """Tell whether nothing lies there, or what a process left that was killed before the plan was written."""
    return directory.is_dir() and all(unfinished(path.name) == PLAN_FILE for path in directory.iterdir())


def _text(plan: Plan) -> str:
    data: dict[str, Any] = {
        "seeds": list(plan.seeds),
        "baseline": plan.baseline,
        "evaluate": plan.evaluation.model_dump(mode="json")
        | ({STUDIES_FOLDER: write_studies(plan.studies)} if plan.studies else {}),
        **({"rotate": plan.rotation} if plan.rotation else {}),
        "arms": {name: config.model_dump(mode="json") for name, config in plan.arms.items()},
    }
    return write_yaml(data)


def _check_growth(directory: Path, old: Plan, new: Plan) -> None:
    """Refuse a plan that lacks or changes something of the old one."""
    if changed := difference({"rotate": old.rotation}, {"rotate": new.rotation}):
        raise InputError(
            f"{directory} rotates otherwise: {'; '.join(changed)}; undo the change, or choose another out"
        )
    for name, config in old.arms.items():
        if name not in new.arms:
            raise InputError(f"arm {name} of {directory} is missing; put it back, or choose another out")
        before, after = (with_seed(one, 0) for one in (config, new.arms[name]))
        if not is_longer(before, after):
            changed = difference(before.model_dump(mode="json"), after.model_dump(mode="json"))
            more = f" and {len(changed) - _MOST_DIFFERENCES} more" if len(changed) > _MOST_DIFFERENCES else ""
            raise InputError(
                f"arm {name} is not that of {directory}: {'; '.join(changed[:_MOST_DIFFERENCES])}{more}; undo the "
                "change, give the new arm another name, or choose another out"
            )
    if missing := [seed for seed in old.seeds if seed not in new.seeds]:
        named = ", ".join(map(str, missing[:8]))
        raise InputError(f"seeds of {directory} are missing: {named}; put them back, or choose another out")
