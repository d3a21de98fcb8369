"""What a file's header says, and the limits held against it before any pixel."""

from __future__ import annotations

from typing import Any

import pytest
from PIL.ExifTags import GPS, Base

from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media.file_types import sniff
from bot.media.photo_metadata import PhotoHeader, read_header
from tests.helpers.images import (
    MEDIA,
    chunk,
    corners_image,
    encode_image,
    exif_block,
    orientation_exif,
    png,
    zeros_zip,
)

WITH_EXIF = ["JPEG", "MPO", "PNG", "WEBP", "TIFF"]


def header_of(data: bytes, **limits: Any) -> PhotoHeader:
    return read_header(data, sniff(data), FileLimits(**limits))


@pytest.mark.parametrize("writer", WITH_EXIF)
def test_exif_is_read_in_every_format_that_carries_it(writer: str) -> None:
    exif = exif_block(
        {Base.Make: "Example", Base.Model: "One", Base.Orientation: 6},
        {Base.DateTimeOriginal: "2026:11:22 08:15:00", Base.OffsetTimeOriginal: "+01:00"},
        {
            GPS.GPSLatitudeRef: "N",
            GPS.GPSLatitude: (52.0, 30.0, 0.0),
            GPS.GPSLongitudeRef: "W",
            GPS.GPSLongitude: (13.0, 15.0, 36.0),
        },
    )
    data = encode_image(corners_image(96, 64), writer, exif=exif.tobytes())
    facts = header_of(data).facts
    assert (facts.width, facts.height, facts.size) == (64, 96, len(data))
    assert facts.taken == "2026-11-22T08:15:00+01:00"
    assert (facts.latitude, facts.longitude) == (52.5, -13.26)
    assert facts.camera == "Example One"
    assert not facts.incomplete


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("writer", WITH_EXIF)
def test_the_size_is_the_upright_one(writer: str, orientation: int) -> None:
    facts = header_of(
        encode_image(corners_image(96, 64), writer, exif=orientation_exif(orientation))
    ).facts
    assert (facts.width, facts.height) == ((64, 96) if orientation >= 5 else (96, 64))


def test_an_iphone_heic() -> None:
    header = header_of((MEDIA / "arrow.heic").read_bytes())
    facts = header.facts
    assert (facts.format, facts.width, facts.height) == ("HEIC", 3024, 4032)
    assert (facts.taken, facts.camera) == ("2018-07-31T14:52:07", "Apple iPhone 8 Plus")
    assert header.orientation == 1
    assert not facts.incomplete


def test_exif_behind_the_pixels_of_a_png_is_found() -> None:
    whole = encode_image(corners_image(), "PNG")
    end = whole.index(b"IEND") - 4
    exif = chunk(b"eXIf", orientation_exif(8).tobytes().removeprefix(b"Exif\0\0"))
    assert header_of(whole[:end] + exif + whole[end:]).orientation == 8


def test_invalid_exif_costs_only_itself() -> None:
    facts = header_of((MEDIA / "invalid-exif.jpg").read_bytes()).facts
    assert (facts.width, facts.height, facts.taken, facts.camera) == (200, 200, "", "")


@pytest.mark.parametrize("garbage", [b"Exif\0\0", b"Exif\0\0II\x2a\0\xff\xff\xff\xff", b"\0" * 20])
def test_garbage_for_exif_costs_only_itself(garbage: bytes) -> None:
    assert header_of(encode_image(corners_image(), "JPEG", exif=garbage)).facts.width == 96


def test_transparency_is_announced() -> None:
    assert header_of(encode_image(corners_image().convert("RGBA"), "PNG")).has_alpha
    assert not header_of(encode_image(corners_image(), "PNG")).has_alpha


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png(32_000, 32_000), id="a billion black pixels"),
        pytest.param(png(20_001, 1), id="one side too long"),
        pytest.param(png(7_072, 7_072), id="just over 50 megapixels"),
        pytest.param((MEDIA / "decompression_bomb.gif").read_bytes(), id="gif"),
    ],
)
def test_too_many_pixels(data: bytes) -> None:
    with pytest.raises(FileProblem) as error:
        header_of(data)
    assert error.value.reason is Reason.TOO_MANY_PIXELS


def test_the_limits_themselves_are_allowed() -> None:
    assert header_of(png(20_000, 2_500)).facts.width == 20_000


def test_limits_are_settings() -> None:
    assert header_of(png(15_000, 15_000), max_photo_pixels=225_000_000).facts.height == 15_000
    with pytest.raises(FileProblem):
        header_of(png(100, 100), max_photo_pixels=9_999)


@pytest.mark.parametrize("size", [0, 8, 30])
def test_a_header_that_cannot_be_read_is_damage(size: int) -> None:
    data = png(10, 10)
    with pytest.raises(FileProblem) as error:
        read_header(data[:size], sniff(data), FileLimits())
    assert error.value.reason is Reason.DAMAGED


def test_the_kind_alone_chooses_the_reader() -> None:
    with pytest.raises(FileProblem):
        read_header(encode_image(corners_image(), "PNG"), sniff(b"\xff\xd8\xff"), FileLimits())


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP", b"iTXt"])
def test_a_chunk_that_unpacks_to_very_much_is_passed_over(name: bytes) -> None:
    head = b"bomb\0\1\0\0\0" if name == b"iTXt" else b"bomb\0\0"
    data = png(64, 48, chunk(name, head + zeros_zip(256)))
    assert header_of(data).facts.width == 64


def test_a_jpeg_is_incomplete_without_its_end_marker() -> None:
    whole = encode_image(corners_image())
    assert not header_of(whole).facts.incomplete
    assert not header_of(whole + b"\0" * 500).facts.incomplete
    assert header_of(whole[:-2]).facts.incomplete


def test_the_end_marker_of_a_thumbnail_is_not_that_of_the_photo() -> None:
    thumbnail = exif_block({0x9286: "see \xff\xd9"})
    whole = encode_image(corners_image(), exif=thumbnail.tobytes() + b"\xff\xd8\xff\xd9")
    assert header_of(whole[:-2]).facts.incomplete
    assert not header_of(whole).facts.incomplete


def test_a_heic_is_incomplete_when_its_last_box_is_cut() -> None:
    whole = (MEDIA / "arrow.heic").read_bytes()
    assert not header_of(whole).facts.incomplete
    assert header_of(whole[:-100]).facts.incomplete
    assert header_of((MEDIA / "truncated.heic").read_bytes()).facts.incomplete
