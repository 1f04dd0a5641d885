"""Modules of a user's own, which register what they define: imported here, and again in every worker process.

Only `import_modules` imports, on a user's word. Files that say what they were made with name a module and its hash, and
import nothing. A worker gets the very bytes that were imported here, and takes them from the same place where they are
still there, else from a folder of its own. An installed package is not sent: the worker's must have the same hash.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import importlib.util
import keyword
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from hebbevo.errors import InputError, MissingImport
from hebbevo.settings import Settings

_LARGEST = 64 << 20
"""Bytes of a package that are sent to workers; data sets are no part of it."""
_INSTALLED = {"site-packages", "dist-packages"}


class Import(Settings):
    """A module as runs and genomes name it."""

    name: str = Field(
        max_length=200, pattern=r"^\w+(\.\w+)*$", description="FILE.py without folders, or a module"
    )
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="of the file, or of all files of the module's package"
    )


@dataclass(frozen=True)
class _Source:
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


_SOURCES: dict[str, _Source] = {}
"""What was imported, by name, in that order."""


def import_modules(names: Iterable[str], folder: Path | str = ".") -> None:
    """Import files and modules; what has been imported before stays as it is.

    Args:
        names: ``FILE.py``, which becomes the module ``FILE``; or a module, also one of the current folder.
        folder: that the paths of files start from.

    Raises:
        InputError: there is none, it raises, or it has changed since it was imported; one line.
    """
    for name in names:
        if name.endswith(".py"):
            _import_file(Path(folder, name))
        else:
            _import_module(name)


def imported() -> tuple[Import, ...]:
    """Return what was imported in this process, in that order."""
    return tuple(Import(name=source.name, sha256=source.sha256) for source in _SOURCES.values())


def require(records: Iterable[Import], why: str) -> None:
    """Refuse to go on without modules that a run or a genome was made with.

    Raises:
        MissingImport: some were not imported in this process.
    """
    missing = [record for record in records if record.name not in _SOURCES]
    if missing:
        named = ", ".join(f"{record.name} (sha256 {record.sha256[:12]})" for record in missing)
        raise MissingImport(
            f"{why}; it was made with {named}, not imported here", [record.name for record in missing]
        )


def changed(records: Iterable[Import]) -> str:
    """Return in words which modules have another content than recorded, or nothing."""
    return ", ".join(
        f"{record.name} has sha256 {_SOURCES[record.name].sha256[:12]}, formerly {record.sha256[:12]}"
        for record in records
        if record.name in _SOURCES and _SOURCES[record.name].sha256 != record.sha256
    )


class Imports:
    """All that was imported here; once unpickled in another process, it is imported there too.

    Stands before whatever may need it: pickles are read in their order.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _receive, (tuple(_SOURCES.values()),)


def _receive(sources: Iterable[_Source]) -> Imports:
    for source in sources:
        if source.name not in _SOURCES:
            _import_source(source)
        if _SOURCES[source.name].sha256 != source.sha256:
            raise ImportError(f"{source.name} is another one here: install the same on every machine")
    return Imports()


def _import_source(source: _Source) -> None:
    """Import what another process has imported, from where it did or from a copy."""
    if source.files is None:
        _import_module(source.name)
    elif source.name.endswith(".py"):
        _import_file(_at_hand(source))
    else:
        sys.path.append(str(_at_hand(source).parent))
        _import_module(source.name)


def _at_hand(source: _Source) -> Path:
    """Return a path with the content of a source: its own where nothing has changed there."""
    assert source.files is not None
    try:
        if _read(source.path) == source.files:
            return source.path
    except OSError:
        pass
    root = Path(tempfile.mkdtemp(dir=_process_folder())) / source.path.name
    for part, content in source.files.items():
        target = root / part if part else root
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


@cache
def _process_folder() -> str:
    folder = tempfile.mkdtemp(prefix="hebbevo-imports-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _import_file(path: Path) -> None:
    module = path.stem
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot import {path}: {error.strerror}; check the path") from None
    if _is_known(path.name, content_hash({"": content})):
        return
    if not module.isidentifier() or keyword.iskeyword(module):
        raise InputError(f"cannot import {path}: {module!r} is no name of a module; rename the file")
    if module in sys.modules or _is_elsewhere(module, path):
        raise InputError(f"cannot import {path}: another module is called {module}; rename the file")
    _run(path, content)
    _SOURCES[path.name] = _Source(path.name, path.absolute(), content_hash({"": content}), {"": content})


def _is_elsewhere(module: str, path: Path) -> bool:
    """Tell whether Python finds something else under the name that a file would get."""
    spec = importlib.util.find_spec(module)
    return spec is not None and not (
        spec.origin is not None and os.path.exists(spec.origin) and os.path.samefile(spec.origin, path)
    )


def _run(path: Path, content: bytes) -> None:
    """Make the module of a file; compiled from what was read, never from a cache."""
    spec = importlib.util.spec_from_file_location(path.stem, path.absolute())
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        with _in_one_line(str(path)):
            exec(compile(content, str(path.absolute()), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[path.stem]
        raise


def _import_module(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"cannot import {name[:80]!r}: neither FILE.py nor a module")
    top = name.partition(".")[0]
    with _in_one_line(name):
        _find_in_current_folder(top)
        importlib.import_module(name)
    path = _location(top)
    files = _read(path)
    if not _is_known(name, content_hash(files)):
        installed = bool(_INSTALLED & set(path.parts)) or path.is_relative_to(os.path.dirname(os.__file__))
        if not installed and (size := sum(map(len, files.values()))) > _LARGEST:
            raise InputError(f"cannot send {path} to workers: {size >> 20} MiB; {_LARGEST >> 20} at most")
        _SOURCES[name] = _Source(name, path, content_hash(files), None if installed else files)


def _find_in_current_folder(top: str) -> None:
    """Let a module of the current folder be found, after all that is installed."""
    if importlib.util.find_spec(top) is None and (Path(top).is_dir() or Path(f"{top}.py").is_file()):
        sys.path.append(os.getcwd())
        importlib.invalidate_caches()


def _location(top: str) -> Path:
    """Return the file or the folder of a module that has been imported."""
    spec = sys.modules[top].__spec__
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec is None or spec.origin is None or not os.path.isfile(spec.origin):
        raise InputError(f"cannot import {top}: it is part of Python, and registers nothing")
    return Path(spec.origin)


def _read(path: Path) -> dict[str, bytes]:
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


def _is_known(name: str, sha256: str) -> bool:
    """Tell whether a module was imported before; refuse one that has changed since."""
    if name not in _SOURCES:
        return False
    if _SOURCES[name].sha256 != sha256:
        raise InputError(f"{name} was imported, and is another one now; start a new process")
    return True


@contextmanager
def _in_one_line(name: str) -> Iterator[None]:
    """Turn whatever a module raises, SystemExit too, into one line with the place in it."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except SyntaxError as error:
        where = os.path.basename(error.filename or name)
        raise InputError(f"cannot import {name}: {error.msg} ({where} line {error.lineno})") from error
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise InputError(f"no module is called {name}; install it, or name a FILE.py") from None
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(last.filename)} line {last.lineno}"
        raise InputError(f"cannot import {name}: {type(error).__name__}: {error} ({where})") from error
