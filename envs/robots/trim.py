"""Trim the physics of a body without changing a bit of its trajectory.

Two stages of MuJoCo's step find nothing in one body on a floor: the broadphase, which sorts bounding boxes to
learn that legs do not collide with each other, and the search for islands, independent groups of constraints.
Here the contacts that the collision rules allow become explicit pairs, and islands are off.

Sources: MuJoCo, "Computation", sections Collision (which geoms collide, in which order) and Contact parameters
(how those of two geoms mix). Cameras, lights and the flags of stages that the model has no elements for cost nothing
measurable and stay; so does all that changes the last bits (fused static bodies, no warm start, looser solver).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from hebbevo.envs.physics import mujoco

MOST_GEOMS: Final = 200
"""A body of more geoms keeps its own collision detection: pairs are as many as geoms squared."""

_SMALLEST_MIX: Final = 1e-15
"""A `solmix` below this counts as none (MuJoCo's mjMINVAL)."""


def compile_trimmed(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Compile `spec` with its contacts as explicit pairs and without islands; `spec` is changed.

    Geoms keep their margins and lose `contype` and `conaffinity`; those without a name get one, as pairs ask
    for names. A model with flexes, whose contacts pairs cannot express, keeps its own collision detection, and so
    does one of many geoms.
    """
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_ISLAND
    model = spec.compile()
    if model.nflex or model.ngeom > MOST_GEOMS:
        return model
    geoms = sorted(spec.geoms, key=lambda geom: geom.id)
    for geom in geoms:
        geom.name = geom.name or f"unnamed_geom_{geom.id}"
    for first, second in collision_pairs(model):
        names = {"geomname1": geoms[first].name, "geomname2": geoms[second].name}
        spec.add_pair(**names, **_contact_parameters(model, first, second))
    for geom in geoms:
        geom.contype = geom.conaffinity = 0
    return spec.compile()


def collision_pairs(model: mujoco.MjModel) -> list[tuple[int, int]]:
    """Return the geoms that MuJoCo would test against each other, in the order of its contacts.

    Pairs that the model lists itself are left out.
    """
    return sorted(_colliding(model), key=lambda pair: _contact_order(model, *pair))


def _colliding(model: mujoco.MjModel) -> Iterator[tuple[int, int]]:
    listed = {frozenset(pair) for pair in zip(model.pair_geom1, model.pair_geom2, strict=True)}
    excluded = set(model.exclude_signature)
    for second in range(model.ngeom):
        for first in range(second):
            if (
                _masks_match(model, first, second)
                and not _rigidly_joined(model, first, second)
                and _signature(model, first, second) not in excluded
                and frozenset((first, second)) not in listed
            ):
                yield first, second


def _masks_match(model: mujoco.MjModel, first: int, second: int) -> bool:
    kinds, partners = model.geom_contype, model.geom_conaffinity
    return bool(kinds[first] & partners[second] or kinds[second] & partners[first])


def _rigidly_joined(model: mujoco.MjModel, first: int, second: int) -> bool:
    """Tell whether the geoms' bodies are welded, or parent and child; the world is no parent."""
    weld, parent = model.body_weldid, model.body_parentid
    a, b = weld[model.geom_bodyid[first]], weld[model.geom_bodyid[second]]
    if a == b:
        return True
    parents_collide = bool(model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_FILTERPARENT)
    if parents_collide or a == 0 or b == 0:
        return False
    return bool(a == weld[parent[b]] or b == weld[parent[a]])


def _signature(model: mujoco.MjModel, first: int, second: int) -> int:
    """Return the number of the bodies' pair, by which MuJoCo sorts pairs and excludes."""
    bodies = sorted(int(model.geom_bodyid[geom]) for geom in (first, second))
    return (bodies[0] << 16) + bodies[1]


def _contact_order(model: mujoco.MjModel, first: int, second: int) -> tuple[int, int, int]:
    """Return the sort key: by bodies, then by geoms, of which the one with the lower type comes first."""
    ordered = sorted((first, second), key=lambda geom: int(model.geom_type[geom]))
    return (_signature(model, first, second), ordered[0], ordered[1])


def _contact_parameters(model: mujoco.MjModel, first: int, second: int) -> dict[str, Any]:
    """Return MuJoCo's parameters of a contact of two geoms: those of the higher priority, or the mix."""
    priority = model.geom_priority
    if priority[first] == priority[second]:
        condim = max(model.geom_condim[first], model.geom_condim[second])
        friction = np.maximum(model.geom_friction[first], model.geom_friction[second])
        solref, solimp = _mixed_solver(model, first, second)
    else:
        geom = first if priority[first] > priority[second] else second
        condim, friction = model.geom_condim[geom], model.geom_friction[geom]
        solref, solimp = model.geom_solref[geom], model.geom_solimp[geom]
    slide, spin, roll = friction
    return {
        "condim": int(condim),
        "friction": [slide, slide, spin, roll, roll],
        "solref": solref,
        "solimp": solimp,
        "margin": model.geom_margin[first] + model.geom_margin[second],
        "gap": model.geom_gap[first] + model.geom_gap[second],
    }


def _mixed_solver(model: mujoco.MjModel, first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
    """Return solref and solimp of geoms with the same priority."""
    first_mix, second_mix = model.geom_solmix[[first, second]]
    if first_mix < _SMALLEST_MIX or second_mix < _SMALLEST_MIX:
        mix = 0.5 + 0.5 * (float(first_mix >= _SMALLEST_MIX) - float(second_mix >= _SMALLEST_MIX))
    else:
        mix = first_mix / (first_mix + second_mix)
    solimp = mix * model.geom_solimp[first] + (1 - mix) * model.geom_solimp[second]
    refs = model.geom_solref[first], model.geom_solref[second]
    if refs[0][0] > 0 and refs[1][0] > 0:
        return mix * refs[0] + (1 - mix) * refs[1], solimp
    return np.minimum(*refs), solimp  # direct stiffness and damping do not mix
