"""hebbevo searches for learning rules: evolution tunes Hebbian coefficients, the rules rewrite weights in lifetimes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hebbevo import envs, rules, search
    from hebbevo.cli.display import progress
    from hebbevo.config.loading import load_config
    from hebbevo.config.schema import Config
    from hebbevo.errors import InputError
    from hebbevo.evaluation.evaluation import Evaluation, evaluate
    from hebbevo.evaluation.record import Recording, record
    from hebbevo.execution.execution import Execution
    from hebbevo.experiments.compare import compare
    from hebbevo.experiments.comparison import Comparison
    from hebbevo.experiments.experiment import Experiment, experiment
    from hebbevo.experiments.genomes import load_arms
    from hebbevo.experiments.show import show
    from hebbevo.genomes.genome import Genome, load_genome, save_genome
    from hebbevo.imports import import_modules
    from hebbevo.rendering.video import render
    from hebbevo.studies.generalization.study import Generalization, generalize
    from hebbevo.studies.learning.study import LearningStudy, learning
    from hebbevo.studies.perturbation.study import PerturbationStudy, perturb
    from hebbevo.studies.running import study
    from hebbevo.training.evolution import evolve, resume
    from hebbevo.training.evotorch_problem import as_evotorch_problem
    from hebbevo.training.figures import plot
    from hebbevo.training.fitness_function import FitnessFunction
    from hebbevo.training.records import Run

    __version__: str

_MODULES = {
    "Comparison": "experiments.comparison",
    "Config": "config.schema",
    "Evaluation": "evaluation.evaluation",
    "Execution": "execution.execution",
    "Experiment": "experiments.experiment",
    "FitnessFunction": "training.fitness_function",
    "Generalization": "studies.generalization.study",
    "Genome": "genomes.genome",
    "InputError": "errors",
    "LearningStudy": "studies.learning.study",
    "PerturbationStudy": "studies.perturbation.study",
    "Recording": "evaluation.record",
    "Run": "training.records",
    "as_evotorch_problem": "training.evotorch_problem",
    "compare": "experiments.compare",
    "evaluate": "evaluation.evaluation",
    "evolve": "training.evolution",
    "experiment": "experiments.experiment",
    "generalize": "studies.generalization.study",
    "import_modules": "imports",
    "learning": "studies.learning.study",
    "load_arms": "experiments.genomes",
    "load_config": "config.loading",
    "load_genome": "genomes.genome",
    "perturb": "studies.perturbation.study",
    "plot": "training.figures",
    "progress": "cli.display",
    "record": "evaluation.record",
    "render": "rendering.video",
    "resume": "training.evolution",
    "save_genome": "genomes.genome",
    "show": "experiments.show",
    "study": "studies.running",
}
_PACKAGES = ("envs", "rules", "search")

__all__ = [
    "Comparison",
    "Config",
    "Evaluation",
    "Execution",
    "Experiment",
    "FitnessFunction",
    "Generalization",
    "Genome",
    "InputError",
    "LearningStudy",
    "PerturbationStudy",
    "Recording",
    "Run",
    "__version__",
    "as_evotorch_problem",
    "compare",
    "envs",
    "evaluate",
    "evolve",
    "experiment",
    "generalize",
    "import_modules",
    "learning",
    "load_arms",
    "load_config",
    "load_genome",
    "perturb",
    "plot",
    "progress",
    "record",
    "render",
    "resume",
    "rules",
    "save_genome",
    "search",
    "show",
    "study",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import hebbevo` itself loads nothing heavy."""
    if name == "__version__":
        from importlib import metadata

        return metadata.version("hebbevo")
    if name in _PACKAGES:
        return importlib.import_module(f"hebbevo.{name}")
    if name in _MODULES:
        value = getattr(importlib.import_module(f"hebbevo.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'hebbevo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
