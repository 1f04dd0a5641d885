"""Environments and robots by name: an entry is all that a new environment needs, and others are refused."""

from dataclasses import replace
from typing import ClassVar, Literal

import mujoco
import numpy as np
import pytest

from hebbevo import envs
from hebbevo.envs import BatchedEnvironment, DogConfig, EnvConfig, EnvironmentInterface
from hebbevo.envs.morphologies.anatomy import ANATOMIES, DOG, Anatomy, anatomy_of
from hebbevo.errors import EnvError


class LeversConfig(EnvConfig):
    environment: ClassVar[str] = f"{__name__}:Levers"
    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    name: Literal["levers"] = "levers"

    @property
    def interface(self) -> EnvironmentInterface:
        return EnvironmentInterface(1, np.ones(2, np.float32))


class Levers(BatchedEnvironment):
    def __init__(self, config: LeversConfig, batch_size: int) -> None:
        super().__init__(batch_size, config.interface.observation_size, config.interface.action_size)

    def reset(self, seeds, morphologies) -> None:
        self._clear_rows(self._check_reset(seeds, morphologies))

    def step(self, actions, active) -> None:
        self.rewards[active] = actions[active, 0] > actions[active, 1]


def test_an_entry_registers_an_environment(monkeypatch) -> None:
    monkeypatch.setitem(envs.ENVIRONMENTS, "levers", f"{__name__}:LeversConfig")
    batch = envs.make(envs.config_class("levers")(), 2)
    batch.reset([1, 2], ["default"] * 2)
    batch.step(np.float32([[1, 0], [0, 1]]), np.arange(2))
    assert batch.rewards.tolist() == [1, 0]


def test_a_missing_package_is_one_line(monkeypatch) -> None:
    monkeypatch.setattr(LeversConfig, "requires", {"no_such_module": "some-package"})
    with pytest.raises(
        EnvError, match='levers needs no_such_module, which is missing; pip install "some-package"'
    ):
        LeversConfig().build(1)


@pytest.mark.parametrize("robot", ["quadruped", "dog"])
def test_compile_model_is_what_the_config_compiles(robot: str) -> None:
    config = envs.config_class(robot)(gear=15, integrator="RK4", timestep=0.01)
    model = envs.compile_model(robot, "heavy", gear=15, integrator="RK4", timestep=0.01)
    assert isinstance(model, mujoco.MjModel)
    expected = config.compile("heavy")
    for name in ("body_mass", "geom_size", "actuator_gear", "jnt_range", "pair_friction"):
        np.testing.assert_array_equal(getattr(model, name), getattr(expected, name))
    assert (model.opt.timestep, model.opt.integrator) == (0.01, mujoco.mjtIntegrator.mjINT_RK4)
    assert (model.actuator_gear[:, 0] == 15).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("quadrupde", "intact"), "unknown robot 'quadrupde'; did you mean quadruped"),
        (("car_racing", "intact"), "unknown robot"),
        (("dog", "intcat"), "did you mean intact"),
    ],
)
def test_unknown_robots_and_bodies_are_refused(arguments: tuple[str, str], message: str) -> None:
    with pytest.raises(EnvError, match=message):
        envs.compile_model(*arguments)


def test_settings_that_the_config_refuses_are_one_line() -> None:
    for settings, message in (
        ({"gear": 0}, "dog.gear: .*greater than 0, got 0"),
        ({"geer": 1}, "dog.geer: "),
    ):
        with pytest.raises(EnvError, match=message) as caught:
            envs.compile_model("dog", "intact", **settings)
        assert "\n" not in str(caught.value)


def test_a_robot_brings_its_anatomy(monkeypatch) -> None:
    monkeypatch.setattr("hebbevo.envs.morphologies.anatomy.ANATOMIES", dict(ANATOMIES))

    class PuppyConfig(DogConfig):
        anatomy: ClassVar[Anatomy] = replace(DOG, name="puppy", load_height=0.07)

    spec = mujoco.MjSpec()
    spec.modelname = "puppy"
    assert anatomy_of(spec) is PuppyConfig.anatomy
    with pytest.raises(EnvError, match="another anatomy is called 'puppy'; give this model"):

        class OtherConfig(DogConfig):
            anatomy: ClassVar[Anatomy] = replace(DOG, name="puppy")


def test_fast_car_racing_is_a_name_of_its_package() -> None:
    pytest.importorskip("Box2D")
    from gymnasium.envs.box2d.car_racing import CarRacing

    from hebbevo.envs.car_racing import FastCarRacing

    assert issubclass(FastCarRacing, CarRacing)
