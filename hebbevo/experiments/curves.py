"""Learning curves over agent-steps: the interquartile mean over the runs of an arm, and when runs reach a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbevo.evaluation.run_statistics import bands, median_with_never
from hebbevo.evaluation.statistics import Estimate, interquartile_mean
from hebbevo.experiments.records import ArmRecord, FloatArray, RunRecord


@dataclass(frozen=True)
class Curve:
    """The learning curve of an arm.

    Attributes:
        steps: agent-steps, ``(points,)``.
        middle: interquartile mean over runs there.
        low: lower bound of its interval; NaN where there is a single run.
        high: upper bound.
        runs: that every point is of.
    """

    steps: FloatArray
    middle: FloatArray
    low: FloatArray
    high: FloatArray
    runs: int


@dataclass(frozen=True)
class Efficiency:
    """How soon the runs of an arm reach a score: how many do, and the median of agent-steps."""

    reached: int
    runs: int
    agent_steps: Estimate


def curve_of(arm: ArmRecord) -> Curve:
    """Return the curve of an arm, over the agent-steps that all of its runs have evaluations for.

    Where runs were evaluated at the same agent-steps, these are the points; else points lie evenly, and a run's score
    between two evaluations is on the line that joins them.
    """
    runs = _with_curve(arm)
    if not runs:
        return Curve(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), 0)
    steps = _points(runs)
    curves = np.stack([np.interp(steps, run.curve_steps, run.curve) for run in runs])
    return Curve(steps, *bands(curves), len(runs))


def final_score(arm: ArmRecord) -> float | None:
    """Return the interquartile mean over runs of the last mean of the center in training."""
    runs = _with_curve(arm)
    return float(interquartile_mean(np.array([run.curve[-1] for run in runs]))) if runs else None


def efficiency(arm: ArmRecord, score: float) -> Efficiency:
    """Return how soon the center's mean reaches a score, at one of the evaluations in training."""
    runs = _with_curve(arm)
    first = np.array([_first(run, score) for run in runs])
    return Efficiency(int(np.isfinite(first).sum()), len(runs), median_with_never(first))


def _with_curve(arm: ArmRecord) -> list[RunRecord]:
    return [run for run in arm.runs if len(run.curve)]


def _points(runs: Sequence[RunRecord]) -> FloatArray:
    first = runs[0].curve_steps
    if all(np.array_equal(first, run.curve_steps) for run in runs):
        return first
    start = max(run.curve_steps[0] for run in runs)
    end = max(start, min(run.curve_steps[-1] for run in runs))
    return np.unique(np.linspace(start, end, max(len(run.curve) for run in runs)).round())


def _first(run: RunRecord, score: float) -> float:
    reached = np.flatnonzero(run.curve >= score)
    return float(run.curve_steps[reached[0]]) if len(reached) else float("inf")
