"""The report of a study of perturbations, one HTML file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbevo.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from hebbevo.studies.arms import named_sources, uses_copies
from hebbevo.studies.genomes import short_names
from hebbevo.studies.perturbation.curve_tables import BIN
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan
from hebbevo.studies.perturbation.recovery import RETURN, WINDOW
from hebbevo.studies.perturbation.tables import StudyTables
from hebbevo.studies.report import Section, hundredths, shown, shown_interval, write_report


def write_study_report(path: Path, plan: Plan, tables: StudyTables, figures: Mapping[str, Path]) -> None:
    """Write the report of a study."""
    names = short_names(plan.genomes)
    bodies = {body: body for body in plan.morphologies} if len(plan.morphologies) > 1 else {}
    rows = [_row(plan, row, names, bodies) for row in tables.table.to_pylist() if not _frozen(plan, row)]
    sections = [
        Section("What was done", _setting(plan, names)),
        Section("Loss and recovery", _recovery_text(plan), rows, _some(figures, "speed")),
    ]
    if tables.arms.num_rows:
        over_runs = [_arm_row(plan, row, bodies) for row in tables.arms.to_pylist() if not _frozen(plan, row)]
        sections.insert(1, Section("Arms", _ARMS_TEXT, over_runs))
    if tables.freeze.num_rows:
        curve = [_frozen_row(plan, row, names, bodies) for row in tables.freeze.to_pylist()]
        sections.append(Section("Frozen weights", _FREEZE_TEXT, curve, _some(figures, "freeze")))
    if "weights" in figures:
        sections.append(Section("The weights at the event", _IMAGES_TEXT, None, _some(figures, "weights")))
    if tables.components:
        drawn = _some(figures, "trajectories", "weight_speed")
        sections.append(Section("Weight trajectories", _WEIGHTS_TEXT, _explained(tables, names), drawn))
    write_report(path, "Perturbations", sections)


def command(plan: Plan) -> str:
    """Return the command line that gives the same study; protocols of a YAML file come in the short form."""
    asked = [protocol for protocol in plan.protocols if protocol.name != UNPERTURBED]
    published = any(protocol.frozen_at is not None for protocol in asked)
    options = ["--episodes", plan.episodes, "--seed", plan.seed, "--steps", plan.env.steps]
    for body in plan.morphologies:
        options += ["--morphology", body]
    for protocol in () if published else asked:
        options += ["--perturb", protocol.text]
    options += [] if plan.metric is None else ["--metric", plan.metric]
    genomes = named_sources(plan.genomes, plan.arms, [genome.name for genome in plan.genomes])
    return shlex.join(["hebbevo", "perturb", *genomes, "--out", "DIR", *map(str, options)])


def _setting(plan: Plan, names: Mapping[str, str]) -> str:
    protocols = "; ".join(
        f"{p.name}: {p.text}" for p in plan.protocols if p.frozen_at is None and p.name != UNPERTURBED
    )
    genomes = "; ".join(
        f"{names[genome.name]} (rule {genome.task.plasticity.parsed_rule.name}, {genome.name})"
        for genome in plan.genomes
    )
    where = ", in the directory of this study" if uses_copies(command(plan)) else ""
    return (
        f"Genomes: {genomes}.\n\nEvery genome has {plan.episodes} lifetimes of {plan.env.steps} steps per "
        f"protocol in {plan.env.name}, which start with body {', '.join(plan.morphologies)}, seed {plan.seed}. "
        "Each lifetime has an unperturbed twin with the same seed; up to the perturbation the two are the same, bit "
        f"for bit.\n\nProtocols: {protocols or 'the freeze curve alone'}.\n\nTo have it again{where}: {command(plan)}"
    )


def _recovery_text(plan: Plan) -> str:
    unit = "" if plan.unit == plan.quantity else f" ({plan.unit})"
    return (
        f"Loss is the twins' {plan.quantity} minus that of the perturbed lifetimes{unit}; its share is of the "
        f"twins' {plan.quantity} from the perturbation to the end of the lifetime. The recovery time is the number "
        "of steps from the event (from the end of a window; from the beginning of what lasts to the end of the "
        f"lifetime) until the speed over the next {WINDOW} steps, averaged over lifetimes, is back at {RETURN:.0%} "
        f"of the twins' over the same steps; 0 if it does not fall below that in the first {WINDOW} steps; never: "
        f"not within the lifetime. Intervals are {CONFIDENCE:.0%} percentile bootstraps over lifetimes with "
        f"{RESAMPLES:,} resamples."
        "\n\nThe last columns say which share of single lifetimes came back by the same measure (one lifetime's speed "
        "is uneven, so that even a slower one may pass the mark once), and how many diverged. Curves are means of "
        f"{BIN} steps with their intervals; perturbed steps are shaded."
    )


_ARMS_TEXT = (
    "Over runs: progress is the interquartile mean of the runs' means, loss the mean of their mean losses, the "
    "recovery time the median of the times after which their mean speeds are back, with how many runs come back. "
    f"Intervals are {CONFIDENCE:.0%} percentile intervals of a hierarchical bootstrap with {RESAMPLES:,} resamples: "
    "the runs of an arm are drawn, then the lifetimes of every drawn run, with their twins; of recovery times, runs "
    "alone. With fewer than eight runs they are too narrow. Figures show the first run of every arm."
)
_FREEZE_TEXT = (
    "Progress of full lifetimes in which neither rule nor normaliser changes a weight from step t on: how long a "
    "lifetime takes to find weights that walk, and whether it needs to change them further. Frozen at 0, the weights "
    "stay the initial ones. Static genomes have nothing to freeze."
)
_IMAGES_TEXT = (
    "All weights of the first lifetime in the step before the event, at it, and ten steps later, on one color scale "
    "a row; exact zeros are black."
)
_WEIGHTS_TEXT = (
    "The weights of a few unperturbed lifetimes in their first principal components, of all their points together "
    "(dot: start; cross: end), for the evolved rule and for rules drawn as evolution's first ones; each condition has "
    "components of its own. Lifetimes that diverged, or whose weights overflowed, are left out. Weights without a "
    "normaliser grow all the time; their direction is the same with all points scaled to one size.\n\nBelow, how far "
    "the weights move in a step (root mean square over synapses, relative to that of the weights), the angle by which "
    "they turn, and their size, means over those lifetimes."
)


def _row(
    plan: Plan, row: Mapping[str, Any], names: Mapping[str, str], bodies: Mapping[str, str]
) -> dict[str, object]:
    recovery = [row[name] for name in ("recovery_steps", "recovery_low", "recovery_high")]
    times = None if row["recovery_from"] is None else ["never" if t is None else f"{t:.0f}" for t in recovery]
    return {
        **_labels(row, names, bodies),
        "protocol": row["protocol"].replace("_", " "),
        f"{plan.quantity} (95 %)": _interval(row, "mean"),
        **_further(plan, row),
        "loss (95 %)": _interval(row, "loss"),
        "share": hundredths(row["loss_share"]),
        "recovery (95 %)": None if times is None else _times(*times),
        "recovered": row["recovered"],
        "diverged": row["diverged"],
    }


def _further(plan: Plan, row: Mapping[str, Any]) -> dict[str, object]:
    return {metric.label: hundredths(row[name]) for name, metric in plan.metrics.items()}


def _arm_row(plan: Plan, row: Mapping[str, Any], bodies: Mapping[str, str]) -> dict[str, object]:
    recovery = [row[name] for name in ("recovery_steps", "recovery_low", "recovery_high")]
    times = None if row["recovered"] is None else ["never" if t is None else f"{t:.0f}" for t in recovery]
    return {
        "arm": row["arm"],
        **({"body": row["morphology"]} if bodies else {}),
        "protocol": row["protocol"].replace("_", " "),
        "runs": row["runs"],
        f"{plan.quantity} (95 %)": _interval(row, "iqm"),
        **_further(plan, row),
        "loss (95 %)": _interval(row, "loss"),
        "share": hundredths(row["loss_share"]),
        "recovery (95 %)": None if times is None else _times(*times),
        "recovered": row["recovered"],
        "diverged": row["diverged"],
    }


def _times(value: str, low: str, high: str) -> str:
    return value if value == low == high else f"{value} ({low} to {high})"


def _interval(row: Mapping[str, Any], name: str) -> str | None:
    if row[name] is None:
        return None
    interval = shown_interval(row[f"{name}_low"], row[f"{name}_high"])
    return shown(hundredths(row[name])) + (f" ({interval})" if interval else "")


def _frozen_row(
    plan: Plan, row: Mapping[str, Any], names: Mapping[str, str], bodies: Mapping[str, str]
) -> dict[str, object]:
    shown = {"frozen at": "frozen_at", plan.quantity: "mean", "from": "mean_low", "to": "mean_high"}
    return {
        **_labels(row, names, bodies),
        **{label: row[name] for label, name in shown.items()},
        "of the unperturbed": row["of_unperturbed"],
    }


def _labels(row: Mapping[str, Any], names: Mapping[str, str], bodies: Mapping[str, str]) -> dict[str, object]:
    return {"genome": names[row["genome"]], **({"body": row["morphology"]} if bodies else {})}


def _explained(tables: StudyTables, names: Mapping[str, str]) -> list[dict[str, object]]:
    return [
        {
            "genome": names[genome],
            "rule": condition,
            "of": of,
            "lifetimes": len(components.coordinates),
            **{f"component {n}": float(share) for n, share in enumerate(components.explained, start=1)},
        }
        for (genome, condition, of), components in tables.components.items()
    ]


def _frozen(plan: Plan, row: Mapping[str, Any]) -> bool:
    return any(p.name == row["protocol"] and p.frozen_at is not None for p in plan.protocols)


def _some(figures: Mapping[str, Path], *names: str) -> list[Path]:
    return [figures[name] for name in names if name in figures]
