"""A robot's text, checked before MuJoCo sees any of it.

MuJoCo opens what its text names: other models, meshes, pictures. What it gets here is not the text but what was read
of it, written anew, so that no two parsers can disagree: no document type and so no entities, no element that leads
outside, no number that asks for gigabytes; and every asset under a name that only its content in memory has.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from xml.etree import ElementTree as ET

from hebbevo.envs.mjcf.limits import (
    LARGEST,
    LARGEST_OF,
    MOST_ASSET_BYTES,
    MOST_ELEMENTS,
    MOST_LEVELS,
    MOST_PACKED,
    MOST_PIXELS,
    REFUSED,
)
from hebbevo.errors import EnvError

FILES: Final = ("file", "fileright", "fileleft", "fileup", "filedown", "filefront", "fileback")
"""Attributes that name a file."""
_FOLDERS: Final = ("assetdir", "meshdir", "texturedir")
_ASSETS: Final = (".obj", ".stl", ".png")
_NO_NUMBER: Final = re.compile(r"(^|\s)[+-]?(nan|inf|infinity)(\s|$)", re.IGNORECASE)
_TEXTS: Final = ("name", "class", "childclass")


@dataclass(frozen=True)
class Document:
    """What MuJoCo gets.

    Attributes:
        text: MJCF.
        assets: content by the name that the text has for it.
    """

    text: str
    assets: Mapping[str, bytes]


def read_document(text: str, packed: Mapping[str, str]) -> Document:
    """Check a robot's text and its assets.

    Args:
        text: MJCF.
        packed: content of the files that it names, as `pack` makes it.

    Raises:
        EnvError: it is no MJCF, leads outside, or is too large; one line with the element.
    """
    if len(text) + sum(map(len, packed.values())) > MOST_PACKED:
        raise EnvError(f"a robot with its assets has at most {MOST_PACKED:,} characters; simplify its meshes")
    contents, room = {}, MOST_ASSET_BYTES
    for name, one in packed.items():
        contents[name] = _unpacked(name, one, room)
        room -= len(contents[name])
    return closed(parse(text), contents)


def closed(root: ET.Element, contents: Mapping[str, bytes]) -> Document:
    """Return elements as a text in which files go by names that only these contents have; `root` is changed.

    Raises:
        EnvError: it names another file; one line.
    """
    folders, assets = take_folders(root), {}
    for number, (element, attribute) in enumerate(named_files(root)):
        name = asset_name(element, attribute, folders)
        if name not in contents:
            raise EnvError(f"{described(element)} names {name!r}, which is none of the robot's own assets")
        if "name" not in element.attrib and attribute == "file":
            element.set("name", PurePosixPath(name).stem)
        element.set(attribute, f"asset_{number}{PurePosixPath(name).suffix.lower()}")
        assets[element.attrib[attribute]] = contents[name]
    return Document(ET.tostring(root, encoding="unicode"), assets)


def parse(text: str, *, whole: bool = True) -> ET.Element:
    """Return the elements of a text that nothing is wrong with in itself.

    Args:
        text: MJCF.
        whole: whether includes are refused.

    Raises:
        EnvError: one line.
    """
    if "<!doctype" in text.lower():
        raise EnvError("a robot's text has a document type, which can define entities; leave it out")
    parser = ET.XMLParser(target=_Guard(whole=whole))
    try:
        parser.feed(text)
        root = parser.close()
    except ET.ParseError as error:
        raise EnvError(f"a robot is MJCF, and this is no XML: {error}") from None
    except (ValueError, RecursionError) as error:
        raise (error if isinstance(error, EnvError) else EnvError(f"this is no XML: {error}")) from None
    if root.tag != "mujoco" and whole:
        raise EnvError(f"a robot is MJCF, an element <mujoco>, got <{root.tag[:60]}>")
    return root


class _Guard(ET.TreeBuilder):
    """Builds the elements; refuses the first that is too deep, too many, or of a kind that leads outside."""

    def __init__(self, *, whole: bool) -> None:
        super().__init__()
        self._depth = self._count = 0
        self._refused = REFUSED if whole else {tag: why for tag, why in REFUSED.items() if tag != "include"}

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._depth, self._count = self._depth + 1, self._count + 1
        if self._depth > MOST_LEVELS or self._count > MOST_ELEMENTS:
            raise EnvError(f"a robot has at most {MOST_ELEMENTS} elements, {MOST_LEVELS} within each other")
        if tag in self._refused:
            raise EnvError(f"a robot cannot have <{tag}>: {self._refused[tag]}")
        element = super().start(tag, attrs)
        _check_numbers(element)
        return element

    def end(self, tag: str) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def _check_numbers(element: ET.Element) -> None:
    """Refuse numbers that are none, or ask for more than a robot needs."""
    if element.tag == "size":  # room for contacts and constraints, which MuJoCo finds by itself
        element.attrib.clear()
    for name, value in element.attrib.items():
        if name not in _TEXTS and _NO_NUMBER.search(value):
            raise EnvError(f"{described(element)}: {name} must be finite, got {value[:40]!r}")
        largest = LARGEST_OF.get((element.tag, name), LARGEST.get(name))
        if largest is not None and any(number > largest for number in _numbers(value)):
            raise EnvError(f"{described(element)}: {name} is at most {largest}, got {value[:40]!r}")


def _numbers(value: str) -> Iterator[float]:
    for token in value.split():
        try:
            yield float(token)
        except ValueError:
            continue


def described(element: ET.Element) -> str:
    """Return an element as messages name it."""
    name = element.get("name")
    return f"<{element.tag[:40]}{f' {name[:60]!r}' if name else ''}>"


def take_folders(root: ET.Element) -> dict[str, str]:
    """Return the folders of meshes and textures, and take them out of the text."""
    folders: dict[str, str] = {}
    for compiler in root.iter("compiler"):
        folders |= {name: compiler.attrib.pop(name) for name in _FOLDERS if name in compiler.attrib}
        compiler.attrib.pop("strippath", None)
    return folders


def named_files(root: ET.Element) -> Iterator[tuple[ET.Element, str]]:
    """Yield the elements that name a file, with the attribute."""
    for element in root.iter():
        yield from ((element, name) for name in FILES if name in element.attrib)


def asset_name(element: ET.Element, attribute: str, folders: Mapping[str, str]) -> str:
    """Return the path of an asset from the robot's folder on.

    Raises:
        EnvError: it leads out of the folder, or is no mesh or picture.
    """
    folder = folders.get("texturedir" if element.tag == "texture" else "meshdir", folders.get("assetdir", ""))
    path = PurePosixPath(folder, element.attrib[attribute])
    if path.is_absolute() or ".." in path.parts or "\\" in str(path):
        raise EnvError(f"{described(element)}: {str(path)[:80]!r} leads out of the robot's folder")
    if path.suffix.lower() not in _ASSETS:
        raise EnvError(
            f"{described(element)}: a mesh or picture is {', '.join(_ASSETS)}, got {path.name[:60]!r}"
        )
    return str(path)


def pack(content: bytes) -> str:
    """Return a file's content as a text that `unpack` reads."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _unpacked(name: str, text: str, room: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(base64.b64decode(text, validate=True), room + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise EnvError(f"the asset {name!r} is damaged; read the robot's file again with env.file") from None
    if len(content) > room:
        raise EnvError(f"the robot's assets take more than {MOST_ASSET_BYTES >> 20} MiB; simplify its meshes")
    if name.lower().endswith(".png"):
        width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
        if max(width, height) > MOST_PIXELS:
            raise EnvError(f"the picture {name!r} has {width} x {height} pixels; {MOST_PIXELS} at most")
    return content
