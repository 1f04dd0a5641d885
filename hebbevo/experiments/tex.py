"""The table of arms for a paper, in LaTeX with booktabs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hebbevo.experiments.comparison import Comparison

_SPECIAL = re.compile(r"[#$%&_{}~^\\]")
_ESCAPED = {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}


def tex_table(comparison: Comparison) -> str:
    """Return a `tabular` of the rows of ``table.csv``."""
    compared = comparison.compared
    bodies = len(compared.bodies) > 1
    unit = compared.baseline.config.env.unit
    heads = ["arm", *(["body"] if bodies else []), "runs", f"IQM ({unit})", "mean", "median", "P(better)"]
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{l{'l' if bodies else ''}rrrrr}}",
        r"\toprule",
        _line(map(_escaped, heads)),
        r"\midrule",
        *(_line(_cells(row, bodies)) for row in comparison.tables.table),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Mapping[str, Any], bodies: bool) -> list[str]:
    body = [_escaped(row["morphology"] or "all")] if bodies else []
    return [
        _escaped(row["arm"]),
        *body,
        str(row["runs"]),
        _estimate(row, "iqm"),
        f"{row['mean']:.2f}",
        f"{row['median']:.2f}",
        _estimate(row, "improvement"),
    ]


def _estimate(row: Mapping[str, Any], name: str) -> str:
    if row.get(name) is None:
        return "--"
    if row[f"{name}_low"] is None:
        return f"{row[name]:.2f}"
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def _line(cells: Any) -> str:
    return " & ".join(cells) + r" \\"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _ESCAPED.get(match[0], "\\" + match[0]), text)
