"""A video of a question, as it goes to the model."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports.model import Picture, VideoIntroduction


@dataclass(frozen=True, slots=True)
class VideoPart:
    """A video of the question: words about it, what is spoken in it, an overview, its frames."""

    clip: VideoIntroduction
    transcript: str = ""
    overview: Picture | None = None
    frames: tuple[Picture, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All its pictures, the overview first."""
        return ((self.overview,) if self.overview else ()) + self.frames
