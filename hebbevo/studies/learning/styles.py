"""Colors and labels of the conditions of a study of learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hebbevo.evaluation.controls import GENOME
from hebbevo.studies.learning.plan import FROZEN, WITHHELD, YOKED, LearningCondition

_STYLES: Final = {
    GENOME: ("#c44e52", "-"),
    "off": ("#555555", "-"),
    "shuffled": ("#a0a0a0", "-"),
    WITHHELD: ("#dd8452", "--"),
    YOKED: ("#8172b3", "--"),
}
_FROZEN: Final = ("#64b5cd", "#4c72b0", "#1f3a68")
"""Colors of frozen weights, the earliest first."""


def style(condition: LearningCondition, conditions: Sequence[LearningCondition]) -> tuple[str, str]:
    """Return color and line of a condition among those of its genome."""
    if condition.kind != FROZEN:
        return _STYLES[condition.kind]
    frozen = [one for one in conditions if one.kind == FROZEN]
    return _FROZEN[min(frozen.index(condition), len(_FROZEN) - 1)], "-"


def label(condition: LearningCondition) -> str:
    """Return what a condition is called in figures."""
    labels = {
        "off": "rule off",
        "shuffled": "coefficients shuffled",
        FROZEN: f"frozen at trial {condition.frozen_at}",
        WITHHELD: "reward withheld",
        YOKED: "reward of another lifetime",
    }
    return labels.get(condition.kind, condition.kind)
