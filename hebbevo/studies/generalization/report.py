"""The report of a study of generalisation: results, method, genomes, bodies, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbevo.evaluation.bootstrap import RESAMPLES
from hebbevo.evaluation.controls import GENOME
from hebbevo.genomes.genome import Genome, version
from hebbevo.studies.arms import named_sources, uses_copies
from hebbevo.studies.generalization.plan import GROUPS, Plan
from hebbevo.studies.report import Section, hundredths, shown, shown_interval, write_report

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]

METHOD = f"""
A lifetime is one episode of full length, without early stop, from fresh random weights (a static genome's weights
are those that evolved). The seeds of the lifetimes are the same for every genome, condition and body, and none of
them was used in evolution; `hebbevo evaluate` with the same seed has the same lifetimes.

Progress is the distance along +x in metres, or the reward where the world has another.

Groups: seen, the bodies that the genome evolved on; test, the sampled bodies of the fixed test split; unseen, the
others. A genome's group follows from its own evolution.

Controls: off, the rule and the normaliser are never applied, so that the weights stay random; shuffled, the genome's
coefficients permuted within each layer, another permutation in each lifetime; random, a genome that never evolved,
another one in each lifetime. A baseline that was not asked for by name has no controls.

Statistics: mean, sd (n - 1), median and interquartile mean (IQM: a quarter of the lifetimes cut from each end) are over
all lifetimes of a row, which for a group are those of all its bodies pooled. Intervals are 95 % percentile intervals of
a stratified bootstrap with {RESAMPLES:,} resamples: the lifetimes of each body are resampled by themselves, the bodies
stay. They say how much the numbers would vary over other lifetimes of this genome on these bodies, not over other
runs of evolution.

Probability of improvement, P(better): how often a lifetime goes further than one of the baseline on the same body, both
drawn at random, ties counting half (Mann-Whitney U over the number of pairs), averaged over bodies; its interval
resamples both sides. Agarwal et al. 2021, arXiv 2108.13264; the method of rliable.

Lifetimes whose simulation diverged are counted, and left out of the statistics.
"""

_ARMS = f"""
A run's score is the mean of its lifetimes on the bodies of the group, which follow from its own evolution. IQM, mean
and median are over runs; intervals are 95 % percentile intervals of a hierarchical bootstrap with {RESAMPLES:,}
resamples: the runs of an arm are drawn, then the lifetimes of every drawn run. P(better): how often a run has a higher
score than one of the baseline. Kept (retention): a run's score over its score on the first body that it evolved on; a
poor gait keeps a lot, so that it means something beside the scores alone. With fewer than eight runs the intervals are
too narrow. Bodies are in arms.csv.
"""


def write_study_report(
    path: Path, plan: Plan, table: pa.Table, arms: pa.Table, figures: Sequence[Path]
) -> None:
    """Write ``report.html``.

    Args:
        path: of the file.
        plan: genomes, bodies and conditions.
        table: the statistics of every genome.
        arms: those of arms.
        figures: groups, then bodies.
    """
    rows = table.to_pylist()
    groups = [row for row in rows if row["morphology"] is None]
    bodies = [row for row in rows if row["morphology"] is not None]
    of_arms = [row for row in arms.to_pylist() if row["morphology"] is None]
    by_arm = [
        Section("Arms", _arms_text(plan, of_arms), [_arm_cells(plan, row) for row in of_arms], figures[:1])
    ]
    sections = [
        *(by_arm if of_arms else []),
        Section(
            "Every genome" if of_arms else "Result",
            _findings(plan, groups),
            [_cells(plan, row) for row in groups],
            [] if of_arms else figures[:1],
        ),
        Section(
            "Every body",
            "Interquartile means with their 95 % intervals; the bodies stand in the groups of "
            f"{plan.genomes[0].name}, whose controls are drawn beside the genomes.",
            None,
            figures[1:],
        ),
        Section(
            "Numbers of every body", "All columns are in table.csv.", [_cells(plan, row) for row in bodies]
        ),
        Section("Method", METHOD + _metrics_text(plan)),
        Section("Genomes", _baseline_text(plan), [_provenance(genome, plan) for genome in plan.genomes]),
        Section("Bodies", "What each body is.", _morphologies(plan)),
        Section("Again", _again(plan)),
    ]
    write_report(path, "Generalisation to bodies never seen", sections)


def _arms_text(plan: Plan, rows: Sequence[Row]) -> str:
    lines = [
        f"{row['arm']}, {row['runs']} runs, {_bodies(row)}: IQM {shown(hundredths(row['iqm']))} {plan.unit}, "
        f"95 % interval {_interval(row, 'iqm') or 'none'}."
        for row in rows
        if row["condition"] == GENOME and row["iqm"] is not None
    ]
    return "\n\n".join([*lines, _ARMS])


def _arm_cells(plan: Plan, row: Row) -> dict[str, object]:
    return {
        "group": row["group"],
        "arm": row["arm"],
        "condition": row["condition"],
        "bodies": row["bodies"],
        "runs": row["runs"],
        f"IQM ({plan.unit})": hundredths(row["iqm"]),
        "95 %": _interval(row, "iqm"),
        "mean": hundredths(row["mean"]),
        "median": hundredths(row["median"]),
        "kept": hundredths(row["retention"]),
        "kept, 95 %": _interval(row, "retention"),
        "P(better)": hundredths(row["improvement"]),
        "P, 95 %": _interval(row, "improvement"),
    }


def _findings(plan: Plan, groups: Sequence[Row]) -> str:
    lines = [
        f"{len(plan.morphologies)} bodies, {plan.episodes} lifetimes on each, lifetime seeds from {plan.seed}."
    ]
    in_arms = {name for names in plan.arms.values() for name in names}
    for row in groups:
        if row["condition"] == GENOME and row["iqm"] is not None and row["genome"] not in in_arms:
            text = (
                f"{row['genome']}, {_bodies(row)}: IQM {shown(hundredths(row['iqm']))} {plan.unit}, "
                f"95 % interval {_interval(row, 'iqm')}"
            )
            if row["improvement"] is not None:
                probability = f"{shown(hundredths(row['improvement']))} ({_interval(row, 'improvement')})"
                text += f"; goes further than {row['improvement_over']} with probability {probability}"
            lines.append(f"{text}.")
    return "\n\n".join(lines)


def _cells(plan: Plan, row: Row) -> dict[str, object]:
    """Return a row as the report shows it."""
    cells: dict[str, object] = {"group": row["group"]}
    if row["morphology"] is not None:
        cells["body"] = row["morphology"]
    cells |= {"genome": row["genome"], "condition": row["condition"]}
    if row["morphology"] is None:
        cells["bodies"] = row["bodies"]
    cells |= {
        "n": row["lifetimes"],
        **({"diverged": row["diverged"]} if row["diverged"] else {}),
        f"mean ({plan.unit})": hundredths(row["mean"]),
        "sd": hundredths(row["sd"]),
        "median": hundredths(row["median"]),
        "IQM": hundredths(row["iqm"]),
        "IQM, 95 %": _interval(row, "iqm"),
        **{metric.label: _rounded(row[name], metric.decimals) for name, metric in plan.metrics.items()},
        "P(better)": hundredths(row["improvement"]),
        "P, 95 %": _interval(row, "improvement"),
    }
    return cells


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals or None)


def _metrics_text(plan: Plan) -> str:
    return "".join(f"\nIn tables, {metric.label} is {metric.meaning}.\n" for metric in plan.metrics.values())


def _bodies(row: Row) -> str:
    return f"{row['bodies']} {row['group']} {'body' if row['bodies'] == 1 else 'bodies'}"


def _interval(row: Row, name: str) -> str | None:
    return shown_interval(row[f"{name}_low"], row[f"{name}_high"])


def _baseline_text(plan: Plan) -> str:
    if plan.baseline is None:
        return "There is no baseline: no static genome was given, and none that is shipped evolved in this world."
    return f"The baseline is {plan.baseline}."


def _provenance(genome: Genome, plan: Plan) -> dict[str, object]:
    task, evolution = genome.task, genome.provenance
    search = evolution.get("search")
    return {
        "genome": genome.name,
        "rule": task.plasticity.parsed_rule.name,
        "equation": task.plasticity.parsed_rule.text,
        "evolved numbers": f"{task.layout.size:,}",
        "layers": "-".join(map(str, task.sizes)),
        "evolved on": ", ".join(task.env.morphology_names),
        "searcher": search.get("algorithm") if isinstance(search, Mapping) else None,
        "generation": evolution.get("generation"),
        "run seed": evolution.get("seed"),
    }


def _morphologies(plan: Plan) -> list[dict[str, object]]:
    env = plan.genomes[0].task.env
    return [
        {"group": group, "body": body, "description": env.describe_body(body)}
        for group in GROUPS
        for body in plan.bodies(plan.genomes[0], group)
    ]


def _again(plan: Plan) -> str:
    where = ", called in the directory of this study," if uses_copies(command(plan)) else ","
    return f"With hebbevo {version()}{where} this writes the same tables on the same kind of CPU:\n\n{command(plan)}"


def command(plan: Plan) -> str:
    """Return the command line that gives the same study."""
    steps = plan.genomes[0].task.env.steps
    options = [f"--episodes={plan.episodes}", f"--seed={plan.seed}", f"--steps={steps}"]
    if plan.baseline is not None and plan.baseline not in plan.with_controls:
        (source,) = named_sources(plan.genomes, plan.arms, [plan.baseline])
        options.append(f"--baseline={source.rpartition('=')[2]}")
    options += [f"--morphology={body}" for body in plan.morphologies]
    options += [] if plan.metric is None else [f"--metric={plan.metric}"]
    options += [] if plan.controls else ["--no-controls"]
    asked = named_sources(plan.genomes, plan.arms, plan.with_controls)
    return shlex.join(["hebbevo", "generalize", *asked, *options, "--out=DIR"])
