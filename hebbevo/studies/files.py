"""Tables of a study that a script can read.

They hold no clock times: equal content gives equal bytes, in CSV and, with the same pyarrow, in parquet.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from hebbevo.io.atomic import write_atomically
from hebbevo.io.tables import csv_bytes

if TYPE_CHECKING:
    import pyarrow as pa


def write_tables(directory: Path, name: str, table: pa.Table) -> None:
    """Write ``NAME.csv`` and ``NAME.parquet``.

    Args:
        directory: of the study.
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
