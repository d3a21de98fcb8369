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

QUARTER_TURNS = {5, 6, 7, 8}
"""EXIF orientations that swap width and height."""
UPRIGHT_TYPES = {kinds.TIFF, kinds.HEIC}
"""Types whose size and pixels are upright already: Pillow rotates TIFF, libheif rotates HEIC."""

_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """What the header of a picture says.

    `facts` has the upright size; `orientation` is the EXIF orientation 1..8 that the decoded
    pixels still need. `has_alpha` is whether they may be transparent, `has_orientation` whether the
    file records which way is up.
    """

    kind: FileType
    facts: PhotoFacts
    orientation: int
    has_alpha: bool
    has_orientation: bool = False


@contextmanager
def ignore_warnings() -> Iterator[None]:
    """Ignore Pillow's warnings about a file; it holds for the whole process meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def allow_truncation() -> Iterator[None]:
    """Let Pillow go on where a file is truncated or a chunk is wrong, in the whole process."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def read_header(data: bytes, kind: FileType, limits: FileLimits) -> PhotoHeader:
    """Read a picture's header and check it against the limits.

    Raises `FileProblem`: `TOO_MANY_PIXELS`, or `DAMAGED` when the header cannot be read. Wrong
    EXIF is ignored.
    """
    image = _open(data, kind, limits)
    with ignore_warnings():
        return _header(image, _tags(image, data, kind), data, kind)


def _open(data: bytes, kind: FileType, limits: FileLimits) -> ImageFile.ImageFile:
    """Open with the readers of this type only; a huge text or colour profile is skipped."""
    Image.MAX_IMAGE_PIXELS = limits.max_photo_pixels
    try:
        with allow_truncation(), ignore_warnings():
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
    orientation = exif.UPRIGHT if kind in UPRIGHT_TYPES else exif.orientation(tags)
    width, height = image.size
    if orientation in QUARTER_TURNS:
        width, height = height, width
    latitude, longitude = exif.position(tags)
    facts = PhotoFacts(
        format=kind.name,
        width=width,
        height=height,
        size=len(data),
        taken=exif.time_taken(tags),
        latitude=latitude,
        longitude=longitude,
        camera=exif.camera(tags),
        incomplete=is_truncated(data, kind),
    )
    has_orientation = kind == kinds.HEIC or exif.has_orientation(tags)
    return PhotoHeader(kind, facts, orientation, image.has_transparency_data, has_orientation)


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
    """Find the `eXIf` chunk of a PNG, which may also follow the pixels."""
    at = 8
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            return data[at + 8 : at + 8 + size]
        at += 12 + size
    return None


def is_truncated(data: bytes, kind: FileType) -> bool:
    """Return whether the end of a JPEG or HEIC file is missing; of others only decoding shows."""
    if kind == kinds.JPEG:
        return data.find(_END_OF_IMAGE, _first_scan(data)) < 0
    return kind == kinds.HEIC and _last_box_end(data) > len(data)


def _first_scan(data: bytes) -> int:
    """Find where a JPEG's pixels begin: an end marker before belongs to an embedded thumbnail."""
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
