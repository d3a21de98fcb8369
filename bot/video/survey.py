"""Surveys of videos: made of decoded frames, and stored as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from bot.media.frame_marks import MAX_NOISE, choose_varied, difference
from bot.video.candidates import Candidate, Survey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.media.frames import VideoFrame
    from bot.video.candidates import PlannedFrame, Span

SHARPER = 1.2
"""Times that a near-duplicate has to be sharper to replace a candidate."""

_SURVEY = TypeAdapter(Survey)


def dump_survey(survey: Survey) -> bytes:
    """Serialize a survey as JSON."""
    return _SURVEY.dump_json(survey)


def load_survey(data: bytes) -> Survey | None:
    """Parse a stored survey; return None if another version wrote it."""
    try:
        return _SURVEY.validate_json(data)
    except ValueError:
        return None


def build_survey(
    spans: Iterable[Span],
    plan: Iterable[PlannedFrame],
    frames: Iterable[VideoFrame],
    most: int,
    *,
    partial: bool,
) -> Survey:
    """Make at most so many candidates of decoded frames, as varied as possible.

    Of near-duplicates the sharper is kept.
    """
    cuts = {round(one.spec.at, 3) for one in plan if one.change and not one.spec.until}
    candidates: list[Candidate] = []
    for frame in sorted(frames, key=lambda frame: frame.at):
        jump = frame.jump
        if frame.at in cuts and candidates:  # The encoder itself says that all is new here.
            jump = difference(candidates[-1].mark, frame.mark)
        one = _candidate(frame, jump)
        alike = (c for c in reversed(candidates) if difference(c.mark, one.mark) < MAX_NOISE)
        twin = next(alike, None)
        if twin is None:
            candidates.append(one)
        elif one.sharpness > twin.sharpness * SHARPER or one.change > twin.change:
            candidates.remove(twin)
            candidates.append(one)
    places = choose_varied([one.mark for one in candidates], most)
    return Survey(tuple(spans), tuple(candidates[place] for place in places), partial=partial)


def _candidate(frame: VideoFrame, jump: float) -> Candidate:
    return Candidate(
        at=frame.at,
        jpeg=frame.jpeg,
        width=frame.width,
        height=frame.height,
        mark=frame.mark,
        sharpness=frame.sharpness,
        brightness=frame.brightness,
        change=round(jump / 255, 3),
    )
