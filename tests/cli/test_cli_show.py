"""`hebbevo list runs` and `hebbevo show`: what is there, how far, from where."""

from pathlib import Path

import pytest

from hebbevo import load_config, load_genome, save_genome
from hebbevo.cli.app import run
from hebbevo.experiments.directory import open_experiment, run_path
from hebbevo.experiments.plan import read_plan
from hebbevo.training.run_directory import RunDirectory
from hebbevo.training.run_summary import find_runs


def write_run(path: Path, *overrides: str, rows: int = 0, start: str | None = None) -> None:
    config = load_config("quick-association", ["training.generations=3", *overrides])

    def fill(directory: RunDirectory) -> None:
        if start is not None:
            save_genome(load_genome(start), directory.start_path)

    with RunDirectory.create(path, config.to_yaml(), fill) as directory:
        for number in range(1, rows + 1):
            center = None if number == 1 else 2.5
            columns = {"center_mean": center, "center.default": center}
            directory.append_row({"generation": number, "agent_steps": 100, **columns})


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_run(tmp_path / "runs" / "begun", rows=2)
    write_run(tmp_path / "runs" / "deep" / "done", "run.seed=4", rows=3, start="zoo:quadruped-static")
    write_run(tmp_path / "runs" / "budget", "training.agent_steps=1000", rows=1)
    (tmp_path / "runs" / "damaged" / "checkpoints").mkdir(parents=True)
    (tmp_path / "runs" / "damaged" / "config.yaml").write_text("- a")
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path / "runs"


def test_runs_are_listed_one_a_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "runs", "runs"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "runs/begun",
        "runs/budget",
        "runs/damaged",
        "runs/deep/done",
    ]
    assert list(find_runs(runs / "begun")) == [runs / "begun"]
    assert run(["list", "runs"]) == 0
    assert capsys.readouterr().out.count("\n") == 4


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("runs/begun", ["progress     generation 2 of 3", "center       2.50 reward (generation 2)"]),
        ("runs/budget", ["progress     generation 1, 100 of 1,000 agent-steps"]),
        (
            "runs/deep/done",
            ["progress     finished, generation 3", "seed         4", "from         openai_es, gen"],
        ),
        (
            "zoo:quadruped-abcd_lr",
            ["network  28-128-64-8", "intact 22.36 m", "from     a genome of generation"],
        ),
        (
            "e",
            [
                "2 arms x 1 seeds; baseline static",
                "plastic/seed-0  generation 1 of 3",
                "static/seed-0   not begun",
            ],
        ),
    ],
)
def test_what_is_shown(runs: Path, source: str, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    file = {
        "base": "quick-association",
        "arms": {"plastic": {}, "static": {"plasticity.rule": "none"}},
        "seeds": 1,
    }
    with open_experiment(Path("e"), read_plan(file)):
        write_run(run_path(Path("e"), "plastic", 0), rows=1)
    assert run(["show", source]) == 0
    out = capsys.readouterr().out
    assert all(line in out for line in lines), out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "runs", "none"], "none is no folder"),
        (["list", "rules", "runs"], "leave it out"),
        (["show", "runs/damaged"], "is not a config"),
        (["show", "runs/notes"], "holds no center.safetensors"),
    ],
)
def test_what_is_not_there(
    runs: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err
