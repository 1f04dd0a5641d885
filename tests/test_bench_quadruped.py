"""The quadruped's benchmark as a user runs it: the shape of what it writes, no times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "bench_quadruped.py"
PARTS = ("us_per_step", "physics_us", "network_us", "observation_us", "rest_us", "fraction_of_floor")


def bench(*options):
    command = [sys.executable, str(SCRIPT), "--repeats", "2", "--steps", "5", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_record_has_every_part_for_every_block():
    run = bench("--block", "1", "3", "--json", "-")
    assert run.returncode == 0, run.stderr
    record = json.loads(run.stdout)
    assert set(record) == {"machine", "quadruped"}
    assert record["machine"]["processor"]
    blocks = record["quadruped"].pop("blocks")
    assert [block["block"] for block in blocks] == [1, 3]
    assert record["quadruped"] in blocks
    for block in blocks:
        assert set(block) == {"block", "cpu", *PARTS}
        for result in (block, block["cpu"]):
            assert all(isinstance(result[name], float) for name in PARTS)
            assert result["physics_us"] > 0
            assert result["network_us"] > 0


@pytest.mark.parametrize(("rule", "sharing"), [("w + eta*pre*post", "post"), ("none", "synapse")])
def test_another_rule_and_sharing_and_a_file(tmp_path, rule, sharing):
    path = tmp_path / "bench.json"
    run = bench("--block", "2", "--rule", rule, "--sharing", sharing, "--json", str(path))
    assert run.returncode == 0, run.stderr
    assert "fraction_of_floor" in run.stdout
    assert json.loads(path.read_text())["quadruped"]["block"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--block", "0"), "positive"),
        (("--rule", "ABCD_rl"), "ABCD_lr"),
        (("--sharing", "neuron"), "sharing"),
    ],
)
def test_bad_options_are_one_line(options, message):
    run = bench(*options)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
