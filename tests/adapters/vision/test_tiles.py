"""Tiles cover a picture, and what they show is put together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from adapters.vision.polygons import area, iou, rectangle
from adapters.vision.tiles import Tile, join_shapes, quarters, scale_for, tiles_of


@pytest.mark.parametrize("size", [(4032, 3024), (3024, 4032), (1281, 200), (5000, 1280)])
def test_tiles_cover_every_pixel_and_overlap(size: tuple[int, int]) -> None:
    width, height = size
    shown = np.zeros((height, width), np.uint8)
    tiles = tiles_of(width, height, 1280, 128)
    for tile in tiles:
        assert max(tile.width, tile.height) <= 1280
        part = tile.of(shown)
        assert part.shape == (tile.height, tile.width)
        part += 1
    assert shown.min() == 1
    assert shown.max() >= 2
    rows = sorted({tile.left for tile in tiles})
    assert all(right - left <= tiles[0].width - 127 for left, right in pairwise(rows))


def test_a_picture_that_one_tile_covers_has_one() -> None:
    assert tiles_of(1280, 900, 1280, 128) == [Tile(0, 0, 1280, 900, (1280, 900))]


@pytest.mark.parametrize("most", [1, 2, 4, 6, 12, 40])
@pytest.mark.parametrize("size", [(4032, 3024), (9000, 400), (2048, 1536)])
def test_the_scale_is_the_largest_that_so_many_tiles_cover(
    size: tuple[int, int], most: int
) -> None:
    width, height = size

    def needed(scale: float) -> int:
        return len(tiles_of(round(width * scale), round(height * scale), 1280, 128))

    scale = scale_for(width, height, 1280, 128, most)
    assert needed(scale) <= most
    assert scale == 1 or needed(scale + 0.02) > most


def test_four_tiles_show_all_of_a_picture() -> None:
    shown = np.zeros((600, 1000), np.uint8)
    for tile in quarters(1000, 600, 0.6):
        tile.of(shown)[:] = 1
    assert shown.all()


@pytest.mark.parametrize(
    ("shape", "is_cut"),
    [
        (rectangle(10, 10, 50, 20), False),
        (rectangle(0, 0, 50, 20), False),
        (rectangle(60, 10, 99, 20), True),
        (rectangle(10, 90, 50, 100), True),
    ],
)
def test_a_tile_cuts_what_ends_at_its_edge_but_not_at_the_picture_s(
    shape: np.ndarray, is_cut: bool
) -> None:
    assert Tile(0, 0, 100, 100, (200, 200)).cuts(shape) is is_cut
    assert not Tile(0, 0, 100, 100, (100, 100)).cuts(shape)


def test_what_two_tiles_show_is_kept_once_and_the_larger_one() -> None:
    small, large = rectangle(100, 10, 180, 30), rectangle(100, 10, 200, 30)
    assert [area(shape) for shape in join_shapes([(small, False), (large, False)])] == [2000]
    assert [area(shape) for shape in join_shapes([(small, True), (large, False)])] == [2000]


def test_the_ends_of_a_long_line_are_put_together() -> None:
    left, right = rectangle(0, 100, 1000, 130), rectangle(870, 101, 1900, 131)
    [line] = join_shapes([(left, True), (right, True)])
    assert iou(line, rectangle(0, 100, 1900, 131)) > 0.95
    assert line[0] == pytest.approx((0, 100), abs=2)


def test_a_long_line_of_three_tiles_is_put_together() -> None:
    parts = [rectangle(0, 0, 500, 20), rectangle(400, 0, 1000, 20), rectangle(900, 0, 1300, 20)]
    [line] = join_shapes([(part, True) for part in parts])
    assert iou(line, rectangle(0, 0, 1300, 20)) > 0.95


def test_lines_below_each_other_stay_two() -> None:
    one, other = rectangle(0, 100, 1000, 130), rectangle(870, 126, 1900, 156)
    assert len(join_shapes([(one, True), (other, True)])) == 2


def test_leaning_ends_are_put_together_with_their_lean() -> None:
    turn = np.array([[0.97, -0.26], [0.26, 0.97]], np.float32)
    left, right = rectangle(0, 0, 700, 30) @ turn.T, rectangle(600, 0, 1300, 30) @ turn.T
    [line] = join_shapes([(left, True), (right, True)])
    assert iou(line, rectangle(0, 0, 1300, 30) @ turn.T) > 0.9
