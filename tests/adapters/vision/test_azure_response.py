"""Results of Image Analysis as sightings, odd ones too."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.vision.azure_response import sighting


def result(**features: Any) -> dict[str, Any]:
    metadata = {"width": 200, "height": 100}
    return {"modelVersion": "2024-02-01", "metadata": metadata, **features}


def box(left: int, top: int, wide: int, high: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": wide, "h": high}


def test_a_result_without_any_feature_is_empty() -> None:
    seen = sighting(result(), 0.5)
    assert (seen.lines, seen.things, seen.captions) == ((), (), ())
    assert seen.engine == "Azure AI Vision 2024-02-01"


def test_a_picture_without_text_has_no_blocks() -> None:
    assert sighting(result(readResult={"blocks": []}), 0.5).lines == ()


def test_a_line_is_as_sure_as_its_least_sure_word() -> None:
    points = [{"x": x, "y": y} for x, y in [(20, 10), (60, 10), (60, 20), (20, 20)]]
    words = [{"text": "AB", "confidence": 0.99}, {"text": "12", "confidence": 0.61}]
    line = {"text": "AB 12", "boundingPolygon": points, "words": words}
    [read] = sighting(result(readResult={"blocks": [{"lines": [line]}]}), 0.5).lines
    assert (read.text, read.confidence) == ("AB 12", 0.61)
    assert read.polygon == ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2))


def test_people_below_the_confidence_are_left_out() -> None:
    people = [
        {"boundingBox": box(0, 0, 50, 100), "confidence": 0.96},
        {"boundingBox": box(190, 0, 10, 50), "confidence": 0.0017},
    ]
    seen = sighting(result(peopleResult={"values": people}), 0.5)
    assert [(thing.label, thing.confidence) for thing in seen.things] == [("person", 0.96)]


def test_a_person_among_the_objects_is_told_once_but_another_too() -> None:
    people = [{"boundingBox": box(0, 0, 50, 100), "confidence": 0.96}]
    objects = [
        {"boundingBox": box(2, 0, 48, 98), "tags": [{"name": "person", "confidence": 0.88}]},
        {"boundingBox": box(120, 0, 48, 98), "tags": [{"name": "person", "confidence": 0.7}]},
        {"boundingBox": box(2, 0, 48, 98), "tags": [{"name": "Laptop", "confidence": 0.76}]},
    ]
    features = {"peopleResult": {"values": people}, "objectsResult": {"values": objects}}
    seen = sighting(result(**features), 0.5)
    told = [(thing.label, thing.confidence) for thing in seen.things]
    assert told == [("person", 0.96), ("person", 0.7), ("laptop", 0.76)]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"modelVersion": "x", "metadata": {}},
        result(objectsResult={"values": [{"boundingBox": box(0, 0, 1, 1), "tags": []}]}),
        result(peopleResult={"values": [{"boundingBox": {}, "confidence": 0.9}]}),
        result(readResult={"blocks": [{"lines": None}]}),
    ],
)
def test_another_shape_is_an_error_that_the_engine_expects(wrong: dict[str, Any]) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        sighting(wrong, 0.5)
