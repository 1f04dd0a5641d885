"""A task: environment, network and rule, which together give a genome its layout and its lifetimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from hebbevo.config.network import EncoderConfig, NetworkConfig
from hebbevo.config.plasticity import PlasticityConfig
from hebbevo.config.schema import Config
from hebbevo.config.wiring import PlannedProjection, encoder_spec, network_spec, planned_projections
from hebbevo.envs import EnvConfig
from hebbevo.imports import Import
from hebbevo.networks.convolution import EncoderSpec
from hebbevo.networks.encodings.encoding import EncodedArray
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import Layout, encoded_arrays, genome_layout
from hebbevo.networks.network_spec import NetworkSpec
from hebbevo.perturbations.catalogue import check_perturbations
from hebbevo.perturbations.perturbation import NetworkExtent, Perturbation
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.rules import Distribution, Rule
from hebbevo.seeding import Stream, stream

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Task:
    """The sections of a config on which a lifetime depends.

    Attributes:
        imports: modules of the user's own that were imported for it.
        observations: frozen statistics that observations are normalised by; None before there are any.
    """

    env: EnvConfig
    network: NetworkConfig
    plasticity: PlasticityConfig
    perturbations: tuple[Perturbation, ...] = ()
    imports: tuple[Import, ...] = ()
    observations: ObservationStatistics | None = None

    @classmethod
    def of(cls, config: Config) -> Task:
        """Return the task of a run's config.

        Raises:
            InputError: a perturbation that cannot happen in it, or a package that it needs is missing.
        """
        config.env.check_installed()
        task = cls(**{name: getattr(config, name) for name in SECTIONS})
        task.check(task.perturbations)
        return task

    def check(self, perturbations: Sequence[Perturbation], where: str = "perturbations") -> None:
        """Refuse perturbations that cannot happen in a lifetime of this task.

        Raises:
            InputError: one line with the place and the remedy.
        """
        if perturbations:
            # the sensors of images are the pixels, not the features that layer 1 sees
            sensors = self.env.interface.observation_size
            extent = NetworkExtent(
                sensors, len(self.network_spec.projections), self.env.interface.action_size
            )
            check_perturbations(perturbations, self.env, extent, where)

    @cached_property
    def encoder(self) -> EncoderSpec | None:
        """The encoder of images; None where observations are none."""
        return encoder_spec(self.network, self.env.interface)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Neurons per population, the observation first."""
        return tuple(population.size for population in self.network_spec.populations)

    @cached_property
    def network_spec(self) -> NetworkSpec:
        """Populations and projections."""
        return network_spec(self.network, tuple(self._planned.values()), self.env.interface)

    @property
    def summary(self) -> str:
        """The task in a few words: its world, its rules and its sizes."""
        names = ", ".join(rule.name for rule, _ in self.rules)
        sizes = "-".join(map(str, self.sizes))
        return f"{self.env.name}, {names}, {sizes}"

    def __repr__(self) -> str:
        return f"Task({self.summary})"

    @property
    def samples_actions(self) -> bool:
        """Whether each action is drawn from the softmax of the outputs."""
        return self.network.actions == "sample"

    @property
    def action_slopes(self) -> FloatArray | None:
        """Slopes that make actions of raw outputs; None where outputs are actions, or are sampled from."""
        raw = self.network.output == "raw" and not self.samples_actions
        return self.env.interface.action_slopes if raw else None

    def statistics_of_observations(
        self, given: ObservationStatistics | None = None
    ) -> ObservationStatistics | None:
        """Return what observations are normalised by: what is given, or the task's own; None where they are not."""
        if not self.network.normalise_observations:
            return None
        own = given or self.observations
        return own or ObservationStatistics.identity(self.env.interface.observation_size)

    @property
    def learns(self) -> bool:
        """Whether a lifetime changes any weights."""
        return self.kernel_spec.learns

    @cached_property
    def layout(self) -> Layout:
        """Layout of a genome."""
        return genome_layout(self.network_spec, self.encoder.weights if self.encoder else None)

    @cached_property
    def kernel_spec(self) -> KernelSpec:
        """What the kernel of the network is generated from."""
        return KernelSpec(self.network_spec)

    def check_network(self) -> None:
        """Refuse a task that no network can be built for.

        Raises:
            InputError: the environment has no vector of observations, or no kernel can run the rule.
        """
        _ = self.kernel_spec

    def first_genome(self, generator: np.random.Generator) -> FloatArray:
        """Draw a genome ``(layout.size,)`` from the initial distributions."""
        genome = np.empty(self.layout.size, np.float32)
        for entry in self.layout.entries:
            distribution = self._first_distribution(entry.name)
            distribution.fill(generator, genome[entry.offset : entry.offset + entry.size])
        return genome

    def _first_distribution(self, entry: str) -> Distribution:
        """Return what the numbers of a genome's entry are drawn from at first."""
        projection, _, array = entry.partition(".")
        if projection.startswith("conv"):
            return Distribution.parse((self.network.encoder or EncoderConfig()).weights)
        if encoded := self._encoded.get(entry):
            section = self._planned[encoded.projection].plasticity
            return encoded.initial or section.coefficient_distribution(encoded.coefficient)
        planned = self._planned[projection]
        if array == "weight":
            return planned.plasticity.weight_distribution
        return planned.plasticity.parsed_rule.initial(array) or Distribution.parse("zeros")

    @cached_property
    def _encoded(self) -> Mapping[str, EncodedArray]:
        return encoded_arrays(self.network_spec)

    @cached_property
    def _planned(self) -> Mapping[str, PlannedProjection]:
        return {one.name: one for one in planned_projections(self.network, self.plasticity)}

    def first_center(self, run_seed: int) -> FloatArray:
        """Return the genome that a run starts from."""
        return self.first_genome(stream(run_seed, Stream.FIRST_CENTER))

    @property
    def rules(self) -> tuple[tuple[Rule, tuple[str, ...]], ...]:
        """The rules in use, in the order of the projections, each with the names of its own."""
        found: dict[str, tuple[Rule, tuple[str, ...]]] = {}
        for name, one in self._planned.items():
            rule = one.plasticity.parsed_rule
            found[rule.readable] = rule, (*found.get(rule.readable, (rule, ()))[1], name)
        return tuple(found.values())

    @property
    def own_equations(self) -> dict[str, Any]:
        """Text of each projection's rule that is not that of the section `plasticity`, by name."""
        return {name: one.plasticity.parsed_rule.text for name, one in self._planned.items() if one.own_rule}

    def header(self) -> dict[str, Any]:
        """Return the task as a genome file's header holds it."""
        header = {name: dumped for name in SECTIONS if (dumped := _dumped(getattr(self, name)))}
        header["plasticity"]["equation"] = self.plasticity.parsed_rule.text
        if equations := self.own_equations:
            header["network"]["equations"] = equations
        return header


SECTIONS = tuple(section.name for section in fields(Task) if section.name in Config.model_fields)
"""The sections of a config that make a task."""


def _dumped(section: BaseModel | tuple[BaseModel, ...]) -> Any:
    """Return a section as JSON holds it."""
    if isinstance(section, tuple):
        return [part.model_dump(mode="json") for part in section]
    return section.model_dump(mode="json")
