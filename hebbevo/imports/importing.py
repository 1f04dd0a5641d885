"""Import files and modules on a user's word."""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hebbevo.errors import InputError
from hebbevo.imports.records import SOURCES, Source, content_hash, is_known, read_files

_LARGEST = 64 << 20
"""Bytes of a package that are sent to workers; data sets are no part of it."""
_INSTALLED = {"site-packages", "dist-packages"}


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
            import_file(Path(folder, name))
        else:
            import_module(name)


def import_file(path: Path) -> None:
    """Import a file as the module that it is named after, and remember it."""
    module = path.stem
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot import {path}: {error.strerror}; check the path") from None
    if is_known(path.name, content_hash({"": content})):
        return
    if not module.isidentifier() or keyword.iskeyword(module):
        raise InputError(f"cannot import {path}: {module!r} is no name of a module; rename the file")
    if module in sys.modules or _is_elsewhere(module, path):
        raise InputError(f"cannot import {path}: another module is called {module}; rename the file")
    _run(path, content)
    SOURCES[path.name] = Source(path.name, path.absolute(), content_hash({"": content}), {"": content})


def import_module(name: str) -> None:
    """Import an installed module, or one of the current folder, and remember it."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"cannot import {name[:80]!r}: neither FILE.py nor a module")
    top = name.partition(".")[0]
    with _in_one_line(name):
        _find_in_current_folder(top)
        importlib.import_module(name)
    path = _location(top)
    files = read_files(path)
    if not is_known(name, content_hash(files)):
        installed = bool(_INSTALLED & set(path.parts)) or path.is_relative_to(os.path.dirname(os.__file__))
        if not installed and (size := sum(map(len, files.values()))) > _LARGEST:
            raise InputError(f"cannot send {path} to workers: {size >> 20} MiB; {_LARGEST >> 20} at most")
        SOURCES[name] = Source(name, path, content_hash(files), None if installed else files)


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
