"""What a picture file says of itself, read from its header before any pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pi_heif
from PIL import Image, ImageFile

from bot.domain.files import PhotoFacts
from bot.errors import FileProblem, Reason
from bot.media import exif
from bot.media import file_types as kinds
from bot.media.file_types import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.limits import FileLimits

pi_heif.register_heif_opener(
    thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
)

QUARTER_TURNED = {5, 6, 7, 8}
TURNED_BY_READER = {kinds.TIFF, kinds.HEIC}
"""Kinds whose size and pixels come upright already: Pillow turns TIFF, libheif turns HEIC."""

_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """What is known of a picture before its pixels.

    `facts` has the upright size; `orientation` is the EXIF orientation 1..8 that the decoded
    pixels still need; `transparent` says that they may have an alpha channel, `oriented` that the
    file tells which way is up.
    """

    kind: FileType
    facts: PhotoFacts
    orientation: int
    transparent: bool
    oriented: bool = False


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings of what is wrong with a file to itself; process-wide meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def tolerant() -> Iterator[None]:
    """Let Pillow read on where a file is cut or a chunk is wrong; process-wide meanwhile."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def read_facts(data: bytes, kind: FileType, limits: FileLimits) -> PhotoHeader:
    """Read a picture's header and hold it against the limits.

    Raises `FileProblem`: `TOO_MANY_PIXELS`, or `DAMAGED` when the header cannot be read. Wrong
    EXIF costs only itself.
    """
    image = _open(data, kind, limits)
    with quiet():
        return _header(image, _tags(image, data, kind), data, kind)


def _open(data: bytes, kind: FileType, limits: FileLimits) -> ImageFile.ImageFile:
    """Open with the readers of this kind only; a huge text or colour profile is passed over."""
    Image.MAX_IMAGE_PIXELS = limits.max_photo_pixels
    try:
        with tolerant(), quiet():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=kind.readers)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileProblem(Reason.TOO_MANY_PIXELS) from None
    except MemoryError:
        raise
    except Exception as error:  # A reader raises whatever the file makes it raise.
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from error
    width, height = image.size
    if width * height > limits.max_photo_pixels or max(width, height) > limits.max_photo_side:
        raise FileProblem(Reason.TOO_MANY_PIXELS, f"{width}x{height}")
    return image


def _header(
    image: ImageFile.ImageFile, tags: Image.Exif, data: bytes, kind: FileType
) -> PhotoHeader:
    orientation = exif.UPRIGHT if kind in TURNED_BY_READER else exif.orientation(tags)
    width, height = image.size
    if orientation in QUARTER_TURNED:
        width, height = height, width
    latitude, longitude = exif.position(tags)
    facts = PhotoFacts(
        format=kind.name,
        width=width,
        height=height,
        size=len(data),
        taken=exif.taken(tags),
        latitude=latitude,
        longitude=longitude,
        camera=exif.camera(tags),
        incomplete=is_cut(data, kind),
    )
    oriented = kind == kinds.HEIC or exif.tells_orientation(tags)
    return PhotoHeader(kind, facts, orientation, image.has_transparency_data, oriented)


def _tags(image: ImageFile.ImageFile, data: bytes, kind: FileType) -> Image.Exif:
    """Read the EXIF block, or an empty one if it is unreadable."""
    try:
        if kind == kinds.PNG and "exif" not in image.info:
            image.info["exif"] = _png_exif(data)
        # Not the method of Pillow's PNG reader, which would decode the pixels first.
        return Image.Image.getexif(image)
    except Exception:
        return Image.Exif()


def _png_exif(data: bytes) -> bytes | None:
    """Find the `eXIf` chunk of a PNG, which may also stand behind the pixels."""
    at = 8
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            return data[at + 8 : at + 8 + size]
        at += 12 + size
    return None


def is_cut(data: bytes, kind: FileType) -> bool:
    """Tell whether the end of a JPEG or HEIC file is missing; of other kinds decoding tells."""
    if kind == kinds.JPEG:
        return data.find(_END_OF_IMAGE, _first_scan(data)) < 0
    return kind == kinds.HEIC and _last_box_end(data) > len(data)


def _first_scan(data: bytes) -> int:
    """Find where a JPEG's pixels begin: an end marker before is that of an embedded thumbnail."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at : at + 2] != _START_OF_SCAN:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return at


def _last_box_end(data: bytes) -> int:
    """Add up the top-level boxes of an ISO base media file (ISO/IEC 14496-12 §4.2)."""
    at = 0
    while at + 16 <= len(data):
        size, _, large = struct.unpack_from(">I4sQ", data, at)
        size = large if size == 1 else size or len(data) - at
        at += max(size, 8)
    return at
