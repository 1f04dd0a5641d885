"""Numbers of a study of learning as columns of its tables."""

from __future__ import annotations

from typing import Any, Final

from hebbevo.evaluation.statistics import Estimate
from hebbevo.studies.learning.plan import Plan

Row = dict[str, Any]

REFERENCES: Final = ("chance", "reactive", "oracle")
"""Whom no lifetime stands behind: values that the world derives."""


def columns(name: str, estimate: Estimate) -> Row:
    """Return an estimate as columns: `name`, `name`_low, `name`_high."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def references(plan: Plan, morphology: str) -> dict[str, float]:
    """Return what `REFERENCES` get in a lifetime; nothing where that is known of whole lifetimes alone."""
    world = plan.world(morphology)
    return {name: float(getattr(world, name)) for name in REFERENCES} if world.values_hold else {}


def share_of(plan: Plan, morphology: str, reward: float | None) -> float | None:
    """Return where the reward of a lifetime stands between chance, 0, and the oracle, 1; None where they are one."""
    known = references(plan, morphology)
    if reward is None or not known or known["oracle"] == known["chance"]:
        return None
    return (reward - known["chance"]) / (known["oracle"] - known["chance"])
