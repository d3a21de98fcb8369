"""Responses of Image Analysis 4.0 as sightings.

The fields are those of its REST API 2024-02-01; all positions are in pixels of the picture sent.
https://learn.microsoft.com/azure/ai-services/computer-vision/how-to/call-analyze-image-40
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.vision.polygons import Corners, iou, polygon, rectangle
from bot.domain.sightings import DetectedObject, Sighting, TextLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.domain.sightings import Polygon

PERSON = "person"
SAME = 0.5
"""An object "person" and one of the people with this IoU are the same."""


def sighting(result: Mapping[str, Any], least_person: float) -> Sighting:
    """Return a result, as parsed from JSON, as a sighting, without people of a lower confidence.

    Raises `LookupError`, `TypeError` or `ValueError` if the result has another shape.
    """
    size = result["metadata"]["width"], result["metadata"]["height"]
    people = [
        (_corners(person["boundingBox"]), float(person["confidence"]))
        for person in _values(result, "peopleResult")
        if float(person["confidence"]) >= least_person
    ]
    return Sighting(
        lines=tuple(_lines(result, *size)),
        things=tuple(_things(result, people, *size)),
        captions=_captions(result),
        engine=f"Azure AI Vision {result['modelVersion']}",
    )


def _values(result: Mapping[str, Any], feature: str) -> Sequence[Mapping[str, Any]]:
    """Return what a feature found; nothing if it was not requested."""
    feature_result = result.get(feature)
    return feature_result["values"] if feature_result else ()


def _lines(result: Mapping[str, Any], width: int, height: int) -> Iterator[TextLine]:
    """Yield the lines, with the confidence of their least certain words."""
    for block in (result.get("readResult") or {"blocks": ()})["blocks"]:
        for line in block["lines"]:
            words = [float(word["confidence"]) for word in line["words"]]
            place = [(point["x"], point["y"]) for point in line["boundingPolygon"]]
            yield TextLine(line["text"], polygon(place, width, height), min(words, default=0.0))


def _things(
    result: Mapping[str, Any], people: Sequence[tuple[Corners, float]], width: int, height: int
) -> Iterator[DetectedObject]:
    """Yield people and objects; a person among both comes once."""

    def place(corners: Corners) -> Polygon:
        return polygon(corners, width, height)

    for corners, confidence in people:
        yield DetectedObject(PERSON, place(corners), confidence)
    for item in _values(result, "objectsResult"):
        tag, corners = item["tags"][0], _corners(item["boundingBox"])
        label = tag["name"].lower()
        is_among_people = any(iou(corners, person) > SAME for person, _ in people)
        if not (label == PERSON and is_among_people):
            yield DetectedObject(label, place(corners), float(tag["confidence"]))


def _captions(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the captions, each once, that of the whole picture first."""
    texts = (str(caption["text"]) for caption in _values(result, "denseCaptionsResult"))
    return tuple(dict.fromkeys(texts))


def _corners(box: Mapping[str, float]) -> Corners:
    return rectangle(box["x"], box["y"], box["x"] + box["w"], box["y"] + box["h"])
