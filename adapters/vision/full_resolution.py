"""The file behind a picture, decoded at its full resolution; runs in a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.photo_metadata import read_header
from bot.media.photos import decode, read_file
from bot.media.pixels import decode_own, encode, shrink, upright

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.pixels import Pixels


def open_picture(jpeg: bytes, original: Path | None, limits: FileLimits) -> tuple[Pixels, bool]:
    """Decode a picture upright, from its original file if there is one, else from the JPEG.

    Returns it with whether the file says which way is up. If the file fails, the JPEG is decoded.
    Raises `FileProblem` (`DAMAGED`) and `MemoryError`.
    """
    if original is not None:
        try:
            return open_original(original, limits)
        except (FileProblem, OSError):
            pass
    pixels = decode_own(jpeg)
    if pixels is None:
        raise FileProblem(Reason.DAMAGED)
    return pixels, False


def open_original(path: Path, limits: FileLimits) -> tuple[Pixels, bool]:
    """Decode a stranger's file upright; raises `FileProblem` as `bot.media.photos.prepare` does."""
    data = read_file(path, limits.max_photo_bytes)
    kind = kinds.sniff(data)
    if not kind.readers:
        raise FileProblem(kind.problem or Reason.UNSUPPORTED, kind.name)
    header = read_header(data, kind, limits)
    pixels, _ = decode(data, header, max(header.facts.width, header.facts.height))
    return upright(pixels, header.orientation), header.has_orientation


def larger(jpeg: bytes, original: Path, limits: FileLimits, side: int) -> bytes | None:
    """Return an upright JPEG of at most `side` pixels, without metadata, made from the original.

    None if it would show no more than the JPEG does. Raises `FileProblem` and `MemoryError`.
    """
    pixels, _ = open_original(original, limits)
    small = decode_own(jpeg)
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(width, height))
    if small is not None and max(width, height) * scale <= max(small.shape[:2]):
        return None
    return encode(shrink(pixels, (max(1, round(width * scale)), max(1, round(height * scale)))))
