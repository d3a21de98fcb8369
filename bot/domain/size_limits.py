"""How large a file may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Most bytes of a file: `video` of a video, `photo` of all else."""

    photo: int
    video: int

    @property
    def most(self) -> int:
        """Bytes that no file may exceed, whatever it is."""
        return max(self.photo, self.video)
