"""Candidates of frames that tests make themselves: coloured, changing and sharp as they like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import ImageColor

from bot.media.frame_marks import MARK
from bot.video.candidates import Candidate, Survey

if TYPE_CHECKING:
    from collections.abc import Sequence


def mark(*colours: str) -> bytes:
    """A frame's mark with stripes of colours from left to right, equally broad."""
    bgr = np.array([ImageColor.getrgb(colour)[:3][::-1] for colour in colours], np.uint8)
    stripes = cv2.resize(bgr[None], MARK, interpolation=cv2.INTER_NEAREST)
    return stripes.tobytes()


def candidate(at: float, *colours: str, change: float = 0.0, sharpness: float = 100) -> Candidate:
    """A candidate at a time, grey where no colours are given; its bytes name the time."""
    pixels = mark(*(colours or ("grey",)))
    brightness = float(np.frombuffer(pixels, np.uint8).mean())
    jpeg = f"{at:g}".encode()
    return Candidate(at, jpeg, 64, 48, pixels, sharpness, brightness, change)


def each(count: int, step: float = 1.0) -> list[Candidate]:
    """So many candidates, of which none looks like another."""
    return [candidate(place * step, *_bits(place)) for place in range(count)]


def _bits(number: int) -> list[str]:
    return ["white" if number >> place & 1 else "black" for place in range(6)]


def survey(candidates: Sequence[Candidate], end: float = 1e6) -> Survey:
    """A survey from the start of a video to its end."""
    return Survey(((0.0, end),), tuple(candidates))
