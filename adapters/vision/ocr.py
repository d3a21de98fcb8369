"""Text recognition by rapidocr; runs in the engine's child process.

The engine is rapidocr with PP-OCRv6 (small); its weights are in its wheel, so nothing is fetched.
It reads Latin, Chinese and Japanese script.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from adapters.vision.polygons import Corners

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.media.pixels import Pixels

THREADS = 4
"""More threads gain little, and each reserves address space, which is limited."""
HEIGHT = 64
"""Most pixels of a line's height: the engine scales it to 48 without averaging."""
BATCH = 6
"""Lines that are read at once, as the engine does by default."""


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """A line of text with its confidence 0..1, and where it stands in the picture, in pixels."""

    text: str
    confidence: float
    corners: Corners


def find(pixels: Pixels) -> list[Corners]:
    """Return where lines of text are."""
    result = _engine()(pixels, use_det=True, use_cls=False, use_rec=False)
    return [] if result.boxes is None else [np.asarray(box, np.float32) for box in result.boxes]


def read(pixels: Pixels, shapes: Sequence[Corners]) -> Iterator[list[RecognizedLine]]:
    """Yield the lines in these shapes, batch by batch, each read when it is requested."""
    for start in range(0, len(shapes), BATCH):
        batch = shapes[start : start + BATCH]
        lines = [_low(line) for line in _engine().crop_text_regions(pixels, batch)]
        upright, _ = _engine().cls_and_rotate(lines)
        result = _engine().recognize_txt(upright)
        yield [
            RecognizedLine(text.strip(), round(float(score), 4), shape)
            for text, score, shape in zip(result.txts, result.scores, batch, strict=True)
            if text.strip()
        ]


def _low(line: Pixels) -> Pixels:
    """Scale a line down to `HEIGHT` by averaging its pixels; a lower one stays as it is."""
    scale = HEIGHT / line.shape[0]
    if scale >= 1:
        return line
    lower: Pixels = cv2.resize(line, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return lower


@cache
def _engine() -> Any:
    """Load the engine, once for each process."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - heavy, and for the child only

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": 4096,
            "EngineConfig.onnxruntime.intra_op_num_threads": min(THREADS, os.cpu_count() or 1),
        }
    )
