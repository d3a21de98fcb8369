"""The engines on this machine, rapidocr and NanoDet-g, in a child process.

The process starts once, with the first picture. It takes about 0.7 GB while it looks at photos of
phones, and 0.4 GB between them.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import structlog

from adapters.vision.full_resolution import open_picture
from adapters.vision.lines import reading_order
from adapters.vision.nanodet import see
from adapters.vision.polygons import polygon
from adapters.vision.tiled_reading import read_picture, scale_down
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason
from bot.limits import ChildLimits
from bot.media.pixels import encode
from bot.sandbox import ChildProcesses

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.vision.settings import VisionSettings
    from bot.limits import FileLimits

log = structlog.get_logger()

ENGINE = f"rapidocr {version('rapidocr')}, nanodet-g"
OBJECT_SIDE = 1664
"""Long side in pixels of the picture that things are searched in: the model sees each of its four
tiles at 416 pixels, so that small things stay large enough."""


class LocalVision:
    """A `Vision` that needs no service.

    Pictures are looked at one at a time, in order: a second process would be no faster on few
    cores. Callers wait for their turn.
    """

    def __init__(self, limits: FileLimits, settings: VisionSettings) -> None:
        self._settings = settings.model_copy(update={"key": None})
        self._limits = limits
        children = ChildLimits(children=1, child_memory=settings.memory)
        self._children = ChildProcesses(children, limits)
        self._turn = asyncio.Semaphore(1)

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        """Look at an upright JPEG, or more closely at the file that it was made from.

        Raises `FileProblem` (`DAMAGED`, `TOO_SLOW`, `CRASHED`), and `VisionProblem` (`BUSY`) if
        too many pictures come before it.
        """
        try:
            async with asyncio.timeout(self._settings.wait_seconds):
                await self._turn.acquire()
        except TimeoutError:
            raise VisionProblem(VisionReason.BUSY) from None
        try:
            return await self._look(jpeg, original, upright=upright)
        finally:
            self._turn.release()

    async def _look(self, jpeg: bytes, original: Path | None, *, upright: bool) -> Sighting:
        try:
            return await self._call(jpeg, original, upright=upright)
        except FileProblem as problem:
            if original is None or problem.reason is not Reason.CRASHED:
                raise
            log.warning("original_not_looked_at", reason=problem.reason.value)
            return await self._call(jpeg, None, upright=upright)

    async def _call(self, jpeg: bytes, original: Path | None, *, upright: bool) -> Sighting:
        arguments = (jpeg, original, self._limits, self._settings, upright)
        return await self._children.run(look_at, *arguments, seconds=self._settings.seconds)

    async def check(self) -> str:
        """Look at a blank picture and return a sentence about the engine; raises `FileProblem`."""
        sighting = await self.look(encode(np.full((64, 64, 3), 255, np.uint8)))
        return f"Pictures are looked at by {sighting.engine} on this machine."

    async def close(self) -> None:
        """End the child process."""
        await self._children.close()


def look_at(
    jpeg: bytes,
    original: Path | None,
    limits: FileLimits,
    settings: VisionSettings,
    upright: bool = False,
) -> Sighting:
    """Look at a picture; runs in the child. Raises `FileProblem` and `MemoryError`."""
    pixels, oriented = open_picture(jpeg, original, limits)
    height, width = pixels.shape[:2]
    lines = [
        TextLine(line.text, polygon(line.corners, width, height), line.confidence)
        for line in read_picture(pixels, settings, oriented=oriented or upright)
    ]
    smaller = scale_down(pixels, min(1.0, OBJECT_SIDE / max(width, height)))
    height, width = smaller.shape[:2]
    things = tuple(
        DetectedObject(thing.label, polygon(thing.corners, width, height), thing.confidence)
        for thing in see(smaller, settings)
    )
    return Sighting(reading_order(lines), things, engine=ENGINE)
