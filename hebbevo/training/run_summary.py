"""What runs there are under a folder, and how far each is: read from its config.yaml and progress.csv alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.training.records import Row
from hebbevo.training.run_config import read_config
from hebbevo.training.run_directory import RunDirectory


@dataclass(frozen=True)
class RunSummary:
    """A run as it stands.

    Attributes:
        path: its directory.
        config: as resolved.
        rows: of progress.csv.
        from_genome: whether it started at a genome that was given.
    """

    path: Path
    config: Config
    rows: list[Row]
    from_genome: bool

    @property
    def generation(self) -> int:
        """Generations done."""
        return int(self.rows[-1]["generation"] or 0) if self.rows else 0

    @property
    def agent_steps(self) -> int:
        """Agent-steps of all lifetimes of training."""
        return int(sum(row["agent_steps"] or 0 for row in self.rows))

    @property
    def finished(self) -> bool:
        """Whether the last generation is done, or the budget of agent-steps used up."""
        training = self.config.training
        spent = training.agent_steps is not None and self.agent_steps >= training.agent_steps
        return spent or self.generation >= training.generations

    @property
    def center(self) -> Row | None:
        """The last row with an evaluation of the center."""
        evaluated = (row for row in reversed(self.rows) if row.get("center_mean") is not None)
        return next(evaluated, None)

    @property
    def progress(self) -> str:
        """How far it is: ``generation 30 of 42``, or with a budget ``generation 30, 1,200,000 of 4,500,000 steps``."""
        training = self.config.training
        if self.finished:
            return f"finished, generation {self.generation}"
        if training.agent_steps is None:
            return f"generation {self.generation} of {training.generations}"
        return f"generation {self.generation}, {self.agent_steps:,} of {training.agent_steps:,} agent-steps"

    @property
    def line(self) -> str:
        """World, rule, seed, progress and center in a line."""
        env, rule = self.config.env, self.config.plasticity.parsed_rule
        known = self.center
        parts = [env.name, f"rule {rule.name}", f"seed {self.config.run.seed}", self.progress]
        if known is not None:
            parts.append(f"center {known['center_mean']:.2f} {env.unit}")
        if self.from_genome:
            parts.append("from a genome")
        return ", ".join(parts)


def is_run(path: Path) -> bool:
    """Tell whether a path is a run directory: its config and its checkpoints appear together."""
    return (path / "config.yaml").is_file() and (path / "checkpoints").is_dir()


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the run directories under a folder, the folder included, by name; links are not followed.

    Raises:
        InputError: it is no folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one that holds runs")
    for name, folders, _ in os.walk(folder):
        path = Path(name)
        folders[:] = [] if is_run(path) else sorted(one for one in folders if not one.startswith("."))
        if is_run(path):
            yield path


def summarise_run(path: Path) -> RunSummary:
    """Return a run as it stands; it may go on meanwhile.

    Raises:
        InputError: no run directory, or its config.yaml is none.
    """
    run = RunDirectory.open(path, read_only=True)
    return RunSummary(path, read_config(run), run.read_progress(), run.start_path.exists())
