"""Outlines on a picture, judged by its pixels inside, on and around them."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from adapters.page.assets import read_assets
from bot.domain.outlines import Outline
from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.draw_outlines import (
    DARK,
    HUES,
    PICTURE_BYTES,
    PICTURE_SIDE,
    SMALL_PICTURE_BYTES,
    OutlinedPicture,
    draw,
    lay_out,
)
from bot.sandbox import ChildProcesses
from tests.helpers.images import MEDIA, corners_image, detailed_image, encode_image, open_jpeg

if TYPE_CHECKING:
    from bot.domain.sightings import Polygon
    from bot.media.label_placement import Rectangle

GROUNDS = [
    (0, 0, 0),
    (255, 255, 255),
    (119, 119, 119),
    *((red, green, blue) for blue, green, red in HUES),
]

BLEEDING = 16
"""So many pixels around it a line shows in a JPEG, which halves the resolution of colours."""


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def outlines(*polygons: Polygon, first: int = 1) -> list[Outline]:
    return [Outline(number, 1, "thing", one) for number, one in enumerate(polygons, start=first)]


def plain(size: tuple[int, int], colour: tuple[int, int, int]) -> bytes:
    return encode_image(Image.new("RGB", size, colour))


def pixels(drawing: OutlinedPicture) -> np.ndarray:
    picture = np.asarray(open_jpeg(drawing.jpeg).convert("RGB"), np.int16)
    assert picture.shape[:2] == (drawing.height, drawing.width)
    return picture


def changed(jpeg: bytes, targets: list[Outline]) -> np.ndarray:
    """By how many levels each pixel differs from the same picture without outlines."""
    return np.abs(pixels(draw(jpeg, targets)) - pixels(draw(jpeg, []))).max(axis=2)


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = colours / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    light, dark = np.maximum(one, other), np.minimum(one, other)
    return np.asarray((light + 0.05) / (dark + 0.05))


def part(picture: np.ndarray, spot: Rectangle, inset: int = 0) -> np.ndarray:
    top, left = round(spot.top) + inset, round(spot.left) + inset
    bottom, right = round(spot.top + spot.height) - inset, round(spot.left + spot.width) - inset
    return picture[top:bottom, left:right]


@pytest.mark.parametrize("colour", GROUNDS)
def test_the_inside_and_the_rest_of_the_picture_stay_as_they_were(
    colour: tuple[int, int, int],
) -> None:
    targets = outlines(box(0.25, 0.25, 0.75, 0.75))
    difference = changed(plain((1000, 1000), colour), targets)
    part(difference, lay_out(targets, 1000, 1000).labels[0], -BLEEDING)[:] = 0
    assert difference[266:734, 266:734].max() < 8
    difference[226:774, 226:774] = 0
    assert difference.max() < 8


@pytest.mark.parametrize("colour", GROUNDS)
def test_outlines_stand_out_on_any_ground_on_every_side(colour: tuple[int, int, int]) -> None:
    targets = outlines(box(0.25, 0.25, 0.75, 0.75))
    light = luminance(pixels(draw(plain((1000, 1000), colour), targets)))
    ground = luminance(np.array(colour))
    sides = [light[235:252, 600], light[749:766, 400], light[500, 235:252], light[500, 749:766]]
    for across in sides:
        assert contrast(across, ground).max() >= 3
        assert contrast(across.max(), across.min()) >= 7


@pytest.mark.parametrize("colour", GROUNDS)
@pytest.mark.parametrize("first", [1, 5, 8, 14])
def test_numbers_are_readable_on_any_ground(colour: tuple[int, int, int], first: int) -> None:
    targets = outlines(box(0.1, 0.3, 0.3, 0.6), box(0.5, 0.3, 0.8, 0.6), first=first)
    picture = pixels(draw(plain((1000, 750), colour), targets))
    for outline, spot in zip(targets, lay_out(targets, 1000, 750).labels, strict=True):
        inner = luminance(part(picture, spot, 6))
        ground, ink = np.median(inner), inner[len(inner) // 2]
        blue, green, red = HUES[(outline.number - 1) % len(HUES)]
        assert ground == pytest.approx(luminance(np.array((red, green, blue))), abs=0.03)
        assert contrast(ground, ink).max() >= 4.5


def test_numbers_can_be_read_on_a_phone() -> None:
    """Of a phone's 390 points of width, the picture's 1024 pixels are all."""
    targets = outlines(box(0.4, 0.4, 0.6, 0.6))
    picture = pixels(draw(plain((1024, 768), (255, 255, 255)), targets))
    inner = luminance(part(picture, lay_out(targets, 1024, 768).labels[0], 6))
    rows = np.flatnonzero((inner < 0.1).any(axis=1))
    assert np.ptp(rows) * 390 / 1024 >= 9


def test_each_number_looks_different() -> None:
    labels = []
    for number in range(1, 21):
        targets = outlines(box(0.4, 0.4, 0.6, 0.6), first=number)
        picture = pixels(draw(plain((800, 600), (90, 90, 90)), targets))
        label = luminance(part(picture, lay_out(targets, 800, 600).labels[0], 4))
        labels.append(label > np.median(label) + 0.1 if number % 7 == 5 else label < 0.03)
    for at, one in enumerate(labels):
        for other in labels[:at]:
            assert one.shape != other.shape or (one != other).mean() > 0.02


def test_numbers_do_not_hide_what_they_name_nor_each_other() -> None:
    rows = [
        box(x / 10, y / 10, x / 10 + 0.04, y / 10 + 0.04)
        for x in (1, 3, 5, 7, 9)
        for y in (2, 4, 6, 8)
    ]
    targets = outlines(*rows)
    jpeg = plain((1000, 800), (200, 200, 200))
    difference = changed(jpeg, targets)
    for left, top in (polygon[0] for polygon in rows):
        x, y = round(left * 1000), round(top * 800)
        assert difference[y + 6 : y + 26, x + 6 : x + 34].max() < 12
    layout = lay_out(targets, 1000, 800)
    for at, spot in enumerate(layout.labels):
        assert all(spot.overlap(other) == 0 for other in layout.labels[:at])


def test_a_leaning_outline_leaves_the_corners_of_its_bounds() -> None:
    leaning = ((0.2, 0.5), (0.7, 0.2), (0.75, 0.3), (0.25, 0.6))
    targets = outlines(leaning)
    difference = changed(plain((1000, 1000), (128, 128, 128)), targets)
    part(difference, lay_out(targets, 1000, 1000).labels[0], -BLEEDING)[:] = 0
    assert difference[205:330, 205:330].max() < 8
    assert difference[500:590, 640:740].max() < 8
    middle = [(round(x * 1000), round(y * 1000)) for x, y in ((0.45, 0.35), (0.5, 0.45))]
    for x, y in middle:
        assert difference[y - 12 : y + 12, x - 12 : x + 12].max() > 60


@pytest.mark.parametrize("polygon", [box(0, 0, 1, 1), box(-0.2, 0.5, 0.4, 1.3)])
def test_an_outline_at_the_edge_stays_in_the_picture(polygon: Polygon) -> None:
    light = luminance(pixels(draw(plain((800, 600), (0, 0, 0)), outlines(polygon))))
    assert light[:, :8].max() > 0.5
    assert light[-8:].max() > 0.5


@pytest.mark.parametrize(
    "polygon",
    [box(0.5, 0.5, 0.5, 0.5), box(0.2, 0.5, 0.8, 0.5), ((0.1, 0.1), (0.9, 0.9), (0.5, 0.1))],
)
def test_points_lines_and_triangles_are_drawn(polygon: Polygon) -> None:
    assert changed(plain((640, 480), (128, 128, 128)), outlines(polygon)).max() > 60


def test_a_small_target_is_whole_inside_a_large_one() -> None:
    targets = outlines(box(0.5, 0.5, 0.6, 0.6), box(0.2, 0.2, 0.8, 0.8))
    difference = changed(plain((1000, 1000), (128, 128, 128)), targets)
    assert difference[516:584, 516:584].max() < 8
    assert (difference[488:498, 500:600].max(axis=0) > 60).all()


@pytest.mark.parametrize(("limit", "least"), [(PICTURE_BYTES, 1024), (SMALL_PICTURE_BYTES, 300)])
def test_a_picture_is_never_larger_than_it_may_be(limit: int, least: int) -> None:
    jpeg = encode_image(detailed_image(2048, 1536))
    drawing = draw(jpeg, outlines(box(0.2, 0.2, 0.8, 0.8)), PICTURE_SIDE, limit)
    assert len(drawing.jpeg) <= limit
    assert least <= max(drawing.width, drawing.height) <= PICTURE_SIDE
    assert drawing.width / drawing.height == pytest.approx(4 / 3, rel=0.01)


def test_what_cannot_be_so_small_is_an_error() -> None:
    with pytest.raises(ValueError, match="no picture fits in 100 bytes"):
        draw(encode_image(detailed_image(640, 480)), [], max_bytes=100)


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ((2048, 1536), (1024, 768)),
        ((768, 2048), (384, 1024)),
        ((700, 500), (700, 500)),
        ((157, 81), (512, 264)),
        ((2048, 4), (1024, 2)),
    ],
)
def test_the_size_of_the_picture(size: tuple[int, int], drawn: tuple[int, int]) -> None:
    drawing = draw(plain(size, (9, 99, 9)), outlines(box(0.4, 0.4, 0.6, 0.6)))
    assert (drawing.width, drawing.height) == drawn == open_jpeg(drawing.jpeg).size


def test_the_original_is_left_alone_and_nothing_of_it_but_pixels_leaves() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    jpeg = encode_image(corners_image(900, 600), exif=exif)
    before = bytes(jpeg)
    drawing = draw(jpeg, outlines(box(0.4, 0.4, 0.6, 0.6)))
    assert jpeg == before
    assert b"Secret" not in drawing.jpeg
    assert not open_jpeg(drawing.jpeg).getexif()


def test_real_photos_keep_what_is_outlined() -> None:
    buffer = io.BytesIO()
    Image.open(MEDIA / "sign_sports_centre.jpg").save(buffer, "JPEG", quality=92)
    targets = outlines(box(0.33, 0.63, 0.62, 0.72), box(0.33, 0.83, 0.6, 0.9))
    difference = changed(buffer.getvalue(), targets)
    for (left, top), _, (right, bottom), _ in (outline.polygon for outline in targets):
        x, y, right_x, bottom_y = (
            round(side * scale)
            for side, scale in zip((left, top, right, bottom), (1024, 768) * 2, strict=True)
        )
        inside = difference[y + 9 : bottom_y - 9, x + 9 : right_x - 9]
        around = difference[y - 8 : bottom_y + 8, x - 8 : right_x + 8]
        assert inside.mean() < 2
        assert around.max() > 60


def test_colours_can_be_told_apart_by_everybody_and_are_those_of_the_page() -> None:
    """The palette of Okabe and Ito without its black."""
    palette = ["e69f00", "56b4e9", "009e73", "f0e442", "0072b2", "d55e00", "cc79a7"]
    assert ["{2:02x}{1:02x}{0:02x}".format(*hue) for hue in HUES] == palette
    css = read_assets()["page.css"].body.decode()
    assert re.findall(r"\.hue\d \{ --hue: #(\w{6})", css) == palette


def test_the_layout_leaves_room_for_the_lines() -> None:
    layout = lay_out(outlines(box(0.5, 0.5, 0.6, 0.6)), 1024, 768)
    assert layout.unit == 2
    (target,), (spot,) = layout.targets, layout.labels
    assert spot.top + spot.height == pytest.approx(target[:, 1].min() - DARK * layout.unit)


async def test_it_runs_in_a_child() -> None:
    children = ChildProcesses(ChildLimits(children=1), FileLimits())
    try:
        jpeg = Path(MEDIA / "notice_double_parking.jpg").read_bytes()
        drawing = await children.run(draw, jpeg, outlines(box(0.2, 0.2, 0.5, 0.5)))
        assert open_jpeg(drawing.jpeg).size == (800, 600)
        with pytest.raises(FileProblem) as error:
            await children.run(draw, b"gone", [])
        assert error.value.reason is Reason.DAMAGED
    finally:
        await children.close()
