"""The trimmed model against MuJoCo's own collision detection: the same bits, whatever the body and its contacts."""

import mujoco
import numpy as np
import pytest

from hebbevo.envs import MORPHOLOGIES, Morphology, QuadrupedConfig, compile_model
from hebbevo.envs.morphologies.catalogue import NAMED
from hebbevo.envs.robots.trim import collision_pairs

INTEGRATORS = ("Euler", "implicitfast", "RK4")
CONTACT = ("geom", "dist", "pos", "frame", "includemargin", "friction", "solref", "solimp", "dim", "exclude")
COLLISION_ONLY = ("pair_", "bvh_", "body_bvh", "name", "_size")
COLLISION_MASKS = ("geom_contype", "geom_conaffinity", "body_contype", "body_conaffinity")


class Payload:
    """Two unnamed geoms on the torso: contacts of several geoms of one body."""

    def apply(self, spec):
        spec.body("torso").add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.2, 0.1, 0.1], pos=[0, 0, -0.25])
        spec.body("torso").add_geom(size=[0.2, 0, 0], pos=[0.2, 0, 0.2])


class Bumps:
    """Boxes on the ground and a plate welded to the world beside the floor: several geoms of the world."""

    def apply(self, spec):
        for i, x in enumerate((-0.6, 0.1, 0.7)):
            box = spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.1, 1, 0.05 + 0.02 * i])
            box.pos, box.conaffinity = [x, 0, 0], 1
        plate = spec.worldbody.add_body(pos=[0, 0.8, 0.05])
        plate.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[1, 0.2, 0.1], conaffinity=1)


class SelfCollision:
    """Legs that collide with each other and with the torso."""

    def apply(self, spec):
        for geom in spec.geoms:
            geom.conaffinity = 1
        Payload().apply(spec)


class OddContacts:
    """Priorities, mixes, gaps, margins, exclusions and pairs that the model lists itself."""

    def apply(self, spec):
        floor, odd = spec.geom("floor"), spec.geom("left_ankle_geom")
        floor.solmix, floor.friction, floor.solref = 3, [0.7, 0.02, 0.0003], [0.03, 0.8]
        floor.solimp = [0.8, 0.97, 0.002, 0.4, 3]
        odd.priority, odd.condim, odd.friction = 1, 6, [0.4, 0.01, 0.0002]
        spec.geom("right_ankle_geom").solmix = 0
        spec.geom("third_ankle_geom").margin, spec.geom("third_ankle_geom").gap = 0.05, 0.02
        spec.geom("third_ankle_geom").solref = [-1000, -20]
        spec.geom("fourth_ankle_geom").contype = 0
        spec.add_pair(geomname1="rightback_leg_geom", geomname2="floor", margin=0.1, condim=1)
        spec.add_exclude(bodyname1="world", bodyname2="aux_1")


BODIES = {
    **{name: NAMED[name] for name in ("intact", "right_front_damaged", "left_front_damaged")},
    **{
        body.__name__: Morphology(body.__name__, body.__doc__, (body(),))
        for body in (Payload, Bumps, SelfCollision, OddContacts)
    },
}


@pytest.fixture(autouse=True)
def _bodies(monkeypatch):
    for name, body in BODIES.items():
        monkeypatch.setitem(MORPHOLOGIES, name, body)


def actions_of(seed, steps):
    return np.tanh(np.random.default_rng(seed).standard_normal((steps, 8)))


def same_physics(name, integrator, seed, steps):
    """Step both models side by side; return how many contacts they had."""
    models = [compile_model("quadruped", name, integrator=integrator, trim=trim) for trim in (True, False)]
    datas = [mujoco.MjData(model) for model in models]
    for model, data in zip(models, datas, strict=True):
        data.qpos[:] = model.numeric("init_qpos").data
        data.qpos[2] += 0.2
    contacts = 0
    for action in actions_of(seed, steps):
        for model, data in zip(models, datas, strict=True):
            data.ctrl[:] = action
            mujoco.mj_step(model, data, 2)
        trimmed, untrimmed = datas
        assert trimmed.qpos.tobytes() == untrimmed.qpos.tobytes()
        assert trimmed.qvel.tobytes() == untrimmed.qvel.tobytes()
        for field in CONTACT:
            np.testing.assert_array_equal(
                getattr(trimmed.contact, field), getattr(untrimmed.contact, field), field
            )
        contacts += untrimmed.ncon
    return contacts


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("name", BODIES)
def test_trimmed_physics_and_contacts_are_the_same_bits(name, integrator):
    for seed in (1, 2):
        assert same_physics(name, integrator, seed, 150) > 150


@pytest.mark.slow
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("name", BODIES)
def test_trimmed_physics_is_the_same_over_a_lifetime(name, integrator):
    for seed in range(3, 7):
        assert same_physics(name, integrator, seed, 1000) > 1000


@pytest.mark.parametrize("name", BODIES)
def test_nothing_else_of_the_model_changes(name):
    trimmed, untrimmed = compile_model("quadruped", name), compile_model("quadruped", name, trim=False)
    assert not any(getattr(trimmed, mask).any() for mask in COLLISION_MASKS)
    assert trimmed.npair == untrimmed.npair + len(collision_pairs(untrimmed))
    for field in dir(untrimmed):
        value = getattr(untrimmed, field)
        if isinstance(value, np.ndarray) and not field.startswith(COLLISION_ONLY + COLLISION_MASKS):
            np.testing.assert_array_equal(getattr(trimmed, field), value, field)


@pytest.mark.parametrize("name", ["intact", "right_front_damaged"])
def test_only_the_floor_is_touched(name):
    model = compile_model("quadruped", name, trim=False)
    pairs = collision_pairs(model)
    floor = model.geom("floor").id
    assert pairs == [(floor, geom) for geom in range(model.ngeom) if geom != floor]


def experience(name, seed):
    """Return the experience of two lifetimes of a batch, foot contacts among it."""
    batch = QuadrupedConfig(morphologies=(name,)).build(2)
    batch.reset([seed, seed + 1], [name, name])
    seen = [batch.observations.tobytes()]
    for action in actions_of(seed, 300).astype(np.float32):
        batch.step(np.stack([action, -action]), np.arange(2))
        seen += [array.tobytes() for array in (batch.observations, batch.rewards, batch.done, batch.diverged)]
    assert batch.observations[:, 24:].any()
    return seen


@pytest.mark.parametrize("name", BODIES)
def test_a_batch_senses_the_same(name, monkeypatch):
    trimmed = experience(name, 11)
    monkeypatch.setattr("hebbevo.envs.robots.body.compile_trimmed", lambda spec: spec.compile())
    assert experience(name, 11) == trimmed


def test_bodies_that_collide_differently_share_a_batch():
    """Pairs are no part of the layout of a simulation's data."""
    batch = QuadrupedConfig().build(2)
    batch.reset([1, 2], ["intact", "OddContacts"])
    alone = QuadrupedConfig(morphologies=("OddContacts",)).build(1)
    alone.reset([2], ["OddContacts"])
    assert alone.observations.tobytes() == batch.observations[1].tobytes()
