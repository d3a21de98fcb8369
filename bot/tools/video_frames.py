"""The videos that a model may ask for more frames of, and the tool by which it does."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bot.domain.frame_ids import CLOCK, clock, label, read_clock, seconds_of, video_of
from bot.errors import FileProblem
from bot.ports.model import Picture, TextPart, strict_tool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.ports.model import Part

Fetch = Callable[[int, Sequence[float]], Awaitable[Mapping[int, Picture]]]
"""Brings the frames of a video that are shown at some times; raises `FileProblem`."""

AT_ONCE = 6
"""Frames that one call may bring."""
SAME_FRAME = 0.06
"""Seconds that a time in tenths may be away from the frame that is meant."""

FRAMES = strict_tool(
    "frames",
    "See frames of a video at full size, exactly as they are shown at the times you choose. Use it "
    "after you saw the overview: for the moments that the question is about, and for what happens "
    "between two frames. For a part of a frame that it brought use look.",
    **{
        "video": {"type": "string", "description": "The number of the video, such as V1."},
        "from": {"type": "string", "description": "The time of the first frame, such as 0:12.4."},
        "to": {"type": "string", "description": "The time of the last frame, such as 0:14.0."},
        "count": {
            "type": "integer",
            "description": f"How many frames, evenly spread between these, 1 to {AT_ONCE}.",
        },
    },
)

NO_TIME = "Times are written as 0:12.4, from 0:00.0 to {end}."
NO_VIDEO = "There is no such video; there are {known}."
NOT_SEEN = "You saw no frame of V{video} at that time; ask for it with frames first."
VIDEO_GONE = "V{video} cannot be looked at now: its file is gone or unreadable."
NO_FRAME = "No frame of V{video} could be decoded there; choose another time."
FRAMES_RESULT = "{frames}: shown in the message after these results."

_VIDEO_LABEL = re.compile(r"\bV(\d{1,5})\b", re.IGNORECASE)
_VIDEO = re.compile(r"\s*V?(\d{1,5})\b", re.IGNORECASE)


class UnknownFrame(ValueError):
    """A time or video that does not exist; its text tells the model why."""


class VideoFramesTool:
    """Frames of a thread's videos: those that the model saw, and those it asks for.

    `seconds` are the lengths of the videos, by number.
    """

    def __init__(
        self, seconds: Mapping[int, float], fetch: Fetch, shown_frames: Iterable[int]
    ) -> None:
        self._seconds = seconds
        self._fetch = fetch
        self._shown_frames = set(shown_frames)
        self._requested_frames: dict[int, None] = {}

    @property
    def shown_frames(self) -> list[int]:
        """The numbers of the frames that the model saw, in order."""
        return sorted(self._shown_frames)

    @property
    def requested_frames(self) -> tuple[int, ...]:
        """The numbers of the frames that the model asked for, in the order it did."""
        return tuple(self._requested_frames)

    def find(self, words: str) -> int:
        """Find the frame that words such as "V1 0:12.4" mean; 0 where they mean none.

        Raises `UnknownFrame` where the model saw no such frame.
        """
        match, time = _VIDEO_LABEL.search(words), CLOCK.search(words)
        if match is None or time is None:
            return 0
        video, at = int(match[1]), read_clock(time)
        own = [number for number in self._shown_frames if video_of(number) == video]
        nearest = min(own, key=lambda number: abs(seconds_of(number) - at), default=0)
        if not nearest or abs(seconds_of(nearest) - at) > SAME_FRAME:
            raise UnknownFrame(NOT_SEEN.format(video=video))
        return nearest

    async def bring(self, arguments: Mapping[str, Any]) -> tuple[str, tuple[Part, ...]]:
        """Follow a call of the tool: words about the frames, and the frames.

        Raises `UnknownFrame`.
        """
        match = _VIDEO.match(str(arguments.get("video")))
        video = int(match[1]) if match else 0
        if video not in self._seconds:
            raise UnknownFrame(NO_VIDEO.format(known=", ".join(f"V{n}" for n in self._seconds)))
        times = _times(arguments, self._seconds[video])
        try:
            pictures = await self._fetch(video, times)
        except FileProblem:
            raise UnknownFrame(VIDEO_GONE.format(video=video)) from None
        if not pictures:
            raise UnknownFrame(NO_FRAME.format(video=video))
        self._shown_frames |= set(pictures)
        self._requested_frames |= dict.fromkeys(pictures)
        parts: list[Part] = []
        for number, picture in pictures.items():
            parts += [TextPart(f"[Frame at {clock(seconds_of(number))} of V{video}]"), picture]
        return FRAMES_RESULT.format(frames=", ".join(map(label, pictures))), tuple(parts)


def _times(arguments: Mapping[str, Any], seconds: float) -> list[float]:
    """Read which frames a call wants: evenly spread between two times, both included."""
    start, end = sorted(_time(arguments.get(name), seconds) for name in ("from", "to"))
    count = _count(arguments.get("count"))
    if count == 1 or start == end:
        return [(start + end) / 2]
    return [start + (end - start) * place / (count - 1) for place in range(count)]


def _count(value: Any) -> int:
    try:
        return min(AT_ONCE, max(1, int(value)))
    except (TypeError, ValueError, OverflowError):
        return 1


def _time(value: object, seconds: float) -> float:
    """Read a time within a video: as on a clock, perhaps after the video's name, or in seconds."""
    text = str(value).strip()
    match = CLOCK.search(text)
    try:
        at = read_clock(match) if match else float(text.removesuffix("s"))
    except ValueError:
        at = -1.0
    if not 0 <= at <= seconds + 0.5:
        raise UnknownFrame(NO_TIME.format(end=clock(seconds)))
    return at
