"""How closely a picture is read: whole, in tiles, turned, and within a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from adapters.vision import ocr
from adapters.vision import tiled_reading as reading
from adapters.vision.ocr import RecognizedLine
from adapters.vision.polygons import area, iou, rectangle
from adapters.vision.settings import VisionSettings
from adapters.vision.tiled_reading import read_picture
from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.vision.polygons import Corners
    from bot.media.pixels import Pixels


def settings(**values: Any) -> VisionSettings:
    return VisionSettings(_env_file=None, **values)


class Engine:
    """Finds a white bar if it is shown large enough, and reads it as told.

    Each search and each line takes a second of a clock of its own.
    """

    def __init__(self, *readings: tuple[str, float]) -> None:
        self.readings = list(readings) or [("bar", 0.9)]
        self.searched: list[tuple[int, int]] = []
        self.read_shapes: list[Corners] = []
        self.least = 5
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def find(self, pixels: Pixels) -> list[Corners]:
        self.now += 1
        self.searched.append(pixels.shape[1::-1])
        rows, columns = np.nonzero(pixels[:, :, 0] > 128)
        if not len(rows) or np.ptp(rows) < self.least:
            return []
        left, right = columns.min(), columns.max() + 1
        return [rectangle(left, rows.min(), right, rows.max() + 1)]

    def read(self, pixels: Pixels, shapes: Sequence[Corners]) -> Iterator[list[RecognizedLine]]:
        for shape in shapes:
            self.read_shapes.append(shape)
            self.now += 1
            text, confidence = self.readings[min(len(self.read_shapes), len(self.readings)) - 1]
            yield [RecognizedLine(text, confidence, shape)]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(ocr, "find", engine.find)
    monkeypatch.setattr(ocr, "read", engine.read)
    monkeypatch.setattr(reading, "time", engine)
    return engine


def bar(left: int, top: int, right: int, bottom: int) -> Pixels:
    """A black picture of 12 megapixels with a white bar."""
    pixels = np.zeros((3000, 4000, 3), np.uint8)
    pixels[top:bottom, left:right] = 255
    return pixels


def test_a_small_line_is_found_in_a_tile_and_placed_in_the_picture(engine: Engine) -> None:
    [line] = read_picture(bar(3000, 2000, 3200, 2012), settings(), oriented=True)
    assert line.text == "bar"
    assert iou(line.corners, rectangle(3000, 2000, 3200, 2012)) > 0.8
    assert engine.searched[0] == (1280, 960)
    assert len(engine.searched) == 7
    assert all(max(size) <= 1280 for size in engine.searched)


def test_a_line_over_several_tiles_is_read_once_and_whole(engine: Engine) -> None:
    [line] = read_picture(bar(200, 500, 3800, 514), settings(), oriented=True)
    assert iou(line.corners, rectangle(200, 500, 3800, 514)) > 0.8
    assert len(engine.read_shapes) == 1


def test_without_tiles_small_lines_are_not_found(engine: Engine) -> None:
    assert read_picture(bar(3000, 2000, 3200, 2012), settings(tiles=1), oriented=True) == []
    assert len(engine.searched) == 1


def test_a_picture_that_is_shown_whole_is_not_tiled(engine: Engine) -> None:
    pixels = np.ascontiguousarray(bar(0, 0, 400, 100)[:1080, :1440])
    assert len(read_picture(pixels, settings(), oriented=True)) == 1
    assert engine.searched == [(1280, 960)]


def test_a_line_that_is_sure_is_not_read_again(engine: Engine) -> None:
    engine.readings = [("sure", 0.99), ("again", 1.0)]
    [line] = read_picture(bar(1001, 1001, 1402, 1032), settings(), oriented=True)
    assert line.text == "sure"
    assert len(engine.read_shapes) == 1


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_the_box_of_a_line_is_drawn_in_to_its_letters(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    page = Image.new("L", (1000, 600), "white")
    pen = ImageDraw.Draw(page)
    pen.text((300, 200), "KX42 BRT", 0, ImageFont.load_default(60))
    ink = rectangle(*pen.textbbox((300, 200), "KX42 BRT", ImageFont.load_default(60)))
    upright = np.repeat(np.asarray(page)[:, :, None], 3, axis=2)
    loose = rectangle(ink[0][0] - 40, ink[0][1] - 20, ink[2][0] + 40, ink[2][1] + 20)
    pixels = np.ascontiguousarray(np.rot90(upright, turns))

    def upright_only(shown: Pixels) -> list[Corners]:
        return [loose] if np.array_equal(shown, upright) else []

    monkeypatch.setattr(ocr, "find", upright_only)
    [line] = read_picture(pixels, settings(), oriented=False)
    assert area(line.corners) < 0.65 * area(loose)
    assert np.linalg.norm(line.corners[1] - line.corners[0]) == pytest.approx(
        ink[2][0] - ink[0][0], rel=0.1
    )


@pytest.mark.parametrize(
    ("again", "kept"), [(("KRW 301", 0.9), "KRW 301"), (("K", 0.99), "KRN 30I")]
)
def test_a_doubtful_line_is_read_again(engine: Engine, again: tuple[str, float], kept: str) -> None:
    engine.readings = [("KRN 30I", 0.7), again]
    lines = read_picture(bar(1000, 1000, 1400, 1030), settings(), oriented=True)
    assert [line.text for line in lines] == [kept]


def test_doubtful_lines_are_left_out(engine: Engine) -> None:
    engine.readings = [("unsure", 0.59)]
    assert read_picture(bar(0, 0, 400, 100), settings(), oriented=True) == []


def test_time_ends_the_search_in_tiles(engine: Engine) -> None:
    read_picture(bar(0, 0, 4000, 100), settings(reading_seconds=6), oriented=True)
    _whole, *tiles = engine.searched
    assert 1 <= len(tiles) < 4
    read_picture(bar(0, 0, 4000, 100), settings(reading_seconds=600), oriented=True)
    assert len(engine.searched) - 2 - len(tiles) > len(tiles)


def test_time_ends_the_reading(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find", lambda _: [rectangle(0, 0, 9, 9)] * 100)
    nothing = np.zeros((100, 100, 3), np.uint8)
    read_picture(nothing, settings(reading_seconds=5, tiles=1), oriented=True)
    assert len(engine.read_shapes) == 6


def test_a_picture_without_lines_is_turned_unless_its_file_says_which_way_is_up(
    engine: Engine,
) -> None:
    nothing = np.zeros((600, 800, 3), np.uint8)
    assert read_picture(nothing, settings(), oriented=True) == []
    assert engine.searched == [(800, 600)]
    assert read_picture(nothing, settings(), oriented=False) == []
    assert engine.searched[1:] == [(800, 600), (600, 800), (800, 600), (600, 800)]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_lines_of_a_turned_picture_are_where_they_are_in_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    upright = np.zeros((600, 800, 3), np.uint8)
    upright[100:130, 50:350] = 255
    turned = np.ascontiguousarray(np.rot90(upright, turns))

    def upright_only(pixels: Pixels) -> list[Corners]:
        found = engine.find(pixels)
        return found if pixels[110, 60, 0] else []

    monkeypatch.setattr(ocr, "find", upright_only)
    [line] = read_picture(turned, settings(), oriented=False)
    rows, columns = np.nonzero(turned[:, :, 0])
    place = rectangle(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    spanned = np.concatenate([line.corners.min(axis=0), line.corners.max(axis=0)])
    assert iou(rectangle(*spanned), place) == pytest.approx(1, abs=0.01)


def test_the_real_engine_reads_text_that_stands_sideways() -> None:
    photo = cv2.imread(str(MEDIA / "copy_centre.jpg"))
    turned = cv2.rotate(photo, cv2.ROTATE_90_CLOCKWISE)
    lines = read_picture(turned, settings(), oriented=False)
    assert "copy" in " ".join(line.text for line in lines)


def test_the_real_engine_bears_a_page_full_of_lines() -> None:
    page = Image.new("RGB", (2400, 3200), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(24)
    for row in range(100):
        pen.text((60, 20 + 31 * row), f"{row} the quick brown fox jumps " * 5, "black", font)
    lines = read_picture(np.asarray(page), settings(reading_seconds=1), oriented=True)
    assert any("quick brown fox" in line.text for line in lines)
