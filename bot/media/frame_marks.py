"""Marks of frames: small copies, by which frames are compared and varied ones are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.media.pixels import Pixels

MARK = (32, 18)
"""Width and height of a mark: enough to see what changed, too small for noise to show."""

MAX_NOISE = 9.0
"""Two frames that differ less than this everywhere (of 255) are near-duplicates: such is the noise
of a phone's camera in the dark."""

MIN_CHANGE = 24.0
"""A frame that differs more than this from the one before it, somewhere, shows a change."""

OVERALL = 4
"""Weight of the mean difference of two frames, beside their largest difference: the mean is
smaller, and tells a change of light from something small."""


def mark_of(pixels: Pixels) -> bytes:
    """Shrink a frame to its mark."""
    mark: Pixels = cv2.resize(pixels, MARK, interpolation=cv2.INTER_AREA)
    return mark.tobytes()


def sharpness_of(pixels: Pixels) -> float:
    """Return how sharp a frame is: the variance of its Laplacian."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def difference(mark: bytes, other: bytes) -> float:
    """Return how much two marks differ where they differ most, from 0 to 255.

    That is the mean over a block of 4 x 3 of their pixels, a sixty-fourth part of the frame.
    """
    a, b = (np.frombuffer(each, np.uint8).astype(np.int16) for each in (mark, other))
    apart = np.abs(a - b).reshape(MARK[1], MARK[0], 3).max(axis=2).astype(np.float32)
    return float(cv2.blur(apart, (4, 3)).max())


def choose_varied(marks: Sequence[bytes], most: int) -> list[int]:
    """Choose at most so many frames that look as different as possible; return their places.

    The first is among them, and then always the one that is farthest from all that were chosen
    (Gonzalez 1985, "Clustering to minimize the maximum intercluster distance").
    """
    if len(marks) <= most:
        return list(range(len(marks)))
    pixels = np.stack([np.frombuffer(mark, np.uint8) for mark in marks]).astype(np.int16)
    pixels = pixels.reshape(len(marks), MARK[1], MARK[0], 3)
    places, nearest = list[int](), np.full(len(marks), np.inf)
    while len(places) < most:
        places.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _distances(pixels, pixels[places[-1]]))
        nearest[places] = -1.0
    return sorted(places)


def _distances(pixels: NDArray[np.int16], one: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return how far all marks are from one: in a block of 4 x 3 pixels, and on the whole."""
    apart = np.abs(pixels - one).max(axis=3)
    rows = apart[:, :-2] + apart[:, 1:-1] + apart[:, 2:]
    blocks = rows[..., :-3] + rows[..., 1:-2] + rows[..., 2:-1] + rows[..., 3:]
    distances: NDArray[np.float64] = blocks.max(axis=(1, 2)) / 12 + OVERALL * apart.mean(
        axis=(1, 2)
    )
    return distances
