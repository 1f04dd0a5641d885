"""The one writer of figures: PNG files whose words are text."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hebbevo.io.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure as PNG, whole or not at all; equal figures give equal bytes.

    Labels, a name with ``$`` in it too, are text and no formulas, but for the powers of a logarithmic axis.

    Raises:
        OSError: the file cannot be written; the former one still stands.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter

    for text in figure.findobj(Text):
        text.set_parse_math(False)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), LogFormatter):
                for label in axis.get_ticklabels(which="both"):
                    label.set_parse_math(True)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for a letter that the font lacks
        figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    write_atomically(path, file.getvalue())
