"""Runs whose rules merge: which numbers of a genome are the rule of a synapse."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.search import Searcher
from hebbevo.search.merging import MergeSchedule, MergingSearch
from hebbevo.tasks.task import Task

_SYNAPSE = "synapse"
"""The sharing of coefficients that can merge."""


def merging(searcher: Searcher, config: Config, task: Task) -> MergingSearch:
    """Return the searcher of a run with `training.merge_to`.

    Raises:
        InputError: no coefficients of single synapses, or different ones in different projections.
    """
    training = config.training
    assert training.merge_to is not None
    schedule = MergeSchedule(training.merge_to, training.merge_every)
    return MergingSearch(searcher, rules_of_synapses(task), schedule, config.run.seed)


def rules_of_synapses(task: Task) -> npt.NDArray[np.int64]:
    """Return where the coefficients of each synapse lie in a genome, ``(synapses, coefficients)``.

    Synapses are those of all projections whose coefficients are numbers per synapse, in the order of a genome.

    Raises:
        InputError: as `merging`.
    """
    entries = {entry.name: entry for entry in task.layout.entries}
    parts: list[npt.NDArray[np.int64]] = []
    first: tuple[str, tuple[str, ...]] | None = None
    for projection in task.network_spec.projections:
        own = tuple(c for c in projection.rule.coefficients if projection.sharing[c] == _SYNAPSE)
        if not own:
            continue
        first = first or (projection.name, own)
        if own != first[1]:
            raise InputError(
                f"training.merge_to merges rules with the same coefficients: {first[0]} has {', '.join(first[1])} per "
                f"synapse, {projection.name} {', '.join(own)}; share the others, as plasticity.sharing=layer"
            )
        arrays = [entries[f"{projection.name}.{coefficient}"] for coefficient in own]
        parts.append(np.stack([array.offset + np.arange(array.size) for array in arrays], axis=1))
    if not parts:
        raise InputError(
            "training.merge_to merges coefficients of single synapses, and there are none; use "
            "plasticity.sharing=synapse"
        )
    return np.concatenate(parts)
