"""The directory of a study, which appears finished, by one rename, and tables that a script can read.

Tables hold no clock times: equal content gives equal bytes, in CSV and, with the same pyarrow, in parquet.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hebbevo.errors import InputError
from hebbevo.io.atomic import FAILING_DISK, sync_directory, write_atomically
from hebbevo.io.directories import discard, make_beside
from hebbevo.io.tables import csv_bytes

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def study_directory(path: Path | str) -> Iterator[Path]:
    """Yield a folder to fill; it becomes `path` at the end of the `with` block, and nothing is left if that fails.

    Raises:
        InputError: `path` exists or cannot be made, before anything is computed.
    """
    target = Path(path)
    if os.path.lexists(target):
        raise InputError(f"{target} exists; choose another `out`")
    try:
        beside, descriptor = make_beside(target)
    except OSError as error:
        if error.errno in FAILING_DISK:
            raise
        raise InputError(f"cannot make {target}: {error.strerror}; choose another `out`") from None
    try:
        yield beside
    except BaseException:
        discard(beside, descriptor)
        raise
    _put_in_place(beside, target)
    if descriptor >= 0:
        os.close(descriptor)


def write_tables(directory: Path, name: str, table: pa.Table) -> None:
    """Write ``NAME.csv`` and ``NAME.parquet``.

    Args:
        directory: as `study_directory` yields it.
        name: of the files, without ending.
        table: of plain columns; floats keep their bits in both, a null is an empty field of the CSV, and a text that
            spreadsheets take for a formula, as ``=1+1``, has an apostrophe before it there. Neither the table's
            metadata nor how it was put together from chunks reaches the files.
    """
    from pyarrow import parquet

    plain = table.replace_schema_metadata(None).combine_chunks()
    write_csv(directory, name, plain)
    file = io.BytesIO()
    parquet.write_table(plain, file, store_schema=False)
    write_atomically(directory / f"{name}.parquet", file.getvalue())


def write_csv(directory: Path, name: str, table: pa.Table) -> None:
    """Write ``NAME.csv`` alone, as `write_tables` does."""
    write_atomically(directory / f"{name}.csv", csv_bytes(table))


def _put_in_place(beside: Path, target: Path) -> None:
    """Sync and rename the finished folder; a path that has come to exist is kept, and so are the results."""
    for file in (path for path in beside.rglob("*") if path.is_file()):
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    sync_directory(beside)
    if os.path.lexists(target):
        kept = beside.rename(target.with_name(f"{target.name}.{os.getpid()}"))
        raise InputError(f"{target} came to exist meanwhile; the study is in {kept}")
    beside.rename(target)
    sync_directory(target.parent)
