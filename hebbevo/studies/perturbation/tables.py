"""Tables of a study of perturbations: per lifetime, per protocol, the freeze curve, speeds, the ways of the weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.statistics import Estimate, mean_estimate, mean_intervals, ratio_of_means
from hebbevo.genomes.genome import Genome
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan, Protocol
from hebbevo.studies.perturbation.records import SNAPSHOT_EVERY, Record
from hebbevo.studies.perturbation.recovery import mean_recovery, recovery_steps, windowed_speed
from hebbevo.studies.perturbation.study import Recorded
from hebbevo.studies.perturbation.weight_trajectories import Components, directions, principal_components

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
Flags = npt.NDArray[np.bool_]

BIN: Final = 10
"""Steps over which the speeds of the tables are averaged."""

WEIGHTS, DIRECTION = "weights", "direction"
"""What components are of: weights as they are, or scaled to one size."""

_TEXT, _WHOLE, _REAL = "string", "int64", "float64"
_WHO = {"genome": _TEXT, "morphology": _TEXT, "protocol": _TEXT}
_LIFETIMES = {
    **_WHO,
    **dict.fromkeys(("episode", "seed"), _WHOLE),
    "progress": _REAL,
    "steps": _WHOLE,
    "diverged": "bool",
    **dict.fromkeys(("loss", "recovery_steps"), _REAL),
}
_TABLE = {
    "genome": _TEXT,
    "rule": _TEXT,
    "morphology": _TEXT,
    "protocol": _TEXT,
    "perturbations": _TEXT,
    **dict.fromkeys(("begins", "recovery_from", "lifetimes", "diverged"), _WHOLE),
    "unit": _TEXT,
    **dict.fromkeys(("mean", "mean_low", "mean_high", "sd"), _REAL),
    **dict.fromkeys(("loss", "loss_low", "loss_high"), _REAL),
    **dict.fromkeys(("loss_share", "loss_share_low", "loss_share_high"), _REAL),
    **dict.fromkeys(("recovery_steps", "recovery_low", "recovery_high"), _REAL),
    **dict.fromkeys(("recovered", "recovery_median"), _REAL),
}
_FREEZE = {
    "genome": _TEXT,
    "morphology": _TEXT,
    "frozen_at": _WHOLE,
    **dict.fromkeys(("mean", "mean_low", "mean_high", "of_unperturbed"), _REAL),
}
_SPEED = {**_WHO, "t": _WHOLE, "unit": _TEXT, **dict.fromkeys(("speed", "speed_low", "speed_high"), _REAL)}
_TRAJECTORIES = {
    **dict.fromkeys(("genome", "weights", "of"), _TEXT),
    **dict.fromkeys(("lifetime", "t"), _WHOLE),
    **dict.fromkeys(("component_1", "component_2", "component_3"), _REAL),
    **dict.fromkeys(("explained_1", "explained_2", "explained_3"), _REAL),
}
_WEIGHT_SPEED = {
    **dict.fromkeys(("genome", "weights"), _TEXT),
    "t": _WHOLE,
    **dict.fromkeys(("change", "relative_change", "turn", "size"), _REAL),
}


class StudyTables:
    """The tables, each made when it is first asked for; columns are described in docs/studies.md."""

    def __init__(self, plan: Plan, recorded: Recorded) -> None:
        self.plan = plan
        self.recorded = recorded

    @property
    def speed_unit(self) -> str:
        """Unit of a speed."""
        return "m/s" if self.plan.step_seconds else f"{self.plan.env.unit} per step"

    @property
    def speed_scale(self) -> float:
        """Turns progress per step into a speed."""
        return 1.0 / (self.plan.step_seconds or 1.0)

    @cached_property
    def lifetimes(self) -> pa.Table:
        """A row per lifetime; one that diverged, or whose twin did, has no loss and no recovery."""
        return _table(_LIFETIMES, (row for case in self._cases() for row in self._lifetime_rows(*case)))

    @cached_property
    def table(self) -> pa.Table:
        """A row per genome, body and protocol."""
        return _table(_TABLE, (self._statistics(*case) for case in self._cases()))

    @cached_property
    def freeze(self) -> pa.Table:
        """The freeze curve: progress of a life whose weights change no more from a step on."""
        return _table(_FREEZE, self._freeze_rows())

    @cached_property
    def speed(self) -> pa.Table:
        """Speed over time, in bins of `BIN` steps, with intervals over lifetimes."""
        return _table(_SPEED, (row for case in self._cases() for row in self._speed_rows(*case)))

    @cached_property
    def components(self) -> dict[tuple[str, str, str], Components]:
        """Principal components by genome, condition, and of what: the `weights` or their `direction`."""
        return {
            (*key, of): principal_components([scale(way.weights) for way in ways])
            for key, ways in self.recorded.trajectories.items()
            if ways
            for of, scale in ((WEIGHTS, np.asarray), (DIRECTION, directions))
        }

    @cached_property
    def trajectories(self) -> pa.Table:
        """Where the weights were, in their principal components."""
        return _table(_TRAJECTORIES, self._trajectory_rows())

    @cached_property
    def weight_speed(self) -> pa.Table:
        """How far weights move in a step, mean over lifetimes of the root mean square over synapses."""
        return _table(_WEIGHT_SPEED, self._weight_speed_rows())

    def record(self, genome: Genome, body: str, protocol: str) -> Record:
        """Return the lifetimes of a case."""
        return self.recorded.records[genome.name, body, protocol]

    def _cases(self) -> Iterator[tuple[Genome, str, Protocol]]:
        for genome in self.plan.genomes:
            for body in self.plan.morphologies:
                for protocol in self.plan.protocols_of(genome):
                    yield genome, body, protocol

    def _pair(self, genome: Genome, body: str, protocol: Protocol) -> tuple[Record, Record, Flags]:
        """Return the lifetimes of a case, their twins, and which of the pairs can be compared."""
        record, twin = self.record(genome, body, protocol.name), self.record(genome, body, UNPERTURBED)
        return record, twin, ~(record.lifetimes.diverged | twin.lifetimes.diverged)

    def _lifetime_rows(self, genome: Genome, body: str, protocol: Protocol) -> Iterator[Row]:
        record, twin, good = self._pair(genome, body, protocol)
        since, mine = protocol.since, record.lifetimes
        times = np.full(len(good), np.inf)
        if since is not None:
            times = recovery_steps(windowed_speed(record.progress), windowed_speed(twin.progress), since)
        for episode in range(self.plan.episodes):
            yield {
                "genome": genome.name,
                "morphology": body,
                "protocol": protocol.name,
                "episode": episode,
                "seed": lifetime_seed(self.plan.seed, SeedPurpose.EVALUATION, episode),
                "progress": None if mine.diverged[episode] else float(mine.fitness[episode]),
                "steps": int(mine.steps[episode]),
                "diverged": bool(mine.diverged[episode]),
                "loss": float(twin.lifetimes.fitness[episode] - mine.fitness[episode])
                if good[episode]
                else None,
                "recovery_steps": _finite(times[episode]) if good[episode] else None,
            }

    def _statistics(self, genome: Genome, body: str, protocol: Protocol) -> Row:
        record, twin, good = self._pair(genome, body, protocol)
        lived = record.lifetimes.fitness[~record.lifetimes.diverged]
        row: Row = {
            "genome": genome.name,
            "rule": genome.task.plasticity.parsed_rule.name,
            "morphology": body,
            "protocol": protocol.name,
            "perturbations": protocol.text,
            "begins": protocol.begins,
            "recovery_from": protocol.since,
            "lifetimes": self.plan.episodes,
            "diverged": int(record.lifetimes.diverged.sum()),
            "unit": self.plan.env.unit,
            **_named("mean", "mean", mean_estimate(lived)),
            "sd": float(lived.std(ddof=1)) if len(lived) > 1 else None,
        }
        if protocol.begins is not None:
            loss = twin.lifetimes.fitness[good] - record.lifetimes.fitness[good]
            ahead = twin.progress[good, protocol.begins :].sum(axis=1)
            row |= _named("loss", "loss", mean_estimate(loss))
            row |= _named("loss_share", "loss_share", ratio_of_means(loss, ahead))
        if protocol.since is not None:
            row |= self._recovery(record.progress[good], twin.progress[good], protocol.since)
        return row

    def _recovery(self, progress: npt.NDArray[np.float64], twin: npt.NDArray[np.float64], since: int) -> Row:
        times = recovery_steps(windowed_speed(progress), windowed_speed(twin), since)
        return {
            **_named("recovery_steps", "recovery", mean_recovery(progress, twin, since)),
            "recovered": float(np.isfinite(times).mean()) if len(times) else None,
            "recovery_median": _finite(np.sort(times)[len(times) // 2]) if len(times) else None,
        }

    def _freeze_rows(self) -> Iterator[Row]:
        for genome, body, protocol in self._cases():
            if protocol.frozen_at is None:
                continue
            record, twin, good = self._pair(genome, body, protocol)
            mine, other = record.lifetimes.fitness[good], twin.lifetimes.fitness[good]
            yield {
                "genome": genome.name,
                "morphology": body,
                "frozen_at": protocol.frozen_at,
                **_named("mean", "mean", mean_estimate(mine)),
                "of_unperturbed": ratio_of_means(mine, other).value,
            }

    def _speed_rows(self, genome: Genome, body: str, protocol: Protocol) -> Iterator[Row]:
        record = self.record(genome, body, protocol.name)
        progress = record.progress[~record.lifetimes.diverged]
        bins = progress.shape[1] // BIN
        if not len(progress):
            return
        speeds = progress[:, : bins * BIN].reshape(len(progress), bins, BIN).mean(axis=2) * self.speed_scale
        means, (low, high) = speeds.mean(axis=0), mean_intervals(speeds)
        for place in range(bins):
            yield {
                "genome": genome.name,
                "morphology": body,
                "protocol": protocol.name,
                "t": place * BIN,
                "unit": self.speed_unit,
                "speed": float(means[place]),
                "speed_low": float(low[place]),
                "speed_high": float(high[place]),
            }

    def _trajectory_rows(self) -> Iterator[Row]:
        for (genome, condition, of), components in self.components.items():
            explained = {f"explained_{n}": float(s) for n, s in enumerate(components.explained, start=1)}
            for lifetime, places in enumerate(components.places):
                for point, place in enumerate(places):
                    yield {
                        "genome": genome,
                        "weights": condition,
                        "of": of,
                        "lifetime": lifetime,
                        "t": point * SNAPSHOT_EVERY,
                        **{f"component_{n}": float(x) for n, x in enumerate(place, start=1)},
                        **explained,
                    }

    def _weight_speed_rows(self) -> Iterator[Row]:
        for (genome, condition), ways in self.recorded.trajectories.items():
            for t in range(max((len(way.change) for way in ways), default=0)):
                there = [way for way in ways if t < len(way.change)]
                yield {
                    "genome": genome,
                    "weights": condition,
                    "t": t,
                    "change": float(np.mean([way.change[t] for way in there])),
                    "relative_change": _mean([way.change[t] / way.size[t] for way in there if way.size[t]]),
                    "turn": float(np.mean([way.turn[t] for way in there])),
                    "size": float(np.mean([way.size[t] for way in there])),
                }


def _named(value: str, bounds: str, estimate: Estimate) -> Row:
    return {value: estimate.value, f"{bounds}_low": estimate.low, f"{bounds}_high": estimate.high}


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _table(schema: dict[str, str], rows: Iterator[Row]) -> pa.Table:
    import pyarrow as pa

    kinds = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    fields = pa.schema([(name, kinds[kind]) for name, kind in schema.items()])
    return pa.Table.from_pylist(list(rows), schema=fields)
