"""A decoded frame of a video as upright pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame

    from bot.media.pixels import Pixels


def turn_of(frame: VideoFrame) -> int:
    """Tell by how many degrees a frame has to be turned, counter-clockwise."""
    return frame.rotation


def picture(frame: VideoFrame, turned: int, longest: int) -> Pixels:
    """Turn a frame into upright pixels, its longest side at most `longest`."""
    scale = min(1.0, longest / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    pixels = frame.reformat(width=width, height=height, format="bgr24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, turned // 90))
