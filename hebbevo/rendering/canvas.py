"""The frames of a lifetime's video: body and clock, progress over time with perturbations marked, weight matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hebbevo.rendering.layout import (
    BAR,
    LABEL,
    PLOT,
    SHORT_EVENT,
    SIZE,
    VIEW,
    Box,
    Picture,
    fit_into,
    matrix_boxes,
    round_ticks,
)
from hebbevo.rendering.recording import Recording
from hebbevo.rendering.weight_scale import WeightScale

INK, PALE, GRID, LINE, WINDOW = "#222222", "#999999", "#e4e4e4", "#c44e52", "#f3d9a4"
SMALL, MEDIUM, LARGE = 13, 15, 22
"""Sizes of fonts, in pixels."""


@dataclass(frozen=True)
class Window:
    """Steps from `begins` to before `ends`, in which a perturbation acts."""

    label: str
    begins: int
    ends: int

    def shows_at(self, step: int) -> bool:
        """Return whether the label is on the frame of a step."""
        return self.begins <= step < max(self.ends, self.begins + SHORT_EVENT)


class Canvas:
    """Draws the frames of a recording.

    Args:
        recording: of the lifetime.
        title: a line above the body.
        unit: of the progress.
        label: of its axis.
        windows: of the perturbations.
    """

    def __init__(
        self, recording: Recording, title: str, unit: str, label: str, windows: Sequence[Window] = ()
    ) -> None:
        self._recording = recording
        self._title = title
        self._unit, self._label = unit, label
        self._windows = windows
        self._fonts = {size: ImageFont.load_default(size) for size in (SMALL, MEDIUM, LARGE)}
        self._scale = WeightScale([moment.weights for moment in recording.moments])
        self._shapes = [layer.shape for layer in recording.moments[0].weights]
        self._boxes = matrix_boxes(self._shapes)
        self._curve = [(self._x(moment.step), self._y(moment.progress)) for moment in recording.moments]
        self._background = self._draw_background()

    def draw(self, number: int, picture: Picture) -> Picture:
        """Return the frame of a moment, ``(720, 1280, 3)``.

        Args:
            number: of the moment.
            picture: of the body or the world, any size.
        """
        frame = self._background.copy()
        moment = self._recording.moments[number]
        frame.paste(fit_into(VIEW, picture), (0, 0))
        for weights, box in zip(moment.weights, self._boxes, strict=True):
            frame.paste(_matrix(self._scale.colors(weights), box), box[:2])
        pen = ImageDraw.Draw(frame)
        seconds = moment.step * self._recording.seconds_per_step
        clock = f"{seconds:5.2f} s    step {moment.step}    {moment.progress:.2f} {self._unit}"
        self._text(pen, (16, 30), clock, LARGE, "white", outlined=True)
        labels = [window.label for window in self._windows if window.shows_at(moment.step)]
        for line, label in enumerate(labels):
            self._text(pen, (16, 60 + 28 * line), label, LARGE, WINDOW, outlined=True)
        self._text(pen, (16, 10), self._title, MEDIUM, "white", outlined=True)
        self._draw_curve(pen, number)
        return np.asarray(frame)

    def _draw_curve(self, pen: ImageDraw.ImageDraw, number: int) -> None:
        """Draw progress up to a moment."""
        if number:
            pen.line(self._curve[: number + 1], fill=LINE, width=2)
        x, y = self._curve[number]
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=LINE)

    def _draw_background(self) -> Image.Image:
        """Draw all that stays the same from frame to frame."""
        image = Image.new("RGB", SIZE, "white")
        pen = ImageDraw.Draw(image)
        self._draw_plot(pen)
        for layer, (box, (rows, columns)) in enumerate(zip(self._boxes, self._shapes, strict=True), start=1):
            name = f"layer {layer}: {columns} to {rows} neurons, a row for each of the {rows}"
            self._text(pen, (box[0], box[1] - LABEL), name, SMALL)
            pen.rectangle((box[0] - 1, box[1] - 1, box[2], box[3]), outline=PALE)
        self._draw_bar(image, pen)
        return image

    def _draw_bar(self, image: Image.Image, pen: ImageDraw.ImageDraw) -> None:
        """Draw the scale of the weights."""
        left, top, right, bottom = BAR
        weights = self._scale.weight(np.linspace(-1, 1, right - left))
        image.paste(Image.fromarray(np.tile(self._scale.colors(weights), (bottom - top, 1, 1))), (left, top))
        pen.rectangle((left - 1, top - 1, right, bottom), outline=PALE)
        for tick in self._scale.ticks():
            x = left + (float(self._scale.position(tick)) + 1) / 2 * (right - left)
            pen.line((x, bottom, x, bottom + 4), fill=INK)
            self._text(pen, (x, bottom + 6), f"{tick:.3g}", SMALL, anchor="mt")
        self._text(pen, (left, bottom + 22), "weight, the same colors throughout", SMALL, PALE)

    def _draw_plot(self, pen: ImageDraw.ImageDraw) -> None:
        """Draw the axes of progress over time, and the windows of the perturbations."""
        left, top, right, bottom = PLOT
        (low, high), seconds = self._range(), self._seconds()
        for window in self._windows:
            first, last = (self._x(step) for step in (window.begins, window.ends))
            pen.rectangle((first, top, min(right, max(last, first + 2)), bottom), fill=WINDOW)
        for tick in round_ticks(low, high, 4):
            y = self._y(tick)
            pen.line((left, y, right, y), fill=GRID)
            self._text(pen, (left - 6, y), f"{tick:g}", SMALL, anchor="rm")
        for tick in round_ticks(0.0, seconds, 8):
            x = left + tick / seconds * (right - left)
            pen.line((x, bottom, x, bottom + 4), fill=INK)
            self._text(pen, (x, bottom + 6), f"{tick:g}", SMALL, anchor="mt")
        pen.line((left, top, left, bottom, right, bottom), fill=INK)
        self._text(pen, (left, top - 18), f"{self._label} over time (s)", SMALL)

    def _seconds(self) -> float:
        return max(1, len(self._recording.actions)) * self._recording.seconds_per_step

    def _range(self) -> tuple[float, float]:
        values = [moment.progress for moment in self._recording.moments]
        low, high = min(values), max(values)
        return (low, high) if high > low else (low, low + 1.0)

    def _x(self, step: float) -> float:
        left, _, right, _ = PLOT
        return left + min(1.0, step / max(1, len(self._recording.actions))) * (right - left)

    def _y(self, progress: float) -> float:
        _, top, _, bottom = PLOT
        low, high = self._range()
        return bottom - (progress - low) / (high - low) * (bottom - top)

    def _text(
        self,
        pen: ImageDraw.ImageDraw,
        position: tuple[float, float],
        text: str,
        size: int,
        color: str = INK,
        anchor: str = "la",
        outlined: bool = False,
    ) -> None:
        pen.text(
            position,
            text,
            fill=color,
            font=self._fonts[size],
            anchor=anchor,
            stroke_width=2 if outlined else 0,
            stroke_fill=INK if outlined else None,
        )


def _matrix(colors: Picture, box: Box) -> Image.Image:
    """Return a matrix in its box; where there are more synapses than pixels, a pixel is their mean."""
    size = (box[2] - box[0], box[3] - box[1])
    enough = size[0] >= colors.shape[1] and size[1] >= colors.shape[0]
    resample = Image.Resampling.NEAREST if enough else Image.Resampling.BOX
    return Image.fromarray(colors).resize(size, resample)
