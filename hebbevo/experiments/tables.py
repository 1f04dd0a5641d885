"""The tables of a comparison: runs, arms, curves, sample efficiency, differences by seed. Equal runs, equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hebbevo.evaluation.run_statistics import estimate_of, improvement_over, resample_runs, run_scores
from hebbevo.evaluation.statistics import Estimate, interquartile_mean
from hebbevo.experiments.curves import Curve, Efficiency
from hebbevo.experiments.records import ArmRecord, FloatArray
from hebbevo.experiments.sources import Compared

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

_EVOLVED_ON: Final = "evolved_on"
"""Column of the table of runs, where bodies rotate over them."""

_INDEPENDENT: Final = 1
"""The stream of a baseline that is drawn independently of the arm that it is compared with."""


@dataclass(frozen=True)
class Tables:
    """All tables, a row a mapping; `morphology` is None for the mean over all bodies, where there are several."""

    runs: Sequence[Row]
    table: Sequence[Row]
    curves: Sequence[Row]
    efficiency: Sequence[Row]
    differences: Sequence[Row]

    def arrow(self) -> dict[str, pa.Table]:
        """Return them with their types, by name."""
        import pyarrow as pa

        found = {}
        for name, rows in vars(self).items():
            columns = {**_COLUMNS[name], **_more_columns(name, rows)}
            found[name] = pa.Table.from_pylist(list(rows), pa.schema(columns))
        return found


def make_tables(
    compared: Compared,
    curves: Mapping[str, Curve],
    efficiencies: Mapping[str, Efficiency],
    score: float | None,
) -> Tables:
    """Return all tables of a comparison."""
    baseline = compared.baseline
    independent = resample_runs(baseline.lifetimes, _INDEPENDENT)
    return Tables(
        [row for arm in compared.arms for row in _run_rows(arm, bool(compared.rotated))],
        [row for arm in compared.arms for row in _statistics(arm, baseline, independent)],
        [row for arm in compared.arms for row in _curve_rows(arm, curves[arm.name])],
        [
            _efficiency_row(arm, efficiencies[arm.name], score)
            for arm in compared.arms
            if arm.name in efficiencies
        ],
        [row for arm in compared.arms if arm is not baseline for row in _differences(arm, baseline)],
    )


def levels(bodies: Sequence[str]) -> list[tuple[str | None, slice]]:
    """Return what scores are means over: all bodies, where there are several, then each."""
    single = [(body, slice(index, index + 1)) for index, body in enumerate(bodies)]
    return [*([(None, slice(None))] if len(bodies) > 1 else []), *single]


def _run_rows(arm: ArmRecord, rotated: bool) -> list[Row]:
    return [
        {
            "arm": arm.name,
            "seed": run.seed,
            **({_EVOLVED_ON: ", ".join(run.evolved_on)} if rotated else {}),
            "generations": run.generations,
            "agent_steps": run.agent_steps,
            "mean": float(score),
            **dict(zip(arm.bodies, map(float, of_bodies), strict=True)),
        }
        for run, score, of_bodies in zip(arm.runs, arm.scores, arm.body_scores, strict=True)
    ]


def _statistics(arm: ArmRecord, baseline: ArmRecord, independent: FloatArray) -> list[Row]:
    rows = []
    for body, at in levels(arm.bodies):
        scores, resampled = arm.body_scores[:, at].mean(axis=1), arm.resampled[:, :, at].mean(axis=2)
        row: Row = {"arm": arm.name, "morphology": body, "runs": len(scores)}
        row |= _columns("iqm", estimate_of(scores, resampled, interquartile_mean))
        row |= {"mean": float(scores.mean()), "median": float(np.median(scores))}
        if arm is not baseline:
            others = baseline.body_scores[:, at].mean(axis=1), independent[:, :, at].mean(axis=2)
            row |= _columns("improvement", improvement_over(scores, others[0], resampled, others[1]))
        rows.append(row)
    return rows


def _curve_rows(arm: ArmRecord, curve: Curve) -> list[Row]:
    return [
        {
            "arm": arm.name,
            "agent_steps": int(steps),
            "iqm": float(middle),
            "iqm_low": None if np.isnan(low) else float(low),
            "iqm_high": None if np.isnan(high) else float(high),
            "runs": curve.runs,
        }
        for steps, middle, low, high in zip(curve.steps, curve.middle, curve.low, curve.high, strict=True)
    ]


def _efficiency_row(arm: ArmRecord, found: Efficiency, score: float | None) -> Row:
    counts = {"runs": found.runs, "reached": found.reached}
    return {"arm": arm.name, "score": score, **counts, **_columns("agent_steps", found.agent_steps)}


def _differences(arm: ArmRecord, baseline: ArmRecord) -> list[Row]:
    """Return the mean difference to the baseline over the run seeds that both have, seed by seed."""
    shared = [seed for seed in arm.seeds if seed in baseline.seeds]
    if not shared or any(len(set(one.seeds)) < len(one.seeds) for one in (arm, baseline)):
        return []
    scores, resampled = _paired(arm, baseline, shared)
    rows = []
    for body, at in levels(arm.bodies):
        difference = scores[:, at].mean(axis=1)
        row: Row = {"arm": arm.name, "baseline": baseline.name, "morphology": body, "seeds": len(shared)}
        row["higher"] = int((difference > 0).sum())
        row |= _columns("difference", estimate_of(difference, resampled[:, :, at].mean(axis=2), np.mean))
        rows.append(row)
    return rows


def _paired(arm: ArmRecord, baseline: ArmRecord, shared: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Return the difference of scores, and of resampled ones with the same draws of seeds and of lifetimes."""
    same = arm.seeds == baseline.seeds and arm.lifetimes.shape == baseline.lifetimes.shape
    if same:  # both were drawn from the same stream
        return arm.body_scores - baseline.body_scores, arm.resampled - baseline.resampled
    ours, theirs = _equally_long(arm.of_seeds(shared), baseline.of_seeds(shared))
    return run_scores(ours) - run_scores(theirs), resample_runs(ours) - resample_runs(theirs)


def _equally_long(*lifetimes: FloatArray) -> list[FloatArray]:
    longest = max(part.shape[2] for part in lifetimes)
    return [
        np.pad(part, ((0, 0), (0, 0), (0, longest - part.shape[2])), constant_values=np.nan)
        for part in lifetimes
    ]


def _columns(name: str, estimate: Estimate) -> Row:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _types(kind: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, kind)


def _estimates(*names: str) -> dict[str, str]:
    return {column: "float64" for name in names for column in (name, f"{name}_low", f"{name}_high")}


_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "runs": {
        "arm": "string",
        **_types("int64", "seed", "generations", "agent_steps"),
        "mean": "float64",
    },
    "table": {
        **_types("string", "arm", "morphology"),
        "runs": "int64",
        **_estimates("iqm"),
        **_types("float64", "mean", "median"),
        **_estimates("improvement"),
    },
    "curves": {"arm": "string", "agent_steps": "int64", **_estimates("iqm"), "runs": "int64"},
    "efficiency": {
        "arm": "string",
        "score": "float64",
        **_types("int64", "runs", "reached"),
        **_estimates("agent_steps"),
    },
    "differences": {
        **_types("string", "arm", "baseline", "morphology"),
        **_types("int64", "seeds", "higher"),
        **_estimates("difference"),
    },
}


def _more_columns(name: str, rows: Sequence[Row]) -> dict[str, str]:
    """Return what the table of runs has besides: a column for each body."""
    if name != "runs" or not rows:
        return {}
    more = [column for column in rows[0] if column not in _COLUMNS["runs"]]
    return {column: "string" if column == _EVOLVED_ON else "float64" for column in more}
