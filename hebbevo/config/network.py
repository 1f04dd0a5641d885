"""The section `network`: populations, and the encoder of images before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from hebbevo.config.section import Section, optional
from hebbevo.errors import RuleError, unknown
from hebbevo.networks.network_spec import ACTIVATIONS, MOST_PROJECTIONS
from hebbevo.rules import Distribution


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise RuleError(unknown("activation", name, ACTIVATIONS))
    return name


def _distribution(text: str) -> str:
    Distribution.parse(text)
    return text


Activation = Annotated[str, AfterValidator(_known_activation)]
DistributionText = Annotated[str, AfterValidator(_distribution)]
Probability = Annotated[float, Field(gt=0, le=1)]


class ConvolutionConfig(Section):
    """A convolution without bias or padding, then tanh, then the maximum of every `pool` x `pool` window."""

    channels: int = Field(ge=1, le=1024)
    kernel: int = Field(ge=1, le=31)
    stride: int = Field(default=1, ge=1, le=31)
    pool: int = Field(default=1, ge=1, le=31)


class EncoderConfig(Section):
    """The encoder of images into features for the plastic layers; static, evolved. Najarro & Risi's by default."""

    image_size: int | None = Field(
        default=84,
        ge=1,
        le=4096,
        description="frames are resized to so many pixels a side by area averaging; null: not",
    )
    convolutions: tuple[ConvolutionConfig, ...] = Field(
        default=(
            ConvolutionConfig(channels=6, kernel=3, stride=1, pool=2),
            ConvolutionConfig(channels=8, kernel=5, stride=2, pool=2),
        ),
        max_length=16,
        description="each with tanh and max pooling",
    )
    weights: DistributionText = Field(
        default="normal(0, 1)", description="distribution of the first center's convolutions"
    )


class PopulationConfig(Section):
    """Neurons that share an activation function."""

    size: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="neurons; left out for the output, whose size is the action's",
    )
    activation: Activation = optional("tanh", description="of these neurons")
    noise: DistributionText | None = optional(
        None, description="distribution of exploration noise, added to the drive"
    )
    noise_probability: Probability = optional(1.0, description="with which a neuron gets noise in a step")


Coordinate = Annotated[float, Field(ge=-1000, le=1000)]
Place = Annotated[tuple[Coordinate, ...], Field(min_length=2, max_length=3)]
"""Where a neuron lies; other neurons lie in [-1, 1]."""


class NetworkConfig(Section):
    """Populations and projections; in the short form a multilayer perceptron, perhaps recurrent or modulated."""

    hidden: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field(
        default=(128, 64), max_length=MOST_PROJECTIONS - 1, description="neurons of each hidden layer"
    )
    activation: Activation = Field(default="tanh", description="of the hidden layers")
    output: Literal["tanh", "raw"] = optional(
        "tanh",
        description="`post` in the last layer: the action, or the sum, which tanh (sigmoid where an action has "
        "one sign) bounds only for the environment",
    )
    encoder: EncoderConfig | None = optional(
        None, description="for images; null is Najarro & Risi's there, and none elsewhere"
    )
    inputs: tuple[Literal["observation", "action", "reward", "one"], ...] = optional(
        ("observation",),
        description="of the first layer: the last step's action and reward too; `one` gives every layer biases",
    )
    normalise_observations: bool = optional(
        False,
        description="by the mean and standard deviation of the training lifetimes of all generations before, clipped "
        "to +-5; frozen within a generation and in genome files",
    )
    recurrent: bool = optional(False, description="every hidden layer also sees itself, one step before")
    modulators: int = optional(
        0, ge=0, le=100_000, description="neurons of `modulator`, behind the last hidden layer; the signal m"
    )
    noise: DistributionText | None = optional(
        None, description="distribution of exploration noise in the hidden layers"
    )
    output_noise: DistributionText | None = optional(
        None, description="distribution of exploration noise in the output"
    )
    noise_probability: Probability = optional(1.0, description="with which a neuron gets noise in a step")
    actions: Literal["argmax", "sample"] = optional(
        "argmax", description="discrete actions: the largest output, or drawn from the outputs' softmax"
    )
    coordinates: dict[str, tuple[Place, ...]] = optional(
        {},
        description="by population, [x, y] or [x, y, z] of each neuron, for `cppn`; z is the depth if left out",
    )
    populations: dict[str, PopulationConfig] = optional(
        {},
        max_length=MOST_PROJECTIONS,
        description="by name, in place of `hidden`; the one without a size is the output",
    )
    projections: tuple[str | dict[str, dict[str, Any]], ...] = optional(
        (),
        max_length=MOST_PROJECTIONS,
        description="`a -> b`, or `a -> b: {delayed, name, and keys of plasticity}`",
    )

    @model_validator(mode="before")
    @classmethod
    def _populations_replace_layers(cls, data: Any) -> Any:
        """With populations, there are no layers: `hidden`, which presets set, is empty; refuse what needs it."""
        if not isinstance(data, Mapping) or not data.get("populations"):
            return data
        for key in ("recurrent", "modulators", "noise", "output_noise"):
            if data.get(key):
                raise RuleError(
                    f"network.{key} speaks of layers, but network.populations is given; say it there, or drop one"
                )
        return {**data, "hidden": ()}

    @model_validator(mode="after")
    def _fits_together(self) -> NetworkConfig:
        if bool(self.populations) != bool(self.projections):
            missing = "projections" if self.populations else "populations"
            raise RuleError(f"network.{missing} is missing; give populations and projections together")
        if self.recurrent and not self.hidden:
            raise RuleError("network.recurrent needs a hidden layer; set network.hidden")
        if self.noise and not (self.hidden or self.populations):
            raise RuleError("network.noise needs a hidden layer; set network.hidden, or network.output_noise")
        return self

    @property
    def is_perceptron(self) -> bool:
        """Whether this is nothing but a multilayer perceptron, which fits together whatever the sizes."""
        more = (
            self.recurrent,
            self.modulators,
            self.noise,
            self.output_noise,
            self.populations,
            self.coordinates,
        )
        return self.inputs == ("observation",) and not any(more)
