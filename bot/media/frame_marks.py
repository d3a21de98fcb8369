"""Marks of frames: small copies that tell how much two frames differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bot.media.image import Pixels

MARK = (32, 18)
"""Size of a frame's mark: enough to tell what changed, too small for noise to show."""


def difference(mark: bytes, other: bytes) -> float:
    """Tell how much two marks differ where they differ most, from 0 to 255.

    That is the mean over a block of 4 x 3 of their pixels, a sixty-fourth part of the frame.
    """
    a, b = (np.frombuffer(each, np.uint8).astype(np.int16) for each in (mark, other))
    apart = np.abs(a - b).reshape(MARK[1], MARK[0], 3).max(axis=2).astype(np.float32)
    return float(cv2.blur(apart, (4, 3)).max())


def mark_of(pixels: Pixels) -> bytes:
    """Shrink a frame to its mark."""
    mark: Pixels = cv2.resize(pixels, MARK, interpolation=cv2.INTER_AREA)
    return mark.tobytes()


def sharpness_of(pixels: Pixels) -> float:
    """Tell how sharp a frame is: the variance of its Laplacian."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


SAME = 9.0
"""Two frames that differ less than this everywhere (of 255) are near-duplicates: such is the noise
of a phone's camera in the dark."""

CHANGED = 24.0
"""A frame that differs more than this from the one before it, somewhere, changed."""
