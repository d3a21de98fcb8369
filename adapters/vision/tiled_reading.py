"""Reading of a picture, whole and in tiles; runs in the engine's child process.

Lines are searched in the whole picture at a small size, and in tiles at a larger one: the search
takes most of the time, and needs fewer pixels than reading. Lines are then read in the pixels of
the file, and their boxes tightened around the letters.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from adapters.vision import ocr
from adapters.vision.lines import merge
from adapters.vision.polygons import coverage
from adapters.vision.tight_boxes import tighten
from adapters.vision.tiles import join_shapes, scale_for, tiles_of
from bot.media.pixels import shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.vision.ocr import RecognizedLine
    from adapters.vision.polygons import Corners
    from adapters.vision.settings import VisionSettings
    from bot.media.pixels import Pixels

WORTHWHILE = 1.15
"""Length of a picture by `side` from which tiles show more than the whole."""
OVERLAP = 128
"""Pixels that neighbouring tiles share: more than the height of lines that only tiles show."""
SURE = 0.95
"""Confidence from which a line is not read again in tiles."""
SEARCH = 0.6
"""Share of the time after which no further tile is searched, to leave time for reading."""
MOST = 600
"""Lines after which no further tile is searched."""
TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


def read_picture(
    pixels: Pixels, settings: VisionSettings, *, oriented: bool
) -> list[RecognizedLine]:
    """Return the lines of a picture, as far as the time allows, with corners in its pixels.

    A picture without lines is also read turned, unless `oriented`: the file says which way is up.
    """
    until = time.monotonic() + settings.reading_seconds
    lines = _read_upright_or_turned(pixels, settings, until, oriented=oriented)
    return [replace(line, corners=tighten(pixels, line.corners)) for line in lines]


def _read_upright_or_turned(
    pixels: Pixels, settings: VisionSettings, until: float, *, oriented: bool
) -> list[RecognizedLine]:
    lines = _read_whole(pixels, settings, until)
    if settings.tiles > 1 and max(pixels.shape[:2]) > WORTHWHILE * settings.side:
        lines = _read_closely(pixels, lines, settings, until)
    if lines or oriented:
        return lines
    return max(
        (_read_turned(pixels, turn, settings, until) for turn in TURNS), key=_readable_weight
    )


def _readable_weight(lines: Sequence[RecognizedLine]) -> float:
    return sum(line.confidence * len(line.text) for line in lines)


def _read_whole(pixels: Pixels, settings: VisionSettings, until: float) -> list[RecognizedLine]:
    """Search the whole picture at `side` pixels."""
    scale = min(1.0, settings.side / max(pixels.shape[:2]))
    shapes = [shape / scale for shape in ocr.find(scale_down(pixels, scale))]
    return _read(pixels, shapes, settings, until)


def _read(
    pixels: Pixels, shapes: Sequence[Corners], settings: VisionSettings, until: float
) -> list[RecognizedLine]:
    """Read the lines in these shapes, until a time of the monotonic clock."""
    lines: list[RecognizedLine] = []
    for batch in ocr.read(pixels, shapes):
        lines += [line for line in batch if line.confidence >= settings.confidence]
        if time.monotonic() > until:
            break
    return lines


def scale_down(pixels: Pixels, scale: float) -> Pixels:
    """Return a picture scaled by at most 1."""
    height, width = pixels.shape[:2]
    return shrink(pixels, (max(1, round(width * scale)), max(1, round(height * scale))))


def _read_closely(
    pixels: Pixels, lines: Sequence[RecognizedLine], settings: VisionSettings, until: float
) -> list[RecognizedLine]:
    """Search the tiles, read what is not certain yet, and merge both."""
    now = time.monotonic()
    shapes = _search_tiles(pixels, settings, now + SEARCH * (until - now))
    sure_places = [line.corners for line in lines if line.confidence >= SURE]
    unread = [
        shape for shape in shapes if not any(coverage(shape, line) > 0.5 for line in sure_places)
    ]
    return merge(lines, _read(pixels, unread, settings, until))


def _search_tiles(pixels: Pixels, settings: VisionSettings, until: float) -> list[Corners]:
    """Search the picture at the largest size that `tiles` tiles of `side` pixels can cover."""
    height, width = pixels.shape[:2]
    scale = scale_for(width, height, settings.side, OVERLAP, settings.tiles)
    smaller = scale_down(pixels, scale)
    pairs: list[tuple[Corners, bool]] = []
    for tile in tiles_of(smaller.shape[1], smaller.shape[0], settings.side, OVERLAP):
        shapes = [tile.placed(shape) for shape in ocr.find(tile.of(smaller))]
        pairs += [(shape, tile.cuts(shape)) for shape in shapes]
        if len(pairs) > MOST or time.monotonic() > until:
            break
    return [shape / scale for shape in join_shapes(pairs)]


def _read_turned(
    pixels: Pixels, turn: int, settings: VisionSettings, until: float
) -> list[RecognizedLine]:
    """Read a picture turned; the corners are those in the picture itself."""
    lines = _read_whole(cv2.rotate(pixels, turn), settings, until)
    return [replace(line, corners=_turned_back(line.corners, turn, pixels)) for line in lines]


def _turned_back(corners: Corners, turn: int, pixels: Pixels) -> Corners:
    height, width = pixels.shape[:2]
    x, y = corners.T
    before = {
        cv2.ROTATE_90_CLOCKWISE: (y, height - x),
        cv2.ROTATE_180: (width - x, height - y),
        cv2.ROTATE_90_COUNTERCLOCKWISE: (width - y, x),
    }
    return np.stack(before[turn], axis=1)
