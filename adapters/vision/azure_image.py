"""Pictures as Image Analysis takes them: below 20 MB, sides of 50 to 16,000 pixels.

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
    """Make a JPEG of ours fit, enlarging a small one; None where that is not possible.

    `least` is how many pixels its shorter side has to have.
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
    way = cv2.INTER_CUBIC
    return encode(cv2.resize(pixels, None, fx=times, fy=times, interpolation=way))


def blank() -> bytes:
    """Make a small white picture, as to try the service with."""
    return encode(np.full((64, 64, 3), 255, np.uint8))
