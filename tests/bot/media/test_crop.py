"""A part of a photo at full resolution: which part, which way up, how large."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, Base

from bot.domain.boxes import Box
from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.crop import MIN_SIDE, Crop
from bot.media.photos import crop_photo
from bot.sandbox import ChildProcesses
from tests.helpers.images import (
    BLUE,
    GREEN,
    GREY,
    MEDIA,
    RED,
    corners_image,
    detailed_image,
    difference,
    encode_image,
    exif_block,
    open_jpeg,
    orientation_exif,
    png,
)

if TYPE_CHECKING:
    from pathlib import Path

QUARTERS = {
    "top left": (Box(0, 0, 450, 450), RED),
    "top right": (Box(550, 0, 999, 450), GREEN),
    "bottom left": (Box(0, 550, 450, 999), BLUE),
    "bottom right": (Box(550, 550, 999, 999), GREY),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def cropped(file: Path, data: bytes, box: Box, side: int = 1024, **limits: Any) -> Crop:
    file.write_bytes(data)
    return crop_photo(file, FileLimits(**limits), box, side)


def colour(made: Crop) -> tuple[float, ...]:
    """The mean colour of a crop that has only one."""
    picture = open_jpeg(made.jpeg)
    extremes = picture.getextrema()
    assert all(high - low < 24 for low, high in extremes)
    return tuple(sum(extreme) / 2 for extreme in extremes)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("box", "expected"), QUARTERS.values(), ids=QUARTERS)
def test_the_box_is_cut_from_the_upright_photo(
    file: Path, orientation: int, box: Box, expected: tuple[int, int, int]
) -> None:
    """What is stored is turned so that, upright, it is the same picture each time."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = corners_image(640, 480) if undo is None else corners_image(640, 480).transpose(undo)
    made = cropped(file, encode_image(stored, exif=orientation_exif(orientation)), box)
    assert colour(made) == pytest.approx(expected, abs=12)


@pytest.mark.parametrize("writer", ["PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_every_kind_of_file_can_be_cut(file: Path, writer: str) -> None:
    box, expected = QUARTERS["bottom left"]
    made = cropped(file, encode_image(corners_image(640, 480), writer), box)
    assert colour(made) == pytest.approx(expected, abs=12)


def test_a_heic_is_cut_upright() -> None:
    made = crop_photo(MEDIA / "arrow.heic", FileLimits(), Box(0, 0, 999, 500), 1024)
    assert made.width > made.height


def test_the_crop_has_all_that_the_original_holds(file: Path) -> None:
    photo = detailed_image(4000, 3000)
    made = cropped(file, encode_image(photo), Box(250, 250, 450, 450))
    first, last = (250 * 4000 // 999, 250 * 3000 // 999), (-(-450 * 4000 // 999), 1352)
    assert (made.width, made.height) == (last[0] - first[0], last[1] - first[1])
    assert difference(open_jpeg(made.jpeg), photo.crop((*first, *last))) < 4


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(0, 0, 999, 999), (1024, 768)),
        (Box(0, 0, 500, 999), (683, 1024)),
        (Box(0, 0, 999, 100), (1024, 77)),
    ],
)
def test_a_large_part_is_made_smaller(file: Path, box: Box, size: tuple[int, int]) -> None:
    made = cropped(file, encode_image(corners_image(4032, 3024)), box)
    assert (made.width, made.height) == open_jpeg(made.jpeg).size
    assert (made.width, made.height) == pytest.approx(size, abs=2)


def test_a_tiny_part_is_enlarged_without_blocks(file: Path) -> None:
    photo = detailed_image(1000, 1000)
    made = cropped(file, encode_image(photo), Box(100, 100, 200, 150))
    assert made.width == MIN_SIDE
    assert made.height == pytest.approx(MIN_SIDE / 2, rel=0.03)
    part = photo.crop((100, 100, 201, 151))
    smooth = part.resize((made.width, made.height), Image.Resampling.LANCZOS)
    blocks = part.resize((made.width, made.height), Image.Resampling.NEAREST)
    picture = open_jpeg(made.jpeg)
    assert difference(picture, smooth) < difference(picture, blocks) / 2


@pytest.mark.parametrize("corner", [(0, 0), (997, 997), (500, 500)])
def test_a_part_of_a_few_pixels_is_widened(file: Path, corner: tuple[int, int]) -> None:
    left, top = corner
    made = cropped(file, encode_image(corners_image(400, 400)), Box(left, top, left + 1, top + 1))
    assert (made.width, made.height) == (MIN_SIDE, MIN_SIDE)


def test_a_photo_of_a_few_pixels_is_shown_whole(file: Path) -> None:
    made = cropped(file, encode_image(corners_image(16, 8), "PNG"), Box(0, 0, 999, 999))
    assert (made.width, made.height) == (MIN_SIDE, MIN_SIDE // 2)


def test_no_metadata_leaves(file: Path) -> None:
    place = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (52.0, 30.0, 0.0)}
    exif = exif_block({Base.Make: "Example"}, {}, place).tobytes()
    made = cropped(file, encode_image(corners_image(640, 480), exif=exif), Box(0, 0, 500, 500))
    assert not open_jpeg(made.jpeg).getexif()
    assert not re.search(rb"Exif|Example", made.jpeg)
    assert made.sha256 == hashlib.sha256(made.jpeg).hexdigest()


def test_a_cut_file_is_cut_as_far_as_it_goes(file: Path) -> None:
    whole = encode_image(corners_image(640, 480))
    made = cropped(file, whole[: len(whole) * 2 // 3], QUARTERS["top left"][0])
    assert colour(made) == pytest.approx(RED, abs=12)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"%PDF-1.4", Reason.UNSUPPORTED),
        (b"\xff\xd8\xff", Reason.DAMAGED),
        (png(20_000, 20_000), Reason.TOO_MANY_PIXELS),
    ],
)
def test_what_is_no_photo_has_its_reason(file: Path, data: bytes, reason: Reason) -> None:
    with pytest.raises(FileProblem) as caught:
        cropped(file, data, Box(0, 0, 500, 500))
    assert caught.value.reason is reason


async def test_it_runs_in_a_child(file: Path) -> None:
    file.write_bytes(encode_image(detailed_image(4000, 3000)))
    children = ChildProcesses(ChildLimits(children=1), FileLimits())
    try:
        made = await children.run(crop_photo, file, FileLimits(), Box(100, 100, 200, 200), 1024)
    finally:
        await children.close()
    assert open_jpeg(made.jpeg).size == (made.width, made.height)
