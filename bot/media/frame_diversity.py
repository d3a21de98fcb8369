"""A few frames that stand for many: each looks as different as possible from all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bot.media.frame_marks import MARK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OVERALL = 4
"""Weight of how much two frames differ on the whole, beside where they differ most: the former is
less, and tells a change of light from something small."""


def varied(marks: Sequence[bytes], most: int) -> list[int]:
    """Choose at most so many frames by their marks; returns their places in order.

    The first is among them, and then always the one that is farthest from all that were chosen
    (Gonzalez 1985, "Clustering to minimize the maximum intercluster distance").
    """
    if len(marks) <= most:
        return list(range(len(marks)))
    pixels = np.stack([np.frombuffer(mark, np.uint8) for mark in marks]).astype(np.int16)
    pixels = pixels.reshape(len(marks), MARK[1], MARK[0], 3)
    chosen, nearest = list[int](), np.full(len(marks), np.inf)
    while len(chosen) < most:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _distances(pixels, pixels[chosen[-1]]))
        nearest[chosen] = -1.0
    return sorted(chosen)


def _distances(pixels: NDArray[np.int16], one: NDArray[np.int16]) -> NDArray[np.float64]:
    """Tell how far all marks are from one: in a block of 4 x 3 pixels, and on the whole."""
    apart = np.abs(pixels - one).max(axis=3)
    rows = apart[:, :-2] + apart[:, 1:-1] + apart[:, 2:]
    blocks = rows[..., :-3] + rows[..., 1:-2] + rows[..., 2:-1] + rows[..., 3:]
    distances: NDArray[np.float64] = blocks.max(axis=(1, 2)) / 12 + OVERALL * apart.mean(
        axis=(1, 2)
    )
    return distances
