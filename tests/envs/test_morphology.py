"""The bodies, from the compiled geometry alone: which corner of the body is short, and by how much."""

import mujoco
import numpy as np
import pytest

from hebbevo.envs import compile_model
from hebbevo.envs.morphologies.anatomy import ANT
from hebbevo.envs.morphologies.catalogue import get_morphology
from hebbevo.errors import EnvError

CORNERS = {"front_left": (1, 1), "front_right": (1, -1), "rear_left": (-1, 1), "rear_right": (-1, -1)}
SHORT = {"intact": None, "right_front_damaged": "front_right", "left_front_damaged": "front_left"}


def foot_position(model: mujoco.MjModel, geom: str) -> np.ndarray:
    """The far end of a lower leg, from the pose in which all joints are at 0."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    index = model.geom(geom).id
    axis = data.geom_xmat[index].reshape(3, 3)[:, 2]
    ends = [data.geom_xpos[index] + sign * axis * model.geom_size[index, 1] for sign in (-1, 1)]
    return max(ends, key=np.linalg.norm) - data.body("torso").xpos


@pytest.mark.parametrize("leg", ANT.legs)
def test_each_leg_stands_at_its_corner(leg):
    foot = foot_position(compile_model("quadruped", "intact"), ANT.legs[leg].lower.geom)
    assert np.sign(foot[:2]) == pytest.approx(CORNERS[leg])
    assert np.abs(foot[:2]) == pytest.approx(0.8)


@pytest.mark.parametrize("leg", ANT.legs)
def test_joints_of_a_leg_belong_to_it(leg):
    model = compile_model("quadruped", "intact")
    ankle = model.joint(ANT.legs[leg].lower.joint)
    assert model.geom(ANT.legs[leg].lower.geom).bodyid == ankle.bodyid
    assert model.body_parentid[ankle.bodyid] == model.joint(ANT.legs[leg].upper.joint).bodyid


@pytest.mark.parametrize("name", SHORT)
def test_exactly_the_named_lower_leg_is_a_quarter(name):
    intact, body = compile_model("quadruped", "intact"), compile_model("quadruped", name)
    short = None if SHORT[name] is None else intact.geom(ANT.legs[SHORT[name]].lower.geom).id
    for geom in range(intact.ngeom):
        factor = 0.25 if geom == short else 1.0
        length = intact.geom_size[geom, 1] * (factor if intact.geom_type[geom] == 3 else 1.0)
        assert body.geom_size[geom, 1] == pytest.approx(length, rel=1e-12)
        assert body.geom_size[geom, 0] == intact.geom_size[geom, 0]
        if geom != short:
            np.testing.assert_array_equal(body.geom_pos[geom], intact.geom_pos[geom])
            np.testing.assert_array_equal(body.geom_quat[geom], intact.geom_quat[geom])


@pytest.mark.parametrize("name", [name for name in SHORT if name != "intact"])
def test_the_short_foot_is_nearer_at_its_corner(name):
    foot = foot_position(compile_model("quadruped", name), ANT.legs[SHORT[name]].lower.geom)
    assert np.sign(foot[:2]) == pytest.approx(CORNERS[SHORT[name]])
    assert np.abs(foot[:2]) == pytest.approx(0.5)


def test_settings_reach_the_model():
    model = compile_model("quadruped", "intact", gear=45, integrator="RK4", timestep=0.01)
    assert (model.actuator_gear[:, 0] == 45).all()
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4
    assert model.opt.timestep == 0.01


def test_a_misspelt_morphology_suggests_the_nearest():
    with pytest.raises(EnvError, match="did you mean right_front_damaged"):
        get_morphology("rigth_front_damage")
