"""`hebbevo generalize` at the command line: what it writes and prints, and a line for every bad input."""

from pathlib import Path

import numpy as np
import pytest
from tasks import cart_pole_task, quadruped_task

from hebbevo import Genome, save_genome
from hebbevo.cli.app import run
from hebbevo.tasks.task import Task

ONE_BODY = ("--morphology", "intact", "--episodes", "2", "--threads", "1")


def save(task: Task, name: str) -> None:
    save_genome(Genome(task, task.first_genome(np.random.default_rng(0))), name)


@pytest.fixture(autouse=True)
def _genomes() -> None:
    save(quadruped_task(), "plastic.safetensors")
    save(quadruped_task("plasticity.rule=none", "plasticity.initial_weights=evolved"), "static.safetensors")
    save(cart_pole_task(), "pole.safetensors")


def test_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(("generalize", "plastic.safetensors", "static.safetensors", *ONE_BODY, "--out", "g"))
    captured = capsys.readouterr()
    assert (code, captured.err) == (0, "")
    assert captured.out.rstrip().endswith("done: g/report.html")
    for word in ("plastic.safetensors", "1 seen", "off", "shuffled", "random", "P(better)"):
        assert word in captured.out
    assert "lifetimes" not in captured.out  # the progress bar is for terminals
    assert Path("g/lifetimes.parquet").is_file()


def test_lives_of_another_length_and_the_command_to_have_them_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    genomes = ("plastic.safetensors", "--baseline", "static.safetensors")
    assert run(("generalize", *genomes, *ONE_BODY, "--steps", "9", "--out", "g")) == 0
    lines = Path("g/lifetimes.csv").read_text().splitlines()
    column = lines[0].replace('"', "").split(",").index("steps")
    assert {line.split(",")[column] for line in lines[1:]} == {"9"}
    assert "--steps=9" in Path("g/report.html").read_text()
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("plastic.safetensors", "pole.safetensors", "--out", "g"), "another task"),
        (("plastic.safetensors", "--morphology", "intct", "--out", "g"), "did you mean intact?"),
        (
            ("plastic.safetensors", "--out", "plastic.safetensors"),
            "exists and is no study; choose another `out`",
        ),
        (("nothing", "--out", "g"), "nothing"),
        (("zoo:nothing", "--out", "g"), "shipped genome 'zoo:nothing'"),
        (("plastic.safetensors", "--baseline", "nowhere", "--out", "g"), "nowhere"),
        (("plastic.safetensors", "--steps", "0", "--out", "g"), "env.steps"),
        (
            ("plastic.safetensors", "--episodes", "0", "--out", "g"),
            "episodes must be from 1 to 1000000, got 0",
        ),
        (("plastic.safetensors",), "--out"),
        (("--out", "g"), "GENOME"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path().iterdir()}
    assert run(("generalize", *arguments)) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert expected in line
    assert {path: path.stat().st_mtime_ns for path in Path().iterdir()} == before


def test_interrupted_it_leaves_its_finished_cases(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hebbevo.studies.generalization.study.lifetimes_table", interrupt)
    assert run(("generalize", "plastic.safetensors", *ONE_BODY, "--out", "g")) == 130
    expected = "hebbevo: interrupted; finished cases are safe, the same command goes on from there\n"
    assert capsys.readouterr().err == expected
    assert {path.name for path in Path("g").iterdir()} == {"study.json", "genomes", "cases"}
