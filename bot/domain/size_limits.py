"""How large a file may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from bot.limits import FileLimits


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Most bytes of a file: `video` of a video, `photo` of all else."""

    photo: int
    video: int

    @classmethod
    def of(cls, limits: FileLimits) -> Self:
        """Take both from the settings."""
        return cls(limits.max_photo_bytes, limits.max_video_bytes)

    @property
    def most(self) -> int:
        """Bytes that no file may exceed, whatever it is."""
        return max(self.photo, self.video)
