"""The two-step task in a study of learning: does a choice follow the reward, or the state that paid?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.stay import FACTORS, INDICES, STAYS, Trials, stay_estimates
from hebbevo.evaluation.two_step_learners import LEARNERS, play
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.studies.drawing import new_figure, set_plain
from hebbevo.studies.genomes import short_names
from hebbevo.studies.learning.columns import Row, columns
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.records import Record
from hebbevo.studies.learning.results import Records

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hebbevo.envs.cognitive.two_step import TwoStepConfig

STAY_TEXT: Final = """
How often the first action stays the same, by whether the trial before was rewarded and its transition common. A
model-free learner stays after reward; a model-based one also asks whether the transition was common, which is the
model-based index. Where the better action is the same for many trials, a purely model-free learner has such an
index too. The regression takes that out: staying by reward, transition, both together, and whether the last choice
was correct, each factor +1/2 or -1/2; its coefficient reward_by_transition is about 0 for the model-free learner.
Both learners (rate 0.3, softmax of 5 times the values) live the same lifetimes. Daw et al. 2011; Wang et al. 2018.
"""
_NUMBERS: Final = (*STAYS, *INDICES, *FACTORS)
_SCHEMA: Final = {
    **dict.fromkeys(("genome", "morphology", "condition"), "string"),
    "lifetimes": "int64",
    **{f"{name}{bound}": "float64" for name in _NUMBERS for bound in ("", "_low", "_high")},
}
_COLORS: Final = ("#c44e52", "#dd8452", "#8172b3", "#937860", "#4c72b0", "#55a868")


def stay_table(plan: Plan, records: Records) -> pa.Table:
    """Return a row per genome and condition, and one for each of the textbook learners, whose genome is null."""
    import pyarrow as pa

    return pa.Table.from_pylist(list(_rows(plan, records)), schema=pa.schema(_SCHEMA))


def _rows(plan: Plan, records: Records) -> Iterator[Row]:
    for (genome, body, condition), record in records.items():
        place = {"genome": genome, "morphology": body, "condition": condition}
        yield {**place, **_numbers(trials_of(record))}
    seeds = [lifetime_seed(plan.seed, SeedPurpose.EVALUATION, episode) for episode in range(plan.episodes)]
    for name, learner in LEARNERS.items():
        trials = play(learner, cast("TwoStepConfig", plan.env), seeds)
        yield {"genome": None, "morphology": plan.morphologies[0], "condition": name, **_numbers(trials)}


def trials_of(record: Record) -> Trials:
    """Return the whole trials of the lifetimes that did not diverge; first actions are the even steps'."""
    steps = {name: values[~record.lifetimes.diverged] for name, values in vars(record.steps).items()}
    count = steps["choice"].shape[1] // 2
    first, second = (slice(start, 2 * count, 2) for start in (0, 1))
    choice = steps["choice"][:, first].astype(np.int64)
    state = steps["question"][:, second] - 1
    return Trials(choice, steps["rewards"][:, second] > 0, state == choice, steps["optimal"][:, first] == 1)


def _numbers(trials: Trials) -> Row:
    if not trials.stays.size:
        return {"lifetimes": len(trials.choices)}
    row: Row = {"lifetimes": len(trials.choices)}
    for name, estimate in stay_estimates(trials).items():
        row |= columns(name, estimate)
    return row


def draw_stay(plan: Plan, table: pa.Table) -> Figure:
    """Draw stay probabilities, and the coefficients of the regression, of genomes and learners."""
    names = short_names(plan.drawn)
    rows = [
        (names.get(row["genome"]) or row["condition"].replace("_", "-"), row)
        for row in table.to_pylist()
        if row["genome"] is None or (row["genome"] in names and row["condition"] == GENOME)
    ]
    figure = new_figure(10, 3.4)
    stays, coefficients = figure.subplots(1, 2)
    _points(stays, rows, STAYS)
    set_plain(stays, ylabel="share that stays", ylim=(0, 1.04))
    _points(coefficients, rows, FACTORS)
    coefficients.axhline(0, color="#888888", lw=0.8)
    set_plain(coefficients, ylabel="coefficient of staying")
    coefficients.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def _points(axes: Axes, rows: list[tuple[str, Row]], columns: tuple[str, ...]) -> None:
    width = 0.7 / len(rows)
    for number, (name, row) in enumerate(rows):
        at = np.arange(len(columns)) + width * (number - (len(rows) - 1) / 2)
        value, low, high = (
            np.array([row[f"{column}{bound}"] for column in columns], float)
            for bound in ("", "_low", "_high")
        )
        color = _COLORS[number % len(_COLORS)]
        axes.bar(at, value, width, color=color, alpha=0.75, label=name)
        axes.vlines(at, low, high, color="#333333", lw=1.2)
    axes.set_xticks(range(len(columns)), [column.replace("_", "\n") for column in columns], fontsize=8)
