"""Studies of an experiment: of all its runs, arm by arm, once they are finished.

evaluate: {episodes: 64, studies: {generalize: {episodes: 16}, perturb: {protocols: ["push:at=300"]}}}

Each lies in ``studies/KIND`` of the experiment's directory, and is made anew where the experiment has grown.
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field
from typing_extensions import override

from hebbevo.config.schema import Config
from hebbevo.config.section import Section
from hebbevo.errors import EnvError, InputError, unknown
from hebbevo.execution.execution import Execution
from hebbevo.genomes.genome import Genome
from hebbevo.seeding import SEED_LIMIT
from hebbevo.studies.arms import Genomes
from hebbevo.studies.directory import discard_other
from hebbevo.studies.generalization import plan as generalization_plan
from hebbevo.studies.generalization.study import generalize
from hebbevo.studies.learning import plan as learning_plan
from hebbevo.studies.learning.study import learning
from hebbevo.studies.perturbation import plan as perturbation_plan
from hebbevo.studies.perturbation.study import perturb
from hebbevo.studies.runner import Watch
from hebbevo.tasks.task import Task
from hebbevo.validation import check_section, shown

STUDIES_FOLDER: Final = "studies"
"""Of the experiment's directory."""

AnyPlan = generalization_plan.Plan | learning_plan.Plan | perturbation_plan.Plan


_METRIC: Any = Field(
    default=None, exclude_if=operator.not_, description="what stands for the fitness, as metres; null: itself"
)


class StudyOptions(Section):
    """What every study is told."""

    episodes: int | None = Field(default=None, ge=1, le=1_000_000, description="lifetimes of each case")
    seed: int = Field(default=1, ge=0, lt=SEED_LIMIT, description="the lifetimes' seeds follow from it")
    steps: int | None = Field(default=None, ge=1, le=1_000_000, description="length of a lifetime")
    morphologies: tuple[str, ...] | None = Field(default=None, description="bodies; null: the study's own")

    @abstractmethod
    def plan(self, genomes: Genomes) -> AnyPlan:
        """Check the study, and fill in its defaults.

        Raises:
            InputError, EnvError: it cannot be made.
        """

    @abstractmethod
    def run(self, genomes: Genomes, out: Path, **options: Any) -> Any:
        """Make the study."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What is asked for, as arguments of the study's function."""
        return self.model_dump(exclude={"steps"}, exclude_none=True)


class GeneralizeOptions(StudyOptions):
    """Of `hebbevo.generalize`."""

    baseline: str | None = Field(default=None, description="arm that others are compared with")
    metric: str | None = _METRIC
    controls: bool = Field(default=True, exclude_if=bool, description="whether there are any")

    @override
    def plan(self, genomes: Genomes) -> AnyPlan:
        episodes = self.episodes or generalization_plan.DEFAULT_EPISODES
        asked = self.morphologies, episodes, self.seed, self.baseline, self.metric, self.controls
        return generalization_plan.make_plan(genomes, *asked)

    @override
    def run(self, genomes: Genomes, out: Path, **options: Any) -> Any:
        return generalize(genomes, out, **self.arguments, **options)


class PerturbOptions(StudyOptions):
    """Of `hebbevo.perturb`."""

    protocols: tuple[str, ...] | None = Field(default=None, description="perturbations in the short form")
    metric: str | None = _METRIC

    @override
    def plan(self, genomes: Genomes) -> AnyPlan:
        episodes = self.episodes or perturbation_plan.DEFAULT_EPISODES
        asked = self.protocols, self.morphologies, episodes, self.seed, self.metric
        return perturbation_plan.make_plan(genomes, *asked)

    @override
    def run(self, genomes: Genomes, out: Path, **options: Any) -> Any:
        return perturb(genomes, out, **self.arguments, **options)


class LearningOptions(StudyOptions):
    """Of `hebbevo.learning`."""

    freezes: tuple[Annotated[int, Field(ge=0, le=1_000_000)], ...] | None = Field(
        default=None, description="trials from which on weights are frozen"
    )

    @override
    def plan(self, genomes: Genomes) -> AnyPlan:
        episodes = self.episodes or learning_plan.DEFAULT_EPISODES
        return learning_plan.make_plan(genomes, self.morphologies, self.freezes, episodes, self.seed)

    @override
    def run(self, genomes: Genomes, out: Path, **options: Any) -> Any:
        return learning(genomes, out, **self.arguments, **options)


KINDS: Final[dict[str, type[StudyOptions]]] = {
    "generalize": GeneralizeOptions,
    "learning": LearningOptions,
    "perturb": PerturbOptions,
}
"""By the name of the command."""


Studies = Mapping[str, StudyOptions]
"""What is asked for, by kind."""


def read_studies(values: Any) -> Studies:
    """Check ``evaluate.studies``; None is a section in which every line is commented out.

    Raises:
        InputError: one line with the place and the remedy.
    """
    place = f"evaluate.{STUDIES_FOLDER}"
    if not isinstance(values, Mapping | None):
        raise InputError(
            f"{place}: expected studies by name, got {shown(values)}; write {{generalize: {{}}}}"
        )
    found: dict[str, StudyOptions] = {}
    for kind, options in (values or {}).items():
        if kind not in KINDS:
            raise InputError(unknown("study", str(kind), KINDS, f"{place}."))
        if not isinstance(options, Mapping | None):
            raise InputError(f"{place}.{kind}: expected keys and values, got {shown(options)}")
        checked = check_section(f"{place}.{kind}", KINDS[kind], options or {})
        assert isinstance(checked, StudyOptions)
        found[kind] = checked
    return found


def write_studies(studies: Studies) -> dict[str, Any]:
    """Return what is asked for as plain data, as `read_studies` takes it."""
    return {kind: options.model_dump(mode="json", exclude_none=True) for kind, options in studies.items()}


def check_studies(studies: Studies, arms: Mapping[str, Sequence[Config]]) -> None:
    """Refuse a study that the runs of an experiment cannot have, before there is any: with genomes of zeros.

    Raises:
        InputError: one line with the study's name.
    """
    for kind, options in studies.items():
        genomes = {
            name: [_stand_in(config).lasting(options.steps) for config in configs]
            for name, configs in arms.items()
        }
        try:
            options.plan(genomes)
        except (InputError, EnvError) as error:
            raise InputError(f"evaluate.{STUDIES_FOLDER}.{kind}: {error}") from None


def make_study(
    out: Path, options: StudyOptions, genomes: Genomes, execution: Execution | None, watch: Watch
) -> None:
    """Make a study, or go on with it; what lies there of other genomes is replaced.

    Raises:
        InputError: something cannot be studied, or the directory is in use.
    """
    plan = options.plan(genomes)
    discard_other(out, out.name, plan.settings(), plan.genomes)
    options.run(genomes, out, execution=execution, watch=watch)


def _stand_in(config: Config) -> Genome:
    task = Task.of(config)
    return Genome(task, np.zeros(task.layout.size, np.float32))
