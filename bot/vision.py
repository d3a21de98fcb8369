"""The port to what sees: lines of text in a picture, with where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

Polygon = tuple[tuple[float, float], ...]
"""Corners as fractions 0..1 of the upright picture, clockwise from the top left."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text that was read, with the engine's confidence 0..1."""

    text: str
    polygon: Polygon
    confidence: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen in one picture, and by which engine and version."""

    lines: tuple[TextLine, ...] = ()
    engine: str = ""


class Vision(Protocol):
    """An engine that reads pictures."""

    async def look(self, jpeg: bytes) -> Sighting:
        """Read an upright JPEG; raises `FileProblem` when the engine fails on it."""
        ...
