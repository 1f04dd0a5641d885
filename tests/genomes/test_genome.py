"""Genome files: a round trip in equal bytes, and every damaged, foreign or hostile file refused in one line."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tasks import HERE, cart_pole_task, quadruped_task, small_config

from hebbevo import Genome, InputError, evolve, load_genome, save_genome
from hebbevo.errors import FileError
from hebbevo.genomes.genome import zoo_names
from hebbevo.io.tensors import read_tensors, write_tensors
from hebbevo.tasks.task import Task

TASKS = {
    "quadruped": quadruped_task,
    "CartPole": cart_pole_task,
    "static": lambda: cart_pole_task("plasticity.rule=none", "plasticity.initial_weights=evolved"),
    "shared, co-evolved": lambda: quadruped_task(
        "plasticity.sharing=post", "plasticity.sharing.eta=network", "plasticity.initial_weights=evolved"
    ),
    "equation": lambda: cart_pole_task("plasticity.rule=w + eta*tanh(pre*post) - 0.1*w"),
    "several states": lambda: cart_pole_task("plasticity.rule={trace: 0.9*trace + pre, w: w + a*trace*post}"),
}


def genome_of(task: Task) -> Genome:
    return Genome(task, task.first_genome(np.random.default_rng(0)), {"seed": 3, "generation": 9})


@pytest.fixture(scope="module")
def genome() -> Genome:
    return genome_of(quadruped_task())


def refused(path: str | Path = "g.safetensors") -> str:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        load_genome(path)
    assert time.perf_counter() - began < 30, "refused, but only after a long computation"
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize("kind", TASKS)
def test_a_genome_comes_back_with_its_task_in_equal_bytes(kind: str) -> None:
    genome = genome_of(TASKS[kind]())
    save_genome(genome, "a.safetensors")
    back = load_genome("a.safetensors")
    np.testing.assert_array_equal(back.values, genome.values)
    assert back.values.dtype == np.float32
    assert back.task == genome.task
    assert back.task.kernel_spec == genome.task.kernel_spec
    assert (dict(back.provenance), back.name) == ({"seed": 3, "generation": 9}, "a.safetensors")
    save_genome(back, "b.safetensors")
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()


def test_arrays_are_named_by_layer(genome: Genome) -> None:
    assert genome.arrays["layer1.A"].shape == (6, 28)
    assert genome.arrays["layer2.eta"].shape == (8, 6)


def test_a_file_says_nothing_of_clock_place_or_machine(genome: Genome, tmp_path: Path) -> None:
    save_genome(genome, "g.safetensors")
    text = json.dumps(read_tensors("g.safetensors")[1])
    for word in (str(tmp_path), "threads", "block", 'time"', "host"):
        assert word not in text
    assert json.loads(text)["task"]["plasticity"]["equation"] == genome.task.plasticity.parsed_rule.text


def test_a_run_directory_stands_for_its_center() -> None:
    run = evolve(small_config("search.generations=1"), "run", execution=HERE)
    genome = load_genome("run")
    np.testing.assert_array_equal(genome.values, run.center)
    assert genome.provenance["generation"] == 1
    assert load_genome(Path("run")).task == Task.of(run.config)


def test_a_directory_without_a_center_is_refused() -> None:
    assert "holds no center.safetensors" in refused(".")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("nothing.safetensors", "does not exist"),
        ("zoo:nothing", "unknown shipped genome 'zoo:nothing'"),
        ("zoo:../presets/x", "unknown shipped genome"),
        ("zoo:", "unknown shipped genome"),
        ("", "holds no center.safetensors"),
        ("a\x00b", "does not exist"),
        ("x" * 5000, "File name too long"),
    ],
    ids=["file", "zoo", "zoo path", "zoo nothing", "nothing", "zero byte", "long"],
)
def test_an_unknown_source_is_refused(source: str, expected: str) -> None:
    assert expected in refused(source)


def test_shipped_names_load() -> None:
    for name in zoo_names():
        assert load_genome(f"zoo:{name}").values.size


def test_every_truncation_is_refused(genome: Genome) -> None:
    save_genome(genome, "whole.safetensors")
    data = Path("whole.safetensors").read_bytes()
    for size in (*range(0, 64), *range(64, len(data), len(data) // 50), len(data) - 1):
        Path("g.safetensors").write_bytes(data[:size])
        assert "g.safetensors" in refused()
    Path("g.safetensors").write_bytes(data + b"x")
    refused()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 3000), bit=st.integers(0, 7))
def test_a_flipped_bit_raises_nothing_but_input_errors(genome: Genome, position: int, bit: int) -> None:
    save_genome(genome, "g.safetensors")
    data = bytearray(Path("g.safetensors").read_bytes())
    data[position] ^= 1 << bit
    Path("g.safetensors").write_bytes(data)
    try:
        load_genome("g.safetensors")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017  (some flips raise, some do not)


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 100, b"\xff" * 100, b"PK\x03\x04" + b"x" * 200, b"{}", b"\x80\x04K\x01.", b'"a"']
)
def test_a_foreign_file_is_refused(data: bytes) -> None:
    Path("g.safetensors").write_bytes(data)
    refused()


def test_a_foreign_safetensors_file_is_refused() -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3, np.float32)}, "g.safetensors")
    refused()
    save_file({"a": np.zeros(3, np.float32)}, "g.safetensors", metadata={"format": "pt"})
    refused()


def test_a_checkpoint_is_no_genome() -> None:
    evolve(small_config("search.generations=1"), "run", execution=HERE)
    assert "not a genome" in refused("run/checkpoints/generation_000001.safetensors")


def tampered(genome: Genome, change: Any) -> None:
    """Write the genome with a header or arrays that `change` has had its way with."""
    save_genome(genome, "g.safetensors")
    arrays, header = read_tensors("g.safetensors")
    change(arrays, header)
    write_tensors("g.safetensors", arrays, header)


def at(*path: str, value: Any) -> Any:
    def change(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        *above, last = path
        for key in above:
            header = header[key]
        header[last] = value

    return change


BILLION = 10**9
TAMPERED = {
    "no task": (at("task", value=None), "no task"),
    "task is a list": (at("task", value=[1]), "no task"),
    "task has more": (at("task", "search", value={}), "no task"),
    "another format": (at("format", value="pickle"), "not a genome"),
    "another version": (at("version", value=2), "version 2"),
    "module id": (
        at("task", "env", value={"name": "gymnasium:os:system"}),
        "a module that was not imported here, os",
    ),
    "path id": (at("task", "env", value={"name": "gymnasium:../../evil:Env"}), "must be a registered one"),
    "unknown id": (at("task", "env", value={"name": "gymnasium:Nope-v0"}), "unknown Gymnasium id"),
    "unknown env": (at("task", "env", value={"name": "quadrupet"}), "did you mean quadruped?"),
    "env is text": (at("task", "env", value="quadruped"), "env"),
    "env name is a list": (at("task", "env", "name", value=["quadruped"]), "must be a name"),
    "unknown key": (at("task", "env", "gears", value=3), "did you mean env.gear?"),
    "unknown body": (at("task", "env", "morphologies", value=["intct"]), "did you mean intact?"),
    "wrong equation": (
        at("task", "plasticity", "equation", value="w + pre"),
        "use the version that wrote it",
    ),
    "no equation": (at("task", "plasticity", "equation", value=None), "use the version that wrote it"),
    "unknown rule": (at("task", "plasticity", "rule", value="ABCD_l"), "did you mean ABCD_lr?"),
    "rule is code": (at("task", "plasticity", "rule", value="__import__('os').system('ls')"), "rule"),
    "deep rule": (at("task", "plasticity", "rule", value="(" * 10_000), "rule"),
    "plasticity is text": (at("task", "plasticity", value="ABCD_lr"), "plasticity"),
    "another rule": (at("task", "plasticity", "rule", value="hebb"), "equation"),
    "sharing": (at("task", "plasticity", "sharing", value="layer"), "shape"),
    "huge layer": (at("task", "network", "hidden", value=[100_000]), "shape"),
    "huge layers": (at("task", "network", "hidden", value=[100_000] * 9), "synapses, got 8"),
    "huger layer": (at("task", "network", "hidden", value=[BILLION]), "hidden"),
    "negative layer": (at("task", "network", "hidden", value=[-6]), "hidden"),
    "layer of text": (at("task", "network", "hidden", value="six"), "hidden"),
    "many layers": (at("task", "network", "hidden", value=[1] * 100_000), "at most 59 items"),
    "deep network": (at("task", "network", "hidden", value=[1] * 59), "lacks the array"),
    "another layer": (at("task", "network", "hidden", value=[7]), "shape"),
    "one more layer": (at("task", "network", "hidden", value=[6, 6]), "layer3"),
    "long burn-in": (at("task", "env", "burn_in", value=10_000_000), "env.burn_in"),
    "many substeps": (at("task", "env", "substeps", value=300_000_000), "env.substeps"),
    "a long burn-in of many substeps": (
        lambda arrays, header: header["task"]["env"].update(burn_in=1000, substeps=100),
        "env.burn_in: 1000 control steps of 100 substeps are more than 10000 substeps; use at most 100",
    ),
    "endless": (at("task", "env", "steps", value=2**40), "env.steps"),
    "long windows": (at("task", "plasticity", "window", value=2**40), "plasticity.window"),
    "true for 1": (at("task", "env", "steps", value=True), "env.steps: must be a number, got true"),
    "no hidden layer": (at("task", "network", "hidden", value=[]), "unknown array"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_header_is_refused(genome: Genome, case: str) -> None:
    change, expected = TAMPERED[case]
    tampered(genome, change)
    assert expected in refused()


def test_tampered_arrays_are_refused(genome: Genome) -> None:
    def with_nan(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        arrays["layer1.A"][0, 0] = np.nan

    def misshapen(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        arrays["layer1.A"] = arrays["layer1.A"].T

    def missing(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        del arrays["layer2.eta"]

    def more(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        arrays["layer9.A"] = arrays["layer1.A"]

    def wider(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        arrays["layer1.A"] = arrays["layer1.A"].astype(np.float64)

    for change, expected in (
        *((with_nan, "NaN"), (misshapen, "shape (28, 6), expected (6, 28)"), (missing, "lacks the array")),
        *((more, "unknown array 'layer9.A'"), (wider, "float64, expected float32")),
    ):
        tampered(genome, change)
        assert expected in refused()


def test_a_genome_that_is_not_finite_is_not_written(genome: Genome) -> None:
    values = genome.values.copy()
    values[0] = np.inf
    with pytest.raises(FileError, match="NaN or infinity"):
        save_genome(Genome(genome.task, values), "g.safetensors")
    assert not Path("g.safetensors").exists()
