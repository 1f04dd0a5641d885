"""Lines of generated kernels: repeated for lifetimes, indented, indexed into rows, folded to one number."""

from __future__ import annotations

from collections.abc import Sequence

from hebbevo.networks.kernel_spec import Segment


def folded(size: int, line: str) -> list[str]:
    """Return the lines that reduce ``lanes[:size]`` to ``lanes[0]`` by halves: a fixed order that vectorises."""
    lines = []
    while size > 1:
        half = (size + 1) // 2
        lines += [f"for l in range({size - half}):", f"    {line.replace('half', str(half))}"]
        size = half
    return lines


def each(together: int, lines: Sequence[str]) -> list[str]:
    """Return the lines for lifetimes 0, 1, ..., whose number stands for ``#``."""
    return [line.replace("#", str(j)) for j in range(together) for line in lines]


def indented(lines: Sequence[str]) -> list[str]:
    """Return the lines one level deeper."""
    return [f"    {line}" for line in lines]


def at(segment: Segment, index: str) -> str:
    """Return the text of an index into a row whose segment it is."""
    return f"{segment.start} + {index}" if segment.start else index
