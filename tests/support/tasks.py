"""Small tasks for tests: a quadruped with two bodies, CartPole, and runs of either in seconds."""

from collections.abc import Sequence

from hebbevo import Config, Execution, load_config
from hebbevo.tasks.task import Task

HERE = Execution(threads=1)
QUADRUPED = ("network.hidden=6", "plasticity.normalise=max")
CART_POLE = ("env.name=gymnasium:CartPole-v1", "network.hidden=4")


def small_config(*overrides: str, env: Sequence[str] = CART_POLE) -> Config:
    """Return a config of 3 generations of 6 individuals; 40 steps, the center evaluated every 2nd generation."""
    small = (
        "env.steps=40",
        "search.population=6",
        "search.generations=3",
        "evaluation.every=2",
        "evaluation.episodes=3",
        "run.seed=7",
    )
    return load_config("quick-quadruped", [*env, *small, *overrides])


def quadruped_task(*overrides: str) -> Task:
    return Task.of(small_config(*overrides, env=QUADRUPED))


def cart_pole_task(*overrides: str) -> Task:
    return Task.of(small_config(*overrides))
