"""Interventions against bodies that started so, momentum, and neighbours."""

import mujoco
import numpy as np
import pytest

from hebbevo.envs import Change, DogConfig, QuadrupedConfig
from hebbevo.envs.robots.body import lowest_point
from hebbevo.envs.robots.interventions import impulse_response

CONFIGS = {"quadruped": QuadrupedConfig, "dog": DogConfig}
SEED = 5


def walk(environment, change, at: int, body: str = "intact", steps: int = 25) -> np.ndarray:
    """Return the observations of a lifetime in row 1 of a batch, with a change at a step; row 0 stays as it is."""
    environment.reset([9, SEED], ["intact", body])
    rng, rows, seen = np.random.default_rng(3), np.array([0, 1]), []
    for step in range(steps):
        if step == at:
            environment.interventions.apply([1], 0, change)
        actions = np.zeros((environment.batch_size, environment.action_size), np.float32)
        actions[:2] = rng.uniform(-1, 1, environment.action_size)
        environment.step(actions, rows)
        seen.append(environment.observations[:2].copy())
    return np.array(seen)


@pytest.mark.parametrize("build", CONFIGS)
@pytest.mark.parametrize(
    ("change", "body"),
    [
        (Change(gravity=0.6), "low_gravity"),
        (Change(friction=1 / 3), "slippery"),
        (Change(morphology="heavy"), "heavy"),
        (Change(morphology="weak"), "weak"),
        (Change(morphology="loaded"), "loaded"),  # another layout
    ],
)
def test_a_change_before_anything_moved_is_a_body_that_started_so(
    build: str, change: Change, body: str
) -> None:
    environment = CONFIGS[build](burn_in=0).build(3)
    started = walk(environment, None, -1, body)
    np.testing.assert_array_equal(walk(environment, change, 0), started)
    assert not np.array_equal(walk(environment, None, -1), started)


@pytest.mark.parametrize("morphology", ["heavy", "left_front_amputated", "loaded", None])
def test_a_change_touches_no_neighbour_and_leaves_nothing(morphology: str | None) -> None:
    environment = QuadrupedConfig().build(3)
    before = walk(environment, None, -1)
    changed = walk(environment, Change(morphology, friction=0.5, gravity=1.5), 10)
    np.testing.assert_array_equal(changed[:10], before[:10])
    np.testing.assert_array_equal(changed[:, 0], before[:, 0])
    assert not np.array_equal(changed[10:, 1], before[10:, 1])
    np.testing.assert_array_equal(walk(environment, None, -1), before)


def test_changes_combine_and_are_taken_back() -> None:
    environment = QuadrupedConfig().build(2)
    environment.reset([1, 2], ["intact", "intact"])
    intact = environment.model(1)
    environment.interventions.apply([1], 4, Change(gravity=0.5))
    environment.interventions.apply([1], 2, Change("heavy", gravity=0.5))
    environment.interventions.apply([1], 3, Change("light"))
    model = environment.model(1)
    assert model.opt.gravity[2] == 0.25 * intact.opt.gravity[2]
    assert model.body_mass.sum() == pytest.approx(0.5 * intact.body_mass.sum())
    environment.interventions.apply([1], 3, None)
    assert environment.model(1).body_mass.sum() == pytest.approx(1.5 * intact.body_mass.sum())
    for key in (2, 4):
        environment.interventions.apply([1], key, None)
    assert environment.model(1) is intact is environment.model(0)


def test_another_layout_takes_over_pose_and_motion() -> None:
    environment = QuadrupedConfig().build(2)
    walk(environment, None, -1)
    pose, velocity = environment.position(1).copy(), environment.velocity(1).copy()
    names = [environment.model(1).joint(joint).name for joint in range(1, environment.model(1).njnt)]
    environment.interventions.apply([1], 0, Change("left_front_amputated"))
    model = environment.model(1)
    assert model.njnt == len(names)  # the root and one hinge less
    for joint in range(1, model.njnt):
        place = names.index(model.joint(joint).name)
        assert environment.position(1)[6 + joint] == pose[7 + place]
        assert environment.velocity(1)[5 + joint] == velocity[6 + place]
    np.testing.assert_array_equal(environment.position(1)[:7], pose[:7])
    environment.interventions.apply([1], 0, None)
    np.testing.assert_array_equal(environment.velocity(1)[:6], velocity[:6])
    initial = environment.body("intact").pose
    gone = [name for name in range(len(names)) if environment.position(1)[7 + name] != pose[7 + name]]
    assert [environment.position(1)[7 + name] for name in gone] == [initial[7 + name] for name in gone]
    assert len(gone) == 1


def test_a_leg_that_grows_back_does_not_end_in_the_floor() -> None:
    environment = QuadrupedConfig().build(2)
    walk(environment, None, -1, body="right_front_damaged")
    depth = lowest_point(environment.model(1), environment.position(1))
    environment.interventions.apply([1], 0, Change("long_legs"))
    assert lowest_point(environment.model(1), environment.position(1)) >= depth - 1e-12


@pytest.mark.parametrize("build", CONFIGS)
def test_an_impulse_is_the_change_of_momentum(build: str) -> None:
    environment = CONFIGS[build]().build(1)
    environment.reset([3], ["intact"])
    model, pose = environment.model(0), environment.position(0)

    def momentum(velocity: np.ndarray) -> np.ndarray:
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:] = pose, velocity
        mujoco.mj_forward(model, data)
        mujoco.mj_subtreeVel(model, data)
        torso = model.body("torso").id
        return data.subtree_linvel[torso] * model.body_subtreemass[torso]

    before = environment.velocity(0).copy()
    environment.interventions.push(0, impulse=(3.0, -2.0, 1.0))
    change = momentum(environment.velocity(0)) - momentum(before)
    np.testing.assert_allclose(change, (3.0, -2.0, 1.0), atol=1e-8)
    np.testing.assert_allclose(
        environment.velocity(0) - before, impulse_response(model, pose, (3.0, -2.0, 1.0))
    )


def test_a_velocity_is_added_to_the_torso() -> None:
    environment = QuadrupedConfig().build(1)
    environment.reset([3], ["intact"])
    before = environment.velocity(0).copy()
    environment.interventions.push(0, velocity=(1.0, 0.5, 0.0))
    np.testing.assert_array_equal(environment.velocity(0)[:3], before[:3] + np.array([1.0, 0.5, 0.0]))
    np.testing.assert_array_equal(environment.velocity(0)[3:], before[3:])
