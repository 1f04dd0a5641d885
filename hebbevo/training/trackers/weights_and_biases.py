"""Weights & Biases: a run there, grouped by experiment; its files lie in the run directory.

``WANDB_MODE=offline`` sends nothing; ``WANDB_PROJECT``, ``WANDB_ENTITY`` and the others are wandb's own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from hebbevo.training.trackers.tracker import TrackedRun, Tracker

_NAME = "wandb"


class WandbTracker(Tracker):
    """Logs over generations, which may come again after a kill."""

    requires: ClassVar[str | None] = _NAME

    @override
    def begin(self, run: TrackedRun) -> None:
        import wandb

        identity = run.identity(_NAME) or secrets.token_hex(4)
        run.remember(_NAME, identity)
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "hebbevo"),
            id=identity,
            resume="allow",
            dir=str(run.path),
            name=run.name,
            group=run.group,
            job_type=run.part,
            config=dict(run.config),
            settings=wandb.Settings(console="off"),
            reinit="create_new",
        )
        self._run.define_metric("generation")
        self._run.define_metric("*", step_metric="generation")

    @override
    def record(self, generation: int, values: Mapping[str, float]) -> None:
        self._run.log({**values, "generation": generation})

    @override
    def close(self) -> None:
        self._run.finish()
