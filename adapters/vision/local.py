"""Reads text in pictures with an engine on this machine, in a process of its own.

The engine is rapidocr (PP-OCRv6); its weights are in its wheel, so nothing is fetched. It reads
Latin, Chinese and Japanese script. Loaded, it takes 300 to 500 MB, which is why it is loaded at
the first picture only, and once.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from adapters.vision.settings import VisionSettings
from bot.children import Children
from bot.problems import FileProblem, Reason
from bot.settings import load
from bot.vision import Sighting, TextLine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.settings import Limits

THREADS = 4
"""More gain little, and each reserves address space, which is limited."""


class LocalReader:
    """A `Vision` that needs no service; pictures wait for each other."""

    def __init__(self, limits: Limits, settings: VisionSettings | None = None) -> None:
        self._settings = settings or load(VisionSettings)
        changes = {"children": 1, "child_memory": self._settings.memory}
        self._children = Children(limits.model_copy(update=changes))
        self._engine = f"rapidocr {version('rapidocr')}"

    async def look(self, jpeg: bytes) -> Sighting:
        """Read an upright JPEG; raises `FileProblem` when the engine fails on it."""
        settings = self._settings
        lines = await self._children.run(
            read_lines, jpeg, settings.side, settings.confidence, seconds=settings.seconds
        )
        return Sighting(lines, self._engine)

    async def close(self) -> None:
        """End the process."""
        await self._children.close()


def read_lines(jpeg: bytes, side: int, confidence: float) -> tuple[TextLine, ...]:
    """Read the lines of a picture in reading order; runs in the child.

    The picture is made smaller until its long side is `side` pixels. Raises `FileProblem`.
    """
    import cv2  # noqa: PLC0415 - heavy, and for the child only
    import numpy  # noqa: PLC0415

    image = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise FileProblem(Reason.DAMAGED)
    scale = side / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = image.shape[:2]
    read = _engine()(image)
    if read.boxes is None or read.txts is None:
        return ()
    lines = [
        TextLine(text, _polygon(box, width, height), round(float(score), 4))
        for box, text, score in zip(read.boxes, read.txts, read.scores, strict=True)
    ]
    return reading_order(line for line in lines if line.confidence >= confidence)


@cache
def _engine() -> Any:
    """Load the engine once in the life of the process."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - heavy, and for the child only

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": 4096,
            "EngineConfig.onnxruntime.intra_op_num_threads": min(THREADS, os.cpu_count() or 1),
        }
    )


def _polygon(box: Any, width: int, height: int) -> tuple[tuple[float, float], ...]:
    """Turn corners in pixels into fractions of the picture."""
    return tuple((_fraction(float(x) / width), _fraction(float(y) / height)) for x, y in box)


def _fraction(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 5)


def reading_order(lines: Iterable[TextLine]) -> tuple[TextLine, ...]:
    """Sort lines row by row from the top, each row from the left."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=_middle):
        if rows and _middle(line) - _middle(rows[-1][0]) < _height(rows[-1][0]) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=_left))


def _left(line: TextLine) -> float:
    return min(x for x, _ in line.polygon)


def _middle(line: TextLine) -> float:
    return sum(y for _, y in line.polygon) / len(line.polygon)


def _height(line: TextLine) -> float:
    """Measure along the sides of a line, as a leaning line reaches higher than it is."""
    (_, left_top), (_, right_top), (_, right_bottom), (_, left_bottom) = line.polygon
    return abs(left_bottom - left_top + right_bottom - right_top) / 2
