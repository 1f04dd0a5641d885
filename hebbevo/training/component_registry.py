"""The components that a run can have, one entry each."""

from __future__ import annotations

from collections.abc import Callable

from hebbevo.config.schema import Config
from hebbevo.genomes.genome import Genome
from hebbevo.training.components import RunComponent, RunComponents
from hebbevo.training.level_replay import LevelReplay
from hebbevo.training.observation_normalisation import ObservationNormalisation

COMPONENTS: tuple[Callable[[Config, Genome | None], RunComponent | None], ...] = (
    LevelReplay.of,
    ObservationNormalisation.of,
)
"""Each returns its component, or None for a run that goes without; in the order in which they take up results."""


def components_of(config: Config, start: Genome | None = None) -> RunComponents:
    """Return the components of a run, as they are at generation 0.

    Args:
        config: of the run.
        start: the genome that the run starts from, if any.
    """
    built = (make(config, start) for make in COMPONENTS)
    return RunComponents(component for component in built if component is not None)
