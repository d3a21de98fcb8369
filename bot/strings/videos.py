"""The sentences about videos: progress, what was not looked at, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.frame_ids import clock
from bot.strings.answers import WHY_MODEL
from bot.text.escape import plain, verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.errors import ModelProblem

ANOTHER_PART = 'To have me look at another part, name it, for example "from 1:10 to 2:00".'


def _whole(seconds: float) -> str:
    """Format a length or time in whole seconds: 2:55."""
    return clock(round(seconds)).removesuffix(".0")


def decoding_progress(video: str, position: float, length: float) -> str:
    """Return how far the decoding has come."""
    return f"Decoding {plain(video)}: {_whole(min(position, length))} of {_whole(length)}…"


def choosing_progress(video: str, frames: int = 0, total: int = 0) -> str:
    """Return that frames are being chosen, and how many have been looked at for that."""
    return f"Choosing frames from {plain(video)}…" + (f" ({frames} of {total})" if total else "")


def listening_progress(video: str) -> str:
    """Return that the sound track is being transcribed."""
    return f"Listening to {plain(video)}…"


def _parts(spans: Sequence[tuple[float, float]], seconds: float) -> str:
    return " and ".join(f"{_whole(start)}–{_whole(min(end, seconds))}" for start, end in spans)


def parts_seen(video: str, seconds: float, spans: Sequence[tuple[float, float]]) -> str:
    """Return which parts of a long video were looked at, and how to ask for others."""
    parts = _parts(spans, seconds)
    return f"{verbatim(video)} is {_whole(seconds)} long; I looked at {parts}. {ANOTHER_PART}"


def video_cut(video: str, seconds: float) -> str:
    """Return that the end of a file is missing."""
    return (
        f"{verbatim(video)} is incomplete: only its first {_whole(seconds)} can be read. "
        "If you need the rest, please send the file again."
    )


def video_partial(video: str) -> str:
    """Return that some frames could not be decoded."""
    return (
        f"Some frames of {verbatim(video)} could not be decoded. "
        "Please ask about a shorter part of it."
    )


def videos_left_out(videos: Sequence[str]) -> str:
    """Return which videos there was no room for."""
    names = ", ".join(verbatim(video) for video in videos)
    return (
        f"I cannot look at so many videos at once and left out {names}. "
        "Please ask about them one at a time."
    )


def without_speech(video: str, problem: ModelProblem) -> str:
    """Return that the words spoken in a video are missing, and why."""
    why = _lower(WHY_MODEL[problem.reason])
    return f"I could not transcribe what is said in {verbatim(video)}: {why}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def frames_not_shown(video: str) -> str:
    """Return that the frames an answer cites are missing below it."""
    return f"The frames of {verbatim(video)} could not be shown here."
