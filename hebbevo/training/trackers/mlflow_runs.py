"""MLflow: a run there, in an MLflow experiment of the experiment's name.

``MLFLOW_TRACKING_URI`` says where: a server, a database, or, with ``MLFLOW_ALLOW_FILE_STORE=true``, a folder.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from hebbevo.training.trackers.tracker import TrackedRun, Tracker

_NAME = "mlflow"
_FOREIGN = re.compile(r"[^\w./ -]")
_LONGEST_VALUE, _MOST_PARAMETERS = 500, 100


class MlflowTracker(Tracker):
    """Logs over generations through a client of its own: no run of the caller's is touched."""

    requires: ClassVar[str | None] = _NAME

    @override
    def begin(self, run: TrackedRun) -> None:
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self._client: Any = MlflowClient()
        identity = run.identity(_NAME)
        if identity is not None:
            self._run = identity
            self._client.update_run(identity, status="RUNNING")
            return
        name = run.group or "hebbevo"
        experiment = self._client.get_experiment_by_name(name)
        experiment_id = experiment.experiment_id if experiment else self._client.create_experiment(name)
        tags = {"arm": run.part} if run.part is not None else {}
        self._run = self._client.create_run(experiment_id, tags=tags, run_name=run.name).info.run_id
        run.remember(_NAME, self._run)
        settings = [
            Param(_FOREIGN.sub("_", key), str(value)[:_LONGEST_VALUE]) for key, value in run.settings.items()
        ]
        for start in range(0, len(settings), _MOST_PARAMETERS):
            self._client.log_batch(self._run, params=settings[start : start + _MOST_PARAMETERS])

    @override
    def record(self, generation: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        metrics = [Metric(_FOREIGN.sub("_", name), value, now, generation) for name, value in finite.items()]
        self._client.log_batch(self._run, metrics=metrics)

    @override
    def close(self) -> None:
        self._client.set_terminated(self._run)
