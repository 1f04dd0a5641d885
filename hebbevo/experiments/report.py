"""The report of a comparison, one HTML file: what the arms reached, how sure that is, and of which runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hebbevo.config.difference import difference
from hebbevo.evaluation.bootstrap import RESAMPLES
from hebbevo.evaluation.run_statistics import BAND_RESAMPLES
from hebbevo.experiments.comparison import Comparison
from hebbevo.experiments.records import ArmRecord
from hebbevo.studies.report import Section, hundredths, shown, shown_interval, write_report

Row = Mapping[str, Any]

FEW_RUNS: Final = 8
"""Below this many, intervals over runs are known to be too narrow: docs/experiments.md has the simulation."""

_METHOD = f"""
A run's score is the mean of its last center over fresh lifetimes of full length, whose seeds are the same for every
run and were used by none in training; on several bodies, the mean over them. Lifetimes that diverged are left out.

IQM: the interquartile mean over runs, a quarter of the runs (rounded down) cut from each end. Intervals are 95 %
percentile intervals of a hierarchical bootstrap with {RESAMPLES:,} resamples: the runs of each arm are drawn, then the
lifetimes of every drawn run. They say how far a number would vary over other run seeds.

P(better): how often a run has a higher score than one of the baseline, both drawn at random, ties counting half; both
sides are resampled. Difference: seed by seed over the run seeds that both arms have, which are drawn together.

Learning curves: the mean of the center over the evaluations in training (fewer lifetimes than the scores have), IQM
over runs, with pointwise bands of {BAND_RESAMPLES:,} resamples of runs. Sample efficiency: agent-steps at the first
evaluation in which the center reaches the score, the median over runs (the higher of two); a run that never does
counts as later than all.

Performance profile: the share of runs whose score is above each value, with pointwise intervals. Agarwal et al. 2021,
arXiv 2108.13264; the method of rliable, whose unit of resampling, a run on a task, is here a run with its lifetimes.
"""


def write_comparison_report(path: Path, comparison: Comparison, figures: Sequence[Path]) -> None:
    """Write ``report.html``.

    Args:
        path: of the file.
        comparison: all numbers.
        figures: scores, curves, profile.
    """
    tables = comparison.tables
    sections = [
        Section(
            "Result", _findings(comparison), [_cells(row, comparison) for row in tables.table], figures[:1]
        ),
        Section("How sure this is", "\n\n".join(cautions(comparison))),
        Section(
            "Learning curves", "Single runs are faint; the numbers are in curves.csv.", None, figures[1:2]
        ),
        Section(
            "Sample efficiency", _efficiency_text(comparison), [_reached(row) for row in tables.efficiency]
        ),
    ]
    if tables.differences:
        text = f"Mean over shared seeds of the score less that of {comparison.compared.baseline.name}."
        rows = [_difference(row, comparison) for row in tables.differences]
        sections.append(Section("Seed by seed", text, rows))
    sections += [
        Section("Performance profile", "Further right, and higher, is better.", None, figures[2:]),
        Section("Arms", f"What differs from the first.{_rotation(comparison)}", _arms(comparison)),
        Section("Runs", "All columns are in runs.csv.", [_run(row) for row in tables.runs]),
        Section("Method", _METHOD),
    ]
    write_report(path, "Arms over run seeds", sections)


def cautions(comparison: Comparison) -> list[str]:
    """Return what a reader must know before concluding anything: too few runs, runs left out, lifetimes unknown."""
    compared = comparison.compared
    few = [arm for arm in compared.arms if len(arm.runs) < FEW_RUNS]
    notes = [_about_number(names, runs) for runs, names in _by_runs(few)]
    others = [arm for arm in compared.arms if arm is not compared.baseline]
    notes += [
        note
        for runs, names in _by_runs(others)
        if (note := _about_ranks(names, runs, compared.baseline)) is not None
    ]
    for arm in compared.arms:
        if arm.missing:
            notes.append(
                f"{arm.name}: {_runs(len(arm.missing))} not finished and left out: {_few(arm.missing)}."
            )
        if arm.diverged:
            notes.append(
                f"{arm.name}: in {_runs(len(arm.diverged))} every lifetime on some body diverged; left out, though "
                f"they are the worst: {_few(arm.diverged)}."
            )
    if not compared.evaluated:
        notes.append(
            "The runs were not all evaluated alike after training: a score is the last mean of the center in training, "
            "whose lifetimes are not resampled."
        )
    return notes or [
        f"Every arm has {FEW_RUNS} runs or more, all finished: the intervals may be taken as they stand."
    ]


def _by_runs(arms: Sequence[ArmRecord]) -> list[tuple[int, str]]:
    """Return the numbers of runs, and the names of the arms that have so many."""
    numbers = dict.fromkeys(len(arm.runs) for arm in arms)
    return [(runs, ", ".join(arm.name for arm in arms if len(arm.runs) == runs)) for runs in numbers]


def _about_number(names: str, runs: int) -> str:
    if runs == 1:
        return f"{names}: one run says nothing about others; there is no interval."
    return (
        f"{names}: {runs} runs; 95 % intervals of fewer than {FEW_RUNS} are too narrow, and hold the truth less often "
        "than they say."
    )


def _about_ranks(names: str, runs: int, baseline: ArmRecord) -> str | None:
    """Return a note where no rank test of these numbers of runs can reach 5 %, whatever the scores."""
    others = len(baseline.runs)
    smallest = 2 / math.comb(runs + others, runs)
    if smallest <= 0.05 or min(runs, others) == 1:
        return None
    return (
        f"{names} against {baseline.name}: even if every run of the one beat every run of the other, chance alone "
        f"would do that with probability {smallest:.2f} (Mann-Whitney, two-sided, {runs} and {others} runs); more "
        "seeds are needed."
    )


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _findings(comparison: Comparison) -> str:
    baseline, unit = comparison.compared.baseline, comparison.compared.baseline.config.env.unit
    lines = []
    for arm in comparison.compared.arms:
        row = next(row for row in comparison.tables.table if row["arm"] == arm.name)
        text = f"{arm.name}, {_runs(row['runs'])}: IQM {shown(hundredths(row['iqm']))} {unit}"
        if interval := _interval(row, "iqm"):
            text += f", 95 % interval {interval}"
        if row.get("improvement") is not None:
            text += f"; better than {baseline.name} with probability {shown(hundredths(row['improvement']))}"
            text += f" ({interval})" if (interval := _interval(row, "improvement")) else ""
        lines.append(f"{text}.")
    return "\n\n".join(lines)


def _cells(row: Row, comparison: Comparison) -> dict[str, object]:
    unit = comparison.compared.baseline.config.env.unit
    return {
        "arm": row["arm"],
        **_body(row, comparison),
        "runs": row["runs"],
        f"IQM ({unit})": hundredths(row["iqm"]),
        "95 %": _interval(row, "iqm"),
        "mean": hundredths(row["mean"]),
        "median": hundredths(row["median"]),
        "P(better)": hundredths(row.get("improvement")),
        "P, 95 %": _interval(row, "improvement"),
    }


def _difference(row: Row, comparison: Comparison) -> dict[str, object]:
    return {
        "arm": row["arm"],
        **_body(row, comparison),
        "seeds": row["seeds"],
        "higher in": row["higher"],
        "difference": hundredths(row["difference"]),
        "95 %": _interval(row, "difference"),
    }


def _body(row: Row, comparison: Comparison) -> dict[str, object]:
    return {"body": row["morphology"] or "all"} if len(comparison.compared.bodies) > 1 else {}


def _efficiency_text(comparison: Comparison) -> str:
    if comparison.score is None:
        return "No run was evaluated in training."
    unit = comparison.compared.baseline.config.env.unit
    score = shown(hundredths(comparison.score))
    return f"Agent-steps until the center first reaches {score} {unit} (the dotted line above)."


def _reached(row: Row) -> dict[str, object]:
    def steps(value: float | None) -> str | None:
        return None if value is None else f"{value:,.0f}"

    low, high = steps(row["agent_steps_low"]), steps(row["agent_steps_high"])
    return {
        "arm": row["arm"],
        "reached it": f"{row['reached']} of {_runs(row['runs'])}",
        "agent-steps, median": steps(row["agent_steps"]) or "never",
        "95 %": None if low is None else f"{low} to {high or 'never'}",
    }


def _arms(comparison: Comparison) -> list[dict[str, object]]:
    first = comparison.compared.arms[0].config.model_dump(mode="json", exclude={"run"})
    rows: list[dict[str, object]] = []
    for arm in comparison.compared.arms:
        changed = difference(first, arm.config.model_dump(mode="json", exclude={"run"}))
        text = "; ".join(changed) or ("the first" if not rows else "nothing")
        rows.append({"arm": arm.name, "rule": arm.config.plasticity.parsed_rule.name, "differs in": text})
    return rows


def _rotation(comparison: Comparison) -> str:
    if not (rotated := comparison.compared.rotated):
        return ""
    return (
        "\n\nWhich bodies a run evolved on depends on its seed (the table of runs says which). Of "
        f"{', '.join(sorted(rotated))}, those that it evolved on are seen, those that it did not, unseen; a score "
        "there is the mean over them."
    )


def _run(row: Row) -> dict[str, object]:
    return {name: f"{value:,}" if name == "agent_steps" else value for name, value in row.items()}


def _interval(row: Row, name: str) -> str | None:
    return shown_interval(row.get(f"{name}_low"), row.get(f"{name}_high"))
