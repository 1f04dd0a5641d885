"""The genomes of one study: names, and the world that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hebbevo.config.difference import difference
from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.genomes.genome import Genome

_LONGEST_LABEL = 34


def check_names(genomes: Sequence[Genome]) -> tuple[str, ...]:
    """Return the names of genomes.

    Raises:
        InputError: there is none, or a name comes twice.
    """
    if not genomes:
        raise InputError("no genome to study; name at least one")
    names = tuple(genome.name for genome in genomes)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"genome {name!r} is given twice; name each once")
    return names


def check_worlds(genomes: Sequence[Genome]) -> None:
    """Raise `InputError` for genomes of different worlds."""
    first = genomes[0]
    for other in genomes[1:]:
        if lines := difference(world(first.task.env), world(other.task.env), "env."):
            differs = next((line for line in lines if line.startswith("env.name:")), "; ".join(lines[:3]))
            raise InputError(
                f"{other.name} is of another task than {first.name} ({differs}); study them one at a time"
            )


def world(env: EnvConfig) -> dict[str, Any]:
    """Return what two genomes of one study must share; the bodies that they evolved on may differ."""
    return env.model_dump(mode="json", exclude={"morphologies", "bodies", "early_stop"})


def with_all_bodies(genomes: Sequence[Genome]) -> list[Genome]:
    """Return genomes of one world, each with the bodies of a user's own that any of them has.

    Raises:
        InputError: two of them have other bodies under one name.
    """
    bodies: dict[str, Any] = {}
    for genome in genomes:
        for name, body in own_bodies(genome).items():
            if bodies.setdefault(name, body) != body:
                raise InputError(
                    f"{genome.name} has another body called {name} than genomes before it; rename one"
                )
    return [genome.with_bodies(bodies) for genome in genomes]


def own_bodies(genome: Genome) -> dict[str, Any]:
    """Return the bodies of a user's own that a genome's world has, by name."""
    return dict(genome.task.env.model_dump(mode="json").get("bodies", {}))


def is_static(genome: Genome) -> bool:
    """Tell whether a genome's weights never change."""
    return not genome.task.learns


def unperturbed(genome: Genome) -> Genome:
    """Return the genome without the perturbations that its evolution may have had: a study sets its own."""
    return replace(genome, task=replace(genome.task, perturbations=()))


def short_names(genomes: Sequence[Genome]) -> dict[str, str]:
    """Return labels of genomes for figures; see `shorten`."""
    return shorten([genome.name for genome in genomes])


def shorten(names: Sequence[str]) -> dict[str, str]:
    """Return labels for figures: the last parts of names that are paths, as many as tell them apart."""
    files = ("center.safetensors", "best.safetensors")
    parts = {
        name: [part for part in name.split("/") if part and part not in files] or [name] for name in names
    }
    for count in range(1, 20):
        short = {name: label("/".join(parts[name][-count:])) for name in names}
        if len(set(short.values())) == len(names):
            return short
    return {name: label(f"{number}: {name}") for number, name in enumerate(names, 1)}


def label(name: str) -> str:
    """Return a name for a figure: the end of a long one, and none that matplotlib takes for private."""
    short = name if len(name) <= _LONGEST_LABEL else f"…{name[-_LONGEST_LABEL + 1 :]}"
    return f" {short}" if short.startswith("_") else short
