"""The photos and videos of a thread, and their metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.frame_ids import video_of
from bot.domain.sightings import Sighting


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a picture file states about itself.

    `format` is the real one ("JPEG"), `width` and `height` are upright pixels of the original,
    `size` its bytes. `taken` is the camera's local time in ISO 8601 (with offset where the file
    has one), `latitude` and `longitude` are degrees (north and east positive).
    """

    format: str
    width: int
    height: int
    size: int
    taken: str = ""
    latitude: float | None = None
    longitude: float | None = None
    camera: str = ""
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a thread: `P<number>`, identified by the SHA-256 of its bytes."""

    number: int
    sha256: str
    name: str
    facts: PhotoFacts
    author: str
    at: float
    message: str = ""

    @property
    def label(self) -> str:
        """What people call it: its number and its file name, if it has one."""
        return f"P{self.number} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a video file states about itself, and what a pass through its packets found.

    `format` is the real one ("MP4 video"), `codec` the picture's ("h264"), `width` and `height`
    upright pixels, `size` its bytes, `seconds` its length, `rate` frames a second on average.
    `sound` is whether it has a sound track, `hdr` whether its brightness goes beyond that of
    usual screens. The rest is as in `PhotoFacts`.
    """

    format: str
    codec: str
    width: int
    height: int
    size: int
    seconds: float
    rate: float
    sound: bool = False
    hdr: bool = False
    taken: str = ""
    latitude: float | None = None
    longitude: float | None = None
    camera: str = ""
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Video:
    """A video of a thread: `V<number>`, identified by the SHA-256 of its bytes."""

    number: int
    sha256: str
    name: str
    facts: VideoFacts
    author: str
    at: float
    message: str = ""

    @property
    def label(self) -> str:
        """What people call it: its number and its file name, if it has one."""
        return f"V{self.number} {self.name}".rstrip()


Why = Literal["question", "change", "spread", "asked"]
"""Why a frame was chosen.

It fits the question, something changes in it, it stands for its stretch of time, or people or the
model asked for it.
"""


@dataclass(frozen=True, slots=True)
class ChosenFrame:
    """A frame that went to the model, by its number (`bot.domain.frame_ids`).

    `score` is how well it fits, from 0 to 1; `means` how that was found out ("embedding", "words",
    "changes").
    """

    frame: int
    why: Why
    score: float = 0.0
    means: str = ""

    @property
    def video(self) -> int:
        """The number of the video that it is of."""
        return video_of(self.frame)


@dataclass(frozen=True, slots=True)
class SpokenPassage:
    """What was spoken in video `V<video>` between two times, in seconds."""

    video: int
    start: float
    end: float
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class VisionRecord:
    """What vision saw in photo `P<photo>`, or in the frame that has that number."""

    photo: int
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that were spoken between two times, in seconds."""

    text: str
    start: float
    end: float
