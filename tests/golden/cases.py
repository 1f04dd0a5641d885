"""The golden cases: what each one runs, and what it comes to as text that keeps every bit.

`cases.json` lists them; nothing is read from hebbevo's registries. Only public names of hebbevo are used, but for
`random_genome`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pictures  # noqa: F401  (registers its environment with Gymnasium)

import hebbevo
from hebbevo import Config, Evaluation, Execution, Genome

HERE = Path(__file__).resolve().parent
OLD = HERE / "old"
CASES: dict[str, Any] = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))

EXECUTION = Execution(threads=1, batch_size=4)
"""With 3 lifetimes a block holds a pair, which a kernel may step together, and a single one."""
EPISODES, SEED = 3, 11
SPREAD = 0.3
"""Standard deviation of drawn genomes: wide enough for `clip` to bite within 30 steps, and nothing diverges."""

_NEW_COLUMNS = ("center_diverged",)
"""Of progress.csv; they are younger than the recorded results, which go on pinning all others."""
_VERSIONS = re.compile(rb'\\"hebbevo\\":\\"[^"]*\\",?|\\"libraries\\":\{[^}]*\},?')
"""Those of hebbevo and of the libraries, as they stand in a header: JSON within JSON."""

Value = dict[str, Any]


def random_genome(config: Config, seed: int) -> Genome:
    """Return a genome of normally distributed numbers for a config: the one place that needs a private name."""
    from hebbevo.tasks.task import Task

    task = Task.of(config)
    generator = np.random.Generator(np.random.Philox(seed))
    return Genome(task, generator.standard_normal(task.layout.size, np.float32) * np.float32(SPREAD))


SHIPPED = ("zoo", "learning", "later")
"""Groups of shipped genomes, from the oldest on."""


def lacking(values: Mapping[str, Any]) -> set[str]:
    """Return the groups of cases that a kind of machine has nothing of: younger than what was recorded on it."""
    return {name.partition("/")[0] for name in names()} - {name.partition("/")[0] for name in values}


def names() -> list[str]:
    """Return the name of every case, as `grid/ABCD_lr/synapse/max`."""
    groups = (*SHIPPED, "special", "evolution", "old", "catalogue")
    singles = [f"{group}/{name}" for group in groups for name in CASES[group]]
    return singles + grid_names()


def grid_names() -> list[str]:
    """Return the case of every rule, sharing and normaliser."""
    grid = CASES["grid"]
    return [
        f"grid/{rule}/{sharing}/{normaliser}"
        for rule in grid["rules"]
        for sharing in grid["sharings"]
        for normaliser in grid["normalisers"]
    ]


def spread_names() -> list[str]:
    """Return a case of every rule, among them every sharing and every normaliser: few enough for each run of tests."""
    grid = CASES["grid"]
    sharings, normalisers = grid["sharings"], grid["normalisers"]
    return [
        f"grid/{rule}/{sharings[n % len(sharings)]}/{normalisers[n % len(normalisers)]}"
        for n, rule in enumerate(grid["rules"])
    ]


def paired_names() -> list[str]:
    """Return the case of every rule and sharing, each with one normaliser: every pair of the three is among them."""
    grid = CASES["grid"]
    normalisers = grid["normalisers"]
    return [
        f"grid/{rule}/{sharing}/{normalisers[(i + j) % len(normalisers)]}"
        for i, rule in enumerate(grid["rules"])
        for j, sharing in enumerate(grid["sharings"])
    ]


def value_of(name: str) -> Value:
    """Run a case and return what it comes to."""
    group, _, rest = name.partition("/")
    if group == "grid":
        return _grid(*rest.split("/"))
    case = CASES[group][rest]
    if group in SHIPPED:
        return _lifetimes(hebbevo.load_genome(f"zoo:{rest}").lasting(case["steps"]), case["episodes"])
    if group == "special":
        config = _config(case)
        return _lifetimes(random_genome(config, seed=2), EPISODES, controls=case.get("controls", False))
    if group == "catalogue":
        config = _config(case, [*CASES["one_layer"], f"plasticity.rule={rest}"])
        return _lifetimes(random_genome(config, seed=3), EPISODES)
    if group == "evolution":
        return _evolution(_config(case, CASES["evolving"]))
    return _old_run() if rest == "run" else _lifetimes(_old_genome(rest, case["steps"]), case["episodes"])


def study_files(name: str) -> dict[str, str]:
    """Run a study at the command line, and return its tables by file name."""
    with tempfile.TemporaryDirectory() as folder:
        for genome in OLD.glob("*.safetensors"):
            shutil.copy(genome, folder)
        arguments = [name, *CASES["studies"][name], "--threads", "1", "--block", "4", "--out", "study"]
        command = [sys.executable, "-m", "hebbevo", *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        files = [Path(folder, "study", f"{table}.csv") for table in ("lifetimes", "table")]
        return {file.name: file.read_bytes().decode() for file in files}


def file_digests(path: Path) -> Value:
    """Return hashes of a file: one, or one of the header and one of the numbers where it is safetensors.

    The header is hashed without the versions of hebbevo and of libraries, so that a release changes nothing here.
    """
    data = path.read_bytes()
    if path.suffix != ".safetensors":
        return {path.name: _digest(_old_columns(data))}
    length = 8 + int.from_bytes(data[:8], "little")
    header = _VERSIONS.sub(b"", data[8:length]).rstrip()
    return {f"{path.name} header": _digest(header), f"{path.name} numbers": _digest(data[length:])}


def _old_columns(table: bytes) -> bytes:
    """Return progress.csv without its new columns."""
    rows = [line.split(b",") for line in table.splitlines()]
    kept = [place for place, name in enumerate(rows[0]) if name.decode() not in _NEW_COLUMNS]
    return b"".join(b",".join(row[place] for place in kept) + b"\n" for row in rows)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _grid(rule: str, sharing: str, normaliser: str) -> Value:
    grid = CASES["grid"]
    overrides = [
        *grid["overrides"],
        *(grid["of_static_rules"] if rule == "none" else ()),
        f"plasticity.rule={rule}",
        f"plasticity.sharing={sharing}",
        f"plasticity.normalise={normaliser}",
    ]
    return _lifetimes(random_genome(_config({"overrides": overrides}), seed=1), EPISODES)


def _config(case: Mapping[str, Any], more: Sequence[str] = ()) -> Config:
    overrides = [*CASES["small"], *more, *case["overrides"]]
    return hebbevo.load_config(case.get("preset", "quick-quadruped"), overrides)


def _lifetimes(genome: Genome, episodes: int, controls: bool = False) -> Value:
    """Return fitness, as hexadecimal digits, and steps of every lifetime, by body and condition."""
    evaluation: Evaluation = hebbevo.evaluate(
        genome, episodes=episodes, seed=SEED, controls=controls, execution=EXECUTION
    )
    return {
        f"{body} {condition}": [
            f"{float(fitness).hex()} {steps}"
            for fitness, steps in zip(lifetimes.fitness, lifetimes.steps, strict=True)
        ]
        for body, conditions in evaluation.lifetimes.items()
        for condition, lifetimes in conditions.items()
    }


def _evolution(config: Config) -> Value:
    with tempfile.TemporaryDirectory() as folder:
        run = hebbevo.evolve(config, Path(folder, "run"), execution=EXECUTION)
        return _run_digests(run.path)


def _old_genome(name: str, steps: int) -> Genome:
    return hebbevo.load_genome(OLD / name).lasting(steps)


def _old_run() -> Value:
    """Resume a copy of the killed run."""
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copytree(OLD / "run", Path(folder, "run"))
        run = hebbevo.resume(path, execution=EXECUTION)
        return {
            "generation": run.generation,
            "resumed_from": run.resumed_from,
            **_run_digests(path),
            **file_digests(max((path / "checkpoints").glob("generation_*.safetensors"))),
        }


def _run_digests(path: Path) -> Value:
    files = [path / name for name in ("progress.csv", "center.safetensors", "best.safetensors")]
    return {key: digest for file in files for key, digest in file_digests(file).items()}
