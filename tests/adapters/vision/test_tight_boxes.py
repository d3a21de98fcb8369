"""The box of a line is drawn in to its letters, and to no less than them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from adapters.vision.polygons import area, coverage, iou, rectangle
from adapters.vision.tight_boxes import tighten

if TYPE_CHECKING:
    from adapters.vision.polygons import Corners
    from bot.media.pixels import Pixels

MIDDLE = (400.0, 200.0)


def written(
    text: str, size: int = 40, ink: int = 30, paper: int = 220, spacing: str = ""
) -> tuple[Pixels, Corners]:
    """Write a line in the middle of grey paper; returns it with the box of its ink."""
    picture = Image.new("L", (800, 400), paper)
    text = spacing.join(text)
    ImageDraw.Draw(picture).text(MIDDLE, text, ink, ImageFont.load_default(size), anchor="mm")
    shown = np.asarray(picture) != paper
    columns, rows = (np.flatnonzero(shown.any(axis=axis)) for axis in (0, 1))
    pixels = np.ascontiguousarray(np.repeat(np.asarray(picture)[:, :, None], 3, axis=2))
    return pixels, rectangle(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def grown(box: Corners, across: float, down: float) -> Corners:
    """Make an upright box larger by so many pixels to each side."""
    (left, top), (right, bottom) = box[0], box[2]
    return rectangle(left - across, top - down, right + across, bottom + down)


def leaning(pixels: Pixels, shapes: list[Corners], angle: float) -> tuple[Pixels, list[Corners]]:
    turn = cv2.getRotationMatrix2D(MIDDLE, angle, 1)
    turned = cv2.warpAffine(pixels, turn, (800, 400), borderMode=cv2.BORDER_REPLICATE)
    return turned, [cv2.transform(shape[None], turn)[0].astype(np.float32) for shape in shapes]


def assert_close(box: Corners, ink: Corners) -> None:
    assert coverage(ink, box) > 0.99
    assert iou(box, ink) > 0.6


@pytest.mark.parametrize("angle", [0, 12, -30])
@pytest.mark.parametrize("size", [14, 40, 110])
def test_a_loose_box_is_drawn_in_to_the_letters(angle: float, size: int) -> None:
    pixels, ink = written("KX42 BRT", size)
    pixels, [ink, loose] = leaning(pixels, [ink, grown(ink, size, size / 2)], angle)
    assert iou(loose, ink) < 0.45
    assert_close(tighten(pixels, loose), ink)


@pytest.mark.parametrize(
    "text", ["Äußerst gipfelig", "jump", "sunrise overseas memoranda Sums", "It's 1", "ij", "i 1"]
)
def test_dots_tails_and_what_stands_apart_stay_in_the_box(text: str) -> None:
    pixels, ink = written(text)
    assert coverage(ink, tighten(pixels, grown(ink, 12, 12))) > 0.99


def test_digits_as_far_apart_as_on_wheels_stay_in_the_box() -> None:
    pixels, ink = written("100401", spacing=" ")
    assert_close(tighten(pixels, grown(ink, 20, 15)), ink)


def test_the_edges_of_the_paper_are_not_letters() -> None:
    pixels, ink = written("KX42 BRT", 40, paper=200)
    plate = grown(ink, 40, 18)
    (left, top), (right, bottom) = plate[0].astype(int), plate[2].astype(int)
    ground = np.full_like(pixels, 90)
    ground[top:bottom, left:right] = pixels[top:bottom, left:right]
    assert_close(tighten(ground, grown(plate, 6, 6)), ink)


def test_dim_and_grainy_letters_are_found() -> None:
    pixels, ink = written("HARBOUR", ink=20, paper=50)
    grain = np.random.default_rng(1).normal(0, 3, pixels.shape)
    grainy = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    assert_close(tighten(grainy, grown(ink, 20, 15)), ink)


@pytest.mark.parametrize("angle", [0, 25])
def test_a_box_never_grows(angle: float) -> None:
    pixels, ink = written("PARKING")
    pixels, [narrow] = leaning(pixels, [grown(ink, -20, -5)], angle)
    assert coverage(tighten(pixels, narrow), narrow) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    "box",
    [rectangle(100, 100, 300, 140), rectangle(100, 50, 140, 300), rectangle(390, 190, 393, 193)],
    ids=["nothing there", "a line that runs downwards", "too small"],
)
def test_a_box_that_tells_nothing_stays(box: Corners) -> None:
    pixels, _ = written("I")
    assert tighten(pixels, box) is box


def test_a_speck_in_a_box_is_not_its_line() -> None:
    pixels, ink = written("o", 20)
    box = grown(ink, 80, 4)
    assert area(tighten(pixels, box)) == area(box)


def test_a_box_may_reach_beyond_the_picture() -> None:
    pixels, ink = written("KX42 BRT", 40)
    (left, top), (right, bottom) = ink[0].astype(int), ink[2].astype(int)
    cut = np.ascontiguousarray(pixels[top - 2 : bottom + 2, left - 2 : right + 2])
    moved = ink - ink[0] + 2
    assert_close(tighten(cut, grown(moved, 10, 10)), moved)
