"""Settings of OpenAI-ES; `openai_es` is the algorithm."""

from typing import ClassVar, Literal

from pydantic import Field

from hebbevo.search.config import EvenPopulation, SearchConfig


class OpenAIESConfig(SearchConfig):
    """OpenAI-ES with mirrored sampling; the defaults are the published ones."""

    searcher: ClassVar[str] = "hebbevo.search.openai_es:OpenAIES"
    default_penalty: ClassVar[float] = 0.01
    can_move: ClassVar[bool] = True

    algorithm: Literal["openai_es"] = "openai_es"
    population: EvenPopulation
    sigma_decay: float = Field(default=0.999, gt=0, le=1, description="factor per generation, while ...")
    sigma_floor: float = Field(default=0.01, ge=0, le=1e6, description="... sigma is above this")
    learning_rate: float = Field(default=0.2, gt=0, le=1e6)
    learning_rate_decay: float = Field(default=0.995, gt=0, le=1, description="per generation, while ...")
    learning_rate_floor: float = Field(default=0.001, ge=0, le=1e6, description="... the rate is above this")
    optimizer: Literal["sgd", "adam"] = "sgd"
    beta1: float = Field(default=0.9, ge=0, lt=1, description="Adam: memory of the gradient")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="Adam: memory of its square")
    epsilon: float = Field(default=1e-8, gt=0, le=1, description="Adam: smallest denominator")
