"""The figure of one lifetime: what was answered when, right or wrong, and the weights meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hebbevo.envs.cognitive.learning_task import LearningTaskConfig
from hebbevo.genomes.genome import Genome
from hebbevo.studies.drawing import new_figure, set_plain, wrapped
from hebbevo.studies.learning.records import NOTHING, Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RIGHT, _WRONG = "#3a923a", "#c44e52"
MOST_LIFETIMES: Final = 24


def draw_lifetime(genome: Genome, record: Record, name: str) -> Figure:
    """Draw the first lifetime step by step; below the answers stand its weights, one line of the image a synapse.

    Answers are rows by question where each input is one (association), otherwise the first lifetimes are the rows.
    """
    env = genome.task.env
    assert isinstance(env, LearningTaskConfig)
    figure = new_figure(9, 5.2)
    answers, weights = figure.subplots(2, 1, height_ratios=(1, 1), sharex=env.question_per_input)
    if env.question_per_input:
        _answers_by_question(answers, env, record)
    else:
        _answers_by_lifetime(answers, record)
    answers.set_title(wrapped(f"{name}: {env.name}", 90), fontsize=9)
    _weights(weights, record)
    return figure


def _answers_by_question(axes: Axes, env: LearningTaskConfig, record: Record) -> None:
    steps = record.steps
    at = np.flatnonzero(steps.optimal[0] >= 0)
    right = steps.optimal[0][at] == 1
    for those, color, marker, label in ((right, _RIGHT, "o", "right"), (~right, _WRONG, "x", "wrong")):
        axes.plot(at[those], steps.question[0][at[those]], marker, color=color, ms=5, label=label)
    starts = np.flatnonzero(np.diff(steps.trial[0], prepend=NOTHING) > 0)
    for start in starts[1:]:
        axes.axvline(start - 0.5, color="#dddddd", lw=0.8, zorder=0)
    questions = env.observation_size - len(env.feedback_inputs)
    set_plain(axes, ylabel="stimulus", ylim=(questions - 0.4, -0.6), xlim=(-1, env.steps))
    axes.set_yticks(range(questions) if questions <= 16 else range(0, questions, 8))
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))


def _answers_by_lifetime(axes: Axes, record: Record) -> None:
    from matplotlib.colors import ListedColormap

    optimal = np.where(record.steps.optimal < 0, np.nan, record.steps.optimal)[:MOST_LIFETIMES]
    asked = ~np.isnan(optimal)
    longest = int(asked.sum(axis=1).max(initial=0))
    answers = np.full((len(optimal), max(1, longest)), np.nan)
    for row, (values, known) in enumerate(zip(optimal, asked, strict=True)):
        answers[row, : known.sum()] = values[known]
    colors = ListedColormap([_WRONG, _RIGHT])
    axes.imshow(answers, aspect="auto", interpolation="nearest", cmap=colors, vmin=0, vmax=1)
    axes.set(xlabel="choice (green: the best, red: not)", ylabel="lifetime")


def _weights(axes: Axes, record: Record) -> None:
    from matplotlib.ticker import MaxNLocator

    weights = record.weights.T
    finite = np.where(np.isfinite(weights), weights, np.nan)
    known = np.abs(finite[~np.isnan(finite)])
    scale = float(np.quantile(known, 0.995)) if known.size else 1.0
    image = axes.imshow(
        finite, aspect="auto", interpolation="nearest", cmap="RdBu_r", vmin=-(scale or 1.0), vmax=scale or 1.0
    )
    axes.set(xlabel="step", ylabel="synapse")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.figure.colorbar(image, ax=axes, label="weight", pad=0.01)
