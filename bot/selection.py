"""The frames that are chosen of a video: they fit the question, change, and stand apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.media.shots import difference
from bot.relevance import scaled
from bot.survey import SAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.survey import Candidate

CHANGE = 0.35
"""Weight of a change beside the fitting of the question, which weighs 1."""
DISTANCE = 0.45
"""Weight of being far from all frames that are chosen already."""
LIKENESS = 0.4
"""What a frame loses that looks like one that is chosen already."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A chosen candidate, by its place; `score` is from 0 to 1."""

    place: int
    score: float
    fits: bool


def select(candidates: Sequence[Candidate], fitting: Sequence[float], count: int) -> list[Pick]:
    """Choose frames that fit, change, and stand apart in time and looks; in order of time."""
    changes = scaled([one.change for one in candidates])
    clear = _clear(candidates)
    worth = [
        (fit + CHANGE * change) * quality
        for fit, change, quality in zip(fitting, changes, clear, strict=True)
    ]
    apart = _length(candidates) / max(1, count)
    chosen: list[int] = []
    while len(chosen) < min(count, len(candidates)):
        left = (i for i in range(len(candidates)) if i not in chosen)
        chosen.append(max(left, key=lambda i: worth[i] + _room(i, chosen, candidates, apart)))
    return [Pick(i, round(fitting[i], 3), fitting[i] >= 0.5) for i in sorted(chosen)]


def _length(candidates: Sequence[Candidate]) -> float:
    return candidates[-1].at - candidates[0].at if candidates else 0.0


def _room(
    place: int, chosen: Sequence[int], candidates: Sequence[Candidate], apart: float
) -> float:
    """Tell what a frame gains by being far from the chosen ones, or loses by looking like one."""
    one = candidates[place]
    if not chosen:
        return 0.0
    nearest = min(abs(one.at - candidates[i].at) for i in chosen)
    gain = DISTANCE * min(1.0, nearest / apart) if apart else 0.0
    alike = any(difference(one.mark, candidates[i].mark) < 2 * SAME for i in chosen)
    return gain - (LIKENESS if alike else 0.0)


def _clear(candidates: Sequence[Candidate]) -> list[float]:
    """Tell how clear frames are beside the others: blurred ones count half at worst."""
    usual = float(np.median([one.sharpness for one in candidates])) if candidates else 0.0
    return [min(1.0, max(0.5, one.sharpness / usual)) if usual else 1.0 for one in candidates]
