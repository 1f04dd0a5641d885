"""A robot of a file: hebbevo's own ant to the bit, Gymnasium's walker beside a plain loop, expressions, damage."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import mujoco
import numpy as np
import pytest
from worlds import WALKER

import hebbevo
from hebbevo.envs import QuadrupedConfig, environment_stream
from hebbevo.envs.interventions import Change
from hebbevo.envs.mjcf.config import MjcfConfig
from hebbevo.envs.mjcf.observation import _run
from hebbevo.envs.mjcf.quantities import QUANTITIES, end_program, reward_program
from hebbevo.errors import InputError
from hebbevo.genomes.genome import Genome
from hebbevo.rules.expression import evaluate
from hebbevo.rules.grammar import parse_expression, python_functions
from hebbevo.tasks.task import Task
from hebbevo.validation import check_section

pytestmark = pytest.mark.filterwarnings("ignore:compiler attribute")  # in a file of Gymnasium's

GYMNASIUM = importlib.util.find_spec("gymnasium")
assert GYMNASIUM is not None
ASSETS = Path(GYMNASIUM.submodule_search_locations[0]) / "envs" / "mujoco" / "assets"


def robot(path: Path | str, **settings: object) -> MjcfConfig:
    return checked(MjcfConfig.resolve({"name": "mjcf", "file": str(ASSETS / path), **settings}))


def walker(**settings: object) -> MjcfConfig:
    return checked({"name": "mjcf", "mjcf": WALKER, **settings})


def checked(values: dict[str, object]) -> MjcfConfig:
    config = check_section("env", MjcfConfig, values)
    assert isinstance(config, MjcfConfig)
    return config


FEET = ("left_ankle_geom", "fourth_ankle_geom", "right_ankle_geom", "third_ankle_geom")


def test_the_ant_of_a_file_is_the_quadruped_to_the_bit() -> None:
    own = QuadrupedConfig(morphologies=("intact",))
    physics = {key: getattr(own, key) for key in ("gear", "integrator", "timestep", "substeps")}
    config = robot("ant.xml", feet=FEET, **physics)
    assert config.unit == "m"
    batches = config.build(4), own.build(4)
    generator = np.random.default_rng(3)
    for batch in batches:
        batch.reset([1, 2, 3, 4], ["intact"] * 4)
    touched = 0
    for step in range(80):
        actions = np.tanh(generator.standard_normal((4, 8))).astype(np.float32)
        if step == 40:
            for batch in batches:
                batch.interventions.push(0, impulse=(3.0, 1.0, 2.0))
                batch.interventions.push(1, velocity=(0.0, 1.0, 2.0))
                batch.interventions.apply([2], 0, Change(gravity=1.5, friction=0.3))
        for batch in batches:
            batch.step(actions, np.arange(4))
        for name in ("observations", "rewards", "diverged"):
            np.testing.assert_array_equal(*(getattr(batch, name) for batch in batches))
        touched += batches[0].observations[:, 24:].sum()
    assert touched > 20


def test_gymnasiums_walker_is_what_a_plain_loop_makes_of_it() -> None:
    """A torso that slides in a plane; a reward and an end of several quantities."""
    reward = "2*velocity_x + sqrt(upright + 1) - 0.1*control + 0.01*contacts - abs(pitch)"
    config = robot("walker2d_v5.xml", reward=reward, end=["height < 0.8", "pitch > 0.5"], burn_in=3)
    assert (config.parts.torso, config.robot.feet) == ("torso", ("foot", "foot_left"))
    batch = config.build(2)
    batch.reset([5, 6], ["intact"] * 2)
    model = mujoco.MjModel.from_xml_path(str(ASSETS / "walker2d_v5.xml"))
    data, torso = mujoco.MjData(model), model.body("torso").id
    data.qpos[3:] += environment_stream(6).uniform(-0.1, 0.1, 6)
    for _ in range(3 * config.control_substeps):
        mujoco.mj_step(model, data)
    generator, steps = np.random.default_rng(0), 0
    while not batch.terminated[1]:
        actions = generator.uniform(-1, 1, (2, 6)).astype(np.float32)
        batch.step(actions, np.arange(2))
        data.ctrl[:] = actions[1]
        for _ in range(config.control_substeps):
            sensed = copy.copy(data)
            mujoco.mj_step(model, data)
        np.testing.assert_allclose(batch.position(1), data.qpos, rtol=0, atol=1e-9)
        mujoco.mj_forward(model, sensed)
        velocity = np.empty(6)
        mujoco.mj_objectVelocity(model, sensed, mujoco.mjtObj.mjOBJ_XBODY, torso, velocity, 0)
        touching = {model.geom(geom).name for contact in sensed.contact for geom in contact.geom}
        height, pitch = sensed.xpos[torso, 2], np.arcsin(-sensed.xmat[torso, 6])
        feet = [f"{foot}_geom" in touching for foot in ("foot", "foot_left")]
        expected = (
            2 * velocity[3]
            + np.sqrt(sensed.xmat[torso, 8] + 1)
            - 0.1 * np.square(actions[1], dtype=float).sum()
        )
        expected += 0.01 * sum(feet) - abs(pitch)
        assert batch.rewards[1] == pytest.approx(expected, abs=1e-9)
        assert batch.terminated[1] == (height < 0.8 or pitch > 0.5)
        seen = batch.observations[1]
        ahead = np.sign(sensed.xmat[torso, 0])  # on its back its front is behind
        np.testing.assert_allclose(
            seen[[0, 3, 7]], [height - 1.25, 0.3 * ahead * velocity[3], pitch], atol=1e-6
        )
        low, high = model.jnt_range[3:].T
        np.testing.assert_allclose(
            seen[8:20:2], np.clip((2 * data.qpos[3:] - low - high) / (high - low), -5, 5), atol=1e-6
        )
        np.testing.assert_array_equal(seen[20:], feet)
        steps += 1
    assert 20 < steps < 200
    before = batch.position(1).copy(), batch.observations[1].copy()
    batch.step(np.ones((2, 6), np.float32), np.arange(2))
    np.testing.assert_array_equal(batch.position(1), before[0])
    np.testing.assert_array_equal(batch.observations[1], before[1])
    assert batch.rewards[1] == 0


@pytest.mark.parametrize(
    ("file", "torso", "feet", "sizes"),
    [
        ("half_cheetah.xml", "torso", ("bfoot", "ffoot"), (22, 6)),
        ("humanoid.xml", "torso", ("right_foot", "left_foot"), (44, 17)),
        ("hopper.xml", "torso", ("foot",), (15, 3)),
        ("swimmer.xml", "torso", (), (12, 2)),
        ("inverted_pendulum.xml", "cart", ("pole",), (11, 1)),
        ("reacher.xml", "body0", ("fingertip",), (17, 2)),
    ],
)
def test_the_parts_of_gymnasiums_robots_are_found(file, torso, feet, sizes) -> None:
    config = robot(file)
    assert (config.parts.torso, config.robot.feet) == (torso, feet)
    assert (config.interface.observation_size, config.interface.action_size) == sizes
    assert 0.01 <= config.seconds_per_step <= 0.021
    assert f"torso {torso} (" in config.about
    assert (f"feet {', '.join(feet)}" if feet else "no feet") in config.about
    batch = config.build(1)
    batch.reset([1], ["intact"])
    for _ in range(20):
        batch.step(np.ones((1, sizes[1]), np.float32), np.arange(1))
    assert not batch.diverged.any()
    assert batch.observations.any()


def test_metres_are_measured_where_the_fitness_is_another() -> None:
    overrides = {"network.hidden": [4], "env.steps": 30, "env.name": "mjcf", "env.mjcf": WALKER}
    means = {}
    for reward in ("progress", "1 - 0*progress"):
        config = hebbevo.load_config("quick-quadruped", {**overrides, "env.reward": reward})
        task = Task.of(config)
        genome = Genome(task, task.first_genome(np.random.default_rng(0)))
        evaluation = hebbevo.evaluate(genome, episodes=5, controls=False)
        means[reward] = evaluation.summary()["morphologies"]["intact"]
    walked, paid = means.values()
    assert paid["mean"] == 30
    assert paid["metres"] == pytest.approx(walked["mean"], abs=1e-12)
    assert walked["mean"] != 0
    assert "metres" not in walked


EXPRESSIONS = [
    "progress",
    "-height**3 + 2*(x - y)/(1 + abs(velocity_x))",
    "clip(velocity_y, -0.5, 0.5)*relu(velocity_z) - sigmoid(roll)*tanh(pitch)",
    "max(min(yaw, upright), sign(control)) + exp(-contacts) - sqrt(abs(height))",
    "1 - (2 - (3 - (4 - x)))*touch/2",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_program_computes_its_expression(text) -> None:
    program = reward_program(text, ("touch",))
    starts, steps = np.array([0, len(program.steps)]), np.array(program.steps)
    generator = np.random.default_rng(1)
    for _ in range(20):
        values, touch = generator.normal(size=len(QUANTITIES)), generator.normal(size=3)
        result = _run(
            0, starts, steps, np.array([*program.constants, 0.0]), np.array([1]), values, touch, np.empty(64)
        )
        named = {**dict(zip(QUANTITIES, values.tolist(), strict=True)), "touch": touch[1]}
        assert result == pytest.approx(evaluate(parse_expression(text), named, python_functions()), rel=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed", "'speed' is no quantity and no sensor of one number"),
        ("velocity", "did you mean velocity_"),
        ("__import__('os')", 'character "\'" is not allowed'),
        ("progress.real", "attribute access is not allowed"),
        ("height < 1", "character '<' is not allowed"),
        ("1/0", "this divides by zero"),
        ("1e999", "a number is decimal"),
        ("", "env.reward is empty; write an expression such as 'progress'"),
        ("1 + (" * 35 + "x" + ")" * 35, None),
        ("x**9", "an exponent is an integer from 2 to 8"),
        ("f(" * 50 + "x" + ")" * 50, "nested deeper than 40"),
    ],
)
def test_rewards_that_are_none_are_refused_in_one_line(text, message) -> None:
    if message is None:
        assert reward_program(text).steps
        return
    with pytest.raises(InputError) as caught:
        walker(reward=text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ends_compare_two_expressions() -> None:
    assert end_program("height <= 0.3").counts_equal
    assert not end_program("0.3 > height").counts_equal
    assert end_program("height < 0.3").steps == end_program("0.3 > height").steps
    for text in ("height", "0 < height < 1", "height == 1", ""):
        with pytest.raises(InputError, match=r"env\.end"):
            walker(end=text)


def test_a_reward_that_is_not_finite_ends_its_lifetime_and_no_other() -> None:
    config = walker(reward="1/max(0, 0.01 - progress)", burn_in=0)
    batch = config.build(2)
    batch.reset([1, 2], ["intact"] * 2)
    batch.interventions.push(1, velocity=(9.0, 0.0, 0.0))
    batch.step(np.zeros((2, 1), np.float32), np.arange(2))
    assert batch.diverged.tolist() == [False, True]
    assert batch.rewards[0] > 0 == batch.rewards[1]


SENSORS = WALKER.replace(
    "</mujoco>",
    "<sensor><jointpos name='angle' joint='hip'/>"
    "<subtreelinvel name='drift' body='torso' cutoff='2'/></sensor></mujoco>",
)


def test_named_sensors_are_observed_and_paid_for() -> None:
    config = walker(mjcf=SENSORS, observe=["angle", "drift"], reward="angle*angle")
    assert config.interface.observation_size == 4
    batch = config.build(1)
    batch.reset([1], ["intact"])
    batch.step(np.ones((1, 1), np.float32), np.arange(1))
    assert batch.observations[0, 0] ** 2 == pytest.approx(batch.rewards[0], rel=1e-5)
    velocity = batch.model(0).sensor("drift")
    assert np.abs(batch.observations[0, 1:] * velocity.cutoff).max() < 1
    with pytest.raises(InputError, match="did you mean angle"):
        walker(mjcf=SENSORS, observe=["angel"])


def test_any_robot_can_be_damaged_by_the_names_of_its_parts() -> None:
    config = walker(
        morphologies=["hip_limp", "hip_locked", "leg_amputated", "shin_damaged", "heavy", "loaded"]
    )
    intact = config.compile("intact")
    mass = {
        name: config.compile(name).body_mass.sum() / intact.body_mass.sum() for name in config.morphologies
    }
    assert mass["heavy"] == pytest.approx(1.5)
    assert mass["loaded"] == pytest.approx(1.4)
    assert mass["shin_damaged"] < 1
    assert config.compile("hip_limp").actuator_gear[0, 0] == 0
    assert np.ptp(config.compile("hip_locked").jnt_range[1]) == pytest.approx(np.radians(2))
    batch = config.build(2)
    batch.reset([1, 1], ["leg_amputated", "intact"])
    batch.step(np.ones((2, 1), np.float32), np.arange(2))
    assert batch.observations[0, 8:].tolist() == [0.0, 0.0, 0.0]
    assert batch.observations[1, 8:].any()
    batch.interventions.apply([1], 0, Change(morphology="leg_amputated"))
    batch.step(np.ones((2, 1), np.float32), np.arange(2))
    assert batch.observations[1, 8:].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(InputError, match="did you mean hip_limp"):
        walker(morphologies=["hip_lump"])
    with pytest.raises(InputError, match="unknown morphology 'right_front_damaged'"):
        walker(morphologies=["right_front_damaged"])


def test_parts_without_a_name_are_called_after_what_they_are_part_of() -> None:
    config = walker(
        mjcf=WALKER.replace('name="shin" ', "").replace("</body>", "<geom size='0.1'/></body>", 1)
    )
    assert {"leg_damaged", "leg_amputated"} <= set(config.study_bodies)
    assert {config.robot.model.geom(geom).name for geom in range(4)} == {"floor", "torso", "leg", "leg_2"}
    assert config.robot.motors == ("hip",)


def test_actions_span_the_range_of_a_servo_about_its_keyframe() -> None:
    servo = WALKER.replace(
        '<motor joint="hip" gear="5" ctrlrange="-1 1"/>',
        '<position joint="hip" kp="9" ctrlrange="-0.5 0.3"/>',
    )
    home = "<keyframe><key qpos='0 0 0.7 1 0 0 0 0.2' ctrl='0.2'/></keyframe></mujoco>"
    config = walker(mjcf=servo.replace("</mujoco>", home), reset_noise=0, burn_in=0)
    batch = config.build(3)
    batch.reset([1, 2, 3], ["intact"] * 3)
    np.testing.assert_allclose(batch.position(0), [0, 0, 0.7, 1, 0, 0, 0, 0.2])
    batch.step(np.array([[-1], [0], [1]], np.float32), np.arange(3))
    controls = [
        float(simulations.batch.bind("ctrl")[row, 0]) for row, simulations in enumerate(batch._of_row)
    ]
    np.testing.assert_allclose(controls, [-0.5, 0.2, 0.3])
