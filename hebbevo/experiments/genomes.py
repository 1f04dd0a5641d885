"""The genomes that a study takes: of files, runs, labels and experiments, runs of one arm together."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hebbevo.errors import InputError
from hebbevo.experiments.arms import check_name
from hebbevo.experiments.directory import is_experiment, read_stored_plan, run_path
from hebbevo.experiments.sources import run_directories
from hebbevo.genomes.genome import Genome, load_genome
from hebbevo.training.run_summary import is_run, summarise_run

_logger = logging.getLogger(__name__)

Subject = Genome | list[Genome]


def load_arms(sources: Sequence[str | Path]) -> list[Genome] | dict[str, Subject]:
    """Load the genomes of a study.

    Args:
        sources: genomes as `load_genome` takes them; directories of experiments, or of one arm; ``LABEL=GENOME``, and
            ``LABEL=GENOME,GENOME`` for an arm. Runs that are not finished are left out of an arm.

    Returns:
        a list where no source has a label; else by label, an arm as a list.

    Raises:
        InputError: something is no genome, a label comes twice, no run of an arm is finished.
    """
    found: dict[str, Subject] = {}
    for source in sources:
        for label, subject in _read(str(source)):
            if label in found:
                raise InputError(f"{label} is given twice; name each once")
            found[label] = subject
    alone = [one for label, one in found.items() if isinstance(one, Genome) and one.name == label]
    return alone if len(alone) == len(found) else found


def study_genomes(
    sources: Sequence[str | Path], steps: int | None, bodies: Mapping[str, Any] = MappingProxyType({})
) -> list[Genome] | dict[str, Subject]:
    """Load the genomes of a study, as `load_arms`, with lifetimes of another length and more bodies, if given."""
    found = load_arms(sources)

    def fitted(genome: Genome) -> Genome:
        return genome.lasting(steps).with_bodies(bodies)

    if isinstance(found, list):
        return [fitted(genome) for genome in found]
    return {
        label: fitted(one) if isinstance(one, Genome) else [fitted(genome) for genome in one]
        for label, one in found.items()
    }


def study_baseline(
    asked: str | None,
    genomes: list[Genome] | dict[str, Subject],
    steps: int | None,
    bodies: Mapping[str, Any] = MappingProxyType({}),
) -> Genome | str | None:
    """Return the baseline that a user names: a label of these genomes, else a genome."""
    if asked is None or (isinstance(genomes, dict) and asked in genomes):
        return asked
    return load_genome(asked).lasting(steps).with_bodies(bodies)


def _read(source: str) -> Iterator[tuple[str, Subject]]:
    path, (label, separator, listed) = Path(source), source.partition("=")
    if is_experiment(path):
        plan = read_stored_plan(path)
        for arm in plan.arms:
            yield arm, _finished(arm, [run_path(path, arm, seed) for seed in plan.seeds])
    elif _is_arm(path):
        yield path.resolve().name, _finished(source, run_directories(path))
    elif os.path.lexists(path) or not separator:
        genome = load_genome(source)
        yield genome.name, genome
    else:
        yield check_name(label), _labelled(label, listed)


def _labelled(label: str, listed: str) -> Subject:
    """Return a genome, or those of an arm: with a comma, that of a single run too."""
    if "," not in listed and not _is_arm(Path(listed)):
        return load_genome(listed)
    found: list[Genome] = []
    for source in filter(None, listed.split(",")):
        path = Path(source)
        found += _finished(label, run_directories(path)) if _is_arm(path) else [load_genome(source)]
    return found


def _is_arm(path: Path) -> bool:
    return os.path.isdir(path) and not is_run(path) and any(map(is_run, path.glob("seed-*")))


def _finished(arm: str, runs: Sequence[Path]) -> list[Genome]:
    done = [run for run in runs if is_run(run) and summarise_run(run).finished]
    if not done:
        raise InputError(f"{arm}: no run is finished yet; there is nothing to study")
    if len(done) < len(runs):
        _logger.warning(
            "%s: %d of %d runs are not finished and left out", arm, len(runs) - len(done), len(runs)
        )
    return [load_genome(run) for run in done]
