"""Seeing things in real photos, with the model that Loupe ships."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from adapters.vision import nanodet
from adapters.vision.nanodet import LABELS, MODELS, TRAFFIC, see
from adapters.vision.polygons import area, iou, rectangle
from adapters.vision.settings import VisionSettings
from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from bot.media.pixels import Pixels

SETTINGS = VisionSettings(_env_file=None)


def photo(name: str) -> Pixels:
    return cv2.imread(str(MEDIA / name))


def counted(pixels: Pixels, settings: VisionSettings = SETTINGS) -> Counter[str]:
    return Counter(thing.label for thing in see(pixels, settings))


def test_the_model_is_the_one_that_its_notice_names() -> None:
    digest = hashlib.sha256((MODELS / "nanodet-g.onnx").read_bytes()).hexdigest()
    assert digest in (MODELS / "NOTICE.md").read_text()
    assert "RangiLyu" in (MODELS / "LICENSE-nanodet.txt").read_text()
    assert "Vladimir Mandic" in (MODELS / "LICENSE-human-models.txt").read_text()


def test_there_are_eighty_labels_in_their_usual_order() -> None:
    assert (len(LABELS), len(set(LABELS))) == (80, 80)
    assert (LABELS[0], LABELS[2], LABELS[13], LABELS[79]) == (
        *("person", "car", "bench"),
        "toothbrush",
    )
    assert set(TRAFFIC) < set(LABELS)


def test_a_car_is_seen_where_it_is() -> None:
    things = see(photo("notice_double_parking.jpg"), SETTINGS)
    [car] = [thing for thing in things if thing.label == "car"]
    assert iou(car.corners, rectangle(396, 425, 700, 577)) > 0.8
    assert car.confidence > 0.6


def test_small_cars_are_seen_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    motorway = photo("motorway.jpg")
    tiled = counted(motorway)
    monkeypatch.setattr(nanodet, "TILED_FROM", 10_000)
    untiled = counted(motorway)
    assert tiled["car"] >= 2 * untiled["car"] >= 6
    assert set(tiled) == {"car"}


def test_no_two_boxes_are_of_one_thing() -> None:
    things = see(photo("motorway.jpg"), SETTINGS)
    for place, thing in enumerate(things):
        for other in things[place + 1 :]:
            assert iou(thing.corners, other.corners) < 0.5
            assert thing.confidence >= other.confidence


def test_a_car_is_not_also_an_oven() -> None:
    """Both fit the rear of this car, the oven even with the higher score."""
    seen = counted(photo("passat_cc.webp"))
    assert (seen["car"], seen["oven"]) == (1, 0)


def test_thresholds_let_through_what_they_say() -> None:
    motorway = photo("motorway.jpg")
    strict = VisionSettings(traffic=0.7, things=0.9, _env_file=None)
    assert 0 < counted(motorway, strict)["car"] < counted(motorway)["car"]


@pytest.mark.parametrize("size", [(64, 64), (1, 1), (1200, 10), (10, 1200)])
def test_a_blank_picture_of_any_shape_has_nothing(size: tuple[int, int]) -> None:
    assert see(np.full((*size, 3), 200, np.uint8), SETTINGS) == []


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_boxes_stay_within_a_picture_of_any_shape(turns: int) -> None:
    pixels = np.ascontiguousarray(np.rot90(photo("notice_double_parking.jpg"), turns))
    height, width = pixels.shape[:2]
    for thing in see(pixels, SETTINGS):
        assert area(thing.corners) > 0
        assert (thing.corners >= 0).all()
        assert (thing.corners <= (width, height)).all()
