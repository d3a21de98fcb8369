"""Contact sheets: what goes on them, and that it can be read."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.domain.outlines import Outline
from bot.errors import FileProblem, Reason
from bot.media.contact_sheet import CELLS, Sheet, contact_sheet, distribute, outlined_sheet
from bot.media.draw_outlines import HUES
from tests.helpers.images import (
    BLUE,
    GREEN,
    GREY,
    RED,
    corners_image,
    detailed_image,
    difference,
    encode_image,
    open_jpeg,
)

DARK, LIGHT = (8, 8, 8), (250, 250, 250)
WIDE = (1600, 900)
PLACE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


def made(count: int, side: int = 1200, image: Image.Image | None = None) -> Sheet:
    jpeg = encode_image(image or corners_image(1200, 800))
    return contact_sheet([(f"P{number}", jpeg) for number in range(1, count + 1)], side)


def cells(image: Image.Image, columns: int, rows: int) -> list[Image.Image]:
    """The cells of a sheet, row by row."""
    width, height = image.width // columns, image.height // rows
    return [
        image.crop((width * x, height * y, width * (x + 1), height * (y + 1)))
        for y in range(rows)
        for x in range(columns)
    ]


def strip(cell: Image.Image) -> np.ndarray:
    """The brightness of a cell's label: the black from its top on, without what is around it."""
    pixels = np.asarray(cell.convert("L"))
    rows = np.flatnonzero((pixels < 40).mean(axis=1) > 0.3)
    end = rows[0] + np.argmax(np.append(np.diff(rows), 2) > 1) + 1
    columns = np.flatnonzero((pixels[rows[0] : end] < 40).mean(axis=0) > 0.5)
    return pixels[rows[0] : end, columns[0] : columns[-1] + 1]


def inked(image: Image.Image, number: int) -> int:
    """How many pixels have the colour of an outline."""
    hue = np.array(HUES[number - 1][::-1], np.int16)
    return int((np.abs(np.asarray(image, np.int16) - hue) < 40).all(axis=2).sum())


@pytest.mark.parametrize(
    ("size", "count", "columns", "rows"),
    [
        ((900, 900), 1, 1, 1),
        ((900, 900), 4, 2, 2),
        ((900, 900), 12, 4, 3),
        (WIDE, 2, 1, 2),
        (WIDE, 4, 2, 2),
        (WIDE, 8, 2, 4),
        (WIDE, 10, 3, 4),
        (WIDE[::-1], 3, 3, 1),
        (WIDE[::-1], 8, 4, 2),
    ],
)
def test_cells_have_the_proportion_of_the_pictures(
    size: tuple[int, int], count: int, columns: int, rows: int
) -> None:
    result = made(count, 2048, Image.new("RGB", size, RED))
    image = open_jpeg(result.jpeg)
    assert image.size == (result.width, result.height)
    for cell in cells(image, columns, rows)[:count]:
        red = (np.abs(np.asarray(cell, np.int16) - np.array(RED)) < 30).all(axis=2)
        assert red.any(axis=0).mean() > 0.95
        assert red.any(axis=0).sum() / red.any(axis=1).sum() == pytest.approx(
            size[0] / size[1], rel=0.02
        )


def test_a_sheet_is_never_longer_than_its_side() -> None:
    sizes = [made(count, side=1000) for count in (1, 2, 3, 5, 10, 12, 20, 60)]
    assert max(max(size.width, size.height) for size in sizes) <= 1000


def test_every_photo_is_in_its_cell_whole_and_in_proportion() -> None:
    colours = [RED, GREEN, BLUE, GREY]
    pictures = [
        (f"P{number}", encode_image(Image.new("RGB", size, colour)))
        for number, size, colour in zip(
            (3, 4, 5, 11), [(400, 300), (300, 400), (900, 90), (600, 600)], colours, strict=True
        )
    ]
    found = cells(open_jpeg(contact_sheet(pictures, 1024).jpeg), 2, 2)
    for cell, colour, ratio in zip(found, colours, [4 / 3, 3 / 4, 10, 1], strict=True):
        body = np.asarray(cell, np.int16)[cell.width // 8 :]
        here = (np.abs(body - np.array(colour)) < 30).all(axis=2)
        wide, high = here.any(axis=0).sum(), here.any(axis=1).sum()
        assert wide / high == pytest.approx(ratio, rel=0.1)
        assert max(wide, high) > 250


def test_small_pictures_are_not_enlarged_and_make_a_small_sheet() -> None:
    result = made(4, side=2048, image=corners_image(160, 90))
    assert (result.width, result.height) < (400, 300)
    cell = cells(open_jpeg(result.jpeg), 2, 2)[0]
    assert cell.size == (160 + 2 * 8, 90 + 90 // 4 + 3 * 8)
    assert cell.convert("L").getpixel((8 + 40, 22 + 16 + 8)) == pytest.approx(86, abs=8)


@pytest.mark.parametrize("colour", [DARK, LIGHT])
def test_labels_are_white_on_black_beside_any_photo(colour: tuple[int, int, int]) -> None:
    for cell in cells(open_jpeg(made(12, 2048, Image.new("RGB", (700, 700), colour)).jpeg), 4, 3):
        label = strip(cell)
        letters = label > 200
        rows = np.flatnonzero(letters.any(axis=1))
        assert (label < 40).mean() > 0.8
        # Of a phone's 390 points of width, the sheet's 2048 pixels are all.
        assert np.ptp(rows) * 390 / 2048 > 8


def test_each_label_is_another() -> None:
    labels = [strip(cell) for cell in cells(open_jpeg(made(9, 2048).jpeg), 3, 3)]
    pictures = [Image.fromarray(label[:80, :400]) for label in labels]
    assert all(
        difference(one, other) > 1 for at, one in enumerate(pictures) for other in pictures[:at]
    )


def test_a_label_says_what_it_is_given_and_fits() -> None:
    jpeg = encode_image(corners_image(120, 400))
    labels = ["V1 0:12.4", "V1 0:12.5", "V1 0:12.4", "V12 1:02:03.4"]
    image = open_jpeg(contact_sheet([(label, jpeg) for label in labels], 1024).jpeg)
    one, other, same, long = (strip(cell) for cell in cells(image, 4, 1))
    assert difference(Image.fromarray(one), Image.fromarray(same)) < 1
    assert difference(Image.fromarray(one), Image.fromarray(other)) > 1
    for label in (one, long):
        written = np.flatnonzero((label > 128).any(axis=0))
        assert written[0] > 2
        assert written[-1] < label.shape[1] - 2


def test_frames_are_shown_with_their_own_outlines_and_as_large_as_fits() -> None:
    jpeg = encode_image(Image.new("RGB", (320, 180), DARK))
    outlines = [[Outline(1, 1, "car", PLACE)], [], [Outline(2, 3, "dog", PLACE)], []]
    framed = [(f"0:0{at}.0", jpeg, own) for at, own in enumerate(outlines)]
    result = outlined_sheet(framed, 1024, 1_000_000)
    image = open_jpeg(result.jpeg)
    assert image.size == (result.width, result.height)
    assert result.width == 1024
    assert result.sha256 == hashlib.sha256(result.jpeg).hexdigest()
    first, second, third, fourth = cells(image, 2, 2)
    assert inked(first, 1) > 200 > 50 > inked(third, 1)
    assert inked(third, 2) > 200 > 50 > inked(first, 2)
    assert max(inked(cell, number) for cell in (second, fourth) for number in (1, 2)) < 50


def test_the_numbers_of_outlines_can_be_read_on_small_cells() -> None:
    jpeg = encode_image(Image.new("RGB", WIDE, DARK))
    framed = [(f"0:{at:02}.0", jpeg, [Outline(1, at, "car", PLACE)]) for at in range(10)]
    cell = cells(open_jpeg(outlined_sheet(framed, 1024, 1_000_000).jpeg), 3, 4)[0]
    orange = np.array(HUES[0][::-1])
    here = (np.abs(np.asarray(cell, np.int16) - orange) < 40).all(axis=2)
    # The number stands above its outline, and makes the widest rows of colour after its lines.
    badge = [row for row in here if 12 < row.sum() < 40]
    assert len(badge) * 390 / 1024 > 5


def test_frames_take_no_more_bytes_than_allowed() -> None:
    jpeg = encode_image(detailed_image(1280, 704))
    framed = [(f"0:0{at}.0", jpeg, ()) for at in range(6)]
    large, small = (outlined_sheet(framed, 1024, most) for most in (1_000_000, 60_000))
    assert len(small.jpeg) <= 60_000 < len(large.jpeg)
    assert small.width / small.height == pytest.approx(large.width / large.height, rel=0.05)
    with pytest.raises(ValueError, match="no picture fits"):
        outlined_sheet(framed, 1024, 100)


def test_the_digest_is_that_of_the_sheet() -> None:
    result = made(2)
    assert result.sha256 == hashlib.sha256(result.jpeg).hexdigest()


def test_a_picture_that_cannot_be_read_is_named() -> None:
    with pytest.raises(FileProblem) as caught:
        contact_sheet([("P1", encode_image(corners_image())), ("V1 0:07.0", b"gone")], 512)
    assert (caught.value.reason, caught.value.detail) == (Reason.DAMAGED, "V1 0:07.0")


def test_an_empty_sheet_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="needs pictures"):
        contact_sheet([], 512)
    with pytest.raises(ValueError, match="needs pictures"):
        outlined_sheet([], 512, 1_000_000)


@pytest.mark.parametrize(
    ("count", "limit", "arranged"),
    [
        (0, 10, (0, ())),
        (10, 10, (10, ())),
        (11, 10, (9, (2,))),
        (21, 10, (9, (12,))),
        (22, 10, (8, (7, 7))),
        (60, 10, (5, (11,) * 5)),
        (120, 10, (0, (12,) * 10)),
        (3, 2, (1, (2,))),
        (60, 2, (0, (30, 30))),
        (5, 1, (0, (5,))),
    ],
)
def test_arranging(count: int, limit: int, arranged: tuple[int, tuple[int, ...]]) -> None:
    assert distribute(count, limit) == arranged


@given(st.integers(0, 400), st.integers(1, 60))
def test_arranging_keeps_the_limit_and_loses_nothing(count: int, limit: int) -> None:
    singles, sheets = distribute(count, limit)
    assert singles + sum(sheets) == count
    assert singles + len(sheets) <= limit
    assert max(sheets, default=0) - min(sheets, default=0) <= 1
    assert max(sheets, default=0) <= CELLS or (singles == 0 and len(sheets) == limit)
    more = singles + 1
    if sheets and max(sheets) <= CELLS:
        assert more + -(-(count - more) // CELLS) > limit
