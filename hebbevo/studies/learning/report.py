"""The report of a study of learning, one HTML file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbevo.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from hebbevo.evaluation.controls import GENOME
from hebbevo.studies.arms import named_sources, uses_copies
from hebbevo.studies.genomes import short_names
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.scores import AFTER, BEFORE
from hebbevo.studies.learning.special import SPECIAL
from hebbevo.studies.learning.tables import StudyTables
from hebbevo.studies.report import Section, hundredths, shown, shown_interval, write_report

_METHOD = f"""
Every genome lives the same lifetimes under each condition, full length, from fresh initial weights: those of
`hebbevo evaluate` with the same seed. Best choices are those that could not have been better with full knowledge of
the world; steps in which nothing was to be decided do not count. What is right is drawn anew for every lifetime.

off: rule and normaliser are never applied. shuffled: the coefficients permuted within each array, another
permutation in each lifetime. frozen at T: from the first step of trial T (trials count from 0) the states of
synapses stay as they are. withheld: the network is told a reward of 0 always, as signal and as input, and numbers
of the observation that tell what was right are 0; the reward that is counted is what the world pays. yoked: it is
told the rewards of another lifetime of the same genome, the next episode's, step by step. Conditions that would
change nothing are left out.

share is the reward between chance, 0, and the oracle, 1. gain is the reward of the second half of a lifetime less
that of its first. chance answers at random, reactive is the best fixed map
from what is seen to what is done, oracle the best learner, or one who knows the world but not its dice: the
docstring of the world derives each.

Around changes, the trials of the {BEFORE} before and the {AFTER} after a change of what is right (a reversal, a new
pair of objects, another season, the first find in a maze), within the two phases that meet there, averaged over the
changes of a lifetime first. Curves leave out trials that fewer than half of the lifetimes have.

Intervals are {CONFIDENCE:.0%} percentile bootstraps over lifetimes with {RESAMPLES:,} resamples: they say how far
numbers would vary over other lifetimes of this genome, not over other runs of evolution. Lifetimes that diverged
are counted and left out.
"""
_ARMS_TEXT = (
    "Over runs: interquartile means of the runs' means. Intervals are "
    f"{CONFIDENCE:.0%} percentile intervals of a hierarchical bootstrap with {RESAMPLES:,} resamples: the runs of an "
    "arm are drawn, then the lifetimes of every drawn run; with fewer than eight runs they are too narrow. Curves "
    "of arms are IQM over their runs, with intervals of a bootstrap over runs alone; other figures show the first run."
)
_LIFETIME_TEXT = """
The first lifetime of each genome, step by step. Where each input is a question of its own, the answers to it stand in a
row; elsewhere each row is one of the first lifetimes, choice by choice. Below, the weights of the first lifetime that
change, as the forward pass of each step uses them, a line each, at most a thousand.
"""


def write_study_report(path: Path, plan: Plan, tables: StudyTables, figures: Mapping[str, Path]) -> None:
    """Write the report of a study."""
    names = short_names(plan.genomes)
    lifetimes = [figure for name, figure in figures.items() if name.startswith("lifetime")]
    arms = [_arm_cells(plan, row) for row in tables.arms.to_pylist()]
    where = " in the directory of this study" if uses_copies(command(plan)) else ""
    sections = [
        *([Section("Arms", _ARMS_TEXT, arms)] if arms else []),
        Section(
            "Result",
            _findings(plan, tables, names),
            [_cells(plan, row, names) for row in tables.table.to_pylist()],
            [figures["curve"]],
        ),
        Section("One lifetime", _LIFETIME_TEXT, None, lifetimes),
        *_special_sections(plan, tables, figures),
        Section("Method", _METHOD),
        Section("Again", f"This writes the same tables{where} on the same kind of CPU:\n\n{command(plan)}"),
    ]
    write_report(path, "Learning within a lifetime", sections)


def _special_sections(plan: Plan, tables: StudyTables, figures: Mapping[str, Path]) -> list[Section]:
    """Return what there is to say of this world alone."""
    if (special := SPECIAL.get(plan.env.name)) is None or tables.special is None:
        return []
    bounds = ("_low", "_high")
    rows = [
        {name: value for name, value in row.items() if not name.endswith(bounds) and name != "morphology"}
        for row in tables.special.to_pylist()
    ]
    return [Section(special.heading, special.text, rows, [figures[special.name]])]


def command(plan: Plan) -> str:
    """Return the command line that gives the same study."""
    options = [f"--episodes={plan.episodes}", f"--seed={plan.seed}", f"--steps={plan.env.steps}"]
    options += [f"--freeze={trial}" for trial in plan.freezes]
    options += [f"--morphology={body}" for body in plan.morphologies if plan.tasks]
    names = named_sources(plan.genomes, plan.arms, [genome.name for genome in plan.genomes])
    return shlex.join(["hebbevo", "learning", *names, *options, "--out=DIR"])


def _findings(plan: Plan, tables: StudyTables, names: Mapping[str, str]) -> str:
    lines = [
        f"{plan.episodes} lifetimes of {plan.env.steps} steps in {plan.env.name}, seeds from {plan.seed}."
    ]
    for row in tables.table.to_pylist():
        if row["condition"] == GENOME and row["share"] is not None:
            task = f" ({row['morphology']})" if plan.tasks else ""
            share = (
                f"{shown(hundredths(row['share']))} ({shown_interval(row['share_low'], row['share_high'])})"
            )
            lines.append(f"{names[row['genome']]}{task}: {share} of the way from chance to the oracle.")
    return "\n\n".join(lines)


def _arm_cells(plan: Plan, row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "arm": row["arm"],
        **({"task": row["morphology"]} if plan.tasks else {}),
        "condition": row["condition"].replace("_", " "),
        "runs": row["runs"],
        **({"diverged": row["diverged"]} if row["diverged"] else {}),
        "reward, IQM": hundredths(row["iqm"]),
        "reward, 95 %": shown_interval(row["iqm_low"], row["iqm_high"]),
        "share": hundredths(row["share"]),
        "share, 95 %": shown_interval(row["share_low"], row["share_high"]),
        "best": hundredths(row["best"]),
        "best, 95 %": shown_interval(row["best_low"], row["best_high"]),
    }


def _cells(plan: Plan, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, object]:
    return {
        "genome": names.get(row["genome"]) if row["genome"] else None,
        **({"task": row["morphology"]} if plan.tasks else {}),
        "condition": row["condition"].replace("_", " "),
        "n": row["lifetimes"],
        **({"diverged": row["diverged"]} if row["diverged"] else {}),
        "reward": hundredths(row["reward"]),
        "reward, 95 %": shown_interval(row["reward_low"], row["reward_high"]),
        "share": hundredths(row["share"]),
        "share, 95 %": shown_interval(row["share_low"], row["share_high"]),
        "gain": hundredths(row["gain"]),
        "gain, 95 %": shown_interval(row["gain_low"], row["gain_high"]),
        "best": hundredths(row["best"]),
        "best, 95 %": shown_interval(row["best_low"], row["best_high"]),
    }
