"""The studies by name. One of a user's own is a class, `hebbevo.studies.study.Study`, and its entry here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hebbevo.studies.study import Study

STUDIES: Final[dict[str, str | type[Study]]] = {
    "generalize": "hebbevo.studies.generalization.study:redraw",
    "learning": "hebbevo.studies.learning.study:redraw",
    "perturb": "hebbevo.studies.perturbation.study:redraw",
}
"""A class; or of a study with a command of its own, the ``module:function`` that draws a `StoredStudy` again."""


def own_studies() -> dict[str, type[Study]]:
    """Return the studies that `study` runs, by name."""
    return {name: kind for name, kind in STUDIES.items() if not isinstance(kind, str)}
