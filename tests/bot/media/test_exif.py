"""Time, place, camera and orientation from EXIF."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from bot.media import exif
from tests.helpers.images import MEDIA, exif_block, orientation_exif

PARIS = {
    GPS.GPSLatitudeRef: "N",
    GPS.GPSLatitude: (48.0, 51.0, 29.6),
    GPS.GPSLongitudeRef: "E",
    GPS.GPSLongitude: (2.0, 17.0, 40.2),
}


def tags_of(name: str) -> Image.Exif:
    with Image.open(MEDIA / name) as image:
        return image.getexif()


def test_a_phone_photo_of_leuven() -> None:
    tags = tags_of("leuvenA.jpg")
    assert exif.time_taken(tags) == "2019-04-14T13:46:10"
    assert exif.position(tags) == (50.871528, 4.696983)
    assert exif.camera(tags) == "Apple iPhone 6"


def test_a_phone_photo_from_the_danish_coast() -> None:
    tags = tags_of("lumia820_gps.jpg")
    assert exif.time_taken(tags) == "2013-05-10T15:21:35"
    assert exif.position(tags) == (55.038756, 8.457191)
    assert exif.camera(tags) == "Nokia Lumia 820"


def test_nothing_is_said_where_nothing_stands() -> None:
    tags = Image.Exif()
    assert (exif.time_taken(tags), exif.position(tags), exif.camera(tags)) == ("", (None, None), "")
    assert exif.orientation(tags) == exif.UPRIGHT


@pytest.mark.parametrize(
    ("offset", "taken"),
    [
        ("+02:00", "2026-03-29T12:30:00+02:00"),
        ("-09:30", "2026-03-29T12:30:00-09:30"),
        ("", "2026-03-29T12:30:00"),
        ("CEST", "2026-03-29T12:30:00"),
        ("+99:00", "2026-03-29T12:30:00"),
    ],
)
def test_the_offset_from_utc_is_kept_where_it_is_one(offset: str, taken: str) -> None:
    photo = {Base.DateTimeOriginal: "2026:03:29 12:30:00", Base.OffsetTimeOriginal: offset}
    assert exif.time_taken(exif_block({}, photo)) == taken


@pytest.mark.parametrize(
    "stated", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2026:02:30 10:00:00", "now", b"\xff"]
)
def test_a_time_that_cannot_be_is_left_out(stated: Any) -> None:
    tags = exif_block({}, {Base.DateTimeOriginal: stated})
    assert exif.time_taken(tags) == ""


def test_south_and_west_are_negative() -> None:
    place = PARIS | {GPS.GPSLatitudeRef: "S", GPS.GPSLongitudeRef: "W"}
    assert exif.position(exif_block({}, None, PARIS)) == (48.858222, 2.2945)
    assert exif.position(exif_block({}, None, place)) == (-48.858222, -2.2945)


@pytest.mark.parametrize(
    "wrong",
    [
        {GPS.GPSLatitude: (91.0, 0.0, 0.0)},
        {GPS.GPSLongitude: (180.0, 0.0, 1.0)},
        {GPS.GPSLatitude: (-48.0, 0.0, 0.0)},
        {GPS.GPSLatitude: (IFDRational(48, 0), IFDRational(51, 1), IFDRational(29, 1))},
        {GPS.GPSLatitude: (float("nan"), 0.0, 0.0)},
        {GPS.GPSLatitude: (48.0,)},
        {GPS.GPSLatitudeRef: ""},
        {GPS.GPSLongitudeRef: "east"},
        {GPS.GPSLatitude: (0.0, 0.0, 0.0), GPS.GPSLongitude: (0.0, 0.0, 0.0)},
    ],
)
def test_a_place_that_cannot_be_is_left_out(wrong: dict[int, Any]) -> None:
    assert exif.position(exif_block({}, None, PARIS | wrong)) == (None, None)


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D Mark II", "Canon EOS 5D Mark II"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("", "Pixel 8", "Pixel 8"),
        ("Google", "", "Google"),
        ("SONY\0", "ILCE-7\n\x1b[31mM3\u202e", "SONY ILCE-7 [31mM3"),
        (b"OLYMPUS\xff", "E-M1", "OLYMPUS\N{REPLACEMENT CHARACTER} E-M1"),
        ("A" * 40, "B" * 40, "A" * 40 + " " + "B" * 23),
    ],
)
def test_the_camera_is_one_clean_line(make: Any, model: str, camera: str) -> None:
    tags = Image.Exif()
    tags.update({Base.Make: make, Base.Model: model})
    assert exif.camera(tags) == camera


@pytest.mark.parametrize(("stated", "read"), [*((n, n) for n in range(1, 9)), (0, 1), (9, 1)])
def test_orientations_other_than_1_to_8_are_upright(stated: int, read: int) -> None:
    assert exif.orientation(orientation_exif(stated)) == read


def test_an_orientation_that_is_no_number_is_upright() -> None:
    tags = Image.Exif()
    tags[Base.Orientation] = "6"
    assert exif.orientation(tags) == exif.UPRIGHT
