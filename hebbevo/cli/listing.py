"""What there is, by name, with a line about each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from hebbevo import envs, rules, search
from hebbevo.config.catalogue import preset_names
from hebbevo.genomes.genome import ZOO, load_genome, zoo_names
from hebbevo.perturbations.catalogue import PERTURBATIONS


def entries(what: str) -> dict[str, str]:
    """Return names and what each is, for a key of `CATALOGUES`."""
    return CATALOGUES[what]()


def _rules() -> dict[str, str]:
    return {name: f"w = {rule.text}   {rule.source}" for name, rule in rules.RULES.items()}


def _envs() -> dict[str, str]:
    return {name: _first_line(envs.config_class(name).__doc__) for name in envs.ENVIRONMENTS}


def _morphologies() -> dict[str, str]:
    return {name: morphology.description for name, morphology in envs.MORPHOLOGIES.items()}


def _perturbations() -> dict[str, str]:
    return {kind: _first_line(schema.__doc__) for kind, schema in PERTURBATIONS.items()}


def _searchers() -> dict[str, str]:
    return {name: _first_line(search.config_class(name).__doc__) for name in search.SEARCHERS}


def _presets() -> dict[str, str]:
    folder = resources.files("hebbevo.config") / "presets"
    texts = {name: (folder / f"{name}.yaml").read_text(encoding="utf-8") for name in preset_names()}
    return {name: text.splitlines()[0].lstrip("# ") for name, text in texts.items()}


def _genomes() -> dict[str, str]:
    return {f"{ZOO}{name}": _about_genome(name) for name in zoo_names()}


def _about_genome(name: str) -> str:
    genome = load_genome(f"{ZOO}{name}")
    evaluation = genome.provenance["evaluation"]
    progress = ", ".join(
        f"{body} {part['mean']:.1f} {evaluation['unit']}" for body, part in evaluation["morphologies"].items()
    )
    rule, generation = genome.task.plasticity.parsed_rule.name, genome.provenance["generation"]
    return f"{genome.task.env.name}, rule {rule}, generation {generation}: {progress}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


CATALOGUES: dict[str, Callable[[], dict[str, str]]] = {
    "rules": _rules,
    "envs": _envs,
    "morphologies": _morphologies,
    "perturbations": _perturbations,
    "searchers": _searchers,
    "presets": _presets,
    "genomes": _genomes,
}
