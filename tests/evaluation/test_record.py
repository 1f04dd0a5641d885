"""Recordings: the lifetimes of `evaluate`, every number where it belongs, files that hold what was recorded."""

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hebbevo import InputError, evaluate, load_genome, record
from hebbevo.evaluation.recorder import KINDS
from hebbevo.perturbations.hooks import Batch, Hook

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "analysis.md").read_text(encoding="utf-8")
GENOME = load_genome("zoo:quick-association")


def test_recording_only_reads_and_the_actions_follow_from_the_rest() -> None:
    recording = record(GENOME, episodes=5, seed=3)
    expected = evaluate(GENOME, episodes=5, seed=3, controls=False).lifetimes["default"]["genome"]
    np.testing.assert_array_equal(recording.result.fitness, expected.fitness)
    arrays = recording.arrays
    np.testing.assert_allclose(arrays["rewards"].sum(axis=1), expected.fitness)
    np.testing.assert_array_equal(arrays["observations"], arrays["activations.observation"])
    np.testing.assert_array_equal(arrays["actions"], arrays["activations.output"])
    values = GENOME.task.layout.split(GENOME.values)
    a, b, c, d = (values[f"layer1.{name}"] for name in "ABCD")
    w, pre, post = arrays["layer1.w"], arrays["observations"][:, :, None, :], arrays["actions"][..., None]
    change = arrays["rewards"][..., None, None] * (a * pre * post + b * pre + c * post + d)
    np.testing.assert_allclose(w[:, 1:], (w + change)[:, :-1], rtol=1e-4, atol=1e-4)


def test_steps_and_kinds_are_those_asked_for() -> None:
    whole = record(GENOME, episodes=2)
    for options, at in (({"every": 30}, [0, 30, 60]), ({"at": [70, 5, 5]}, [5, 70])):
        some = record(GENOME, episodes=2, kinds=["weights", "rewards"], **options)
        assert sorted(some.arrays) == ["layer1.w", "rewards"]
        assert some.at.tolist() == at
        for name, values in some.arrays.items():
            np.testing.assert_array_equal(values, whole.arrays[name][:, at])


def test_a_hook_acts_before_anything_is_recorded() -> None:
    class Cut(Hook):
        def on_observation(self, batch: Batch) -> None:
            batch.network.weights(1)[batch.active] = 0

    assert not record(GENOME, hooks=[Cut()]).arrays["layer1.w"].any()


def test_both_files_hold_it(tmp_path: Path) -> None:
    recording = record(GENOME, episodes=2, every=40)
    for name in ("a.npz", "b.npz", "a.parquet", "b.parquet"):
        recording.save(tmp_path / name)
    for kind in ("npz", "parquet"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    arrays = np.load(tmp_path / "a.npz")
    for name, values in recording.arrays.items():
        np.testing.assert_array_equal(arrays[name], values)
    assert str(arrays["genome"]) == "zoo:quick-association"
    table = pq.read_table(tmp_path / "a.parquet")
    shapes = json.loads(table.schema.metadata[b"hebbevo"])["shapes"]
    assert table["step"].to_pylist() == [0, 40, 0, 40]
    weights = np.array(table["layer1.w"].to_pylist()).reshape(2, 2, *shapes["layer1.w"])
    np.testing.assert_array_equal(weights, recording.arrays["layer1.w"])


def test_lifetimes_that_end_leave_what_follows_open(tmp_path: Path) -> None:
    class End(Hook):
        def on_step(self, batch: Batch) -> None:
            batch.environment.terminated[1] |= batch.step == 9

    recording = record(GENOME, episodes=3, hooks=[End()])
    assert recording.result.steps.tolist() == [80, 10, 80]
    for values in recording.arrays.values():
        assert np.isfinite(values[[0, 2]]).all()
        assert np.isfinite(values[1, :10]).all()
        assert np.isnan(values[1, 10:]).all()
    recording.save(tmp_path / "r.parquet")
    assert pq.read_table(tmp_path / "r.parquet").num_rows == 170


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["wights"]}, "did you mean weights?"),
        ({"every": 0}, "every must be at least 1"),
        ({"at": [80]}, "at must be steps from 0 to 79, got 80"),
        ({"episodes": 0}, "episodes"),
        ({"episodes": 10_001}, "episodes must be at most 10,000"),
        ({"morphology": "intact"}, "one body only"),
        ({"perturb": "freze:at=3"}, "did you mean freeze?"),
    ],
)
def test_what_cannot_be_recorded_is_refused(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        record(GENOME, **options)
    (tmp_path / "there.npz").touch()
    for name, problem in (
        ("there.npz", "exists"),
        ("r.npy", ".npz or .parquet"),
        ("no/r.npz", "no directory"),
    ):
        with pytest.raises(InputError, match=re.escape(problem)):
            record(GENOME, every=50).save(tmp_path / name)


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(compile(code, "docs/analysis.md", "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == {"association.npz"}
    assert all(f"\n| `{kind}` |" in PAGE for kind in KINDS)


def test_the_notebook_runs_and_prints_what_it_says() -> None:
    names: dict[str, Any] = {}
    for cell in json.loads((DOCS / "analysis.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile("".join(cell["source"]), "docs/analysis.ipynb", "exec"), names)
            said = [text for output in cell["outputs"] for text in output.get("text", [])]
            assert printed.getvalue() == "".join(said)
