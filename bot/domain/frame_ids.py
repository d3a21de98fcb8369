"""Frames of videos: numbered, so that code which knows photos by number can use frames, too.

The frame of video `V2` at 12.4 seconds has the number 2_000_012_400: the video's number and the
time in milliseconds. Photos have numbers below 1_000_000_000, so that all sort in the order in
which they are listed.
"""

from __future__ import annotations

import re

SPACE = 1_000_000_000
"""How many numbers each video has: the milliseconds of eleven days."""
LONGEST = SPACE / 1000 - 1
"""Seconds of the latest frame that has a number."""

_CLOCK = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2}(?:\.\d{1,3})?)"
CLOCK = re.compile(rf"(?<![\dT:.+])(?<!\d,){_CLOCK}(?!\d|[:.]\d)")
"""A time within a video as people write it: 0:12.4, 2:05, 1:02:03; no part of a date."""


SECOND_TOLERANCE = 0.6
"""Seconds that a frame may be away from a time in whole seconds that means it."""


def frame_number(video: int, seconds: float) -> int:
    """Return the number of the frame of `V<video>` at so many seconds, to the millisecond."""
    return video * SPACE + round(min(max(seconds, 0.0), LONGEST) * 1000)


def is_frame(number: int) -> bool:
    """Return whether a number is that of a frame, not of a photo."""
    return number >= SPACE


def video_of(number: int) -> int:
    """Return the number of the video that a frame is of; 0 for a photo."""
    return number // SPACE


def seconds_of(number: int) -> float:
    """Return when a frame is shown, in seconds from the video's start."""
    return number % SPACE / 1000


def clock(seconds: float) -> str:
    """Write a time as people read it, to a tenth of a second: 0:12.4, 1:02:03.0."""
    tenths = round(max(seconds, 0.0) * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    lead = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{lead}:{tenths // 10:02}.{tenths % 10}"


def read_clock(match: re.Match[str]) -> float:
    """Read a match of `CLOCK` as seconds."""
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


def label(number: int) -> str:
    """Name a photo or a frame: P3, or V1 0:12.4."""
    if is_frame(number):
        return f"V{video_of(number)} {clock(seconds_of(number))}"
    return f"P{number}"
