"""Everything that has a name, with a line about each; a catalogue imports only the part of hebbevo that it lists."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Final

from hebbevo.errors import InputError

RUNS: Final = "runs"


def entries(catalogue: str, folder: Path | None = None) -> dict[str, str]:
    """Return names and a line about each, for a key of `CATALOGUES`; `folder` is where runs are looked for."""
    return runs(folder) if folder is not None else CATALOGUES[catalogue]()


def runs(folder: Path = Path()) -> dict[str, str]:
    """Return the run directories under a folder, and how far each is."""
    from hebbevo.training.run_summary import find_runs, summarise_run

    found = {}
    for path in find_runs(folder):
        try:
            found[str(path)] = summarise_run(path).line
        except InputError as error:
            found[str(path)] = str(error)
    return found


def _rules() -> dict[str, str]:
    from hebbevo.rules import RULES

    return {name: f"{rule.readable}   {rule.source}" for name, rule in RULES.items()}


def _signals() -> dict[str, str]:
    from hebbevo.rules import SIGNALS

    return {name: f"{signal.meaning} (per {signal.axis})" for name, signal in SIGNALS.items()}


def _encodings() -> dict[str, str]:
    from hebbevo.networks.encodings import ENCODINGS

    return {
        name: kind.meaning if kind.form == name else f"{kind.form}: {kind.meaning}"
        for name, kind in ENCODINGS.items()
    }


def _envs() -> dict[str, str]:
    from hebbevo import envs

    return {name: _first_line(envs.config_class(name).__doc__) for name in envs.ENVIRONMENTS}


def _morphologies() -> dict[str, str]:
    from hebbevo.envs import MORPHOLOGIES

    return {name: morphology.description for name, morphology in MORPHOLOGIES.items()}


def _perturbations() -> dict[str, str]:
    from hebbevo.perturbations.catalogue import PERTURBATIONS

    return {kind: _first_line(schema.__doc__) for kind, schema in PERTURBATIONS.items()}


def _searchers() -> dict[str, str]:
    from hebbevo import search

    return {name: _first_line(search.config_class(name).__doc__) for name in search.SEARCHERS}


def _studies() -> dict[str, str]:
    from hebbevo.studies.registry import own_studies

    return {name: _first_line(kind.__doc__) for name, kind in own_studies().items()}


def _presets() -> dict[str, str]:
    from hebbevo.config.catalogue import preset_names, preset_text

    return {name: _first_sentence(preset_text(name)) for name in preset_names()}


def _genomes() -> dict[str, str]:
    from hebbevo.genomes.genome import ZOO, zoo_names

    return {f"{ZOO}{name}": _about_genome(f"{ZOO}{name}") for name in zoo_names()}


def _about_genome(source: str) -> str:
    from hebbevo.genomes.genome import load_genome

    genome = load_genome(source)
    evaluation = genome.provenance["evaluation"]
    progress = ", ".join(
        f"{body} {part['mean']:.1f} {evaluation['unit']}" for body, part in evaluation["morphologies"].items()
    )
    rule, generation = genome.task.plasticity.parsed_rule.name, genome.provenance["generation"]
    return f"{genome.task.env.name}, rule {rule}, generation {generation}: {progress}"


def _first_sentence(text: str) -> str:
    """Return that of the comment which a file begins with."""
    comment = " ".join(
        line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), text.splitlines())
    )
    return f"{comment.partition('. ')[0].rstrip('.')}."


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


CATALOGUES: dict[str, Callable[[], dict[str, str]]] = {
    "rules": _rules,
    "signals": _signals,
    "encodings": _encodings,
    "envs": _envs,
    "morphologies": _morphologies,
    "perturbations": _perturbations,
    "searchers": _searchers,
    "studies": _studies,
    "presets": _presets,
    "genomes": _genomes,
    RUNS: runs,
}
