"""Contact sheets: what goes on them, and that it can be read."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.media.sheets import CELLS, Sheet, arrange, sheet
from bot.problems import FileProblem, Reason
from tests.pictures import BLUE, GREEN, GREY, RED, corners, difference, encoded, opened

DARK, LIGHT = (8, 8, 8), (250, 250, 250)


def made(count: int, side: int = 1200, image: Image.Image | None = None) -> Sheet:
    jpeg = encoded(image or corners(600, 400))
    return sheet([(number, jpeg) for number in range(1, count + 1)], side)


def cells(image: Image.Image, columns: int) -> list[Image.Image]:
    """The square cells of a sheet, row by row."""
    side = image.width // columns
    rows = image.height // side
    return [
        image.crop((side * x, side * y, side * (x + 1), side * (y + 1)))
        for y in range(rows)
        for x in range(columns)
    ]


def strip(cell: Image.Image) -> np.ndarray:
    """The brightness of a cell's label."""
    gap, high = cell.width // 64, cell.width // 6
    return np.asarray(cell.crop((gap, gap, cell.width - gap, gap + high)).convert("L"))


@pytest.mark.parametrize(
    ("count", "columns", "rows"),
    [(1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 2, 2), (5, 3, 2), (7, 3, 3), (12, 4, 3)],
)
def test_the_grid(count: int, columns: int, rows: int) -> None:
    result = made(count)
    cell = 1200 // columns
    assert opened(result.jpeg).size == (result.width, result.height)
    assert (result.width, result.height) == (columns * cell, rows * cell)


def test_a_sheet_is_never_longer_than_its_side() -> None:
    sizes = [made(count, side=1000) for count in (1, 2, 3, 5, 10, 12, 20)]
    assert max(max(size.width, size.height) for size in sizes) <= 1000


def test_every_photo_is_in_its_cell_whole_and_in_proportion() -> None:
    colours = [RED, GREEN, BLUE, GREY]
    pictures = [
        (number, encoded(Image.new("RGB", size, colour)))
        for number, size, colour in zip(
            (3, 4, 5, 11), [(400, 300), (300, 400), (900, 90), (600, 600)], colours, strict=True
        )
    ]
    found = cells(opened(sheet(pictures, 1024).jpeg), 2)
    for cell, colour, ratio in zip(found, colours, [4 / 3, 3 / 4, 10, 1], strict=True):
        body = np.asarray(cell, np.int16)[cell.width // 5 :]
        here = (np.abs(body - np.array(colour)) < 30).all(axis=2)
        wide, high = here.any(axis=0).sum(), here.any(axis=1).sum()
        assert wide / high == pytest.approx(ratio, rel=0.1)
        assert max(wide, high) > 250


def test_small_photos_are_not_enlarged() -> None:
    cell = opened(made(1, side=800, image=corners(100, 50)).jpeg)
    box = (350, 0, 450, 800)
    body = np.asarray(cell.crop(box).convert("L"))[800 // 5 :]
    assert ((body < 240).any(axis=1)).sum() == pytest.approx(50, abs=8)


@pytest.mark.parametrize("colour", [DARK, LIGHT])
def test_labels_are_white_on_black_beside_any_photo(colour: tuple[int, int, int]) -> None:
    for cell in cells(opened(made(12, 2048, Image.new("RGB", (600, 400), colour)).jpeg), 4):
        label = strip(cell)
        letters = label > 200
        rows = np.flatnonzero(letters.any(axis=1))
        assert (label < 40).mean() > 0.8
        # Of a phone's 390 points of width, the sheet's 2048 pixels are all.
        assert np.ptp(rows) * 390 / 2048 > 8


def test_each_label_is_another() -> None:
    labels = [strip(cell) for cell in cells(opened(made(12, 2048).jpeg), 4)]
    pictures = [Image.fromarray(label) for label in labels]
    assert all(
        difference(one, other) > 1 for at, one in enumerate(pictures) for other in pictures[:at]
    )


def test_a_label_says_the_number_not_the_place() -> None:
    jpeg = encoded(corners())
    two, other = (opened(sheet([(number, jpeg)], 512).jpeg) for number in (2, 7))
    again = opened(sheet([(9, jpeg), (7, jpeg)], 1024).jpeg).crop((512, 0, 1024, 512))
    assert (
        difference(other, again)
        < 2
        < difference(Image.fromarray(strip(two)), Image.fromarray(strip(other)))
    )


def test_the_digest_is_that_of_the_sheet() -> None:
    result = made(2)
    assert result.sha256 == hashlib.sha256(result.jpeg).hexdigest()


def test_a_picture_that_cannot_be_read_is_named() -> None:
    with pytest.raises(FileProblem) as caught:
        sheet([(1, encoded(corners())), (7, b"gone")], 512)
    assert (caught.value.reason, caught.value.detail) == (Reason.DAMAGED, "P7")


def test_an_empty_sheet_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="needs pictures"):
        sheet([], 512)


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
    assert arrange(count, limit) == arranged


@given(st.integers(0, 400), st.integers(1, 60))
def test_arranging_keeps_the_limit_and_loses_nothing(count: int, limit: int) -> None:
    singles, sheets = arrange(count, limit)
    assert singles + sum(sheets) == count
    assert singles + len(sheets) <= limit
    assert max(sheets, default=0) - min(sheets, default=0) <= 1
    assert max(sheets, default=0) <= CELLS or (singles == 0 and len(sheets) == limit)
    more = singles + 1
    if sheets and max(sheets) <= CELLS:
        assert more + -(-(count - more) // CELLS) > limit
