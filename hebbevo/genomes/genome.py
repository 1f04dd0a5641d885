"""Genomes with everything that is needed to run them again: values, task, provenance."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import metadata, resources
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.config.building import IMPORTS, PERTURBATIONS, build_imports, build_sections
from hebbevo.envs import EnvConfig
from hebbevo.errors import FileError, InputError, unknown
from hebbevo.genomes.file import check_genome, read_genome, write_genome
from hebbevo.genomes.observations import statistics_arrays, statistics_header, take_statistics
from hebbevo.imports import Import, changed, require
from hebbevo.io.text import visible
from hebbevo.rules import RULES
from hebbevo.tasks.task import SECTIONS, Task
from hebbevo.validation import check_section

_logger = logging.getLogger(__name__)
ZOO = "zoo:"
CENTER, BEST = "center.safetensors", "best.safetensors"


@dataclass(frozen=True)
class Genome:
    """A genome and the task that gives it meaning.

    Attributes:
        task: environment, network and rule.
        values: float32 ``(task.layout.size,)``.
        provenance: run seed, generation, search settings, evaluation, versions of libraries.
        name: where it came from, for tables and messages; see `hebbevo.io.text.visible`.
    """

    task: Task
    values: npt.NDArray[np.float32]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    name: str = "genome"

    def __repr__(self) -> str:
        generation = self.provenance.get("generation")
        age = f", generation {generation}" if isinstance(generation, int) else ""
        return f"Genome({self.name!r}: {self.task.summary}, {self.values.size:,} numbers{age})"

    @cached_property
    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Named views of the values, as `layer1.A`."""
        return self.task.layout.split(self.values)

    def lasting(self, steps: int | None) -> Genome:
        """Return the genome with lifetimes of another number of steps; None leaves them as they are.

        Raises:
            InputError: a number that lifetimes cannot have.
        """
        if steps is None:
            return self
        env = self.task.env
        checked = check_section("env", type(env), {**env.model_dump(), "steps": steps})
        assert isinstance(checked, EnvConfig)
        return replace(self, task=replace(self.task, env=checked))

    def with_bodies(self, bodies: Mapping[str, Any]) -> Genome:
        """Return the genome in a world that has these bodies too, as a file of bodies has them.

        Raises:
            InputError: the world has one body only, or a body does not fit.
        """
        env = self.task.env
        if not bodies:
            return self
        if not env.has_bodies:
            raise InputError(f"{env.name} has one body only; leave the bodies out")
        dumped = env.model_dump(mode="json")
        own = {**dumped.get("bodies", {}), **bodies}
        checked = check_section("env", type(env), {**dumped, "bodies": own})
        assert isinstance(checked, EnvConfig)
        return replace(self, task=replace(self.task, env=checked))

    @property
    def ancestry(self) -> dict[str, Any]:
        """What the genomes of a run that starts here say of it."""
        return {"task": self.task.header(), **self.provenance}


@cache
def version() -> str:
    """Return hebbevo's version."""
    return metadata.version("hebbevo")


def save_genome(genome: Genome, path: str | Path) -> None:
    """Write a genome file; equal genomes give equal bytes."""
    task = genome.task
    write_genome(path, task.layout, genome.values, _header(genome), statistics_arrays(task))


def check_savable(genome: Genome) -> None:
    """Raise `FileError` for a genome that no file can hold, as one with a coefficient's name of 200 letters."""
    check_genome(genome.task.layout, genome.values, _header(genome), statistics_arrays(genome.task))


def _header(genome: Genome) -> dict[str, Any]:
    header = {"hebbevo": version(), "task": genome.task.header(), "provenance": dict(genome.provenance)}
    return header | statistics_header(genome.task)


def as_genome(source: Genome | str | PathLike[str]) -> Genome:
    """Return a genome, read where its place is given; see `load_genome`."""
    return source if isinstance(source, Genome) else load_genome(source)


def load_genome(source: str | PathLike[str]) -> Genome:
    """Read a genome.

    Args:
        source: a genome file, a run or its directory (the center), or ``zoo:NAME`` (a shipped genome).

    Raises:
        InputError, RuleError: no such genome, or a file that is truncated, foreign or of another layout.
    """
    source = os.fspath(source)
    path = _path(source)
    arrays, header = read_genome(path)
    task = _task(header.get("task"), source)
    try:
        task = replace(task, observations=take_statistics(task, arrays, header))
        values = task.layout.join(arrays)
    except FileError as error:
        raise FileError(f"genome {source!r}: {error}") from None
    provenance = header.get("provenance")
    return Genome(task, values, provenance if isinstance(provenance, dict) else {}, visible(source))


def zoo_names() -> list[str]:
    """Return the names of the shipped genomes, sorted."""
    folder = resources.files("hebbevo.genomes") / "zoo"
    if not folder.is_dir():
        return []
    return sorted(
        f.name.removesuffix(".safetensors") for f in folder.iterdir() if f.name.endswith(".safetensors")
    )


def _path(source: str) -> Path:
    if source.startswith(ZOO):
        name = source.removeprefix(ZOO)
        if name not in zoo_names():
            raise InputError(unknown("shipped genome", name, zoo_names(), ZOO))
        return Path(str(resources.files("hebbevo.genomes") / "zoo" / f"{name}.safetensors"))
    path = Path(source)
    try:
        is_directory = path.is_dir()
    except OSError as error:
        raise InputError(f"cannot look up {source[:60]!r}: {error.strerror}; check the path") from None
    if is_directory:
        if not (path / CENTER).is_file():
            raise InputError(
                f"{source!r} holds no {CENTER}; name a genome file, or a run with one generation done"
            )
        return path / CENTER
    return path


def _task(header: Any, source: str) -> Task:
    """Build the task of a header, which is untrusted: the config schema checks it, and nothing is imported."""
    may_lack = {PERTURBATIONS, IMPORTS}
    if not isinstance(header, dict) or set(SECTIONS) - may_lack != set(header) - may_lack:
        raise InputError(f"genome {source!r}: the header has no task; it was not written by hebbevo")
    plasticity = header["plasticity"]
    equation = plasticity.pop("equation", None) if isinstance(plasticity, dict) else None
    if header.get(IMPORTS) and equation is not None and _is_unknown_name(plasticity.get("rule")):
        plasticity["rule"] = equation  # of a module that was imported: the equation is all of it
    network = header["network"]
    equations = network.pop("equations", {}) if isinstance(network, dict) else {}
    records: tuple[Import, ...] = ()
    try:
        records = build_imports(header.pop(IMPORTS, None))
        task = Task(**build_sections(header), imports=records)
        task.check(task.perturbations)
        task.check_network()
    except ValueError as error:
        message = f"genome {source!r}: {error}"
        require(records, message)
        raise InputError(message) from None
    if difference := changed(records):
        _logger.warning("genome %r: %s", source, difference)
    if task.plasticity.parsed_rule.text != equation:
        raise InputError(
            f"genome {source!r}: the equation {equation!r} is not the one that this hebbevo calls "
            f"{task.plasticity.rule!r}; use the version that wrote it"
        )
    if task.own_equations != equations:
        raise InputError(
            f"genome {source!r}: the equations of its projections are not those of this hebbevo; use the version that "
            "wrote it"
        )
    return task


def _is_unknown_name(rule: Any) -> bool:
    return isinstance(rule, str) and rule.isidentifier() and rule not in RULES
