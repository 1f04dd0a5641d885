"""Take out of a robot's text what only pictures show: meshes that touch nothing and weigh nothing, and pictures.

Files of real robots carry megabytes of them beside the shapes that physics uses.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import numpy as np

from hebbevo.envs.mjcf.document import FILES, asset_name, closed, named_files, take_folders
from hebbevo.envs.physics import FAILURES, mujoco, one_line
from hebbevo.errors import EnvError

_logger = logging.getLogger(__name__)


def without_looks(root: ET.Element, contents: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Return a robot's text, and the files that it names, without what physics does not need; `root` is changed.

    Raises:
        EnvError: MuJoCo cannot read the robot, or what is left out weighs something; one line.
    """
    try:
        named = copy.deepcopy(root)
        geoms = _geoms(named)
        for number, geom in enumerate(geoms):
            geom.attrib.setdefault("name", f"hebbevo_geom_{number}")
        spec = _spec(named, contents)
        before = spec.compile()
        looks = {geom.name for geom in spec.geoms if _is_a_look(geom)}
        meshes = {geom.meshname for geom in spec.geoms if geom.name not in looks}
        removed = {
            id(geom) for geom, twin in zip(_geoms(root), geoms, strict=True) if twin.attrib["name"] in looks
        }
        _remove(root, lambda part: id(part) in removed)
        _remove(root, lambda part: part.tag == "mesh" and "file" in part.attrib and _name(part) not in meshes)
        _remove_pictures(root)
        after = _spec(copy.deepcopy(root), contents).compile()
    except FAILURES as error:
        raise error if isinstance(error, EnvError) else EnvError(one_line(error)) from None
    for name in ("body_mass", "body_inertia", "body_ipos", "body_iquat"):
        if not np.array_equal(getattr(before, name), getattr(after, name)):
            raise EnvError("its meshes weigh something; give bodies an <inertial>, or simplify the meshes")
    _logger.warning(
        "a robot's file is too large for a genome: left out %d meshes that touch nothing, and pictures",
        len(looks),
    )
    folders = take_folders(copy.deepcopy(root))
    kept = {asset_name(element, attribute, folders) for element, attribute in named_files(root)}
    return ET.tostring(root, encoding="unicode"), {name: contents[name] for name in contents if name in kept}


def _spec(root: ET.Element, contents: Mapping[str, bytes]) -> mujoco.MjSpec:
    document = closed(root, contents)
    return mujoco.MjSpec.from_string(document.text, assets=dict(document.assets))


def _is_a_look(geom: mujoco.MjsGeom) -> bool:
    """Tell whether a geom is a mesh that touches nothing and weighs nothing."""
    touches = geom.contype or geom.conaffinity
    weighs = not geom.parent.explicitinertial and geom.mass != 0
    return geom.type == mujoco.mjtGeom.mjGEOM_MESH and not touches and not weighs


def _geoms(root: ET.Element) -> list[ET.Element]:
    return [geom for world in root.iter("worldbody") for geom in world.iter("geom")]


def _name(element: ET.Element) -> str:
    return element.get("name") or PurePosixPath(element.attrib["file"]).stem


def _remove(root: ET.Element, is_one: Callable[[ET.Element], bool]) -> None:
    for parent in root.iter():
        for child in [child for child in parent if is_one(child)]:
            parent.remove(child)


def _remove_pictures(root: ET.Element) -> None:
    """Remove textures that are files, and their names from materials."""
    pictures = [part for part in root.iter("texture") if any(name in part.attrib for name in FILES)]
    names = {part.get("name") or PurePosixPath(part.get("file", "")).stem for part in pictures}
    _remove(root, lambda part: part in pictures or (part.tag == "layer" and part.get("texture") in names))
    for material in root.iter("material"):
        if material.get("texture") in names:
            del material.attrib["texture"]
