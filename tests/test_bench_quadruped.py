"""The quadruped's benchmark as a script: rule, sharing and batch sizes. Tests of the command cover the record."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "bench_quadruped.py"


def bench(*options):
    command = [sys.executable, str(SCRIPT), "--repeats", "2", "--steps", "5", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.parametrize(
    ("option", "rule", "sharing"),
    [("--batch-size", "w + eta*pre*post", "post"), ("--block", "none", "synapse")],
)
def test_another_rule_and_sharing_and_a_file(tmp_path, option, rule, sharing):
    path = tmp_path / "bench.json"
    run = bench(option, "2", "--rule", rule, "--sharing", sharing, "--json", str(path))
    assert run.returncode == 0, run.stderr
    assert "of floor" in run.stdout
    record = json.loads(path.read_text())
    assert set(record) == {"machine", "quadruped"}
    assert (record["quadruped"]["rule"], record["quadruped"]["block"]) == (rule, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--block", "0"), "positive"),
        (("--rule", "ABCD_rl"), "ABCD_lr"),
        (("--sharing", "neuron"), "sharing"),
        (("--json", "no/such/directory/x.json"), "directory that exists"),
    ],
)
def test_bad_options_are_one_line(options, message):
    run = bench(*options)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
