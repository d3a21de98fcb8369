"""How large a file may be: that depends on what it is, which its first bytes tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bot.media.kinds import HEAD_BYTES, UNKNOWN, Kind, sniff
from bot.problems import FileProblem, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Limits


@dataclass(frozen=True, slots=True)
class Allowance:
    """Most bytes of a file: `video` of a video, `photo` of all else."""

    photo: int
    video: int

    @classmethod
    def of(cls, limits: Limits) -> Self:
        """Take both from the settings."""
        return cls(limits.max_photo_bytes, limits.max_video_bytes)

    @property
    def most(self) -> int:
        """Bytes that no file may exceed, whatever it is."""
        return max(self.photo, self.video)

    def check(self, kind: Kind, size: int) -> None:
        """Judge a size by the kind of file.

        Raises `FileProblem`: `TOO_LARGE`, `TOO_LARGE_VIDEO`; and `UNSUPPORTED`, which a smaller
        copy would be too.
        """
        # A GIF or WebP may move as well, but its head does not tell: it is taken for a picture.
        if size <= (self.video if kind.demuxer else self.photo):
            return
        if kind.demuxer:
            raise FileProblem(Reason.TOO_LARGE_VIDEO)
        if kind.problem is not None:
            raise FileProblem(kind.problem, kind.name)
        raise FileProblem(Reason.TOO_LARGE)

    def check_file(self, path: Path) -> None:
        """Judge a file that is there; raises `FileProblem` as `check` does, and `OSError`."""
        with path.open("rb") as file:
            kind = sniff(file.read(HEAD_BYTES))
        self.check(kind, path.stat().st_size)


class Tally:
    """Counts a file while it arrives, and tells as soon as it is too large.

    `size` are the bytes so far, `kind` is what the first of them tell.
    """

    def __init__(self, allowance: Allowance, declared: int = 0) -> None:
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
        """Count what came; raises `FileProblem` (see `Allowance.check`)."""
        self.size += len(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            self.kind = sniff(self._head)
        whole = max(self.size, self._declared) if len(self._head) == HEAD_BYTES else self.size
        self._allowance.check(self.kind, whole)
