"""The tables of docs/unseen-leg.md are those that the experiment and its studies wrote, and cover what was planned."""

import csv
from pathlib import Path

import pytest
from pages import table_rows

from hebbevo.experiments.plan import read_plan
from hebbevo.tasks.task import Task

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "unseen-leg.md").read_text("utf-8")
RESULTS = ROOT / "results" / "unseen-leg"
ARMS = ("abcd", "decay", "regrow", "static")

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (RESULTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(header: str) -> dict[str, list[str]]:
    """The rows of the page's table that begins with this header, by their first cell."""
    return {first.strip("`"): others for first, *others in table_rows(PAGE, header)}


def estimate(row: Row, name: str, decimals: int = 1) -> str:
    if not row[name]:
        return ""
    value, low, high = (
        f"{float(row[name + end]):.{decimals}f}" if row[name + end] else None for end in ("", "_low", "_high")
    )
    return f"{value} ({low} to {high})" if low else str(value)


def test_progress_on_seen_and_unseen_legs() -> None:
    table = {(row["arm"], row["morphology"]): row for row in rows("table.csv")}
    differences = {(row["arm"], row["morphology"]): row for row in rows("differences.csv")}
    for arm, cells in written("| arm | intact |").items():
        of_unseen = table[arm, "unseen"]
        more = "" if arm == "static" else estimate(differences[arm, "unseen"], "difference")
        assert cells == [
            *(estimate(table[arm, body], "iqm") for body in ("intact", "seen", "unseen")),
            estimate(of_unseen, "improvement", 2),
            more,
        ]
        assert of_unseen["runs"] == "8"
    assert tuple(written("| arm | intact |")) == ARMS


def test_other_bodies() -> None:
    groups = {(row["arm"], row["group"]): row for row in rows("generalize.csv") if not row["morphology"]}
    for arm, cells in written("| arm | 2 seen |").items():
        assert cells == [
            *(estimate(groups[arm, group], "iqm") for group in ("seen", "unseen", "test")),
            *(estimate(groups[arm, group], "retention", 2) for group in ("unseen", "test")),
            estimate(groups[arm, "test"], "improvement", 2),
        ]


def test_what_a_life_bears() -> None:
    table = {(row["arm"], row["protocol"]): row for row in rows("perturb.csv")}
    events = written("| event |")
    assert {protocol for _, protocol in table} == {*events, "unperturbed"}
    for protocol, cells in events.items():
        for arm, cell in zip(ARMS, cells, strict=True):
            row = table[arm, protocol]
            steps = f"{float(row['recovery_steps']):.0f}" if row["recovery_steps"] else "never"
            loss = estimate(row, "loss").replace("-0.0 ", "0.0 ")
            assert cell == f"{loss}; {steps}; {row['recovered']} of {row['runs']}"


@pytest.mark.parametrize("name", ["unseen-leg", "unseen-leg-drawn"])
def test_every_run_sees_one_or_three_of_the_legs(name: str) -> None:
    plan = read_plan(ROOT / "results" / f"{name}.yaml")
    assert tuple(plan.arms) == ARMS
    assert plan.seeds == tuple(range(8))
    legs = set(plan.evaluation.morphologies) - {"intact"}
    seen = [set(plan.config("abcd", seed).env.single_bodies) & legs for seed in range(4)]
    assert {len(legs) for legs in seen} == {1 if name == "unseen-leg" else 3}
    assert len(set(map(frozenset, seen))) == 4
    blind = Task.of(plan.arms["regrow"]).plasticity.parsed_rule
    assert not {"pre", "post"} & set(blind.signals)


def test_the_progress_of_all_runs_is_kept() -> None:
    budget = read_plan(ROOT / "results" / "unseen-leg.yaml").arms["abcd"].training.agent_steps
    assert budget is not None
    for row in rows("runs.csv"):
        progress = rows(f"{row['arm']}/seed-{row['seed']}/progress.csv")
        assert sum(int(one["agent_steps"]) for one in progress) == int(row["agent_steps"]) >= budget
