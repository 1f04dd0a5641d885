"""A robot's file and what it names, read on a user's word into texts that travel with the config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree import ElementTree as ET

from hebbevo.envs.mjcf.document import (
    asset_name,
    described,
    named_files,
    pack,
    parse,
    take_folders,
)
from hebbevo.envs.mjcf.limits import MOST_PACKED, MOST_READ_BYTES
from hebbevo.errors import EnvError

_MOST_INCLUDES: Final = 100


def read_robot(path: Path) -> tuple[str, dict[str, str]]:
    """Return a robot's text, its includes put in their places, and its assets, packed, by their paths.

    Nothing outside the folder of the file is read.

    Raises:
        EnvError: a file that is missing, outside, too large, or no MJCF; one line.
    """
    try:
        return _read_robot(path)
    except EnvError as error:
        raise EnvError(f"{path}: {error}") from None


def _read_robot(path: Path) -> tuple[str, dict[str, str]]:
    folder = path.parent
    text = _read_text(path)
    root = parse(text, whole=False)
    if root.find(".//include") is not None:
        _put_in(root, folder, [0])
        text = ET.tostring(root, encoding="unicode")
    root, contents, room = parse(text), {}, MOST_READ_BYTES
    folders = take_folders(root)
    for element, attribute in named_files(root):
        name = asset_name(element, attribute, folders)
        contents[name] = _read(_within(folder, name, element), room)
        room -= len(contents[name])
    packed = {name: pack(content) for name, content in contents.items()}
    if _size(text, packed) <= MOST_PACKED:
        return text, packed
    from hebbevo.envs.mjcf.lighten import without_looks

    text, contents = without_looks(parse(text), contents)
    packed = {name: pack(content) for name, content in contents.items()}
    if (size := _size(text, packed)) > MOST_PACKED:
        raise EnvError(
            f"with its assets it takes {size:,} characters, packed, without what touches nothing; a genome holds "
            f"{MOST_PACKED:,}; simplify its meshes"
        )
    return text, packed


def _size(text: str, packed: Mapping[str, str]) -> int:
    return len(text) + sum(map(len, packed.values()))


def _put_in(parent: ET.Element, folder: Path, count: list[int]) -> None:
    """Replace every include by the elements of its file."""
    for element in list(parent):
        if element.tag != "include":
            _put_in(element, folder, count)
            continue
        count[0] += 1
        if count[0] > _MOST_INCLUDES:
            raise EnvError(f"a robot includes at most {_MOST_INCLUDES} files; does one include itself?")
        name = element.get("file", "")
        part = parse(_read_text(_within(folder, name, element)), whole=False)
        _put_in(part, folder, count)
        place = list(parent).index(element)
        parent[place : place + 1] = list(part)


def _within(folder: Path, name: str, element: ET.Element) -> Path:
    """Return the path of a file in the robot's folder, links followed."""
    path = folder / PurePosixPath(name)
    try:
        inside = bool(name) and path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links that lead to each other
        inside = False
    if not inside:
        raise EnvError(f"{described(element)}: {name[:80]!r} is not in the robot's folder; put it there")
    return path


def _read_text(path: Path) -> str:
    try:
        return _read(path, MOST_PACKED).decode("utf-8")
    except UnicodeDecodeError:
        raise EnvError("a robot's text is UTF-8, and this is not; save it as such") from None


def _read(path: Path, most: int) -> bytes:
    if path.exists() and not path.is_file():
        raise EnvError("this is no file; name an MJCF")
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise EnvError(f"cannot read {path.name}: {error.strerror}; check the path") from None
    if len(content) > most:
        raise EnvError(f"{path.name} has more than {most:,} bytes; simplify it")
    return content
