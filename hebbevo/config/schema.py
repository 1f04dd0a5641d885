"""All sections of a configuration together."""

from __future__ import annotations

from typing import Any

from pydantic import SerializeAsAny

from hebbevo.config.network import NetworkConfig
from hebbevo.config.plasticity import PlasticityConfig
from hebbevo.config.section import Section, optional
from hebbevo.config.training import EvaluationConfig, RunConfig, TrainingConfig
from hebbevo.envs import EnvConfig
from hebbevo.imports import Import
from hebbevo.io.yaml_text import write_yaml
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.search import SearchConfig


class Config(Section):
    """The configuration of a run."""

    env: SerializeAsAny[EnvConfig]
    network: NetworkConfig = NetworkConfig()
    plasticity: PlasticityConfig = PlasticityConfig()
    search: SerializeAsAny[SearchConfig]
    training: TrainingConfig
    evaluation: EvaluationConfig = EvaluationConfig()
    run: RunConfig = RunConfig()
    perturbations: tuple[SerializeAsAny[Perturbation], ...] = optional(())
    imports: tuple[Import, ...] = optional(())

    def __repr__(self) -> str:
        rule, search = self.plasticity.parsed_rule.name, self.search
        return f"Config({self.env.name}, {rule}, {search.algorithm}, population {search.population})"

    def __str__(self) -> str:
        return self.to_yaml()

    def to_yaml(self) -> str:
        """Return the resolved configuration."""
        return write_yaml(self.model_dump(mode="json"))

    @property
    def lifetimes_per_generation(self) -> int:
        """Lifetimes of a generation: individuals x bodies x lifetimes on each."""
        return self.search.population * self.training.lifetimes * len(self.env.morphology_names)

    def generations_within(self, agent_steps: int) -> int:
        """Return the most generations that a budget may take: a lifetime lasts a step at least."""
        return -(-agent_steps // self.lifetimes_per_generation)

    def search_settings(self) -> dict[str, Any]:
        """Return the keys of `search` and `training` in one mapping, as genome files hold them."""
        return {**self.search.model_dump(mode="json"), **self.training.model_dump(mode="json")}
