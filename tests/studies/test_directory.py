"""The directory of a study: there from the start, taken up again where it is the same study, refused where not."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tasks import cart_pole_task

from hebbevo import Genome, InputError
from hebbevo.cli.app import run
from hebbevo.studies.directory import STUDY_FILE, open_study, read_study
from hebbevo.studies.running import redraw

TASK = cart_pole_task()
GENOMES = [
    Genome(TASK, TASK.first_genome(np.random.default_rng(seed)), {"generation": seed}, name)
    for seed, name in enumerate(("runs/a", "zoo:b"))
]
SETTINGS = {"bodies": ("x", "y"), "episodes": 3}


def files(folder: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_what_was_asked_for_comes_back() -> None:
    with open_study("deep/study", "generalize", SETTINGS, GENOMES) as study:
        study.save(7, "b/x/genome", {"fitness": np.array([1 / 3])})
        assert os.listdir("deep") == ["study"]
    found = read_study(Path("deep/study"))
    assert (found.kind, found.settings) == ("generalize", {"bodies": ["x", "y"], "episodes": 3})
    for one, other in zip(found.genomes, GENOMES, strict=True):
        assert (one.name, one.task, one.provenance) == (other.name, other.task, other.provenance)
        assert np.array_equal(one.values, other.values)
    kept = found.load(7, "b/x/genome")
    assert kept is not None
    assert kept["fitness"].tolist() == [1 / 3]
    assert found.load(7, "another") is None
    assert found.load(8, "b/x/genome") is None


def test_the_same_study_is_taken_up_and_another_refused() -> None:
    with open_study("study", "perturb", SETTINGS, GENOMES) as study:
        study.save(0, "case", {"x": np.zeros(1)})
    before = files("study")
    with open_study("study", "perturb", {**SETTINGS, "bodies": ["x", "y"]}, GENOMES) as study:
        assert study.load(0, "case") is not None
    other = replace(GENOMES[0], values=GENOMES[0].values + 1)
    cases: list[tuple[str, dict[str, Any], list[Genome], str]] = [
        ("generalize", SETTINGS, GENOMES, "study: perturb -> generalize"),
        ("perturb", {**SETTINGS, "episodes": 4}, GENOMES, "episodes: 3 -> 4"),
        ("perturb", SETTINGS, GENOMES[:1], "genomes: runs/a, zoo:b -> runs/a"),
        ("perturb", SETTINGS, [other, GENOMES[1]], "genome runs/a has changed"),
    ]
    for kind, settings, genomes, message in cases:
        with (
            pytest.raises(InputError, match=re.escape(message)),
            open_study("study", kind, settings, genomes),
        ):
            pytest.fail("nothing is to be computed")
    assert files("study") == before


def test_what_a_killed_process_left_half_written_is_removed_and_what_others_write_stays() -> None:
    with open_study("study", "perturb", SETTINGS, GENOMES) as study:
        study.save(0, "case", {"x": np.zeros(1)})
    before = files("study")
    for name in (".table.csv.77.tmp", "cases/.0001.safetensors.77.tmp"):
        Path("study", name).write_bytes(b"half")
    others = Path("study/.evaluation.json.77.tmp")
    others.write_bytes(b"of another command")
    with open_study("study", "perturb", SETTINGS, GENOMES):
        pass
    others.unlink()
    assert files("study") == before


def test_what_is_no_study_is_refused_and_kept() -> None:
    Path("file").write_text("mine")
    Path("empty").mkdir()
    Path("link").symlink_to("nowhere")
    for name in ("file", "empty", "link", "."):
        with (
            pytest.raises(InputError, match="exists and is no study"),
            open_study(name, "perturb", {}, GENOMES),
        ):
            pytest.fail("nothing is to be computed")
    with pytest.raises(InputError, match="cannot make"), open_study("file/study", "perturb", {}, GENOMES):
        pytest.fail("nothing is to be computed")
    assert Path("file").read_text() == "mine"
    assert sorted(os.listdir()) == ["empty", "file", "link"]


def test_one_process_at_a_time() -> None:
    with (
        open_study("study", "perturb", {}, GENOMES),
        pytest.raises(InputError, match="in use"),
        open_study("study", "perturb", {}, GENOMES),
    ):
        pytest.fail("two at once")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        (json.dumps({"study": "perturb", "settings": {}}), "is damaged"),
        (json.dumps({"study": "perturb", "settings": {}, "genomes": ["a"]}), "does not exist"),
        (json.dumps({"study": "future", "settings": {}, "genomes": []}), "not known here"),
        (None, "cannot read"),
    ],
)
def test_a_damaged_one_is_one_line(
    text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("s").mkdir()
    if text is not None:
        Path("s", STUDY_FILE).write_text(text)
    with pytest.raises(InputError, match=message):
        redraw("s")
    assert run(["report", "s"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
