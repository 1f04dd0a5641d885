"""`hebbevo bench`: the record's keys and types, refusals, and peers that compute the same. No times."""

import importlib.util
import itertools
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from hebbevo import benchmarks
from hebbevo.benchmarks import network, peers, quadruped, replays, startup, tables, workers
from hebbevo.benchmarks.car_racing_loop import PlainPolicy
from hebbevo.benchmarks.gymnasium_loop import PlainNetwork, make_ant, rollout
from hebbevo.benchmarks.plain_parts import plain_parts
from hebbevo.benchmarks.timing import Effort, alternate
from hebbevo.cli.app import run
from hebbevo.errors import InputError
from hebbevo.rules import RULES

TINY = Effort(repeats=2, steps=4, batch_sizes=(1, 3))
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(scope="module")
def recording() -> replays.Recording:
    return replays.Recording(peers.ant_task(30), 2)


def numbers_of(value):
    """Yield every number in a nested record."""
    if isinstance(value, dict):
        yield from itertools.chain.from_iterable(map(numbers_of, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(numbers_of, value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def test_the_quadrupeds_record_has_every_part_for_every_batch_size():
    record = quadruped.measure(TINY)
    assert [block["block"] for block in record["blocks"]] == [1, 3]
    assert {**record, "blocks": []} in [
        {**block, "rule": "ABCD_lr", "sharing": "synapse", "steps": 4, "blocks": []}
        for block in record["blocks"]
    ]
    for block in record["blocks"]:
        assert set(block) == {"block", "clock", "agent_steps_per_s", *replays.PARTS}
        assert isinstance(block["agent_steps_per_s"], int)
        for part in (block, block["clock"]):
            assert all(isinstance(part[name], float) for name in replays.PARTS)
            assert min(part["us_per_step"], part["physics_us"], part["network_us"]) > 0
            total = sum(part[name] for name in ("physics_us", "network_us", "observation_us", "rest_us"))
            assert part["fraction_of_floor"] > 0
            assert np.isfinite(total)


def test_parts_add_up_to_the_lifetime():
    found = replays.parts(np.array([[10.0, 6.0, 7.0, 2.0]] * 3))
    assert found["observation_us"] == 1.0
    assert found["rest_us"] == 1.0
    assert found["fraction_of_floor"] == 0.6


def test_replays_alternate_after_one_run_that_is_not_counted():
    calls = []
    times = alternate([lambda: calls.append("a"), lambda: calls.append("b")], 2)
    assert "".join(calls) == "ab" * 3
    assert times.shape == (2, 2, 2)
    assert (times >= 0).all()


def test_rules_and_sharings_are_measured(monkeypatch):
    few = {name: RULES[name] for name in ("none", "ABCD_lr")}
    monkeypatch.setattr(network, "RULES", few)
    monkeypatch.setattr(network, "SHARINGS", ("synapse", "network"))
    record = network.measure(TINY)
    assert tuple(record["rules"]) == tuple(few)
    assert tuple(record["sharing"]) == ("synapse", "network")
    assert record["sharing"]["synapse"]["evolved"] == 5 * 12_288
    assert record["sharing"]["network"]["evolved"] == 5
    assert tuple(record["bodies"]) == ("1", "2")
    for entry in (*record["rules"].values(), *record["sharing"].values(), *record["bodies"].values()):
        assert entry["us_per_step"] == min(entry["blocks"].values()) > 0
        assert set(entry["blocks"]) == {"1", "3"}
    assert set(network.ratios(record)) == {"sharing_network"}


def test_the_plain_loop_in_float64_reaches_our_weights(recording):
    exact = peers.plain_weights(recording, 10, np.float64)
    assert exact[0].dtype == np.float64
    for ours, layer in zip(peers.our_weights(recording, 10), exact, strict=True):
        assert np.abs(ours - layer).max() <= 3e-5 * np.abs(layer).max()


def test_the_plain_network_is_the_equation():
    generator = np.random.default_rng(0)
    a, b, c, d, eta = table = generator.normal(size=(5, 2, 3))
    weights, x = generator.normal(size=(2, 3)), generator.normal(size=3)
    network_of_one = PlainNetwork((3, 2), [np.moveaxis(table, 0, -1)], [weights.copy()])
    y = network_of_one.forward(x)
    network_of_one.learn()
    np.testing.assert_allclose(y, np.tanh(weights @ x), rtol=1e-12)
    for i, j in np.ndindex(2, 3):
        change = eta[i, j] * (a[i, j] * x[j] * y[i] + b[i, j] * x[j] + c[i, j] * y[i] + d[i, j])
        assert network_of_one.weights[0][i, j] == pytest.approx(weights[i, j] + change, rel=1e-12)


def test_gymnasiums_simulation_reaches_our_positions(recording):
    assert peers._position_difference(recording) <= 1e-9


def test_the_plain_loop_runs_to_the_end_of_the_episode(recording):
    sizes, tables_of_five, weights = plain_parts(recording, 0, peers.ANT_INPUTS)
    before = [matrix.copy() for matrix in weights]
    with torch.no_grad():
        reward = rollout(make_ant(3), PlainNetwork(sizes, tables_of_five, weights), seed=1)
    assert np.isfinite(reward)
    assert sizes == [27, 128, 64, 8]
    assert all((matrix == copy).all() for matrix, copy in zip(before, weights, strict=True)) is False


@pytest.mark.skipif(importlib.util.find_spec("evotorch") is None, reason="needs EvoTorch")
def test_the_peers_are_checked_and_compared():
    record = peers.measure(Effort(repeats=1, steps=12))
    assert record["checks"]["same"] is True
    assert set(record["checks"]) >= {f"weights_{name}" for name in ("hebbevo", peers.LOOP, peers.EVOTORCH)}
    assert set(peers.ratios(record)) == {"gymnasium_loop", "evotorch_vecgymne"}
    assert all(isinstance(ratio, float) and ratio > 0 for ratio in peers.ratios(record).values())


def test_without_evotorch_the_loop_alone_is_compared(monkeypatch):
    monkeypatch.setattr(peers, "has_evotorch", lambda: False)
    record = peers.measure(Effort(repeats=1, steps=5))
    assert set(peers.ratios(record)) == {"gymnasium_loop"}


def test_numbers_of_workers_to_compare():
    assert list(workers.executions(1)) == ["threads_1", "ray_1"]
    assert list(workers.executions(2)) == ["threads_1", "threads_2", "ray_1", "ray_2"]
    assert list(workers.executions(16))[:3] == ["threads_1", "threads_2", "threads_16"]


def test_threads_are_measured_over_generations(monkeypatch):
    monkeypatch.setattr(workers, "executions", lambda available: {"threads_1": workers.Execution(threads=1)})
    monkeypatch.setattr(workers, "POPULATION", 4)
    record = workers.measure(Effort(repeats=1, steps=3))
    assert set(record) == {"threads_1"}
    assert set(record["threads_1"]) == {"agent_steps_per_s", "agent_steps_per_cpu_s", "utilisation"}
    assert all(value > 0 for value in record["threads_1"].values())


@pytest.mark.slow
def test_a_start_is_measured_until_the_first_row(tmp_path):
    """The row is seen before it is on the disk; a run that is ended in between takes it back."""
    assert startup.first_generation(tmp_path, "run", workers=0) > 0
    assert (tmp_path / "run" / "progress.csv").is_file()
    assert any((tmp_path / "cache").rglob("*.py"))


def test_a_failed_start_raises_with_its_reason(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(RuntimeError, match="exists"):
        startup.first_generation(tmp_path, "run", workers=0)


def test_car_racing_has_the_promised_keys():
    pytest.importorskip("Box2D")
    from hebbevo.benchmarks import car_racing

    record = car_racing.measure(Effort(repeats=1, steps=12))
    assert record.pop("checks")["same"] is True
    assert {"steps_per_s", "ratio_to_original_style"} <= set(record)
    assert all(isinstance(value, float) for value in record.values())
    assert set(car_racing.ratios(record)) == {"car_racing_original_style", "car_racing_environment"}


def test_frames_are_resized_by_area():
    policy = PlainPolicy([], None)
    image = np.random.default_rng(0).random((96, 96), dtype=np.float32)
    fine = image.repeat(7, axis=0).repeat(7, axis=1)  # 672 a side: both sizes divide it
    expected = fine.reshape(84, 8, 84, 8).mean(axis=(1, 3))
    resized = policy._resize.numpy() @ image @ policy._resize.numpy().T
    np.testing.assert_allclose(resized, expected, atol=1e-6)


@pytest.fixture
def stubbed(monkeypatch):
    """Parts that measure nothing, and the efforts that they were asked for."""
    efforts = []
    monkeypatch.setattr(quadruped, "measure", lambda effort: efforts.append(effort) or {"blocks": []})
    return efforts


def test_json_on_standard_output_stands_alone(capsys):
    assert run(["bench", "--only", "machine", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert set(record) == {"machine"}
    assert set(record["machine"]) >= {"processor", "cores", "load", "python", "mujoco"}
    assert err == ""


def test_a_part_is_printed_and_written(tmp_path, capsys):
    path = tmp_path / "bench.json"
    assert run(["bench", "--only", "quadruped", "--json", str(path), "--steps", "3", "--repeats", "1"]) == 0
    assert "of floor" in capsys.readouterr().out
    record = json.loads(path.read_text())
    assert set(record) == {"machine", "quadruped"}
    assert all(np.isfinite(number) for number in numbers_of(record["quadruped"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "quadrped"], "did you mean quadruped?"),
        (["--only", "zzz"], "known: machine, quadruped"),
        (["--only", "quadruped", "--json", "no/such/directory/x.json"], "directory that exists"),
        (["--only", "quadruped", "--json", "."], "cannot write ."),
        (["--repeats", "0"], "--repeats"),
        (["--steps", "0"], "--steps"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_measured(arguments, message, stubbed, capsys):
    assert run(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert stubbed == []


def test_every_key_is_a_part():
    assert benchmarks.parts_of(()) == tuple(benchmarks.PARTS)
    for key in benchmarks.KEYS:
        assert set(benchmarks.parts_of([key])) <= set(benchmarks.PARTS)
    assert benchmarks.parts_of(["ratios"]) == ("peers",)
    assert benchmarks.parts_of(["network", "quadruped"]) == ("quadruped", "network")
    with pytest.raises(InputError):
        benchmarks.parts_of(["quadruped", "gpu"])


def test_a_part_that_lacks_a_module_is_left_out_unless_asked_for(monkeypatch):
    monkeypatch.setattr(benchmarks, "_NEEDS", {"car_racing": ("no_such_module", "install it")})
    assert "car_racing" not in benchmarks.parts_of(())
    with pytest.raises(InputError, match="install it"):
        benchmarks.parts_of(["car_racing"])


def test_the_page_is_refreshed_between_its_markers(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    refreshed = runpy.run_path(str(SCRIPTS / "figure_performance.py"))["refreshed"]
    page = "before\n<!-- table startup -->\nold\n<!-- end -->\n<!-- table network -->\nkept\n<!-- end -->\nafter\n"
    text = refreshed(page, {"startup": {"warm_s": 1.5}})
    assert "old" not in text
    assert "| warm_s | 1.50 |" in text
    assert text.startswith("before\n<!-- table startup -->\n")
    assert text.endswith("<!-- table network -->\nkept\n<!-- end -->\nafter\n")
    assert refreshed(text, {"startup": {"warm_s": 1.5}}) == text


def test_every_committed_table_belongs_to_a_key():
    docs = SCRIPTS.parent / "docs"
    record = json.loads((docs / "performance.json").read_text())
    assert set(record) == set(benchmarks.KEYS)
    for key in benchmarks.KEYS:
        assert tables.sheets(key, record[key])
