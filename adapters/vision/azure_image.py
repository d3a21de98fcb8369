"""Pictures that Image Analysis accepts: below 20 MB, with sides of 50 to 16,000 pixels.

https://learn.microsoft.com/azure/ai-services/computer-vision/overview-image-analysis
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from bot.media.pixels import decode_own, encode
from bot.settings import MIB

LARGEST = 20 * MIB
LEAST_SIDE = 51
"""The documentation says "greater than 50"."""
MOST_SIDE = 15_999


def presentable(jpeg: bytes, least: int = LEAST_SIDE) -> bytes | None:
    """Return a JPEG of ours, enlarged if it is too small; None if the service takes no such one.

    `least` is the least length of its shorter side, in pixels.
    """
    if not 0 < len(jpeg) < LARGEST:
        return None
    pixels = decode_own(jpeg)
    if pixels is None:
        return None
    height, width = pixels.shape[:2]
    times = math.ceil(least / min(width, height))
    if max(width, height) * times > MOST_SIDE:
        return None
    if times == 1:
        return jpeg
    return encode(cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC))


def blank() -> bytes:
    """Return a small white picture to try the service with."""
    return encode(np.full((64, 64, 3), 255, np.uint8))
