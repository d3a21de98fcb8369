"""What was seen in a picture: lines of text and objects, each with its polygon."""

from __future__ import annotations

from dataclasses import dataclass

Polygon = tuple[tuple[float, float], ...]
"""Corners as fractions 0..1 of the upright picture, clockwise from the top left."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text that was read, with the engine's confidence 0..1."""

    text: str
    polygon: Polygon
    confidence: float


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """An object or person that was seen, by a label in English, with confidence 0..1."""

    label: str
    polygon: Polygon
    confidence: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen in one picture, and by which engine and version.

    `captions` are sentences about the picture or parts of it, where the engine makes them.
    """

    lines: tuple[TextLine, ...] = ()
    things: tuple[DetectedObject, ...] = ()
    captions: tuple[str, ...] = ()
    engine: str = ""
