"""The frames that are chosen of a video: they fit the question, change, and stand apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.media.frame_marks import MAX_NOISE, difference
from bot.video.relevance import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.video.survey import Candidate

CHANGE = 0.35
"""Weight of a change beside the fitting of the question, which weighs 1."""
DISTANCE = 0.45
"""Weight of being far in time from all frames that are chosen already."""
LIKENESS = 0.4
"""What a frame loses that looks like one that is chosen already."""
BLURRED = 0.8
"""What remains of the worth of a blurred frame: what is dazzled or foggy is not sharp either."""


@dataclass(frozen=True, slots=True)
class SelectedCandidate:
    """A chosen candidate, by its place; `score` is from 0 to 1."""

    place: int
    score: float
    fits: bool


def select(
    candidates: Sequence[Candidate], fitting: Sequence[float], count: int
) -> list[SelectedCandidate]:
    """Choose frames that fit, change, and stand apart in time and looks; in order of time."""
    changes = scaled([one.change for one in candidates])
    clear = _clear(candidates)
    worth = [
        (fit + CHANGE * change) * quality
        for fit, change, quality in zip(fitting, changes, clear, strict=True)
    ]
    reach = _length(candidates) / max(1, count)
    room = [DISTANCE] * len(candidates)
    alike = [0.0] * len(candidates)
    left, chosen = list(range(len(candidates))), list[int]()
    while left and len(chosen) < count:
        best = max(left, key=lambda i: worth[i] + room[i] - alike[i])
        left.remove(best)
        chosen.append(best)
        for i in left:
            room[i] = min(room[i], _room(candidates[i], candidates[best], reach))
            alike[i] = max(alike[i], _likeness(candidates[i], candidates[best]))
    return [SelectedCandidate(i, round(fitting[i], 3), fitting[i] >= 0.5) for i in sorted(chosen)]


def _length(candidates: Sequence[Candidate]) -> float:
    return candidates[-1].at - candidates[0].at if candidates else 0.0


def _room(one: Candidate, other: Candidate, reach: float) -> float:
    """Tell what a frame gains by being far from a chosen one, up to `reach` seconds."""
    return DISTANCE * min(1.0, abs(one.at - other.at) / reach) if reach else 0.0


def _likeness(one: Candidate, other: Candidate) -> float:
    """Tell what a frame loses if it looks like a chosen one."""
    return LIKENESS if difference(one.mark, other.mark) < 2 * MAX_NOISE else 0.0


def _clear(candidates: Sequence[Candidate]) -> list[float]:
    """Tell how clear frames are beside the others."""
    usual = float(np.median([one.sharpness for one in candidates])) if candidates else 0.0
    return [min(1.0, max(BLURRED, one.sharpness / usual)) if usual else 1.0 for one in candidates]
