"""One run of an experiment, from wherever it stands to its end, and the evaluation of its last center."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hebbevo.config.building import build_config
from hebbevo.config.difference import difference
from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.execution.execution import Execution
from hebbevo.experiments.evaluation import Evaluation
from hebbevo.experiments.evaluation_file import read_evaluation_file, write_evaluation
from hebbevo.genomes.genome import load_genome
from hebbevo.training.evolution import evolve, resume
from hebbevo.training.records import Watcher
from hebbevo.training.run_config import is_longer, read_config
from hebbevo.training.run_directory import RunDirectory
from hebbevo.training.trackers.tracker import Tracking


@dataclass(frozen=True)
class RunOrder:
    """A run to be finished, as a worker process is told of it.

    Attributes:
        arm: name of the arm.
        seed: of the run.
        path: its directory.
        config: as resolved, plain data.
        evaluation: of its last center.
        perturbed: whether the evaluation has the perturbations of evolution.
        execution: where the lifetimes run; changes no result.
        tracking: where people look at the run.
    """

    arm: str
    seed: int
    path: Path
    config: Mapping[str, Any]
    evaluation: Evaluation
    perturbed: bool
    execution: Execution
    tracking: Tracking

    @property
    def name(self) -> str:
        """The run, for messages."""
        return f"{self.arm}/seed-{self.seed}"


def is_finished(order: RunOrder) -> bool:
    """Tell whether nothing is left to do; a damaged run is not finished, and `finish` says why."""
    found = read_evaluation_file(order.path)
    if found is None or (found.settings, found.perturbed) != (order.evaluation, order.perturbed):
        return False
    with suppress(InputError):
        return _same_config(order)
    return False


def finish(order: RunOrder, watch: Watcher | None = None) -> None:
    """Evolve a run to its end, from its last checkpoint where it has one, and evaluate its center.

    A run that ended at a smaller budget goes on from there.

    Raises:
        InputError: the directory holds something else, or is in use.
        DivergenceFailure: nearly all lifetimes diverge.
        OSError: the disk is full; the last checkpoint stands.
    """
    config = build_config(order.config)
    if (order.path / "config.yaml").is_file():
        if not is_longer(_written(order), config):
            raise InputError(_difference(order))
        resume(
            order.path,
            generations=config.training.generations,
            agent_steps=config.training.agent_steps,
            execution=order.execution,
            watch=watch,
            track=order.tracking,
        )
    else:
        evolve(config, order.path, execution=order.execution, watch=watch, track=order.tracking)
    genome = load_genome(order.path)
    if not order.perturbed:
        genome = replace(genome, task=replace(genome.task, perturbations=()))
    # An evaluation is short: not worth starting workers for.
    here = replace(order.execution, workers=0, ray=None)
    write_evaluation(order.path, genome, order.evaluation, order.perturbed, here)


def _same_config(order: RunOrder) -> bool:
    config = build_config(order.config)
    try:
        if (order.path / "config.yaml").read_text(encoding="utf-8") == config.to_yaml():
            return True
    except OSError:
        return False
    return _written(order) == config


def _written(order: RunOrder) -> Config:
    return read_config(RunDirectory.open(order.path, read_only=True))


def _difference(order: RunOrder) -> str:
    changed = difference(_written(order).model_dump(mode="json"), order.config)
    return (
        f"{order.path} is a run of another config: {'; '.join(changed[:3])}; undo the change, or move it away"
    )
