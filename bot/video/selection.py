"""The selection of frames from scored candidates: fitting ones, far apart in time and looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bot.media.frame_marks import MAX_NOISE, difference
from bot.video.candidates import SelectedCandidate
from bot.video.relevance import scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.video.candidates import Candidate

CHANGE = 0.35
"""Weight of a change beside that of fitting the question, which is 1."""
DISTANCE = 0.45
"""Weight of being far in time from all frames that are selected already."""
LIKENESS = 0.4
"""What a frame loses that looks like one that is selected already."""
MIN_CLARITY = 0.8
"""What remains of the worth of a blurred frame: glare and fog are not sharp either."""


def select(
    candidates: Sequence[Candidate], scores: Sequence[float], count: int
) -> list[SelectedCandidate]:
    """Select frames that fit, change, and stand apart in time and looks; in order of time."""
    changes = scale([one.change for one in candidates])
    worth = [
        (score + CHANGE * change) * clarity
        for score, change, clarity in zip(scores, changes, _clarity(candidates), strict=True)
    ]
    reach = _length(candidates) / max(1, count)
    distances = [DISTANCE] * len(candidates)
    likeness = [0.0] * len(candidates)
    remaining, places = list(range(len(candidates))), list[int]()
    while remaining and len(places) < count:
        best = max(remaining, key=lambda i: worth[i] + distances[i] - likeness[i])
        remaining.remove(best)
        places.append(best)
        for i in remaining:
            distances[i] = min(distances[i], _distance(candidates[i], candidates[best], reach))
            likeness[i] = max(likeness[i], _likeness(candidates[i], candidates[best]))
    return [SelectedCandidate(i, round(scores[i], 3), scores[i] >= 0.5) for i in sorted(places)]


def _length(candidates: Sequence[Candidate]) -> float:
    return candidates[-1].at - candidates[0].at if candidates else 0.0


def _distance(one: Candidate, other: Candidate, reach: float) -> float:
    """Return what a frame gains by its distance from a selected one, up to `reach` seconds."""
    return DISTANCE * min(1.0, abs(one.at - other.at) / reach) if reach else 0.0


def _likeness(one: Candidate, other: Candidate) -> float:
    """Return what a frame loses if it looks like a selected one."""
    return LIKENESS if difference(one.mark, other.mark) < 2 * MAX_NOISE else 0.0


def _clarity(candidates: Sequence[Candidate]) -> list[float]:
    """Return how sharp frames are beside the others, from `MIN_CLARITY` to 1."""
    usual = float(np.median([one.sharpness for one in candidates])) if candidates else 0.0
    return [
        min(1.0, max(MIN_CLARITY, one.sharpness / usual)) if usual else 1.0 for one in candidates
    ]
