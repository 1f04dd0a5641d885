"""How a population is cut into items of work; results do not depend on it."""

from itertools import pairwise

SHORTEST = 16
"""A span is no more than so many times shorter than a batch or a worker's share: its steps cost as many calls."""


def guided_spans(total: int, width: int, workers: int) -> list[tuple[int, int]]:
    """Cut `total` individuals into spans of `width`, and smaller ones towards the end.

    Guided self-scheduling (Polychronopoulos & Kuck 1987): a span is at most half of what each worker may expect of
    the rest, so that all end at about the same time. Spans of an even width are even: mirrored pairs stay together.
    """
    spans, start, least = [], 0, 2 * max(1, min(width, total // workers) // (2 * SHORTEST))
    while start < total:
        fair = -(-(total - start) // (2 * workers)) if workers > 1 else width
        size = min(width, -(-fair // least) * least, total - start)
        spans.append((start, start + size))
        start += size
    return spans


def even_spans(total: int, width: int, workers: int, least: int = 2) -> list[tuple[int, int]]:
    """Cut `total` individuals into one span per worker, or more where a span would be longer than `width`.

    Spans are multiples of `least`, and differ by no more than that.
    """
    units = -(-total // least)
    parts = min(units, max(workers, -(-units // max(1, width // least)), 1))
    edges = [min(total, least * (units * part // parts)) for part in range(parts + 1)]
    return list(pairwise(edges))
