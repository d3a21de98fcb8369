"""Which frames of a video are worth decoding, told by the sizes of its packets alone.

A packet is large where a picture cannot be told from the one before: where something appears,
moves suddenly or is cut. Key frames cost least, as each is decoded alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bot.media.frames import TIME_TOLERANCE, FrameSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.media.frames import FrameTimes

Span = tuple[float, float]
"""A stretch of a video: from, and up to but not with, in seconds."""

CHANGES = 0.35
"""Share of the candidates that are sought where something changes."""
KEY = 6
"""Frames that a key frame costs as much as, about: it is as many times larger."""
KEYS = 0.7
"""Share of the budget that is kept for them."""
FEWEST = 0.4
"""Share of the candidates that there are at least: where key frames are rare, others are decoded
between them."""
AROUND = 1.5
"""Seconds before and after a packet that tell what size is usual there."""
POINT = 0.25
"""Seconds between the points of time at which that is told."""
USUAL = 0.85
"""The quantile of those sizes that counts as usual: in most videos every second or fourth packet
is much larger than those between."""
UNUSUAL = 1.25
"""Times that a packet is larger than usual where something changes."""
APART = 0.4
"""Seconds between two changes: what happens within is one."""
SETTLING = 0.1
"""Seconds after a change within which the sharpest frame is taken."""
UNSETTLED = 5
"""Packets after a key frame that are large by themselves, as they mend what it left coarse."""
EARLY = 0.7
"""A key frame that comes earlier than this share of the usual interval was put where the picture
changed as a whole."""


STRETCH = 150
"""Frames that are watched in one go, at least: five seconds of most videos."""


@dataclass(frozen=True, slots=True)
class PlannedFrame:
    """A frame to decode.

    `cost` counts the frames from the key frame before it on, that one for more, and `change` is how
    unusual its packet was (0: not at all, 1: very).
    """

    wanted: FrameSpec
    cost: int
    change: float = 0.0


def plan(
    ticks: FrameTimes, spans: Sequence[Span], most: int, budget: int
) -> tuple[PlannedFrame, ...]:
    """Plan at most so many frames of some stretches of a video, in the order of their times.

    `budget` is how many frames are decoded in all, about; that is exceeded where key frames are so
    rare that long stretches would be left out.
    """
    there = [ticks.within(*span) for span in spans]
    total = sum(len(part.at) for part in there)
    planned: dict[float, PlannedFrame] = {}
    for part in there:
        if len(part.at):
            share = len(part.at) / total
            for one in _planned(part, max(2, int(most * share)), int(budget * share)):
                planned.setdefault(one.wanted.at, one)
    return tuple(planned[at] for at in spread(sorted(planned), most))


def _planned(ticks: FrameTimes, most: int, budget: int) -> list[PlannedFrame]:
    affordable = int(budget * KEYS / KEY)
    spare = budget - KEY * min(affordable, int(ticks.key.sum()))
    changes = _changes(ticks, int(most * CHANGES), spare)
    keys = _key_frames(ticks, min(most - len(changes), max(affordable, int(most * FEWEST))))
    between = _between(ticks, [at for at, _ in keys], int(most * FEWEST))
    kept = spread([at for at, _ in keys], most - len(changes) - len(between))
    keys = [key for key in keys if key[0] in kept]
    last = float(ticks.at[-1])
    exact = [(at, change, min(at + SETTLING, last)) for at, change in changes]
    exact += [(at, 0.0, at) for at in between]
    taken = [planned_at(ticks, at, change) for at, change in keys]
    return taken + [planned_at(ticks, at, change, until) for at, change, until in exact]


def planned_at(
    ticks: FrameTimes, at: float, change: float = 0.0, until: float = 0.0
) -> PlannedFrame:
    """Plan a frame, with the key frame before it, and how many are decoded on the way."""
    place = int(np.searchsorted(ticks.at, at + TIME_TOLERANCE)) - 1
    before = np.flatnonzero(ticks.key[: place + 1])
    first = int(before[-1]) if len(before) else 0
    return PlannedFrame(FrameSpec(at, until, float(ticks.at[first])), KEY + place - first, change)


def _key_frames(ticks: FrameTimes, most: int) -> list[tuple[float, float]]:
    """Pick key frames: those where the picture changed first, the others spread over the time."""
    at = ticks.at[ticks.key]
    gaps = np.diff(at)
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    early = {float(at[i + 1]) for i in np.flatnonzero(gaps < usual * EARLY)} if usual else set()
    chosen = (
        sorted(early)[: most // 2] if len(early) <= most // 2 else spread(sorted(early), most // 2)
    )
    rest = spread([float(t) for t in at if t not in early], most - len(chosen))
    return sorted((t, 0.5 if t in early else 0.0) for t in (*chosen, *rest))


def _between(ticks: FrameTimes, keys: Sequence[float], fewest: int) -> list[float]:
    """Pick frames far from all key frames, so that nowhere there are fewer than so many in all."""
    first, last = float(ticks.at[0]), float(ticks.at[-1])
    step = (last - first) / max(1, fewest)
    grid = first + step * (np.arange(fewest) + 0.5)
    far = [float(t) for t in grid if all(abs(t - key) > step / 2 for key in keys)]
    places = np.clip(np.searchsorted(ticks.at, far), 0, len(ticks.at) - 1)
    return [float(ticks.at[i]) for i in dict.fromkeys(places.tolist())]


def shares(planned: Sequence[PlannedFrame], worth: int) -> list[tuple[PlannedFrame, ...]]:
    """Share planned frames out to calls that cost about so many frames, in order of time.

    Frames after the same key frame stay together, as all of them are decoded in one go.
    """
    parts: list[list[PlannedFrame]] = []
    cost, before = worth, PlannedFrame(FrameSpec(0.0, key=-1.0), 0)
    for one in planned:
        together = one.wanted.key == before.wanted.key
        if not together and cost >= worth:
            parts.append([])
            cost = 0
        cost += max(0, one.cost - before.cost) if together else one.cost
        parts[-1].append(one)
        before = one
    return [tuple(part) for part in parts]


def stretches(ticks: FrameTimes, spans: Sequence[Span]) -> list[Span]:
    """Cut stretches of a video into shorter ones that begin with key frames, for watching them."""
    found: list[Span] = []
    for start, end in spans:
        part = ticks.within(start, end)
        cuts, last = [start], 0
        for place in np.flatnonzero(part.key).tolist():
            if place - last >= STRETCH:
                cuts.append(float(part.at[place]))
                last = place
        found += pairwise([*cuts, end]) if len(part.at) else ()
    return found


def spread(times: Sequence[float], most: int) -> list[float]:
    """Keep at most so many of ordered times, as evenly as they allow."""
    if len(times) <= most:
        return list(times)
    if most <= 0:
        return []
    at, grid = np.asarray(times), np.linspace(times[0], times[-1], most)
    after = np.clip(np.searchsorted(at, grid), 1, len(at) - 1)
    nearest = np.where(grid - at[after - 1] <= at[after] - grid, after - 1, after)
    return [times[i] for i in dict.fromkeys(nearest.tolist())]


def _changes(ticks: FrameTimes, most: int, budget: int) -> list[tuple[float, float]]:
    """Find where packets are much larger than those around them, the most unusual first.

    Those that cost more than is left of the budget are passed over.
    """
    places = np.flatnonzero(~ticks.key)
    if most <= 0 or len(places) < 8:
        return []
    since = _since_key(ticks)[places]
    at, size = ticks.at[places], ticks.size[places].astype(np.float64)
    ratio = np.where(since > UNSETTLED, size / np.maximum(_usual(at, size), 1.0), 0.0)
    found: list[tuple[float, float]] = []
    reached: dict[int, int] = {}
    for i in np.argsort(-ratio):
        if ratio[i] < UNUSUAL or len(found) == most:
            break
        key = int(places[i] - since[i])
        cost = max(0, int(since[i]) - reached.get(key, 0))
        if cost <= budget and all(abs(at[i] - other) >= APART for other, _ in found):
            found.append((float(at[i]), min(1.0, float(np.log2(ratio[i])) / 3)))
            budget -= cost
            reached[key] = reached.get(key, 0) + cost
    return found


def _since_key(ticks: FrameTimes) -> NDArray[np.int64]:
    """Count the packets since the last key frame."""
    places = np.arange(len(ticks.at))
    return places - np.maximum.accumulate(np.where(ticks.key, places, 0))


def _usual(at: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tell the usual size around each packet; between points of time it changes evenly."""
    points = np.arange(at[0], at[-1] + POINT, POINT)
    first = np.searchsorted(at, points - AROUND)
    last = np.searchsorted(at, points + AROUND, side="right")
    usual = [
        np.quantile(size[a:b], USUAL) if b > a else 0.0 for a, b in zip(first, last, strict=True)
    ]
    return np.interp(at, points, usual)
