"""The studies, by the name of their command: for each, the function that draws a finished one again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Final

from hebbevo.errors import InputError
from hebbevo.studies.directory import StoredStudy, read_study

STUDIES: Final[dict[str, str]] = {
    "generalize": "hebbevo.studies.generalization.study:redraw",
    "learning": "hebbevo.studies.learning.study:redraw",
    "perturb": "hebbevo.studies.perturbation.study:redraw",
}
"""``module:function`` that takes a `StoredStudy`, and writes its tables, figures and report."""


def redraw(path: Path | str) -> Any:
    """Write the tables, figures and report of a study again, from its finished cases; return the study.

    Raises:
        InputError: no study, or one with cases left to compute.
    """
    stored = read_study(Path(path))
    if stored.kind not in STUDIES:
        raise InputError(f"{path} is a study {stored.kind!r}, which this hebbevo does not know; update it")
    draw: Callable[[StoredStudy], Any] = resolve_name(STUDIES[stored.kind])
    return draw(stored)
