"""A task: environment, network and rule, which together give a genome its layout and its lifetimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from hebbevo.config.schema import Config, EncoderConfig, NetworkConfig, PlasticityConfig
from hebbevo.envs import EnvConfig
from hebbevo.networks.convolution import Convolution, EncoderSpec
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import Layout, genome_layout, resolve_sharing
from hebbevo.perturbations.catalogue import check_perturbations
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rules import Distribution
from hebbevo.seeding import Stream, stream

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Task:
    """The sections of a config on which a lifetime depends."""

    env: EnvConfig
    network: NetworkConfig
    plasticity: PlasticityConfig
    perturbations: tuple[Perturbation, ...] = ()

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
            check_perturbations(perturbations, self.env, (sensors, *self.sizes[1:]), where)

    @cached_property
    def encoder(self) -> EncoderSpec | None:
        """The encoder of images; None where observations are none."""
        image_shape = self.env.interface.image_shape
        if image_shape is None:
            return None
        config = self.network.encoder or EncoderConfig()
        layers = tuple(Convolution(**layer.model_dump()) for layer in config.convolutions)
        return EncoderSpec(image_shape, config.image_size, layers)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Neurons per plastic layer, input first."""
        first = self.encoder.features if self.encoder else self.env.interface.observation_size
        return (first, *self.network.hidden, self.env.interface.action_size)

    @cached_property
    def sharing(self) -> Mapping[str, str]:
        """The sharing of each coefficient."""
        return resolve_sharing(self.plasticity.parsed_rule, self.plasticity.sharing)

    @cached_property
    def layout(self) -> Layout:
        """Layout of a genome."""
        return genome_layout(
            self.plasticity.parsed_rule,
            self.sizes,
            self.sharing,
            evolved_weights=self.plasticity.weights_evolve,
            convolutions=self.encoder.weights if self.encoder else None,
        )

    @cached_property
    def kernel_spec(self) -> KernelSpec:
        """The specification from which the kernel of the network is generated."""
        return KernelSpec(
            self.plasticity.parsed_rule,
            self.sizes,
            self.sharing,
            self.plasticity.normalise,
            self.network.activation,
            "identity" if self.network.output == "raw" else "tanh",
        )

    def check_network(self) -> None:
        """Refuse a task that no network can be built for.

        Raises:
            InputError: the environment has no vector of observations, or no kernel can run the rule.
        """
        _ = self.kernel_spec

    def first_genome(self, generator: np.random.Generator) -> FloatArray:
        """Draw a genome ``(layout.size,)`` from the initial distributions."""
        coefficients = Distribution.parse(self.plasticity.initial_coefficients)
        convolutions = Distribution.parse((self.network.encoder or EncoderConfig()).weights)
        genome = np.empty(self.layout.size, np.float32)
        for entry in self.layout.entries:
            distribution = coefficients
            if entry.name.startswith("conv"):
                distribution = convolutions
            elif entry.name.endswith(".weight"):
                distribution = self.plasticity.weight_distribution
            distribution.fill(generator, genome[entry.offset : entry.offset + entry.size])
        return genome

    def first_center(self, run_seed: int) -> FloatArray:
        """Return the genome that a run starts from."""
        return self.first_genome(stream(run_seed, Stream.FIRST_CENTER))

    def header(self) -> dict[str, Any]:
        """Return the task as a genome file's header holds it."""
        header = {name: dumped for name in SECTIONS if (dumped := _dumped(getattr(self, name)))}
        header["plasticity"]["equation"] = self.plasticity.parsed_rule.text
        return header


SECTIONS = tuple(section.name for section in fields(Task))
"""The sections of a config that make a task."""


def _dumped(section: BaseModel | tuple[BaseModel, ...]) -> Any:
    """Return a section as JSON holds it."""
    if isinstance(section, tuple):
        return [part.model_dump(mode="json") for part in section]
    return section.model_dump(mode="json")
