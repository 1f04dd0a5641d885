"""Run a study that is a class, by name; draw any study again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from hebbevo.errors import InputError, unknown
from hebbevo.execution.execution import Execution
from hebbevo.io.yaml_text import read_yaml
from hebbevo.studies.arms import Genomes, split_arms
from hebbevo.studies.directory import StoredStudy, open_study, read_study
from hebbevo.studies.genomes import check_names, unperturbed
from hebbevo.studies.registry import STUDIES, own_studies
from hebbevo.studies.runner import Watch, kept_cases, run_cases
from hebbevo.studies.study import WORK, Rows, Study, cases_of, seed_key, write_study
from hebbevo.validation import check_section, shown


def study(
    name: str,
    genomes: Genomes,
    out: str | Path,
    *,
    settings: Mapping[str, Any] | Sequence[str] = (),
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> Rows:
    """Run a study of one's own on genomes, and write its tables and report.

    Args:
        name: that it is registered by.
        genomes: a list, or a mapping by label.
        out: directory to make, or that of the same study, which goes on.
        settings: of the study, as its class has them; a mapping, or ``KEY=VALUE`` texts.
        execution: what the lifetimes are spread over; by default this process. It changes no result.
        watch: told of the progress.

    Returns:
        The rows of its table.

    Raises:
        InputError: something cannot be studied, or `out` is something else; nothing has been computed.
    """
    asked = _settings(name, settings)
    subjects = [unperturbed(genome) for genome in split_arms(genomes)[0]]
    check_names(subjects)
    cases = cases_of(asked, subjects)
    with open_study(out, name, asked.model_dump(mode="json"), subjects) as stored:
        results = run_cases(
            cases, WORK, seed_key(asked), execution or Execution(workers=0), watch, study=stored
        )
        return write_study(stored, asked, list(results))


def redraw(path: Path | str) -> Any:
    """Write the tables, figures and report of a study again, from its finished cases; return the study.

    Raises:
        InputError: no study, or one with cases left to compute.
    """
    stored = read_study(Path(path))
    kind = STUDIES.get(stored.kind)
    if kind is None:
        raise InputError(
            f"{path} is a study {stored.kind!r}, which is not known here; update hebbevo, or import it"
        )
    if isinstance(kind, str):
        draw: Callable[[StoredStudy], Any] = resolve_name(kind)
        return draw(stored)
    asked = _settings(stored.kind, stored.settings)
    return write_study(stored, asked, kept_cases(cases_of(asked, stored.genomes), WORK, stored))


def _settings(name: str, settings: Mapping[str, Any] | Sequence[str]) -> Study:
    if name in STUDIES and name not in own_studies():
        raise InputError(f"study {name!r} has a command of its own; call hebbevo {name}")
    if not own_studies():
        raise InputError(f"no study is called {shown(name)}; import the file that registers it")
    if name not in own_studies():
        raise InputError(unknown("study", name, own_studies()))
    values = settings if isinstance(settings, Mapping) else dict(map(_read, settings))
    found = check_section(name, own_studies()[name], values)
    assert isinstance(found, Study)
    return found


def _read(text: str) -> tuple[str, Any]:
    key, separator, raw = text.partition("=")
    if not separator:
        raise InputError(f"cannot read the setting {shown(text)}; write KEY=VALUE")
    return key.strip(), read_yaml(raw, f"cannot read the value of {shown(key)}, {shown(raw)}")
