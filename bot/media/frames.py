"""Frames of videos as values: which ones to decode, what they become, and when they are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TIME_TOLERANCE = 0.0006
"""Seconds within which two times are the same: they are rounded to milliseconds."""


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """A frame to decode: the one shown at a time, or the sharpest until a later one.

    `key` is the time of the key frame before it, where it is known: what was decoded after that
    is not decoded again. `full_side` is how many pixels long a second JPEG is to be; 0 for none.
    """

    at: float
    until: float = 0.0
    key: float = float("inf")
    full_side: int = 0


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame: when it is shown (seconds), and its upright JPEG of `width` x `height` pixels.

    `mark` is the frame in 32 x 18 pixels (blue, green, red), for comparing; `sharpness` the
    variance of its Laplacian, and `brightness` its mean from 0 to 255. `jump` is how much it
    differs from an earlier frame (see `bot.media.frame_marks.difference`), where that was decoded.
    `full_jpeg` is the second JPEG.
    """

    at: float
    jpeg: bytes
    width: int
    height: int
    mark: bytes
    sharpness: float
    brightness: float
    jump: float = 0.0
    full_jpeg: bytes = b""


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """The frames of a video as its packets announce them, sorted by time.

    `at` is when each is shown, in seconds from the first; `size` its bytes; `key` whether it can be
    decoded alone.
    """

    at: NDArray[np.float64]
    size: NDArray[np.int64]
    key: NDArray[np.bool_]

    def within(self, start: float, end: float) -> FrameTimes:
        """Return the frames of a stretch of time."""
        inside = (self.at >= start) & (self.at < end)
        return FrameTimes(self.at[inside], self.size[inside], self.key[inside])
