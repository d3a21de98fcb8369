"""The frames of videos that an answer cites by their times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.domain.frame_ids import CLOCK, SECOND_TOLERANCE, read_clock, seconds_of, video_of
from bot.text.patterns import prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TENTH_TOLERANCE = 0.06
"""Seconds that a frame may be away from a time with tenths: they are rounded."""

_VIDEO = re.compile(r"\bV(\d{1,5})\b")


def cited_frames(answer: str, frames: Iterable[int]) -> tuple[int, ...]:
    """Return the frames, of those that the model got, that an answer cites as `0:12.4`, in order.

    If they are of several videos, a time belongs to the video that was named last before it; else
    to the one with the nearest frame.
    """
    text = prose(answer)
    numbers = sorted(set(frames))
    citations = (_frame(text, time, numbers) for time in CLOCK.finditer(text))
    return tuple(dict.fromkeys(frame for frame in citations if frame is not None))


def _frame(text: str, time: re.Match[str], frames: Sequence[int]) -> int | None:
    at = read_clock(time)
    videos = {video_of(frame) for frame in frames}
    mentions = [n for n in map(int, _VIDEO.findall(text[: time.start()])) if n in videos]
    own = [frame for frame in frames if mentions and video_of(frame) == mentions[-1]]
    nearest = min(own or frames, key=lambda frame: abs(seconds_of(frame) - at), default=None)
    reach = TENTH_TOLERANCE if "." in time[0] else SECOND_TOLERANCE
    if nearest is None or abs(seconds_of(nearest) - at) > reach:
        return None
    return nearest
