"""Video files: H.264 in an ``.mp4``, written by ffmpeg."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from hebbevo.errors import InputError
from hebbevo.io.atomic import check_new, refuse_existing, replacing

if TYPE_CHECKING:
    from hebbevo.rendering.layout import Picture

SUFFIX = ".mp4"

Watcher = Callable[[int, int], None]
"""Called with the frames drawn up to now, and all of them."""


def check_video(out: str | Path) -> Path:
    """Return the path of a video that can be written.

    Raises:
        InputError: it exists, is no ``.mp4``, or its directory does not exist or cannot be written to.
        OSError: the disk is full or fails.
    """
    path = Path(out)
    if path.suffix.lower() != SUFFIX:
        raise InputError(f"cannot write {path}: a video is an {SUFFIX} file; name one, as walk{SUFFIX}")
    check_new(path)
    return path


def write_video(
    path: Path,
    frames: Iterator[Picture],
    length: int,
    frames_per_second: float,
    watch: Watcher | None = None,
) -> None:
    """Write a video; the file appears once it is complete.

    Args:
        path: of the video.
        frames: pictures of one size, whose sides are multiples of 16 pixels.
        length: number of frames.
        frames_per_second: of the video.
        watch: called after every frame.

    Raises:
        OSError: the disk is full or fails.
    """
    with replacing(path) as unfinished:
        _encode(unfinished, frames, length, frames_per_second, watch)
        refuse_existing(path)


def _encode(
    path: Path, frames: Iterator[Picture], length: int, frames_per_second: float, watch: Watcher | None
) -> None:
    import imageio_ffmpeg
    import numpy as np

    first = next(frames)
    writer = imageio_ffmpeg.write_frames(
        str(path),
        first.shape[1::-1],
        fps=frames_per_second,
        quality=8,
        ffmpeg_log_level="quiet",
        output_params=["-f", "mp4"],  # the name of an unfinished file does not say so
    )
    try:
        with closing(writer):
            writer.send(None)
            for number, frame in enumerate(chain([first], frames), start=1):
                writer.send(np.ascontiguousarray(frame))
                if watch is not None:
                    watch(number, length)
        written, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    except (OSError, RuntimeError):  # its text is the command line of ffmpeg
        written = 0
    if written != length:
        raise OSError("ffmpeg could not write the video; is the disk full?")
