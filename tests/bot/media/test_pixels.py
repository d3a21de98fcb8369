"""Decoding: the right colours, the right way up, from every format."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media.file_types import sniff
from bot.media.photo_metadata import read_header
from bot.media.photos import decode
from bot.media.pixels import Pixels, decode_own, encode, shrink, upright
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
    orientation_exif,
)

WHITE = (255, 255, 255)
RAMP = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(48, axis=0)


def image_of(data: bytes, longest: int = 10_000) -> Image.Image:
    """Decode and turn, as Pillow has pixels."""
    header = read_header(data, sniff(data), FileLimits())
    pixels, whole = decode(data, header, longest)
    assert whole
    return as_image(upright(pixels, header.orientation))


def as_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def by_pillow(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def png16(pixels: Any) -> bytes:
    return bytes(cv2.imencode(".png", pixels.astype(np.uint16) * 257)[1])


def corners_of(image: Image.Image) -> list[tuple[int, ...]]:
    right, bottom = image.width - 4, image.height - 4
    return [image.getpixel(at) for at in ((3, 3), (right, 3), (3, bottom), (right, bottom))]


def near(colour: tuple[int, ...], reference: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, reference, strict=True)) <= 8


# By hand, from the figure of the standard: what stands top left, top right, bottom left, right.
CORNERS_BY_ORIENTATION = {
    1: (RED, GREEN, BLUE, GREY),
    2: (GREEN, RED, GREY, BLUE),
    3: (GREY, BLUE, GREEN, RED),
    4: (BLUE, GREY, RED, GREEN),
    5: (RED, BLUE, GREEN, GREY),
    6: (BLUE, RED, GREY, GREEN),
    7: (GREY, GREEN, BLUE, RED),
    8: (GREEN, GREY, RED, BLUE),
}


@pytest.mark.parametrize("orientation", CORNERS_BY_ORIENTATION)
@pytest.mark.parametrize("writer", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_format_is_upright_by_its_exif(writer: str, orientation: int) -> None:
    data = encode_image(corners_image(), writer, exif=orientation_exif(orientation))
    image = image_of(data)
    assert all(map(near, corners_of(image), CORNERS_BY_ORIENTATION[orientation]))
    assert difference(image, by_pillow(data)) < 1


@pytest.mark.parametrize("orientation", CORNERS_BY_ORIENTATION)
def test_transparent_pictures_are_upright_too(orientation: int) -> None:
    data = encode_image(corners_image().convert("RGBA"), "PNG", exif=orientation_exif(orientation))
    assert all(map(near, corners_of(image_of(data)), CORNERS_BY_ORIENTATION[orientation]))


@pytest.mark.parametrize(
    "name",
    [
        "down_mirrored_orient4.jpg",
        "hopper_orientation_2.jpg",
        "hopper_orientation_3.jpg",
        "hopper_orientation_5.jpg",
        "hopper_orientation_6.jpg",
        "hopper_orientation_8.jpg",
        "leuvenA.jpg",
        "invalid-exif.jpg",
        "pil_sample_cmyk.jpg",
        "passat_cc.webp",
        "plate_KRW301.png",
        "iss634.gif",
    ],
)
def test_real_pictures_look_as_pillow_shows_them(name: str) -> None:
    data = (MEDIA / name).read_bytes()
    assert difference(image_of(data), by_pillow(data)) < 2


def test_the_arrow_of_a_real_heic_points_up() -> None:
    ink = np.asarray(image_of((MEDIA / "arrow.heic").read_bytes()).convert("L")) < 60
    rows = np.flatnonzero(ink.any(axis=1))
    spans = [np.ptp(np.flatnonzero(ink[row])) for row in rows]
    tip, base = spans[len(spans) // 20], spans[-len(spans) // 20]
    assert tip < base < max(spans)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode_image(Image.fromarray(RAMP.astype(np.uint16) * 257), "PNG"), id="png"),
        pytest.param(
            encode_image(Image.fromarray(RAMP.astype(np.uint16) * 257), "TIFF"), id="tiff"
        ),
        pytest.param(encode_image(Image.fromarray(RAMP), "PNG"), id="8 bit png"),
        pytest.param(encode_image(Image.fromarray(RAMP), "JPEG", quality=98), id="8 bit jpeg"),
        pytest.param(encode_image(Image.fromarray(RAMP), "BMP"), id="8 bit bmp"),
        pytest.param(encode_image(Image.fromarray(RAMP), "GIF"), id="8 bit gif"),
    ],
)
def test_grey_of_8_and_16_bits_keeps_its_tones(data: bytes) -> None:
    assert difference(image_of(data), Image.fromarray(RAMP)) < 1


def test_16_bits_of_colour_keep_their_tones() -> None:
    bgr = np.asarray(corners_image())[:, :, ::-1]
    assert difference(image_of(png16(bgr)), corners_image()) < 1
    tiff = bytes(cv2.imencode(".tiff", bgr.astype(np.uint16) * 257)[1])
    assert difference(image_of(tiff), corners_image()) < 1


@pytest.mark.parametrize(
    ("writer", "mode", "options"),
    [
        ("PNG", "1", {}),
        ("PNG", "P", {}),
        ("GIF", "P", {}),
        ("BMP", "P", {}),
        ("JPEG", "CMYK", {}),
        ("TIFF", "CMYK", {}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("TIFF", "YCbCr", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("MPO", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (96, 64))]}),
    ],
)
def test_colour_modes(writer: str, mode: str, options: dict[str, Any]) -> None:
    data = encode_image(corners_image().convert(mode), writer, **options)
    assert difference(image_of(data), by_pillow(data)) < 2


@pytest.mark.parametrize("writer", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_of_several_frames(writer: str) -> None:
    frames = [Image.new("RGB", (96, 64), colour) for colour in (GREEN, BLUE)]
    data = encode_image(corners_image(), writer, save_all=True, append_images=frames)
    assert all(map(near, corners_of(image_of(data)), CORNERS_BY_ORIENTATION[1]))


def half_transparent() -> Image.Image:
    """Corners whose left side cannot be seen and whose right side can only half be."""
    image = corners_image().convert("RGBA")
    alpha = Image.new("L", image.size, 128)
    alpha.paste(0, (0, 0, 48, 64))
    image.putalpha(alpha)
    return image


def on_white(colour: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(255 - (255 - value) * 128 // 255 for value in colour)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode_image(half_transparent(), "PNG"), id="png"),
        pytest.param(encode_image(half_transparent(), "WEBP"), id="webp"),
        pytest.param(encode_image(half_transparent(), "TIFF"), id="tiff"),
        pytest.param(png16(np.asarray(half_transparent())[:, :, [2, 1, 0, 3]]), id="16 bit png"),
    ],
)
def test_what_is_transparent_lies_over_white(data: bytes) -> None:
    colours = corners_of(image_of(data))
    assert all(map(near, colours, (WHITE, on_white(GREEN), WHITE, on_white(GREY))))


@pytest.mark.parametrize(("writer", "mode"), [("PNG", "P"), ("GIF", "P"), ("PNG", "L")])
def test_one_transparent_colour_lies_over_white(writer: str, mode: str) -> None:
    image = corners_image().convert(mode)
    data = encode_image(image, writer, transparency=image.getpixel((3, 3)))
    colours = corners_of(image_of(data))
    assert near(colours[0], WHITE)
    assert not near(colours[2], WHITE)


@pytest.mark.parametrize(
    ("longest", "size"),
    [
        (4001, (4001, 3001)),
        (2001, (2001, 1501)),
        (2000, (2001, 1501)),
        (1000, (1001, 751)),
        (9, (501, 376)),
    ],
)
def test_a_jpeg_is_decoded_as_small_as_will_do(longest: int, size: tuple[int, int]) -> None:
    data = encode_image(corners_image(4001, 3001), subsampling=2)
    image = image_of(data, longest)
    assert image.size == size
    assert all(map(near, corners_of(image), CORNERS_BY_ORIENTATION[1]))


@pytest.mark.parametrize(
    ("writer", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {"interlace": 0}),
        ("BMP", {}),
        ("TIFF", {}),
    ],
)
def test_a_cut_file_yields_what_it_holds(writer: str, options: dict[str, Any]) -> None:
    picture = detailed_image(320, 256)
    whole = encode_image(picture, writer, **options)
    data = whole[: len(whole) * 6 // 10]
    pixels, complete = decode(data, read_header(data, sniff(data), FileLimits()), 10_000)
    part = (0, 128, 320, 256) if writer == "BMP" else (0, 0, 320, 96)
    reference = by_pillow(whole).crop(part)
    assert not complete
    assert difference(as_image(pixels).crop(part), reference) < 12


@pytest.mark.parametrize(
    ("writer", "options"), [("WEBP", {}), ("TIFF", {"compression": "tiff_lzw"})]
)
def test_a_cut_file_of_which_nothing_can_be_read_is_damaged(
    writer: str, options: dict[str, Any]
) -> None:
    whole = encode_image(detailed_image(320, 256), writer, **options)
    data = whole[: len(whole) // 2]
    with pytest.raises(FileProblem) as error:
        decode(data, read_header(data, sniff(data), FileLimits()), 10_000)
    assert error.value.reason is Reason.DAMAGED


def test_shrinking_averages_what_falls_together() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert set(np.unique(shrink(stripes, (32, 32)))) <= {127, 128}


def test_our_own_jpegs_come_back() -> None:
    pixels = np.asarray(corners_image())[:, :, ::-1].copy()
    again = decode_own(encode(pixels))
    assert again is not None
    assert difference(as_image(again), corners_image()) < 4
    assert decode_own(b"no picture") is None
