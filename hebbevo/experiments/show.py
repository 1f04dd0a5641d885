"""What a run, a genome or an experiment is, how far, and from where."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from hebbevo.experiments.directory import is_experiment, read_stored_plan, run_path
from hebbevo.experiments.evaluation_file import evaluation_path
from hebbevo.genomes.genome import Genome, load_genome
from hebbevo.io.text import visible
from hebbevo.tasks.description import task_lines
from hebbevo.tasks.task import Task
from hebbevo.training.rows import center_measures
from hebbevo.training.run_summary import is_run, summarise_run
from hebbevo.validation import shown

Line = tuple[str, str]
"""A word and what there is to say."""


def show(source: str | PathLike[str]) -> None:
    """Print what a run, a genome or an experiment is, how far it is, and where it came from.

    Args:
        source: a directory, a genome file, ``zoo:NAME``, or what `evolve` has returned.

    Raises:
        InputError: it cannot be read.
    """
    path = Path(source)
    lines = (
        _experiment(path)
        if is_experiment(path)
        else _run(path)
        if is_run(path)
        else _genome(os.fspath(source))
    )
    known = list(lines)
    width = max(len(word) for word, _ in known)
    for word, text in known:
        print(f"{word:<{width}}  {visible(text)}")


def _run(path: Path) -> Iterator[Line]:
    run = summarise_run(path)
    config = run.config
    yield "run", str(path)
    yield "progress", run.progress
    yield "agent-steps", f"{run.agent_steps:,}"
    yield "seed", str(config.run.seed)
    if (row := run.center) is not None:
        bodies = {name.partition(".")[2]: value for name, value in row.items() if name.startswith("center.")}
        known = {body: value for body, value in bodies.items() if value is not None}
        further = "".join(f", {value:.2f} {name}" for name, value in center_measures(row).items())
        yield "center", f"{_scores(known, config.env.unit)}{further} (generation {row['generation']})"
    search = config.search
    yield "search", f"{search.algorithm}, population {search.population}, sigma {search.sigma:g}"
    yield from _task(Task.of(config))
    if run.from_genome:
        yield "from", _provenance(load_genome(path / "start.safetensors"))


def _genome(source: str) -> Iterator[Line]:
    genome = load_genome(source)
    yield "genome", source
    yield "evolved", _provenance(genome)
    yield from _task(genome.task)
    start = genome.provenance.get("start")
    if isinstance(start, Mapping):
        yield "from", f"a genome of generation {start.get('generation')}, run seed {start.get('seed')}"


def _experiment(path: Path) -> Iterator[Line]:
    plan = read_stored_plan(path)
    yield "experiment", str(path)
    yield "runs", f"{len(plan.arms)} arms x {len(plan.seeds)} seeds; baseline {plan.baseline}"
    for key, values in plan.rotation.items():
        yield "rotated", f"{key}: {', '.join(map(shown, values))}"
    for arm, seed in plan.runs():
        run = run_path(path, arm, seed)
        told = summarise_run(run).progress if is_run(run) else "not begun"
        evaluated = ", evaluated" if evaluation_path(run).exists() else ""
        yield f"{arm}/seed-{seed}", told + evaluated


def _task(task: Task) -> Iterator[Line]:
    env = task.env
    bodies = f", evolved on {', '.join(env.morphology_names)}" if env.has_bodies else ""
    yield "world", f"{env.name}, {env.steps} steps{bodies}"
    yield "network", "-".join(map(str, task.sizes))
    for text in task_lines(task):
        word, _, rest = text.partition(" ")
        yield word, rest
    for perturbation in task.perturbations:
        yield "perturbed", str(perturbation)
    for module in task.imports:
        yield "imports", f"{module.name}, sha256 {module.sha256}"


def _provenance(genome: Genome) -> str:
    known = genome.provenance
    parts = [f"generation {known.get('generation')}", f"run seed {known.get('seed')}"]
    if isinstance(search := known.get("search"), Mapping):
        parts.insert(0, str(search.get("algorithm")))
    evaluation = known.get("evaluation")
    if isinstance(evaluation, Mapping) and (means := _means(evaluation)):
        parts.append(_scores(means, genome.task.env.unit))
    return ", ".join(parts)


def _means(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """Return the mean of each body, as a run or `ship_genome` wrote it."""
    shipped = evaluation.get("morphologies")
    if isinstance(shipped, Mapping):
        found = {str(body): part.get("mean") for body, part in shipped.items() if isinstance(part, Mapping)}
    else:
        found = {
            str(name).partition(".")[2]: value
            for name, value in evaluation.items()
            if str(name).startswith("center.")
        }
    return {body: float(mean) for body, mean in found.items() if isinstance(mean, int | float)}


def _scores(means: Mapping[str, float], unit: str) -> str:
    if list(means) == ["default"]:
        return f"{means['default']:.2f} {unit}"
    return ", ".join(f"{body} {mean:.2f} {unit}" for body, mean in means.items())
