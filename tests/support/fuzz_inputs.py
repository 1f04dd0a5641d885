"""What a fuzzer gives hebbevo: command lines and the files that they name, each drawn from a seeded generator.

Much of it is nearly right: real keys, rules, headers and runs with one thing changed. Nothing that is accepted computes
for long: lifetimes have two steps, numbers of episodes and threads are small or out of range.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from fuzz_words import (
    BODIES,
    NAMES,
    NUMBERS,
    PRESETS,
    WORDS,
    expression,
    key,
    mutated,
    override,
    perturbation,
    scalar,
)
from worlds import WALKER

from hebbevo import load_config, rules
from hebbevo.config.catalogue import preset_names
from hebbevo.io.tensors import read_tensors, write_tensors

Words = list[str]
Kind = Callable[[Random, Path], Words]
"""Writes files into a folder and returns a command line that reads them."""


def overrides(random: Random, folder: Path) -> Words:
    """Print a preset under overrides."""
    source = random.choice((*PRESETS, random.choice(preset_names())))
    return ["config", source, *(override(random) for _ in range(random.choice((1, 1, 2, 4))))]


def config_files(random: Random, folder: Path) -> Words:
    """Print a config from a file, which was a good one once."""
    text = load_config(random.choice(PRESETS)).to_yaml()
    if random.random() < 0.5:
        text = f"preset: {random.choice(PRESETS)}\n{key(random).replace('.', ': {')}: {scalar(random)}}}\n"
    else:
        text = mutated(random, text)
    data = text.encode("utf-8", "surrogatepass")
    (folder / "mine.yaml").write_bytes(
        data if random.random() < 0.95 else data + bytes([random.randrange(256)])
    )
    return ["config", "mine.yaml", *(override(random) for _ in range(random.choice((0, 0, 1))))]


def rule_texts(random: Random, folder: Path) -> Words:
    """Print a config with a rule: of the catalogue, a little changed; or of forms that are common, or are none."""
    common = random.choice((1.0, 0.99, 0.9))
    text: Any = rules.get(random.choice(tuple(rules.RULES))).text
    if random.random() < 0.6 or not isinstance(text, str):
        text = expression(random, random.choice((1, 2, 3, 5)), common)
    else:
        text = mutated(random, text)
    if random.random() < 0.3:
        states = {"w": text, random.choice(("trace", "weight", "post", "b")): expression(random, 2, common)}
        text = "{" + ", ".join(f"{name}: {value!r}" for name, value in states.items()) + "}"
    more = [f"plasticity.{random.choice(('sharing', 'blind', 'coefficients'))}={scalar(random)}"]
    return ["config", "quick-quadruped", f"plasticity.rule={text[:5000]}", *more * (random.random() < 0.2)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


def json_value(random: Random) -> Any:
    """Return a value that JSON can hold."""
    few = (
        None,
        True,
        [],
        {},
        [[]],
        "",
        "tanh",
        -1,
        0,
        1,
        2,
        3,
        0.5,
        1e300,
        2**31,
        2**63,
        10**30,
        [1] * 1000,
        "x" * 300,
    )
    return random.choice((*few, scalar(random).encode(errors="replace").decode(), random.randrange(10**9)))


def with_changed_header(random: Random, header: dict[str, Any]) -> dict[str, Any]:
    """Return a header with something else in one place or two, mostly numbers."""
    header = copy.deepcopy(header)
    for _ in range(random.choice((1, 1, 2))):
        *above, last = random.choice(list(places(header)))
        inside: Any = header
        for name in above:
            inside = inside[name] if not isinstance(inside, str | int | float) else {}
        if isinstance(inside, dict) and random.random() < 0.1:
            inside.pop(last, None)
        elif isinstance(inside, dict | list) and (isinstance(inside, dict) or last < len(inside)):
            number = isinstance(inside.get(last) if isinstance(inside, dict) else inside[last], int | float)
            large = random.choice(
                (0, 1, 2, 10, 100, 1000, 10**4, 10**6, 10**7, 10**9, 2**31, 2**40, 0.1, 1e6)
            )
            inside[last] = large if number and random.random() < 0.7 else json_value(random)
    return header


def genome_headers(random: Random, folder: Path) -> Words:
    """Load a genome with another header, or with other bytes."""
    path, source = folder / "mine.safetensors", folder / "genome.safetensors"
    if random.random() < 0.2:
        data = bytearray(source.read_bytes())
        for _ in range(random.choice((1, 1, 5))):
            data[random.randrange(min(4000, len(data)))] = random.randrange(256)
        path.write_bytes(data[: random.choice((len(data), random.randrange(len(data))))])
    else:
        arrays, header = read_tensors(source)
        changed = with_changed_header(random, header)
        if len(json.dumps(changed)) < 400_000:
            write_tensors(path, arrays, changed)
    return ["load", "mine.safetensors"]


def robots(random: Random, folder: Path) -> Words:
    """Print a config of a robot and bodies of a user's files, which were good ones once."""
    text = WALKER if random.random() < 0.2 else mutated(random, WALKER)
    (folder / "robot.xml").write_bytes(text.encode("utf-8", "surrogatepass"))
    bodies = BODIES if random.random() < 0.5 else mutated(random, BODIES)
    (folder / "bodies.yaml").write_bytes(bodies.encode("utf-8", "surrogatepass"))
    expression_of = random.choice(("progress", "height - 0.1*control", expression(random, 2, 0.9)))
    more = [
        f"env.{random.choice(('reward', 'end', 'torso', 'feet', 'observe', 'gear', 'substeps'))}={scalar(random)}"
    ]
    return [
        "config",
        "quick-quadruped",
        "env.name=mjcf",
        "env.file=robot.xml",
        f"env.reward={expression_of[:2000]}",
        *["env.bodies=bodies.yaml"] * (random.random() < 0.6),
        *more * (random.random() < 0.4),
    ]


def run_directories(random: Random, folder: Path) -> Words:
    """Read, or go on with, a run that somebody has been at."""
    run = folder / "mine"
    shutil.copytree(folder / "run", run)
    touched = set[Path]()
    for _ in range(random.choice((1, 1, 2))):
        path = random.choice(sorted(path for path in run.rglob("*") if "tensorboard" not in str(path)))
        if path in touched:
            continue
        touched.add(path)
        way = random.randrange(5)
        if path.is_dir():
            shutil.rmtree(path) if way else None
        elif way == 0:
            path.unlink()
        elif way == 1 or path.suffix == ".png":
            data = path.read_bytes()
            path.write_bytes(
                data[: random.randrange(len(data) + 1)] + bytes(random.randrange(256) for _ in range(way))
            )
        elif path.suffix == ".safetensors":
            arrays, header = read_tensors(path)
            write_tensors(path, arrays, with_changed_header(random, header))
        elif way == 2:
            path.unlink()
            path.mkdir()
        else:
            text = mutated(random, path.read_text(encoding="utf-8", errors="replace"))
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
    refused = ("--workers", "99999"), ("--device", "tpu"), ("--generations", "1")
    command = random.choice(
        (["plot"], ["resume", *random.choice(refused)], ["resume", "--threads", "1"], ["load"])
    )
    return [command[0], "mine", *command[1:]]


def names(random: Random, folder: Path) -> Words:
    """Give files, folders, bodies and perturbations names; studies of one lifetime."""
    name, other = random.choice(NAMES), random.choice(NAMES)
    few = ["--episodes", "1", "--threads", "1"]
    return random.choice(
        (
            [
                "perturb",
                "genome.safetensors",
                "--out",
                name,
                "--perturb",
                perturbation(random),
                "--morphology",
                "nobody",
            ],
            [
                "generalize",
                "genome.safetensors",
                name,
                "--out",
                other,
                "--morphology",
                random.choice(NAMES),
                *few,
            ],
            ["evaluate", "genome.safetensors", "--json", name, "--morphology", other, *few],
            [
                "learning",
                "zoo:quick-association",
                name,
                "--freeze",
                random.choice(NUMBERS),
                "--out",
                other,
                *few,
            ],
            ["study", name, "genome.safetensors", "--set", override(random), "--out", other],
            ["evaluate", name, *few],
            ["evaluate", "genome.safetensors", "--no-controls", "--json", name, *few],
            ["render", "genome.safetensors", "--out", name, "--perturb", perturbation(random)],
            ["record", other, "--out", name, "--at", random.choice(NUMBERS), "--kind", random.choice(WORDS)],
            ["perturb", f"{name}={other},", "--out", name, "--perturb", "none", *few],
            ["view", name, "--morphology", other, "--speed", random.choice(NUMBERS)],
            ["evolve", "quick-association", override(random), "--out", name, "--threads", "0"],
            ["evolve", "quick-association", "training.generations=0", "--from", name, "--out", other],
            ["resume", name, "--generations", "1"],
            ["plot", name],
            ["list", name],
            ["config", name, other],
            [name, other],
        )
    )


def options(random: Random, folder: Path) -> Words:
    """Give options values that are out of range, or no numbers at all."""
    wrong = random.choice((*(n for n in NUMBERS if n not in ("1", "2", "3", "7", "1e3", "1_000")), *WORDS))
    word = random.choice(
        ("--episodes", "--seed", "--steps", "--threads", "--batch-size", "--workers", "--device", "--ray")
    )
    command = random.choice(
        (
            ["evaluate", "genome.safetensors"],
            ["perturb", "genome.safetensors", "--out", "new", "--perturb", "none"],
        )
    )
    return [*command, "--episodes", "1", *random.choice(([], ["--no-controls"])), word, wrong]


EXPERIMENT = """base: quick-association
arms:
  plastic: {}
  static: {plasticity.rule: none, plasticity.initial_weights: "evolved from normal(0, 0.1)"}
  gentle: {search.sigma: 0.05, network.hidden: [8]}
seeds: 3
agent_steps: 100000
rotate: {search.learning_rate: [0.1, 0.2, 0.3]}
evaluate: {episodes: 4, seed: 2, steps: 40, studies: {learning: {episodes: 2, freezes: [1]}}}
baseline: static
"""


def experiments(random: Random, folder: Path) -> Words:
    """Plan an experiment; where the plan is good, its directory is a run, or a file, and in the way."""
    text = EXPERIMENT
    if random.random() < 0.5:
        line = random.choice([line for line in text.split("\n") if ": " in line])
        text = text.replace(line, f"{line.rpartition(': ')[0]}: {scalar(random)}")
    else:
        text = mutated(random, text)
    (folder / "mine.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    return ["experiment", "mine.yaml", "--out", random.choice(("run", "file")), "--threads", "1"]


KINDS: dict[str, tuple[Kind, float]] = {
    "overrides": (overrides, 4),
    "config files": (config_files, 3),
    "rules": (rule_texts, 4),
    "experiments": (experiments, 1),
    "robots": (robots, 2),
    "genome headers": (genome_headers, 4),
    "run directories": (run_directories, 2),
    "names": (names, 2),
    "options": (options, 1),
}
"""Each with its share of the inputs."""
