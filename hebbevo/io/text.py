"""Names as text: what a path or a file calls something can be printed, written as UTF-8 and put into a table."""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return text with escapes for control characters, line breaks and what is not UTF-8: ``\n``, ``\udcff``."""
    return _INVISIBLE.sub(lambda match: ascii(match[0])[1:-1], text)
