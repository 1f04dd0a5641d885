"""The frames of a lifetime's video: body and clock, progress over time with perturbations marked, weight matrices.

All matrices share one scale, which stays through the video: color = asinh(w / birth) / asinh(limit / birth), where
`birth` is the median |w| of the first weights and `limit` bounds 99 % of all weights ever shown. Plastic weights may
grow by a factor of 100,000 in a lifetime; asinh is linear about zero and logarithmic beyond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from hebbevo.rendering.cameras import VIEW
from hebbevo.rendering.offscreen import Picture

if TYPE_CHECKING:
    from hebbevo.rendering.video import Recording

SIZE = (1280, 720)
COLORMAP = "RdBu_r"
PLOT = (56, 564, 784, 690)
"""Left, top, right, bottom of the plot of progress."""
MATRICES = (824, 36, 1256, 640)
BAR = (824, 664, 1256, 680)
INK, PALE, LINE, WINDOW = "#222222", "#999999", "#c44e52", "#f3d9a4"
LABEL = 22
"""Height of a line of text above a matrix, in pixels."""
SHORT_EVENT = 30
"""Steps for which an event of one step stays on the picture."""


@dataclass(frozen=True)
class Window:
    """What happens to the lifetime in the steps from `begins` to before `ends`."""

    label: str
    begins: int
    ends: int


class WeightScale:
    """Colors of weights, the same ones through a whole video."""

    def __init__(self, weights: Sequence[Sequence[npt.NDArray[np.float32]]]) -> None:
        """Set the scale by the weights of every layer at every moment, the first one first."""
        from matplotlib import colormaps

        births = np.concatenate([np.abs(layer).ravel() for layer in weights[0]])
        bounds = [np.quantile(np.nan_to_num(np.abs(layer)), 0.99) for moment in weights for layer in moment]
        self.limit = float(max(bounds)) or 1.0
        self.birth = min(float(np.median(births)) or self.limit, self.limit)
        colors = colormaps[COLORMAP](np.linspace(0, 1, 255))[:, :3]
        self._colors = np.round(255 * colors).astype(np.uint8)

    def place(self, weights: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return where weights lie on the scale, from -1 to 1."""
        shown = np.clip(np.nan_to_num(np.asarray(weights, np.float64)), -self.limit, self.limit)
        place: npt.NDArray[np.float64] = np.arcsinh(shown / self.birth) / math.asinh(self.limit / self.birth)
        return place

    def colors(self, weights: npt.ArrayLike) -> Picture:
        """Return the colors of weights, of their shape and RGB."""
        return self._colors[np.round(127 + 127 * self.place(weights)).astype(np.int64)]

    def ticks(self) -> list[float]:
        """Return a few round weights on the scale, ascending, 0 in the middle."""
        top = math.floor(math.log10(self.limit))
        decades = max(1, top - math.ceil(math.log10(self.birth)))
        apart = max(1, math.ceil(decades / 3))
        above = [10.0**power for power in range(top, top - 3 * apart, -apart) if 10.0**power >= self.birth]
        above = above or [self.limit]
        return [*(-tick for tick in above), 0.0, *reversed(above)]


class Canvas:
    """Draws the frames of a recording.

    Args:
        recording: with all that the frames show.
        title: a line above the body.
        unit: of the progress.
        windows: perturbations.
    """

    def __init__(self, recording: Recording, title: str, unit: str, windows: Sequence[Window] = ()) -> None:
        self._recording = recording
        self._unit = unit
        self._windows = windows
        self._fonts = {size: ImageFont.load_default(size) for size in (13, 15, 22)}
        self._scale = WeightScale([moment.weights for moment in recording.moments])
        self._boxes = _boxes([layer.shape for layer in recording.moments[0].weights])
        self._curve = self._place_curve()
        self._background = self._draw_background(title)

    def draw(self, number: int, picture: Picture) -> Picture:
        """Draw the frame of a moment.

        Args:
            number: of the moment.
            picture: of the body or the world, any size.
        """
        frame = self._background.copy()
        moment = self._recording.moments[number]
        frame.paste(_fitted(picture, VIEW), (0, 0))
        for weights, box in zip(moment.weights, self._boxes, strict=True):
            frame.paste(_matrix(self._scale.colors(weights), box), box[:2])
        pen = ImageDraw.Draw(frame)
        seconds = moment.step * self._recording.seconds_per_step
        clock = f"{seconds:5.2f} s    step {moment.step}    {moment.progress:.2f} {self._unit}"
        self._text(pen, (16, 30), clock, 22, "white", shade=True)
        for line, label in enumerate(self._happening(moment.step)):
            self._text(pen, (16, 60 + 28 * line), label, 22, WINDOW, shade=True)
        self._text(pen, (16, 10), self._title, 15, "white", shade=True)
        if number:
            pen.line(self._curve[: number + 1], fill=LINE, width=2)
        x, y = self._curve[number]
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=LINE)
        return np.asarray(frame)

    def _happening(self, step: int) -> list[str]:
        return [w.label for w in self._windows if w.begins <= step < max(w.ends, w.begins + SHORT_EVENT)]

    def _draw_background(self, title: str) -> Image.Image:
        self._title = title
        image = Image.new("RGB", SIZE, "white")
        pen = ImageDraw.Draw(image)
        self._draw_plot(pen)
        for layer, (box, (rows, columns)) in enumerate(
            zip(self._boxes, self._shapes(), strict=True), start=1
        ):
            name = f"layer {layer}: {columns} to {rows} neurons, a row for each of the {rows}"
            self._text(pen, (box[0], box[1] - LABEL), name, 13)
            pen.rectangle((box[0] - 1, box[1] - 1, box[2], box[3]), outline=PALE)
        self._draw_bar(image, pen)
        return image

    def _shapes(self) -> list[tuple[int, ...]]:
        return [layer.shape for layer in self._recording.moments[0].weights]

    def _draw_bar(self, image: Image.Image, pen: ImageDraw.ImageDraw) -> None:
        left, top, right, bottom = BAR
        reach = math.asinh(self._scale.limit / self._scale.birth)
        weights = self._scale.birth * np.sinh(np.linspace(-reach, reach, right - left))
        image.paste(Image.fromarray(np.tile(self._scale.colors(weights), (bottom - top, 1, 1))), (left, top))
        pen.rectangle((left - 1, top - 1, right, bottom), outline=PALE)
        for tick in self._scale.ticks():
            x = left + (float(self._scale.place(tick)) + 1) / 2 * (right - left)
            pen.line((x, bottom, x, bottom + 4), fill=INK)
            self._text(pen, (x, bottom + 6), f"{tick:g}", 13, anchor="mt")
        self._text(pen, (left, bottom + 22), "weight, the same colors throughout", 13, PALE)

    def _draw_plot(self, pen: ImageDraw.ImageDraw) -> None:
        left, top, right, bottom = PLOT
        (low, high), seconds = self._range(), self._seconds()
        for window in self._windows:
            first, last = (self._x(step) for step in (window.begins, window.ends))
            pen.rectangle((first, top, min(right, max(last, first + 2)), bottom), fill=WINDOW)
        for tick in _ticks(low, high, 4):
            y = self._y(tick)
            pen.line((left, y, right, y), fill="#e4e4e4")
            self._text(pen, (left - 6, y), f"{tick:g}", 13, anchor="rm")
        for tick in _ticks(0.0, seconds, 8):
            x = left + tick / seconds * (right - left)
            pen.line((x, bottom, x, bottom + 4), fill=INK)
            self._text(pen, (x, bottom + 6), f"{tick:g}", 13, anchor="mt")
        pen.line((left, top, left, bottom, right, bottom), fill=INK)
        self._text(pen, (left, top - 18), f"progress ({self._unit}) over time (s)", 13)

    def _place_curve(self) -> list[tuple[float, float]]:
        return [(self._x(moment.step), self._y(moment.progress)) for moment in self._recording.moments]

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
        place: tuple[float, float],
        text: str,
        size: int,
        color: str = INK,
        anchor: str = "la",
        shade: bool = False,
    ) -> None:
        outline = {"stroke_width": 2, "stroke_fill": INK} if shade else {}
        pen.text(place, text, fill=color, font=self._fonts[size], anchor=anchor, **outline)  # type: ignore[arg-type]


def _boxes(shapes: Sequence[Sequence[int]]) -> list[tuple[int, int, int, int]]:
    """Stack the layers' matrices; larger ones get more height, and synapses whole pixels where there are enough."""
    left, top, right, bottom = MATRICES
    room = bottom - top - LABEL * len(shapes) - 8 * (len(shapes) - 1)
    shares = np.sqrt([rows for rows, _ in shapes])
    boxes = []
    for (rows, columns), share in zip(shapes, shares / shares.sum(), strict=True):
        height, width = _whole(int(share * room), rows), _whole(right - left, columns)
        top += LABEL
        boxes.append((left, top, left + width, top + height))
        top += height + 8
    return boxes


def _whole(pixels: int, cells: int) -> int:
    return max(1, pixels // cells * cells if pixels >= cells else pixels)


def _matrix(colors: Picture, box: tuple[int, int, int, int]) -> Image.Image:
    """Return a matrix in its box; where there are more synapses than pixels, a pixel is their mean."""
    size = (box[2] - box[0], box[3] - box[1])
    enough = size[0] >= colors.shape[1] and size[1] >= colors.shape[0]
    resample = Image.Resampling.NEAREST if enough else Image.Resampling.BOX
    return Image.fromarray(colors).resize(size, resample)


def _fitted(picture: Picture, size: tuple[int, int]) -> Image.Image:
    """Return a picture in the middle of this size, as large as it fits."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.size == size:
        return image
    scale = min(size[0] / image.width, size[1] / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    whole = Image.new("RGB", size, "#404040")
    whole.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return whole


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers from `low` to `high`, at most about `most`."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]
