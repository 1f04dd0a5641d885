"""The sections that say how a run trains, evaluates and draws its random numbers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hebbevo.config.section import Section, optional
from hebbevo.errors import InputError

Index = Annotated[int, Field(ge=0, le=10**9)]


class TrainingConfig(Section):
    """The length of a run, and the evaluation of generations."""

    generations: int = Field(ge=1, le=1_000_000_000, description="generations of a complete run")
    agent_steps: int | None = Field(
        default=None,
        ge=1,
        le=10**15,
        description="a run also ends with the generation that reaches this many agent-steps; null: it does not",
    )
    penalty: float = Field(
        ge=0,
        le=1e6,
        description="times mean(genome^2), subtracted from the fitness before ranking; null: the algorithm's default",
    )
    lifetime_seeds: Literal["individual", "pair", "generation", "level"] = Field(
        default="individual",
        description="sharing of random numbers: none; individuals 2k and 2k+1 (a mirrored pair); all of a generation "
        "(common random numbers); all, except for the initial weights, where the environment draws its level from the "
        "lower half of a seed (the track of car_racing)",
    )
    lifetimes: int = optional(
        1,
        ge=1,
        le=10_000,
        description="of each individual and morphology in a generation, each from its own seed; fitness is the mean",
    )
    over_bodies: Literal["mean", "minimum", "lower_quartile"] = optional(
        "mean",
        description="fitness of an individual from those on its bodies: their mean, the worst, or a quarter of the way "
        "from the worst",
    )
    merge_to: int | None = optional(
        None,
        ge=1,
        le=10**9,
        description="rules of synapses merge during the run, by k-means on the center, until so many are left; null: "
        "they do not",
    )
    merge_every: int = optional(
        50, ge=1, le=10**9, description="generations between two merges, each of which halves the rules"
    )
    normalise_until: int | None = optional(
        None,
        ge=1,
        le=10**9,
        description="generations whose observations network.normalise_observations measures; null: all",
    )
    normalise_share: float = optional(
        1.0,
        gt=0,
        le=1,
        description="share of a generation's lifetimes that it measures, drawn anew each time",
    )
    normalise_except: tuple[Index, ...] = optional(
        (), description="observations that it leaves as they are, numbers from 0: constants, one of several"
    )
    level_replay: float = optional(
        0.0,
        ge=0,
        lt=1,
        description="share of a generation that repeats the levels on which earlier ones did worst, from other initial "
        "weights (prioritized level replay); for lifetime_seeds individual and pair",
    )

    @model_validator(mode="after")
    def _levels_differ(self) -> Self:
        if self.level_replay and self.lifetime_seeds not in ("individual", "pair"):
            raise InputError(
                f"level_replay needs levels that differ within a generation, got lifetime_seeds "
                f"{self.lifetime_seeds}; use pair"
            )
        return self


class EvaluationConfig(Section):
    """How the center is measured on fresh seeds."""

    every: int = Field(
        default=10,
        ge=1,
        le=1_000_000_000,
        description="generations between evaluations; the last one always is",
    )
    episodes: int = Field(default=16, ge=1, le=1_000_000, description="lifetimes per morphology, full length")


class RunConfig(Section):
    """The rest."""

    seed: int = Field(default=0, ge=0, lt=2**63, description="every random number of the run follows from it")
