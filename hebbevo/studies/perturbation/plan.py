"""The plan of a study of perturbations: genomes, bodies, protocols; checked before anything is computed.

The default protocols are those of Najarro & Risi 2020, arXiv 2007.02686: weights frozen at different t; all actuators
saturated to 1 for t = 300 ... 399; a third of the weights zeroed at t = 300.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hebbevo.envs import EnvConfig
from hebbevo.envs.metrics import Metric
from hebbevo.errors import InputError
from hebbevo.evaluation.checks import check_sample, checked_bodies
from hebbevo.genomes.genome import Genome
from hebbevo.perturbations.catalogue import Perturbations, build_perturbations, read_protocols
from hebbevo.perturbations.signals import SaturateActuators
from hebbevo.perturbations.weights import Freeze, OnWeights, ZeroWeights
from hebbevo.studies.arms import Arms, Genomes, split_arms, subjects
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.genomes import check_names, check_worlds, is_static
from hebbevo.studies.lifetimes import check_metric
from hebbevo.studies.perturbation.recovery import event_steps

DEFAULT_EPISODES: Final = 64
UNPERTURBED: Final = "unperturbed"
IMAGE_DELAY: Final = 10
"""Weights are pictured at the event and this many steps later."""


@dataclass(frozen=True)
class Protocol:
    """The perturbations of a lifetime, by name.

    Attributes:
        name: unique in its study.
        perturbations: in the order in which they act.
        frozen_at: step of a point of the freeze curve, which has no recovery; None for anything else.
    """

    name: str
    perturbations: Perturbations = ()
    frozen_at: int | None = None

    @property
    def text(self) -> str:
        """The perturbations in the short form."""
        return "+".join(map(str, self.perturbations)) or "none"

    @property
    def since(self) -> int | None:
        """Step from which recovery counts; None where there is nothing to recover from."""
        steps = event_steps(self.perturbations)
        return None if steps is None or self.frozen_at is not None else steps[1]

    @property
    def begins(self) -> int | None:
        """First perturbed step."""
        steps = event_steps(self.perturbations)
        return None if steps is None else steps[0]

    @property
    def pictured(self) -> tuple[int, ...]:
        """Steps at which the weights are pictured: before an event that hits them, at it, and a little later."""
        steps = [event.begins for event in self.perturbations if isinstance(event, OnWeights)]
        return (max(0, steps[0] - 1), steps[0], steps[0] + IMAGE_DELAY) if steps else ()


@dataclass(frozen=True)
class Plan:
    """A study, ready to be run; every lifetime has an unperturbed twin with the same seed.

    Attributes:
        genomes: of different names, all in the same world.
        morphologies: bodies that lifetimes start with.
        protocols: the first is `UNPERTURBED`.
        episodes: lifetimes per genome, body and protocol.
        seed: the lifetimes' seeds follow from it, as those of `evaluate` do.
        arms: names of genomes that are runs of one recipe.
        metric: what stands for the fitness, one of the world's `measured_metrics`; None is the fitness itself.
    """

    genomes: tuple[Genome, ...]
    morphologies: tuple[str, ...]
    protocols: tuple[Protocol, ...]
    episodes: int
    seed: int
    arms: Arms = field(default_factory=dict)
    metric: str | None = None

    def settings(self) -> dict[str, Any]:
        """Return all but the genomes, as a study's directory keeps it."""
        protocols = [
            {
                "name": protocol.name,
                "perturbations": [
                    event.model_dump(mode="json", by_alias=True) for event in protocol.perturbations
                ],
                "frozen_at": protocol.frozen_at,
            }
            for protocol in self.protocols
        ]
        others = {name: getattr(self, name) for name in ("morphologies", "episodes", "seed")}
        newer = {name: value for name in ("arms", "metric") if (value := getattr(self, name))}
        return {"protocols": protocols, **others, **newer}

    @classmethod
    def of(cls, study: StoredStudy) -> Plan:
        """Return the plan of a study that is kept."""
        kept = study.settings
        protocols = tuple(
            Protocol(part["name"], build_perturbations(part["perturbations"]), part["frozen_at"])
            for part in kept["protocols"]
        )
        arms = {label: tuple(names) for label, names in kept.get("arms", {}).items()}
        bodies = tuple(kept["morphologies"])
        others = kept["episodes"], kept["seed"], arms, kept.get("metric")
        return cls(study.genomes, bodies, protocols, *others)

    @property
    def drawn(self) -> tuple[Genome, ...]:
        """The genomes that figures show: the first of every arm, and those of none."""
        return tuple(genomes[0] for genomes in subjects(self.genomes, self.arms).values())

    @property
    def env(self) -> EnvConfig:
        """The world that all genomes share."""
        return self.genomes[0].task.env

    @property
    def step_seconds(self) -> float | None:
        """Length of a control step, where the environment has one."""
        return self.env.seconds_per_step

    @property
    def quantity(self) -> str:
        """Name of the fitness, or of the metric in its place."""
        return self.env.measured_in(self.metric)[0]

    @property
    def unit(self) -> str:
        """Unit of the fitness, or of the metric in its place."""
        return self.env.measured_in(self.metric)[1]

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Other measures of a lifetime, beside what the study is about."""
        known = self.env.measured_metrics.items()
        return {name: metric for name, metric in known if name != self.metric}

    @property
    def speed_unit(self) -> str:
        """Unit of a speed."""
        return f"{self.unit}/s" if self.step_seconds else f"{self.unit} per step"

    @property
    def speed_scale(self) -> float:
        """Turns progress per step into a speed."""
        return 1.0 / (self.step_seconds or 1.0)

    def protocols_of(self, genome: Genome) -> tuple[Protocol, ...]:
        """Return the protocols of a genome: there is nothing to freeze in static weights."""
        return tuple(p for p in self.protocols if p.frozen_at is None or not is_static(genome))


def make_plan(
    given: Genomes,
    asked: Sequence[str] | None,
    morphologies: Sequence[str] | None,
    episodes: int,
    seed: int,
    metric: str | None = None,
) -> Plan:
    """Check a study that is asked for, and fill in its defaults.

    Raises:
        InputError, EnvError: no genome, one named twice, genomes of different worlds, an unknown body, a perturbation
            that cannot happen, not one episode, a negative seed, an unknown metric.
    """
    check_sample(episodes, seed)
    genomes, arms = split_arms(given)
    check_names(genomes)
    check_worlds(genomes)
    env = genomes[0].task.env
    check_metric(env, metric)
    bodies = checked_bodies(genomes[0].task, morphologies) if morphologies else env.morphology_names[:1]
    protocols = asked_protocols(asked) if asked else default_protocols(env)
    for genome in genomes:
        for protocol in protocols:
            genome.task.check(protocol.perturbations, f"protocols: {protocol.name}")
    return Plan(genomes, bodies, (Protocol(UNPERTURBED), *protocols), episodes, seed, arms, metric)


def default_protocols(env: EnvConfig) -> tuple[Protocol, ...]:
    """Return the published protocols; points of the freeze curve past the end of lifetimes are left out.

    Raises:
        InputError: lifetimes are too short for them.
    """
    if env.steps < 500:
        raise InputError(
            f"the published protocols need lifetimes of 500 steps or more, and env.steps is {env.steps}; "
            "name other `protocols`"
        )
    times = [*range(0, 100, 10), *range(100, env.steps, 100)]
    return (
        *(Protocol(f"frozen_at_{t:03d}", (Freeze(at=t),), frozen_at=t) for t in times),
        Protocol("actuators_saturated", (SaturateActuators.model_validate({"from": 300, "to": 400}),)),
        Protocol("third_zeroed", (ZeroWeights(at=300, fraction=1 / 3),)),
    )


def asked_protocols(sources: Sequence[str]) -> tuple[Protocol, ...]:
    """Return the protocols that a user wrote: short texts and YAML files.

    Raises:
        InputError: one that cannot be read, or a name that comes twice.
    """
    found: dict[str, Protocol] = {}
    for source in sources:
        for name, perturbations in read_protocols(source).items():
            if name in found or name == UNPERTURBED:
                raise InputError(f"two protocols are called {name!r}; name each once")
            found[name] = Protocol(name, perturbations)
    return tuple(found.values())
