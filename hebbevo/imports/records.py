"""What was imported in this process, and the records of it in runs and genomes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from hebbevo.errors import InputError, MissingImport
from hebbevo.settings import Settings


class Import(Settings):
    """A module as runs and genomes name it."""

    name: str = Field(
        max_length=200, pattern=r"^\w+(\.\w+)*$", description="FILE.py without folders, or a module"
    )
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="of the file, or of all files of the module's package"
    )


@dataclass(frozen=True)
class Source:
    """A module that was imported.

    Attributes:
        name: as `Import` has it.
        path: the file, or the folder of the package.
        sha256: of the content.
        files: content by path within the package, "" for a file of its own; None where it is installed.
    """

    name: str
    path: Path
    sha256: str
    files: Mapping[str, bytes] | None


SOURCES: dict[str, Source] = {}
"""What was imported, by name, in that order."""


def imported() -> tuple[Import, ...]:
    """Return what was imported in this process, in that order."""
    return tuple(Import(name=source.name, sha256=source.sha256) for source in SOURCES.values())


def require(records: Iterable[Import], why: str) -> None:
    """Refuse to go on without modules that a run or a genome was made with.

    Raises:
        MissingImport: some were not imported in this process.
    """
    missing = [record for record in records if record.name not in SOURCES]
    if missing:
        named = ", ".join(f"{record.name} (sha256 {record.sha256[:12]})" for record in missing)
        raise MissingImport(
            f"{why}; it was made with {named}, not imported here", [record.name for record in missing]
        )


def require_module(module: str, why: str) -> None:
    """Refuse to go on without a module that a name names.

    Raises:
        MissingImport: it was not imported in this process on a user's word.
    """
    if not any(name.removesuffix(".py") == module for name in SOURCES):
        raise MissingImport(f"{why} that was not imported here, {module}", [module])


def changed(records: Iterable[Import]) -> str:
    """Return in words which modules have another content than recorded, or nothing."""
    return ", ".join(
        f"{record.name} has sha256 {SOURCES[record.name].sha256[:12]}, formerly {record.sha256[:12]}"
        for record in records
        if record.name in SOURCES and SOURCES[record.name].sha256 != record.sha256
    )


def is_known(name: str, sha256: str) -> bool:
    """Tell whether a module was imported before; refuse one that has changed since."""
    if name not in SOURCES:
        return False
    if SOURCES[name].sha256 != sha256:
        raise InputError(f"{name} was imported, and is another one now; start a new process")
    return True


def read_files(path: Path) -> dict[str, bytes]:
    """Return the content of a file, or of all files of a package."""
    if path.is_file():
        return {"": path.read_bytes()}
    found = sorted(part for part in path.rglob("*") if part.is_file() and "__pycache__" not in part.parts)
    return {part.relative_to(path).as_posix(): part.read_bytes() for part in found}


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of a file, as `sha256sum` does; of several, that of their names, lengths and contents."""
    if list(files) == [""]:
        return hashlib.sha256(files[""]).hexdigest()
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
