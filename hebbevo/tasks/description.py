"""What a task is and evolves, in words."""

from __future__ import annotations

from collections.abc import Iterator

from hebbevo.tasks.task import Task


def task_lines(task: Task) -> Iterator[str]:
    """Yield a line on a robot of a user's file, whose parts were found, then those of `rule_lines`."""
    if task.env.about:
        yield task.env.about
    yield from rule_lines(task)


def rule_lines(task: Task) -> Iterator[str]:
    """Yield a line per rule, with its projections where there are several; how much evolves stands in the last."""
    for number, (rule, projections) in enumerate(task.rules, start=1):
        coefficients = ", ".join(rule.coefficients) or (
            "none: static weights" if rule.is_static else "none: nothing of it evolves"
        )
        line = f"rule {rule.name}: {rule.readable}; coefficients {coefficients}"
        if len(task.rules) > 1:
            line += f"; of {', '.join(projections)}"
        yield line + f"; {task.layout.size:,} numbers to evolve" * (number == len(task.rules))
