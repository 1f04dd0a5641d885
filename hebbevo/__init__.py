"""hebbevo searches for learning rules: evolution tunes Hebbian coefficients, lifetimes rewrite the weights."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hebbevo import envs, rules, search
    from hebbevo.config import Config, load_config
    from hebbevo.errors import InputError
    from hebbevo.evaluation import Evaluation, evaluate
    from hebbevo.evolution import Run, evolve, resume
    from hebbevo.evotorch_problem import as_evotorch_problem
    from hebbevo.execution import Execution
    from hebbevo.generalisation import Generalisation, generalize
    from hebbevo.genome import Genome, load_genome, save_genome
    from hebbevo.perturbation_study import PerturbationStudy, perturb

_HOMES = {
    "Config": "config",
    "Evaluation": "evaluation",
    "Execution": "execution",
    "Generalisation": "generalisation",
    "Genome": "genome",
    "InputError": "errors",
    "PerturbationStudy": "perturbation_study",
    "Run": "evolution",
    "as_evotorch_problem": "evotorch_problem",
    "evaluate": "evaluation",
    "evolve": "evolution",
    "generalize": "generalisation",
    "load_config": "config",
    "load_genome": "genome",
    "perturb": "perturbation_study",
    "resume": "evolution",
    "save_genome": "genome",
}
_ROOMS = ("envs", "rules", "search")

__all__ = [
    "Config",
    "Evaluation",
    "Execution",
    "Generalisation",
    "Genome",
    "InputError",
    "PerturbationStudy",
    "Run",
    "as_evotorch_problem",
    "envs",
    "evaluate",
    "evolve",
    "generalize",
    "load_config",
    "load_genome",
    "perturb",
    "resume",
    "rules",
    "save_genome",
    "search",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import hebbevo` itself loads nothing heavy."""
    if name in _ROOMS:
        return importlib.import_module(f"hebbevo.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(f"hebbevo.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'hebbevo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
