"""Arms of a study: the genomes of several runs that differ in their seed alone, under one label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Final, TypeAlias

from hebbevo.errors import InputError, unknown
from hebbevo.genomes.genome import ZOO, Genome, as_genome
from hebbevo.studies.genomes import own_bodies

Arms: TypeAlias = Mapping[str, tuple[str, ...]]
"""Names of the genomes of each arm."""

Source: TypeAlias = Genome | str | PathLike[str]
"""A genome, or what `load_genome` takes: a run, a file, ``zoo:NAME``."""
Genomes: TypeAlias = Source | Sequence[Source] | Mapping[str, Source | Sequence[Source]]
"""Genomes under their own names; or by label, of which one that holds several genomes is an arm."""

_ALONE: Final = (Genome, str, PathLike)


def split_arms(genomes: Genomes) -> tuple[tuple[Genome, ...], Arms]:
    """Return all genomes of a study, under the names that they have there, and its arms.

    A genome of an arm is called after the arm and the seed of its run.

    Raises:
        InputError: an arm without a genome, or something that is none.
    """
    if isinstance(genomes, _ALONE):
        return (as_genome(genomes),), {}
    if not isinstance(genomes, Mapping):
        return tuple(map(as_genome, genomes)), {}
    found: list[Genome] = []
    arms: dict[str, tuple[str, ...]] = {}
    for label, given in genomes.items():
        if isinstance(given, _ALONE):
            found.append(replace(as_genome(given), name=label))
            continue
        if not given:
            raise InputError(f"arm {label} has no genome; name at least one")
        runs = [as_genome(one) for one in given]
        arms[label] = tuple(f"{label}/{part}" for part in _parts(runs))
        found += [replace(genome, name=name) for genome, name in zip(runs, arms[label], strict=True)]
    return tuple(found), arms


def subjects(genomes: Sequence[Genome], arms: Arms) -> dict[str, tuple[Genome, ...]]:
    """Return what a figure shows: every arm with its genomes, and every genome of no arm, in their order."""
    label = {name: arm for arm, names in arms.items() for name in names}
    found: dict[str, tuple[Genome, ...]] = {}
    for genome in genomes:
        name = label.get(genome.name, genome.name)
        found[name] = (*found.get(name, ()), genome)
    return found


def named_sources(genomes: Sequence[Genome], arms: Arms, asked: Sequence[str]) -> list[str]:
    """Return what a command is given: places; or, called in the study's directory, the copies that lie there.

    Those stand for labels, for genomes with bodies of a user's own, and beside them for all but ``zoo:``.
    """
    at = {genome.name: f"genomes/{number}.safetensors" for number, genome in enumerate(genomes)}
    by_name = subjects(genomes, arms)
    labels = {name for name in by_name if name in arms or not _is_place(name)}
    copied = bool(labels) or any(map(own_bodies, genomes))
    found = []
    for name, of_name in by_name.items():
        copies = ",".join(at[genome.name] for genome in of_name)
        if of_name[0].name not in asked:
            continue
        if name in labels:
            found.append(f"{name}={copies}{',' * (name in arms and len(of_name) == 1)}")
        else:
            stays = not copied or (name.startswith(ZOO) and not own_bodies(of_name[0]))
            found.append(name if stays else copies)
    return found


def uses_copies(command: str) -> bool:
    """Tell whether a command with `named_sources` must be called in the study's directory."""
    return any(part.rpartition("=")[2].startswith("genomes/") for part in command.split())


def _is_place(name: str) -> bool:
    """Tell whether a name is a path or ``zoo:NAME``, which no label can be."""
    return "/" in name or ":" in name


def named_genome(name: str, genomes: Sequence[Genome], arms: Arms) -> Genome:
    """Return a genome by its name, or the first of an arm.

    Raises:
        InputError: there is none.
    """
    wanted = arms[name][0] if name in arms else name
    for genome in genomes:
        if genome.name == wanted:
            return genome
    raise InputError(unknown("genome or arm", name, [*arms, *(genome.name for genome in genomes)]))


def _parts(genomes: Sequence[Genome]) -> list[str]:
    seeds = [genome.provenance.get("seed") for genome in genomes]
    if all(type(seed) is int for seed in seeds) and len(set(seeds)) == len(seeds):
        return [f"seed-{seed}" for seed in seeds]
    return [str(number) for number, _ in enumerate(genomes)]
