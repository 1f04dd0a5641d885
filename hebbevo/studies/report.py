"""A study's report: one HTML file that needs nothing else, no network and no clock."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from hebbevo.io.atomic import write_atomically

_LONGEST_LINE: Final = 24
"""Letters of a cell whose text is not broken into lines."""


@dataclass(frozen=True)
class Section:
    """A part of a report, in this order: heading, text, figures, table.

    Attributes:
        heading: one line.
        text: plain; an empty line parts paragraphs.
        table: rows by column; the columns are those of all rows, in the order in which they first appear.
            Floats are shown rounded, None as a dash.
        figures: image files, which are copied into the report.
    """

    heading: str
    text: str
    table: Sequence[Mapping[str, object]] | None = None
    figures: Sequence[Path] = ()


def write_report(path: Path, title: str, sections: Sequence[Section]) -> None:
    """Write a self-contained HTML file, for screens of any width, light or dark, and for paper.

    Args:
        path: of the file.
        title: of the page.
        sections: in their order; whatever they say is text, never markup.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = (resources.files("hebbevo.studies") / "templates" / "report.html").read_text(encoding="utf-8")
    page = environment.from_string(source).render(
        title=title, sections=[_section(part) for part in sections], longest=_LONGEST_LINE
    )
    write_atomically(
        path, f"{page}\n".encode(errors="backslashreplace")
    )  # headers of genomes may say anything


def _section(section: Section) -> dict[str, Any]:
    rows = section.table or ()
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {
        "heading": section.heading,
        "paragraphs": [" ".join(part.split()) for part in re.split(r"\n\s*\n", section.text) if part.strip()],
        "figures": [_figure(figure) for figure in section.figures],
        "columns": [{"name": name, "numeric": _is_numeric(row.get(name) for row in rows)} for name in names],
        "rows": [[shown(row.get(name)) for name in names] for row in rows],
    }


def _figure(path: Path) -> dict[str, str]:
    kind = str(mimetypes.guess_type(path.name)[0])
    assert kind.startswith("image/"), path
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"data": f"data:{kind};base64,{data}", "alt": path.stem.replace("_", " ")}


def _is_numeric(values: Any) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)


def shown(value: object) -> str:
    """Return a table cell: a float to two decimals, or to two digits below 0.01."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2g}"
    return str(value)


def shown_interval(low: float | None, high: float | None) -> str | None:
    """Return an interval for a table cell, to two decimals; None where there is none."""
    return None if low is None or high is None else f"{hundredths(low):.2f} to {hundredths(high):.2f}"


def hundredths(value: float | None) -> float | None:
    """Round to a centimetre, or a hundredth: no lifetime is known more closely. No zero is negative."""
    return None if value is None else round(value, 2) + 0.0
