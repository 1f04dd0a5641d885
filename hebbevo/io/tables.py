"""The one form of tables as CSV: floats keep their bits, no text is a formula, equal content gives equal bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA: Final = r"^([=+\-@\t\r＝＋－＠])"
"""How a text begins that spreadsheets compute (https://owasp.org/www-community/attacks/CSV_Injection)."""


def csv_bytes(table: pa.Table) -> bytes:
    """Return a table as CSV, in UTF-8: a null is an empty field, a text such as ``=1+1`` has an apostrophe before."""
    import pyarrow as pa
    from pyarrow import compute, csv

    for number, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            text = compute.replace_substring_regex(table[number], _FORMULA, r"'\1")
            table = table.set_column(number, field, text)
    file = io.BytesIO()
    csv.write_csv(table, file)
    return file.getvalue()
