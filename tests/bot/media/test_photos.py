"""From a stranger's file to the model-ready picture, or to the reason why not."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL.ExifTags import GPS, Base

from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.photos import PreparedPhoto, prepare
from bot.media.pixels import fitted_size
from bot.sandbox import ChildProcesses
from bot.settings import MIB
from tests.helpers.child_calls import peak
from tests.helpers.images import (
    MEDIA,
    chunk,
    corners_image,
    detailed_image,
    difference,
    encode_image,
    exif_block,
    open_jpeg,
    orientation_exif,
    png,
    tiff,
    zeros_zip,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PLACE = {
    GPS.GPSLatitudeRef: "N",
    GPS.GPSLatitude: (52.0, 30.0, 0.0),
    GPS.GPSLongitudeRef: "E",
    GPS.GPSLongitude: (13.0, 15.0, 36.0),
}
ICC = b"\0\0\x02\x0cprofile" + bytes(512)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"


def prepared(file: Path, data: bytes, **limits: Any) -> PreparedPhoto:
    file.write_bytes(data)
    return prepare(file, FileLimits(**limits))


def reason(file: Path, data: bytes, **limits: Any) -> tuple[Reason, str]:
    with pytest.raises(FileProblem) as error:
        prepared(file, data, **limits)
    return error.value.reason, error.value.detail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to its pixels."""
    at, markers = 2, []
    while jpeg[at + 1] != 0xDA:
        markers.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return markers


def test_a_phone_photo(file: Path) -> None:
    data = encode_image(detailed_image(4032, 3024), exif=orientation_exif(6))
    result = prepared(file, data)
    assert (result.facts.width, result.facts.height) == (3024, 4032)
    assert (result.width, result.height) == open_jpeg(result.jpeg).size == (1512, 2016)
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert result.facts.size == len(data)
    assert not result.facts.incomplete


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("leuvenA.jpg", (751, 563)),
        ("passat_cc.webp", (512, 512)),
        ("plate_KRW301.png", (157, 81)),
        ("iss634.gif", (245, 245)),
        ("arrow.heic", (1512, 2016)),
        ("lumia820_gps.jpg", (1278, 720)),
        ("pil_sample_cmyk.jpg", (100, 100)),
        ("invalid-exif.jpg", (200, 200)),
    ],
)
def test_real_files(name: str, size: tuple[int, int]) -> None:
    result = prepare(MEDIA / name, FileLimits())
    assert (result.width, result.height) == open_jpeg(result.jpeg).size == size


@pytest.mark.parametrize(
    ("size", "side", "result"),
    [
        ((800, 600), 2048, (800, 600)),
        ((2048, 1000), 2048, (2048, 1000)),
        ((4032, 3024), 2048, (2016, 1512)),
        ((3024, 4032), 2048, (1512, 2016)),
        ((4033, 3025), 2048, (2017, 1513)),
        ((8064, 6048), 2048, (2016, 1512)),
        ((3000, 2000), 2048, (2048, 1365)),
        ((6000, 4000), 1568, (1500, 1000)),
        ((20_000, 10), 2048, (2048, 1)),
    ],
)
def test_the_size_of_the_picture(size: tuple[int, int], side: int, result: tuple[int, int]) -> None:
    assert fitted_size(*size, side) == result


@pytest.mark.parametrize("writer", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_the_picture_has_the_size_that_is_foretold(file: Path, writer: str) -> None:
    result = prepared(file, encode_image(corners_image(1537, 801), writer), photo_side=800)
    assert (
        open_jpeg(result.jpeg).size == (result.width, result.height) == fitted_size(1537, 801, 800)
    )
    assert difference(open_jpeg(result.jpeg), corners_image(769, 401)) < 4


@pytest.mark.parametrize("writer", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_metadata_leaves(file: Path, writer: str) -> None:
    exif = exif_block({Base.Make: "Example"}, {}, PLACE).tobytes()
    options = {} if writer in {"TIFF", "PNG"} else {"xmp": XMP}
    data = encode_image(corners_image(), writer, exif=exif, icc_profile=ICC, **options)
    result = prepared(file, data)
    assert result.facts.latitude == 52.5
    assert set(segments(result.jpeg)) <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert not open_jpeg(result.jpeg).getexif()
    assert not re.search(rb"Exif|Example|xmp|ICC_PROFILE|profile|secret", result.jpeg)


def test_no_metadata_of_a_heic_leaves() -> None:
    result = prepare(MEDIA / "arrow.heic", FileLimits())
    assert result.facts.camera == "Apple iPhone 8 Plus"
    assert set(segments(result.jpeg)) <= {0xE0, 0xDB, 0xC0, 0xC4}


def test_a_cut_photo_shows_what_it_holds(file: Path) -> None:
    whole = encode_image(detailed_image(640, 480), exif=orientation_exif(6))
    result = prepared(file, whole[: len(whole) // 2])
    assert result.facts.incomplete
    assert (result.width, result.height) == (480, 640)
    right = (360, 0, 480, 640)
    original = open_jpeg(prepared(file, whole).jpeg)
    assert difference(open_jpeg(result.jpeg).crop(right), original.crop(right)) < 1


@pytest.mark.parametrize("name", ["truncated_jpeg.jpg", "truncated.heic"])
def test_real_cut_files_are_marked(name: str) -> None:
    assert prepare(MEDIA / name, FileLimits()).facts.incomplete


def test_a_photo_cut_before_its_pixels_is_damaged(file: Path) -> None:
    whole = encode_image(detailed_image(640, 480))
    scan = whole.index(b"\xff\xda")
    assert reason(file, whole[: scan + 14])[0] is Reason.DAMAGED


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", (Reason.EMPTY, ""), id="0 bytes"),
        pytest.param(b"\xff", (Reason.UNSUPPORTED, "unknown format"), id="1 byte"),
        pytest.param(b"<!doctype html><p>Sign in", (Reason.UNSUPPORTED, "web page"), id="html"),
        pytest.param(b"%PDF-1.4", (Reason.UNSUPPORTED, "PDF document"), id="pdf"),
        pytest.param(
            b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", (Reason.UNSUPPORTED, "MP4 video"), id="video"
        ),
    ],
)
def test_what_is_no_picture_has_its_reason(
    file: Path, data: bytes, expected: tuple[Reason, str]
) -> None:
    assert reason(file, data) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xd8\xff", id="jpeg of 3 bytes"),
        pytest.param((MEDIA / "broken.png").read_bytes(), id="broken png"),
        pytest.param(b"RIFF\x10\0\0\0WEBPVP8 ", id="webp without picture"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", id="heic without picture"),
        pytest.param(b"II\x2a\0\x08\0\0\0\0\0", id="tiff without picture"),
        pytest.param(b"GIF89a\x01\0\x01\0\0\0\0;", id="gif without picture"),
    ],
)
def test_damaged_files(file: Path, data: bytes) -> None:
    assert reason(file, data)[0] is Reason.DAMAGED


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    assert prepared(tmp_path / "a.gif", encode_image(corners_image(), "PNG")).facts.format == "PNG"
    page = tmp_path / "photo.jpg"
    assert reason(page, b"<html><body>Not found")[0] is Reason.UNSUPPORTED


def test_a_file_over_the_limit_is_not_even_read(file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(FileProblem) as error:
        prepare(file, FileLimits())
    assert error.value.reason is Reason.TOO_LARGE


on_linux = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc"
)


@pytest.fixture
async def children() -> AsyncIterator[ChildProcesses]:
    """One child that has prepared a small picture already."""
    pool = ChildProcesses(ChildLimits(children=1), FileLimits())
    await pool.run(prepare, MEDIA / "passat_cc.webp", FileLimits())
    yield pool
    await pool.close()


@on_linux
@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        pytest.param(png(32_000, 32_000), "too_many_pixels", id="png of a billion pixels"),
        pytest.param((MEDIA / "decompression_bomb.gif").read_bytes(), "too_many_pixels", id="gif"),
        pytest.param(png(64, 48, chunk(b"zTXt", b"bomb\0\0" + zeros_zip(256))), "PNG", id="text"),
        pytest.param(
            png(64, 48, chunk(b"iCCP", b"bomb\0\0" + zeros_zip(256))), "PNG", id="profile"
        ),
        pytest.param(tiff(64, 48, zeros_zip(256)), "TIFF", id="tiff strip that goes on and on"),
        pytest.param(tiff(60_000, 60_000, zeros_zip(1)), "too_many_pixels", id="tiff"),
    ],
)
async def test_bombs_take_no_memory(
    file: Path, children: ChildProcesses, data: bytes, outcome: str
) -> None:
    file.write_bytes(data)
    result, growth = await children.run(peak, file, FileLimits())
    assert result == outcome
    assert growth < 32 * MIB


@on_linux
async def test_twelve_megapixels_take_little_memory(file: Path, children: ChildProcesses) -> None:
    file.write_bytes(
        encode_image(
            detailed_image(4032, 3024), exif=orientation_exif(6), quality=90, subsampling=2
        )
    )
    result, growth = await children.run(peak, file, FileLimits())
    assert result == "JPEG"
    assert growth < 64 * MIB
