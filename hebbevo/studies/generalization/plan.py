"""The plan of a study of generalisation: genomes, bodies, conditions; checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hebbevo.envs import EnvConfig
from hebbevo.envs.metrics import Metric
from hebbevo.envs.morphologies.catalogue import split_names
from hebbevo.errors import InputError
from hebbevo.evaluation.checks import check_sample, checked_bodies
from hebbevo.evaluation.controls import GENOME, applicable_controls
from hebbevo.genomes.genome import ZOO, Genome, load_genome, zoo_names
from hebbevo.studies.arms import Arms, Genomes, named_genome, split_arms, subjects
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.genomes import check_names, check_worlds, is_static, unperturbed, with_all_bodies, world
from hebbevo.studies.lifetimes import check_metric

SEEN, UNSEEN, TEST = "seen", "unseen", "test"
GROUPS = (SEEN, UNSEEN, TEST)
"""Bodies that the genome evolved on; the sampled ones of the test split; all others."""

DEFAULT_EPISODES = 16


@dataclass(frozen=True)
class Plan:
    """A study, ready to be run.

    Attributes:
        genomes: all of them, of different names; a baseline that was not among those asked for comes last.
        with_controls: names of the genomes asked for, which are evaluated beside their controls.
        baseline: name of the genome that the others are compared with, if there is one; arms, with its arm.
        morphologies: every genome is evaluated on each.
        episodes: lifetimes per genome, condition and morphology, with the same seeds everywhere.
        seed: the lifetimes' seeds follow from it, as those of `evaluate` do.
        arms: names of genomes that are runs of one recipe.
        metric: what stands for the fitness, one of the world's `measured_metrics`; None is the fitness itself.
        controls: whether there are any.
    """

    genomes: tuple[Genome, ...]
    with_controls: tuple[str, ...]
    baseline: str | None
    morphologies: tuple[str, ...]
    episodes: int
    seed: int
    arms: Arms = field(default_factory=dict)
    metric: str | None = None
    controls: bool = True

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Other measures of a lifetime, which all genomes have: they live in one world."""
        env = self.genomes[0].task.env
        if self.metric is None:
            return env.metrics
        return {name: metric for name, metric in env.measured_metrics.items() if name != self.metric}

    @property
    def measured(self) -> Mapping[str, Metric]:
        """Those of `metrics` that do not follow from the fitness."""
        return {name: metric for name, metric in self.metrics.items() if metric.measured}

    @property
    def unit(self) -> str:
        """Unit of the fitness, or of the metric in its place, which all genomes have."""
        return self.genomes[0].task.env.measured_in(self.metric)[1]

    @property
    def compared_with(self) -> str | None:
        """Name of the baseline, or of its arm."""
        by_name = subjects(self.genomes, self.arms).items()
        return next((name for name, of in by_name if self.baseline in {one.name for one in of}), None)

    def settings(self) -> dict[str, Any]:
        """Return all but the genomes, as a study's directory keeps it."""
        # Studies say nothing of these where they are as before there were any.
        newer: dict[str, Any] = {"arms": {}, "metric": None, "controls": True}
        left_out = {"genomes", *(name for name, usual in newer.items() if getattr(self, name) == usual)}
        return {name: value for name, value in vars(self).items() if name not in left_out}

    @classmethod
    def of(cls, study: StoredStudy) -> Plan:
        """Return the plan of a study that is kept."""
        kept = study.settings
        lists = {name: tuple(kept[name]) for name in ("with_controls", "morphologies")}
        arms = {label: tuple(names) for label, names in kept.get("arms", {}).items()}
        return cls(study.genomes, **{**kept, **lists, "arms": arms})

    def conditions(self, genome: Genome) -> tuple[str, ...]:
        """Return the conditions that a genome is evaluated under."""
        if not self.controls or genome.name not in self.with_controls:
            return (GENOME,)
        return (GENOME, *applicable_controls(genome.task, genome.values))

    def group(self, genome: Genome, morphology: str) -> str:
        """Return the group that a body belongs to, which depends on the bodies that the genome evolved on."""
        if morphology in genome.task.env.seen_bodies:
            return SEEN
        return TEST if morphology in split_names(TEST) else UNSEEN

    def bodies(self, genome: Genome, group: str) -> tuple[str, ...]:
        """Return the bodies of a group, for a genome."""
        return tuple(body for body in self.morphologies if self.group(genome, body) == group)


def make_plan(
    given: Genomes,
    morphologies: Sequence[str] | None,
    episodes: int,
    seed: int,
    baseline: Genome | str | None,
    metric: str | None = None,
    controls: bool = True,
) -> Plan:
    """Check a study that is asked for, and fill in its defaults.

    Raises:
        InputError, EnvError: no genome, one named twice, genomes of different worlds, an environment of one body,
            an unknown body, not one episode, a negative seed, an unknown baseline or metric.
    """
    check_sample(episodes, seed)
    found, arms = split_arms(given)
    names = check_names(found)
    genomes = [unperturbed(genome) for genome in found]
    if isinstance(baseline, str):
        baseline = named_genome(baseline, genomes, arms)
    baseline = unperturbed(baseline) if baseline is not None else None
    extra = baseline if baseline is None or baseline.name not in names else None
    _check_bodies(genomes[0].task.env)
    check_worlds((*genomes, *((extra,) if extra else ())))
    check_metric(genomes[0].task.env, metric)
    genomes = with_all_bodies(genomes)
    bodies = checked_bodies(genomes[0].task, morphologies or _default_bodies(genomes))
    if baseline is None:
        baseline = next(filter(is_static, genomes), None) or (extra := _shipped_baseline(genomes[0]))
    return Plan(
        tuple(with_all_bodies((*genomes, *((extra,) if extra else ())))),
        names,
        baseline.name if baseline else None,
        bodies,
        episodes,
        seed,
        arms,
        metric,
        controls,
    )


def _check_bodies(env: EnvConfig) -> None:
    if not env.has_bodies:
        raise InputError(f"{env.name} has one body only; a study of generalisation takes genomes of robots")


def _default_bodies(genomes: Sequence[Genome]) -> list[str]:
    seen = [body for genome in genomes for body in genome.task.env.seen_bodies]
    usual = genomes[0].task.env.study_bodies
    named = [body for body in usual if body not in split_names(TEST)]
    return list(dict.fromkeys((*named, *seen, *usual)))


def _shipped_baseline(genome: Genome) -> Genome | None:
    """Return a static genome that evolved in the same world, its namesake if there is one; it lives as long."""
    env = genome.task.env
    shipped = (load_genome(f"{ZOO}{name}") for name in zoo_names())
    static = (
        other.lasting(env.steps) for other in shipped if is_static(other) and other.task.env.name == env.name
    )
    same = [other for other in static if world(other.task.env) == world(env)]
    return max(same, key=lambda other: _preset(other) == _preset(genome), default=None)


def _preset(genome: Genome) -> str:
    """Return what shipped genomes of one preset have in common, `zoo:quick-quadruped`."""
    return genome.name.rpartition("-")[0]
