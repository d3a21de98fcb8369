"""The moments of videos that an answer cites by their times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.domain.frame_ids import CLOCK, read_clock, seconds_of, video_of
from bot.grounding.outlines import prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEAR = 0.06
"""Seconds that a frame may be away from a time with tenths: they are rounded."""
NEARLY = 0.6
"""The same for a time in whole seconds."""

_VIDEO = re.compile(r"\bV(\d{1,5})\b")


def cited(answer: str, shown: Iterable[int]) -> tuple[int, ...]:
    """List the frames, of those that were shown, that an answer cites as `0:12.4`, in its order.

    Where several videos are shown, a time is of the video that was named last before it; else of
    the one that has a frame nearest to it.
    """
    text = prose(answer)
    frames = sorted(set(shown))
    found = (_frame(text, time, frames) for time in CLOCK.finditer(text))
    return tuple(dict.fromkeys(frame for frame in found if frame is not None))


def _frame(text: str, time: re.Match[str], frames: Sequence[int]) -> int | None:
    at = read_clock(time)
    videos = {video_of(frame) for frame in frames}
    named = [n for n in map(int, _VIDEO.findall(text[: time.start()])) if n in videos]
    own = [frame for frame in frames if named and video_of(frame) == named[-1]]
    nearest = min(own or frames, key=lambda frame: abs(seconds_of(frame) - at), default=None)
    reach = NEAR if "." in time[0] else NEARLY
    if nearest is None or abs(seconds_of(nearest) - at) > reach:
        return None
    return nearest
