"""How large a file may be: that depends on what it is, which its first bytes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import FileProblem, Reason
from bot.media.file_types import HEAD_BYTES, UNKNOWN, FileType, sniff

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.size_limits import SizeLimits


def check_size(limits: SizeLimits, kind: FileType, size: int) -> None:
    """Check a size by the kind of file.

    Raises `FileProblem`: `TOO_LARGE`, `TOO_LARGE_VIDEO`; and `UNSUPPORTED`, which a smaller
    copy would be too.
    """
    # A GIF or WebP may move as well, but its head does not tell: it is taken for a picture.
    if size <= (limits.video if kind.demuxer else limits.photo):
        return
    if kind.demuxer:
        raise FileProblem(Reason.TOO_LARGE_VIDEO)
    if kind.problem is not None:
        raise FileProblem(kind.problem, kind.name)
    raise FileProblem(Reason.TOO_LARGE)


def check_file(limits: SizeLimits, path: Path) -> None:
    """Check a file that is there; raises `FileProblem` as `check_size` does, and `OSError`."""
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    check_size(limits, kind, path.stat().st_size)


class ByteCounter:
    """Counts a file while it arrives, and tells as soon as it is too large.

    `size` are the bytes so far, `kind` is what the first of them tell.
    """

    def __init__(self, allowance: SizeLimits, declared: int = 0) -> None:
        """Take the length that the sender declares, 0 for none.

        Raises `FileProblem` (`TOO_LARGE_VIDEO`, as only videos come near it) when no file may be
        that long.
        """
        if declared > allowance.most:
            raise FileProblem(Reason.TOO_LARGE_VIDEO)
        self.size = 0
        self.kind = UNKNOWN
        self._head = b""
        self._allowance = allowance
        self._declared = declared

    def add(self, chunk: bytes) -> None:
        """Count what came; raises `FileProblem` (see `check_size`)."""
        self.size += len(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            self.kind = sniff(self._head)
        whole = max(self.size, self._declared) if len(self._head) == HEAD_BYTES else self.size
        check_size(self._allowance, self.kind, whole)


PICTURE_SIDE = 1024
"""Longest side of a picture that is sent, in pixels."""

PICTURE_BYTES = 1_000_000

SMALL_PICTURE_BYTES = 60_000
"""Most bytes of a picture, and of the smaller one that goes where that was too large.

1 MB and 1024 x 1024 are what Teams takes:
https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability
In base64 60 KB stay below the 100 KB that connectors on a developer's machine take.
"""
