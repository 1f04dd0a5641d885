"""The one writer of figures, whose words are text."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbevo.io.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_SETTINGS: Any = {"svg.hashsalt": "hebbevo", "pdf.fonttype": 42}
"""Of matplotlib: the same names in SVG whenever it is drawn, and text in PDF as text."""
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
"""Without clock, by ending."""


def write_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure as PNG, PDF or SVG, whole or not at all; equal figures give equal bytes.

    Labels, a name with ``$`` in it too, are text and no formulas, but for the powers of a logarithmic axis.

    Raises:
        OSError: the file cannot be written; the former one still stands.
    """
    import matplotlib as mpl

    _set_plain_text(figure)
    kind, file = path.suffix[1:], io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context(_SETTINGS):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for a letter that the font lacks
        figure.savefig(file, format=kind, dpi=dpi, metadata=_METADATA[kind])
    write_atomically(path, file.getvalue())


def _set_plain_text(figure: Figure) -> None:
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter

    for text in figure.findobj(Text):
        text.set_parse_math(False)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), LogFormatter):
                for label in axis.get_ticklabels(which="both"):
                    label.set_parse_math(True)
