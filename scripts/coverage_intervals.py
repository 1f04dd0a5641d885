#!/usr/bin/env python3
"""How often 95 % intervals over runs hold the truth, by the number of runs, where the truth is known: simulation.

    scripts/coverage_intervals.py [--trials 1000] [--lifetimes 16]

prints the table of docs/experiments.md. Runs of a simulated arm have means from one of `DISTRIBUTIONS`; lifetimes vary
around them. The truths are those of a million runs: the interquartile mean, and P(better) over a second arm whose runs
are shifted down by one standard deviation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.run_statistics import estimate_of, improvement_over, resample_runs, run_scores
from hebbevo.evaluation.statistics import Estimate, interquartile_mean

FloatArray = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], FloatArray]

RUNS = (3, 4, 8, 16, 32)
WITHIN = 0.5
"""Standard deviation of lifetimes around the mean of their run; that of runs is about 1."""


def take_off(generator: np.random.Generator, runs: int) -> FloatArray:
    """Draw runs of which a third never take off: two peaks, as searches have them."""
    took_off = generator.random(runs) < 2 / 3
    return np.where(took_off, 0.6, -1.2) + 0.4 * generator.standard_normal(runs)


DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda generator, runs: generator.standard_normal(runs),
    "skewed (exponential)": lambda generator, runs: generator.exponential(size=runs),
    "two peaks (a third never take off)": take_off,
}


def arm(draw: Draw, generator: np.random.Generator, runs: int, lifetimes: int) -> FloatArray:
    """Return the lifetimes of a simulated arm, ``(runs, 1, lifetimes)``."""
    means = draw(generator, runs)[:, None, None]
    return np.asarray(means + WITHIN * generator.standard_normal((runs, 1, lifetimes)))


def holds(estimate: Estimate, truth: float) -> bool:
    """Tell whether an interval holds a number."""
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def coverage(draw: Draw, runs: int, lifetimes: int, trials: int) -> tuple[float, float, float]:
    """Return how often the intervals of IQM and P(better) hold the truth, and the mean width of the first."""
    generator = np.random.default_rng((runs, lifetimes))
    many = draw(np.random.default_rng(0), 1_000_000)
    others = draw(np.random.default_rng(1), 1_000_000) - 1.0
    truth, better = float(interquartile_mean(many)), float((many > others).mean())
    held, held_better, widths = 0, 0, 0.0
    for _ in range(trials):
        ours, theirs = (arm(draw, generator, runs, lifetimes) for _ in range(2))
        scores, baseline = run_scores(ours)[:, 0], run_scores(theirs)[:, 0] - 1.0
        resampled, resampled_baseline = resample_runs(ours)[:, :, 0], resample_runs(theirs, 1)[:, :, 0] - 1.0
        found = estimate_of(scores, resampled, interquartile_mean)
        held += holds(found, truth)
        held_better += holds(improvement_over(scores, baseline, resampled, resampled_baseline), better)
        assert found.low is not None
        assert found.high is not None
        widths += found.high - found.low
    return held / trials, held_better / trials, widths / trials


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--lifetimes", type=int, default=16)
    options = parser.parse_args()
    print("| runs | scores of runs | IQM | P(better) | width, in sd of runs |\n|---|---|---|---|---|")
    for runs in RUNS:
        for name, draw in DISTRIBUTIONS.items():
            iqm, better, width = coverage(draw, runs, options.lifetimes, options.trials)
            print(f"| {runs} | {name} | {100 * iqm:.0f} % | {100 * better:.0f} % | {width:.2f} |", flush=True)


if __name__ == "__main__":
    main()
