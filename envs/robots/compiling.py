"""Compile the body of a registered robot by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from hebbevo.envs.registry import ENVIRONMENTS, config_class
from hebbevo.envs.robots.config import WalkerConfig
from hebbevo.errors import EnvError, unknown

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco


def compile_model(
    robot: str, morphology: str = "intact", *, trim: bool = True, **settings: object
) -> mujoco.MjModel:
    """Compile a body of a robot.

    Args:
        robot: ``quadruped`` or ``dog``.
        morphology: a name of the registry.
        trim: skip what has no effect; trajectories are the same, bit for bit.
        settings: of the robot's config, as ``gear=15`` (N m), ``integrator="RK4"``, ``timestep=0.01`` (s).

    Raises:
        EnvError: an unknown robot or morphology, or a setting that the config refuses.
    """
    schema = robots().get(robot)
    if schema is None:
        raise EnvError(unknown("robot", robot, robots()))
    try:
        config = schema.model_validate({"name": robot, **settings})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EnvError(f"{robot}.{place}: {first['msg']}, got {first['input']!r}") from None
    return config.compile(morphology, trim=trim)


def robots() -> dict[str, type[WalkerConfig]]:
    """Return the config classes of the registered robots by name."""
    schemas = ((name, config_class(name)) for name in ENVIRONMENTS)
    return {name: schema for name, schema in schemas if issubclass(schema, WalkerConfig)}
