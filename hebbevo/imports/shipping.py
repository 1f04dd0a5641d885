"""Take what was imported here to another process."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from hebbevo.imports.importing import import_file, import_module
from hebbevo.imports.records import SOURCES, Source, read_files


class Imports:
    """All that was imported here; once unpickled in another process, it is imported there too.

    Stands before whatever may need it: pickles are read in their order.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _receive, (tuple(SOURCES.values()),)


def _receive(sources: Iterable[Source]) -> Imports:
    for source in sources:
        if source.name not in SOURCES:
            _import_source(source)
        if SOURCES[source.name].sha256 != source.sha256:
            raise ImportError(f"{source.name} is another one here: install the same on every machine")
    return Imports()


def _import_source(source: Source) -> None:
    """Import what another process has imported, from where it did or from a copy."""
    if source.files is None:
        import_module(source.name)
    elif source.name.endswith(".py"):
        import_file(_at_hand(source))
    else:
        sys.path.append(str(_at_hand(source).parent))
        import_module(source.name)


def _at_hand(source: Source) -> Path:
    """Return a path with the content of a source: its own where nothing has changed there."""
    assert source.files is not None
    try:
        if read_files(source.path) == source.files:
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
