"""What a user writes under `env:`, and what the config declares of its world without building it.

A new environment is a subclass of `EnvConfig`, the `BatchedEnvironment` that it names, and one entry of
`hebbevo.envs.registry.ENVIRONMENTS`. Files of configs stay light: a config is read without importing the simulator.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

from pydantic import Field, field_validator

from hebbevo.envs.base import DEFAULT_MORPHOLOGY, BatchedEnvironment, EnvironmentInterface
from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.entry_points import load
from hebbevo.envs.interventions import Intervention
from hebbevo.envs.metrics import Metric
from hebbevo.errors import EnvError
from hebbevo.settings import Settings


class EarlyStop(Settings):
    """When a hopeless lifetime ends: past step `after`, on `done` or too many negative rewards in a row."""

    after: int = Field(default=0, ge=0, le=1_000_000, description="no stop before this step")
    negative_rewards: int = Field(
        ge=0, le=1_000_000, description="stop when more than this many consecutive rewards are negative"
    )


class EnvConfig(Settings, ABC):
    """Settings of an environment; one subclass for each kind."""

    environment: ClassVar[str | type[BatchedEnvironment]]
    """The `BatchedEnvironment`, or its entry point, called with (config, batch_size); imported when it is built."""
    requires: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Modules that the environment imports besides hebbevo's own requirements, and what pip installs for each."""
    quantity: ClassVar[str] = "reward"
    """Name of the fitness: "progress" or "reward"."""
    unit: ClassVar[str]
    """Unit of the fitness: "m" or "reward"."""
    metrics: ClassVar[Mapping[str, Metric]] = MappingProxyType({})
    """Other measures of a lifetime, by the name of their column in files."""
    releases_gil: ClassVar[bool]
    """Whether a step lets other Python threads run: then threads, not processes, spread the batches."""
    has_levels: ClassVar[bool] = False
    """Whether a lifetime plays the level of `hebbevo.seeding.level_seed`, so that another one may play it again."""
    has_bodies: ClassVar[bool] = False
    """Whether the environment has several bodies to choose from, as `with_morphologies` does."""
    interventions: ClassVar[frozenset[Intervention]] = frozenset()
    """What can be done to a lifetime in the middle of it, by `BatchedEnvironment.interventions`."""
    camera: ClassVar[CameraSpec | None] = None
    """How a lifetime is drawn; None: not at all."""
    batch_sizes: ClassVar[tuple[int, ...]] = (4, 8, 16)
    """The same where the GIL is released: ascending, of which the fastest for a network is measured."""
    own_keys: ClassVar[frozenset[str]] = frozenset(("early_stop",))
    """Keys that mean something else here than in other environments: a preset's are dropped when `env.name` changes."""

    name: str
    steps: int = Field(default=1000, ge=1, le=1_000_000, description="longest lifetime in steps")
    early_stop: EarlyStop | None = None

    @field_validator("early_stop", mode="before")
    @classmethod
    def _rest_of_the_early_stop(cls, value: Any) -> Any:
        """Fill what is left out with what suits this environment."""
        usual = cls.model_fields["early_stop"].default
        return {**usual.model_dump(), **value} if usual is not None and isinstance(value, Mapping) else value

    @property
    @abstractmethod
    def interface(self) -> EnvironmentInterface:
        """What the environment hands a network and takes from it.

        Raises:
            EnvError: it is only known by making the environment, which cannot be made.
        """

    @property
    def seconds_per_step(self) -> float | None:
        """Length of a control step (s), where the config sets one."""
        return None

    @property
    def about(self) -> str:
        """A line on what was found out about the world, where the settings do not say it."""
        return ""

    @property
    def camera_spec(self) -> CameraSpec | None:
        """How a lifetime is drawn, where that depends on the settings."""
        return self.camera

    @classmethod
    def resolve(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings with the content of the files that they name in their place.

        Called on what a user wrote, never on what a run or a genome holds, which name no files.

        Raises:
            EnvError: a file that cannot be read.
        """
        return dict(values)

    @property
    def preferred_batch_size(self) -> int:
        """Lifetimes best stepped in lockstep on a core: few enough that their synapses stay in its cache."""
        return 8

    @property
    def morphology_names(self) -> tuple[str, ...]:
        """Names of the bodies that a genome is evaluated on; ("default",) where there is only one."""
        return (DEFAULT_MORPHOLOGY,)

    def with_morphologies(self, names: Sequence[str]) -> Self:
        """Return the same settings with other bodies to evaluate a genome on.

        Raises:
            EnvError: the environment has one body only, or not all of these.
        """
        raise EnvError(f"{self.name} has one body only, got morphologies {', '.join(names)}; leave them out")

    def check_body(self, name: str) -> None:
        """Raise `EnvError` where the environment has no body of this name, evolved on or not."""
        if name not in self.morphology_names:
            raise EnvError(
                f"{self.name} has no body {name[:80]!r}; it has {', '.join(self.morphology_names)}"
            )

    def describe_body(self, name: str) -> str:
        """Return a line on a body that the environment has."""
        return ""

    @property
    def seen_bodies(self) -> tuple[str, ...]:
        """Bodies that lifetimes may have, those that are drawn from others with what they are drawn from."""
        return self.morphology_names

    @property
    def single_bodies(self) -> tuple[str, ...]:
        """Those of `seen_bodies` that are one body, and not drawn from others."""
        return self.seen_bodies

    @property
    def study_bodies(self) -> tuple[str, ...]:
        """Bodies that a study of generalisation takes besides those that genomes evolved on."""
        return ()

    def reference_environment(self) -> EnvConfig:
        """Return the same task on the official environment, of which this one is a faster copy.

        Raises:
            EnvError: there is no official one beside it.
        """
        raise EnvError(f"{self.name} is no copy of an official environment; leave `official` out")

    @property
    def measured_metrics(self) -> Mapping[str, Metric]:
        """The metrics that do not follow from the fitness."""
        return {name: metric for name, metric in self.metrics.items() if metric.measured}

    def measured_in(self, metric: str | None = None) -> tuple[str, str]:
        """Return quantity and unit of the fitness, or of one of `measured_metrics`."""
        if metric is None:
            return self.quantity, self.unit
        return self.metrics[metric].quantity, self.metrics[metric].unit

    def axis_label(self, text: str, metric: str | None = None) -> str:
        """Return a label with its unit: ``progress in a lifetime (m)`` for ``{} in a lifetime``.

        Args:
            text: with ``{}`` for the quantity.
            metric: one of `measured_metrics`; None is the fitness.
        """
        quantity, unit = self.measured_in(metric)
        return text.format(quantity) + ("" if unit == quantity else f" ({unit})")

    def check_installed(self) -> None:
        """Raise `EnvError` where a module that the environment needs is not installed."""
        for module, package in self.requires.items():
            if importlib.util.find_spec(module) is None:
                raise EnvError(f'{self.name} needs {module}, which is missing; pip install "{package}"')

    def build(self, batch_size: int, **options: Any) -> BatchedEnvironment:
        """Make the environment for up to `batch_size` lifetimes.

        Args:
            batch_size: at least 1.
            options: further arguments of the environment, as ``render_mode="rgb_array"``.

        Raises:
            EnvError: a wrong batch size, or something that the environment needs is not installed.
        """
        self.check_installed()
        return cast(BatchedEnvironment, load(self.environment)(self, batch_size, **options))
