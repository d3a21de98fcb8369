"""How large a file may be, which depends on its type, and so on its first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from bot.media.file_types import HEAD_BYTES, UNKNOWN, FileType, sniff

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits


def size_limits(limits: FileLimits) -> SizeLimits:
    """Return the sizes that the settings allow."""
    return SizeLimits(limits.max_photo_bytes, limits.max_video_bytes)


def check_size(limits: SizeLimits, kind: FileType, size: int) -> None:
    """Check a size by the type of file.

    Raises `FileProblem`: `TOO_LARGE`, `TOO_LARGE_VIDEO`; and `UNSUPPORTED`, so that nobody sends a
    smaller copy in vain.
    """
    # A GIF or WebP may be animated, which its first bytes do not say: it counts as a picture.
    if size <= (limits.video if kind.demuxer else limits.photo):
        return
    if kind.demuxer:
        raise FileProblem(Reason.TOO_LARGE_VIDEO)
    if kind.problem is not None:
        raise FileProblem(kind.problem, kind.name)
    raise FileProblem(Reason.TOO_LARGE)


def check_file(limits: SizeLimits, path: Path) -> None:
    """Check a file on disk; raises `FileProblem` as `check_size` does, and `OSError`."""
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    check_size(limits, kind, path.stat().st_size)


class ByteCounter:
    """Counts the bytes of a file while it arrives, and raises as soon as it is too large.

    `size` is their number so far, `kind` the type of file by the first of them.
    """

    def __init__(self, limits: SizeLimits, declared_size: int = 0) -> None:
        """Check the size in bytes that the sender declares, 0 for none.

        Raises `FileProblem` (`TOO_LARGE_VIDEO`, as only videos come near it) when no file may be
        that long.
        """
        if declared_size > limits.most:
            raise FileProblem(Reason.TOO_LARGE_VIDEO)
        self.size = 0
        self.kind = UNKNOWN
        self._head = b""
        self._limits = limits
        self._declared_size = declared_size

    def add(self, chunk: bytes) -> None:
        """Count a chunk; raises `FileProblem` (see `check_size`)."""
        self.size += len(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            self.kind = sniff(self._head)
        size = max(self.size, self._declared_size) if len(self._head) == HEAD_BYTES else self.size
        check_size(self._limits, self.kind, size)
