"""Files that end too early, by the lengths that their own structure declares."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, BinaryIO

from bot.media import file_types as kinds

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.file_types import FileType

SEGMENT = b"\x18\x53\x80\x67"
"""The EBML identity of a Matroska segment, which holds all that follows (RFC 9559, 5.1)."""
TRAILER = b";"
"""The last byte of a GIF (version 89a, 27)."""
FILLING = b"\0 \r\n"
"""Bytes that may follow it all the same."""
LAST_BYTES = 4096


def is_truncated(path: Path, kind: FileType) -> bool:
    """Return whether the end of a video or animated picture is missing."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if kind.demuxer == "mov":
            return last_box_end(file, size) > size
        if kind in {kinds.AVI, kinds.WEBP}:  # Both are RIFF files.
            return 8 + int.from_bytes(file.read(8)[4:], "little") > size
        if kind == kinds.GIF:
            file.seek(max(0, size - LAST_BYTES))
            return not file.read().rstrip(FILLING).endswith(TRAILER)
        return _segment_end(file.read(kinds.HEAD_BYTES)) > size


def last_box_end(file: BinaryIO, size: int) -> int:
    """Add up the top-level boxes of an ISO base media file (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 16 <= size:
        file.seek(at)
        length, _, large = struct.unpack(">I4sQ", file.read(16))
        length = large if length == 1 else length or size - at
        at += max(length, 8)
    return at


def _segment_end(head: bytes) -> int:
    """Return where a Matroska segment ends; 0 if the file does not say, as in live recordings."""
    at = head.find(SEGMENT) + len(SEGMENT)
    if at < len(SEGMENT) or at >= len(head):
        return 0
    length = 9 - head[at].bit_length()  # The first set bit says how many bytes follow.
    value = int.from_bytes(head[at : at + length]) & ((1 << 7 * length) - 1)
    return 0 if value == (1 << 7 * length) - 1 else at + length + value
