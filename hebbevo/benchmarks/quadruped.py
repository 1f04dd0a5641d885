"""One agent-step of the quadruped on one core by part, across batch sizes, against the physics alone."""

from __future__ import annotations

from typing import Any

from hebbevo.benchmarks.replays import Recording, fastest, measure_parts
from hebbevo.benchmarks.timing import Effort, one_core
from hebbevo.config.loading import load_config
from hebbevo.tasks.task import Task


def measure(effort: Effort, rule: str = "ABCD_lr", sharing: str = "synapse") -> dict[str, Any]:
    """Measure quick-quadruped's task at every batch size; the numbers of the fastest are those of the record.

    Raises:
        InputError, RuleError: an unknown rule or sharing, or one whose lifetimes end early.
    """
    preset = "quick-quadruped-static" if rule == "none" else "quick-quadruped"
    settings = {"plasticity.rule": rule, "plasticity.sharing": sharing}
    if effort.steps is not None:
        settings["env.steps"] = str(effort.steps)
    config = load_config(preset, [f"{key}={value}" for key, value in settings.items()])
    task = Task.of(config)
    with one_core():
        results = [
            measure_parts(Recording(task, batch_size), effort.repeats) for batch_size in effort.batch_sizes
        ]
    return {**fastest(results), "rule": rule, "sharing": sharing, "steps": task.env.steps, "blocks": results}
