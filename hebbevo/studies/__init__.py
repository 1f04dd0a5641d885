"""Replays of evolved genomes under conditions that they never met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hebbevo.studies.registry import STUDIES
    from hebbevo.studies.study import Lived, Study

__all__ = ["STUDIES", "Lived", "Study"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: most commands need no study."""
    if name == "STUDIES":
        from hebbevo.studies.registry import STUDIES

        return STUDIES
    if name in ("Study", "Lived"):
        from hebbevo.studies import study

        return getattr(study, name)
    raise AttributeError(f"module 'hebbevo.studies' has no attribute {name!r}")
