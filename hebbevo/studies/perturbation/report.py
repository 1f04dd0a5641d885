"""The report of a study of perturbations, one HTML file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbevo.studies.perturbation.figures import short_names
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan
from hebbevo.studies.perturbation.recovery import RETURN, WINDOW
from hebbevo.studies.perturbation.tables import BIN, StudyTables
from hebbevo.studies.report import Section, hundredths, shown, shown_interval, write_report


def write_study_report(path: Path, plan: Plan, tables: StudyTables, figures: Mapping[str, Path]) -> None:
    """Write the report of a study."""
    names = short_names(plan)
    bodies = {body: body for body in plan.morphologies} if len(plan.morphologies) > 1 else {}
    rows = [_row(row, names, bodies) for row in tables.table.to_pylist() if not _frozen(plan, row)]
    sections = [
        Section("What was done", _setting(plan, names)),
        Section("Loss and recovery", _recovery_text(tables), rows, _some(figures, "speed")),
    ]
    if tables.freeze.num_rows:
        curve = [_frozen_row(row, names, bodies) for row in tables.freeze.to_pylist()]
        sections.append(Section("Frozen weights", _FREEZE_TEXT, curve, _some(figures, "freeze")))
    if "weights" in figures:
        sections.append(Section("The weights at the event", _IMAGES_TEXT, None, _some(figures, "weights")))
    if tables.components:
        ways = _some(figures, "trajectories", "weight_speed")
        sections.append(Section("The ways of the weights", _WAYS_TEXT, _explained(tables, names), ways))
    write_report(path, "Perturbations", sections)


def _setting(plan: Plan, names: Mapping[str, str]) -> str:
    protocols = "; ".join(
        f"{p.name}: {p.text}" for p in plan.protocols if p.frozen_at is None and p.name != UNPERTURBED
    )
    genomes = "; ".join(
        f"{names[genome.name]} (rule {genome.task.plasticity.parsed_rule.name}, {genome.name})"
        for genome in plan.genomes
    )
    return (
        f"Genomes: {genomes}.\n\nEvery genome lived {plan.episodes} lifetimes of {plan.env.steps} steps per "
        f"protocol in {plan.env.name}, body at birth {', '.join(plan.morphologies)}, seed {plan.seed}. "
        "Each lifetime has an unperturbed twin with the same seed; up to the perturbation the two are the same, bit "
        f"for bit.\n\nProtocols: {protocols or 'the freeze curve alone'}.\n\nTo have it again: hebbevo perturb "
        f"{' '.join(shlex.quote(genome.name) for genome in plan.genomes)} --out DIR{_options(plan)}"
    )


def _options(plan: Plan) -> str:
    """Return the options that give the same study; protocols of a YAML file come in the short form."""
    bodies = "".join(f" --morphology {body}" for body in plan.morphologies)
    asked = [p for p in plan.protocols if p.name != UNPERTURBED]
    published = any(p.frozen_at is not None for p in asked)
    texts = "" if published else "".join(f" --perturb {shlex.quote(p.text)}" for p in asked)
    return f" --episodes {plan.episodes} --seed {plan.seed} --steps {plan.env.steps}{bodies}{texts}"


def _recovery_text(tables: StudyTables) -> str:
    return (
        f"Loss is the twins' progress minus that of the perturbed lifetimes ({tables.plan.env.unit}); its share is of "
        "the twins' progress from the perturbation to the end of life. The recovery time is the number of steps from "
        "the event (from the end of a window; from the beginning of what lasts to the end of life) until the speed "
        f"over the next {WINDOW} steps, averaged over lifetimes, is back at {RETURN:.0%} of the twins' over the same "
        f"steps; 0 if it does not fall below that in the first {WINDOW} steps; never: not within the life. Intervals "
        "are 95 % bootstraps over lifetimes.\n\nThe last columns say which share of single lifetimes came back by the "
        "same measure (one lifetime's speed is uneven, so that even a slower one may pass the mark once), and how many "
        f"diverged. Curves are means of {BIN} steps with their intervals; what happens is shaded."
    )


_FREEZE_TEXT = (
    "Progress of whole lives in which neither rule nor normaliser changes a weight from step t on: how long a "
    "lifetime takes to find weights that walk, and whether it needs to change them further. Frozen at 0, the weights "
    "stay those of birth. Static genomes have nothing to freeze."
)
_IMAGES_TEXT = (
    "All weights of the first lifetime in the step before the event, at it, and ten steps later, on one colour scale "
    "a row; exact zeros are black."
)
_WAYS_TEXT = (
    "The weights of a few unperturbed lifetimes in their first principal components, of all their points together "
    "(dot: birth; cross: end), for the evolved rule and for rules drawn as evolution's first ones; each condition has "
    "components of its own. Weights without a normaliser grow while they live; their direction is the same with all "
    "points scaled to one size.\n\nBelow, how far the weights move in a step (root mean square over synapses, relative "
    "to that of the weights), the angle by which they turn, and their size, means over those lifetimes."
)


def _row(row: Mapping[str, Any], names: Mapping[str, str], bodies: Mapping[str, str]) -> dict[str, object]:
    recovery = [row[name] for name in ("recovery_steps", "recovery_low", "recovery_high")]
    times = None if row["recovery_from"] is None else ["never" if t is None else f"{t:.0f}" for t in recovery]
    return {
        **_who(row, names, bodies),
        "protocol": row["protocol"].replace("_", " "),
        "progress (95 %)": _interval(row, "mean"),
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
    row: Mapping[str, Any], names: Mapping[str, str], bodies: Mapping[str, str]
) -> dict[str, object]:
    shown = {"frozen at": "frozen_at", "progress": "mean", "from": "mean_low", "to": "mean_high"}
    return {
        **_who(row, names, bodies),
        **{label: row[name] for label, name in shown.items()},
        "of the unperturbed": row["of_unperturbed"],
    }


def _who(row: Mapping[str, Any], names: Mapping[str, str], bodies: Mapping[str, str]) -> dict[str, object]:
    return {"genome": names[row["genome"]], **({"body": row["morphology"]} if bodies else {})}


def _explained(tables: StudyTables, names: Mapping[str, str]) -> list[dict[str, object]]:
    return [
        {
            "genome": names[genome],
            "rule": condition,
            "of": of,
            "lifetimes": len(components.places),
            **{f"component {n}": float(share) for n, share in enumerate(components.explained, start=1)},
        }
        for (genome, condition, of), components in tables.components.items()
    ]


def _frozen(plan: Plan, row: Mapping[str, Any]) -> bool:
    return any(p.name == row["protocol"] and p.frozen_at is not None for p in plan.protocols)


def _some(figures: Mapping[str, Path], *names: str) -> list[Path]:
    return [figures[name] for name in names if name in figures]
