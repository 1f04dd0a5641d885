"""The network that the sections `network` and `plasticity` describe: its populations and projections, with sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from hebbevo.config.network import EncoderConfig, NetworkConfig
from hebbevo.config.plasticity import PlasticityConfig, for_another_rule
from hebbevo.envs import EnvironmentInterface
from hebbevo.errors import RuleError, unknown
from hebbevo.networks.convolution import Convolution, EncoderSpec
from hebbevo.networks.layout import resolve_sharing
from hebbevo.networks.network_spec import INPUTS, NetworkSpec, Noise, Population, Projection
from hebbevo.rules import Distribution
from hebbevo.validation import check_section

MODULATOR, OUTPUT = "modulator", "output"
"""Populations of the short form besides the inputs and ``hidden1``, ``hidden2``, ..."""

_RESERVED = ("network", "neuron", "cppn")
"""Names before the dot of a genome's arrays that no projection owns."""

_OWN_KEYS = ("delayed", "name")


@dataclass(frozen=True)
class PlannedProjection:
    """A projection before the sizes are known.

    Attributes:
        plasticity: the section `plasticity`, with what the projection has of its own.
        own_rule: whether the rule is not that of the section.
    """

    name: str
    source: str
    target: str
    plasticity: PlasticityConfig
    delayed: bool = False
    own_rule: bool = False

    def build(self) -> Projection:
        """Return the projection."""
        own = self.plasticity
        return Projection(
            self.name,
            self.source,
            self.target,
            own.parsed_rule,
            resolve_sharing(own.parsed_rule, own.sharing),
            own.normalise,
            None if own.weights_evolve else own.weight_distribution,
            self.delayed,
            own.signals,
            own.every,
            own.offset,
            own.window,
        )


def planned_projections(
    network: NetworkConfig, plasticity: PlasticityConfig
) -> tuple[PlannedProjection, ...]:
    """Return the projections of a network, in the order in which a genome holds their arrays.

    Raises:
        RuleError: a malformed projection, or nothing that evolves.
    """
    if network.populations:
        planned = tuple(_written_projections(network, plasticity))
    else:
        planned = tuple(_layered_projections(network, plasticity))
    names = [one.name for one in planned]
    if twice := [name for name in names if names.count(name) > 1]:
        raise RuleError(f"two projections are called {twice[0]!r}; give one of them a name: {{name: ...}}")
    if not any(one.plasticity.evolves for one in planned):
        rule = plasticity.parsed_rule.name
        raise RuleError(
            f"rule {rule!r} has no coefficients, so there is nothing to evolve; use initial_weights: evolved"
        )
    return planned


def encoder_spec(network: NetworkConfig, interface: EnvironmentInterface) -> EncoderSpec | None:
    """Return the encoder of images; None where observations are none."""
    if interface.image_shape is None:
        return None
    config = network.encoder or EncoderConfig()
    layers = tuple(Convolution(**layer.model_dump()) for layer in config.convolutions)
    return EncoderSpec(interface.image_shape, config.image_size, layers)


def network_spec(
    network: NetworkConfig, planned: Sequence[PlannedProjection], interface: EnvironmentInterface
) -> NetworkSpec:
    """Return populations and projections.

    Args:
        network: the section.
        planned: its `planned_projections`.
        interface: of the environment, which says the sizes.

    Raises:
        RuleError: one line with the remedy.
    """
    encoder, actions = encoder_spec(network, interface), interface.action_size
    observations = encoder.features if encoder else interface.observation_size
    sizes = {"observation": observations, "action": actions, "reward": 1, "one": 1}
    used = {"observation", *(one.source for one in planned)}
    used |= {population for one in planned for population in one.plasticity.signals.values()}
    inputs = [Population(name, sizes[name], "identity") for name in INPUTS if name in used]
    if network.populations:
        neurons, output = _written_populations(network, actions)
    else:
        neurons, output = _layered_populations(network, actions), OUTPUT
    placed = _placed([*inputs, *neurons], network.coordinates)
    return NetworkSpec(placed, tuple(one.build() for one in planned), output)


def _placed(
    populations: list[Population], coordinates: Mapping[str, tuple[tuple[float, ...], ...]]
) -> tuple[Population, ...]:
    """Return populations with the places that are given for them."""
    names = [population.name for population in populations]
    if other := [name for name in coordinates if name not in names]:
        raise RuleError(f"network.coordinates: {unknown('population', other[0], names)}")
    return tuple(replace(population, places=coordinates.get(population.name)) for population in populations)


def _layered_populations(network: NetworkConfig, actions: int) -> list[Population]:
    noise = _noise(network.noise, network.noise_probability)
    populations = [
        Population(f"hidden{layer}", size, network.activation, noise)
        for layer, size in enumerate(network.hidden, start=1)
    ]
    if network.modulators:
        populations.append(Population(MODULATOR, network.modulators))
    noise = _noise(network.output_noise, network.noise_probability)
    return [*populations, Population(OUTPUT, actions, _output_activation(network, "tanh"), noise)]


def _layered_projections(network: NetworkConfig, plasticity: PlasticityConfig) -> Iterator[PlannedProjection]:
    """Yield the projections of the short form: those of the perceptron, then what it has besides."""
    hidden = [f"hidden{layer}" for layer in range(1, len(network.hidden) + 1)]
    layers = ["observation", *hidden, OUTPUT]
    if network.modulators and "m" in plasticity.parsed_rule.signals and "m" not in plasticity.signals:
        plasticity = _changed(plasticity, {"signals": {**plasticity.signals, "m": MODULATOR}}, "plasticity")
    for number, (before, after) in enumerate(pairwise(layers), start=1):
        yield PlannedProjection(f"layer{number}", before, after, plasticity)
    for source in network.inputs:
        for target in layers[1:] if source == "one" else layers[1:2]:
            if source != "observation":
                yield PlannedProjection(f"{source}_to_{target}", source, target, plasticity)
    if network.recurrent:
        for layer in hidden:
            yield PlannedProjection(f"{layer}_to_{layer}", layer, layer, plasticity, delayed=True)
    if network.modulators:
        static = _changed(plasticity, {"rule": "none"}, "plasticity")
        yield PlannedProjection(f"{layers[-2]}_to_{MODULATOR}", layers[-2], MODULATOR, static, own_rule=True)


def _written_populations(network: NetworkConfig, actions: int) -> tuple[list[Population], str]:
    """Return the populations of the full form, by name, and which of them is the output."""
    outputs = [name for name, population in network.populations.items() if population.size is None]
    if len(outputs) != 1:
        found = f"{outputs[0]!r} and {outputs[1]!r} have" if outputs else "every population has"
        wrong = "no size" if outputs else "a size"
        raise RuleError(
            f"network.populations: {found} {wrong}; leave the size out of one population, which is the output"
        )
    populations = []
    for name, population in sorted(network.populations.items()):
        _check_population(name)
        activation = population.activation
        if name == outputs[0]:
            activation = _output_activation(network, activation)
        noise = _noise(population.noise, population.noise_probability)
        populations.append(Population(name, population.size or actions, activation, noise))
    return populations, outputs[0]


def _check_population(name: str) -> None:
    if name in INPUTS:
        raise RuleError(
            f"network.populations: {name!r} is an input, which is there already; choose another name"
        )
    _check_name("network.populations", name)


def _check_name(where: str, name: Any) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise RuleError(f"{where}: {name!r} is no name; use letters, digits and _")


def _written_projections(network: NetworkConfig, plasticity: PlasticityConfig) -> Iterator[PlannedProjection]:
    """Yield the projections of the full form."""
    for number, item in enumerate(network.projections):
        where = f"network.projections[{number}]"
        text, own = _text_and_keys(item, where)
        source, target = _ends(text, where)
        if "delayed" in own and not isinstance(own["delayed"], bool):
            raise RuleError(f"{where}.delayed must be true or false, got {own['delayed']!r}")
        name = own.get("name", f"{source}_to_{target}")
        _check_name(f"{where}.name", name)
        if name.startswith("conv") or name in _RESERVED:
            raise RuleError(f"{where}.name: {name!r} stands for other arrays of a genome; choose another")
        keys = {key: value for key, value in own.items() if key not in _OWN_KEYS}
        changed = _changed(plasticity, keys, where)
        yield PlannedProjection(name, source, target, changed, bool(own.get("delayed")), "rule" in keys)


def _text_and_keys(item: str | dict[str, dict[str, Any]], where: str) -> tuple[str, dict[str, Any]]:
    if isinstance(item, str):
        return item, {}
    if len(item) != 1:
        raise RuleError(f"{where}: expected one projection as `a -> b: {{...}}`, got {len(item)} keys")
    return next(iter(item.items()))


def _ends(text: str, where: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split("->")]
    if len(parts) != 2 or not all(parts):
        raise RuleError(f"{where}: expected `source -> target`, got {text!r}")
    return parts[0], parts[1]


def _changed(plasticity: PlasticityConfig, keys: Mapping[str, Any], where: str) -> PlasticityConfig:
    """Return the section with other values for some keys; another rule does not inherit what names coefficients."""
    if not keys:
        return plasticity
    if other := [key for key in keys if key not in PlasticityConfig.model_fields]:
        raise RuleError(f"{where}: {unknown('key', other[0], (*PlasticityConfig.model_fields, *_OWN_KEYS))}")
    base = plasticity.model_dump()
    if "rule" in keys:
        base = for_another_rule(base, keys["rule"])
    changed = check_section(where, PlasticityConfig, {**base, **keys})
    assert isinstance(changed, PlasticityConfig)
    return changed


def _output_activation(network: NetworkConfig, activation: str) -> str:
    if network.output == "raw":
        return "identity"
    if activation != "tanh":
        raise RuleError(
            f"the output population must have activation tanh, got {activation!r}; for sums that only the "
            "environment's bounds limit, set network.output: raw"
        )
    return activation


def _noise(text: str | None, probability: float) -> Noise | None:
    return None if text is None else Noise(Distribution.parse(text), probability)
