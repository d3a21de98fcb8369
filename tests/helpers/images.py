"""Pictures that tests make themselves, and the folder of those that others made."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image

MEDIA = Path(__file__).parents[1] / "media"

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 180, 40), (30, 50, 220), (128, 128, 128)


def corners_image(width: int = 96, height: int = 64) -> Image.Image:
    """Four differently coloured quarters: red, green over blue, grey."""
    image = Image.new("RGB", (width, height), GREY)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def detailed_image(width: int, height: int, seed: int = 1) -> Image.Image:
    """Shapes and grain such as a camera's sensor gives: not easily compressed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 32, width // 32, 3), np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(0, 24, (height, width, 1), np.uint8).repeat(3, axis=2)
    return Image.fromarray(cv2.add(pixels, grain))


def encode_image(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:  # noqa: A002
    buffer = io.BytesIO()
    if format in {"JPEG", "MPO"}:
        options = {"quality": 95, "subsampling": 0} | options
    if format == "WEBP":
        options = {"lossless": True} | options
    image.save(buffer, format, **options)
    return buffer.getvalue()


def orientation_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def exif_block(
    main: dict[int, Any], photo: dict[int, Any] | None = None, place: dict[int, Any] | None = None
) -> Image.Exif:
    """An EXIF block with these tags in its main, Exif and GPS directories."""
    exif = Image.Exif()
    exif.update(main)
    exif.get_ifd(ExifTags.IFD.Exif).update(photo or {})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(place or {})
    return exif


def open_jpeg(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures of one size, in levels of 0..255."""
    assert one.size == other.size
    left, right = (np.asarray(image.convert("RGB"), np.int16) for image in (one, other))
    return float(np.abs(left - right).mean())


@functools.cache
def zeros_zip(megabytes: int) -> bytes:
    """So many megabytes of zeros, packed into a thousandth of them."""
    squeeze = zlib.compressobj(9)
    chunks = [squeeze.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(chunks) + squeeze.flush()


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@functools.cache
def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A black PNG of 1 bit a pixel, very small for its size; `chunks` stand before the pixels."""
    row = bytes(-(-width // 8) + 1)
    squeeze = zlib.compressobj(9)
    pixels = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rest = chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + rest


def tiff(width: int, height: int, strip: bytes) -> bytes:
    """A grey TIFF of 8 bits whose only strip is this, packed by zlib."""
    tags = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 273: 8, 277: 1, 278: height}
    tags[279] = len(strip)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II\x2a\0" + struct.pack("<I", 8 + len(strip)) + strip + directory
