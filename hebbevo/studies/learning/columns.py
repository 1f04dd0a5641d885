"""Numbers of a study of learning as columns of its tables."""

from __future__ import annotations

from typing import Any

from hebbevo.evaluation.statistics import Estimate
from hebbevo.studies.learning.plan import Plan

Row = dict[str, Any]


def columns(name: str, estimate: Estimate) -> Row:
    """Return an estimate as columns: `name`, `name`_low, `name`_high."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def share_of(plan: Plan, morphology: str, reward: float | None) -> float | None:
    """Return where the reward of a lifetime stands between chance, 0, and the oracle, 1; None where they are one."""
    world = plan.world(morphology)
    chance, oracle = world.chance, world.oracle
    return None if reward is None or oracle == chance else float((reward - chance) / (oracle - chance))
