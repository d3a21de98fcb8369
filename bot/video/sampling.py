"""Which frames of a video are worth decoding, judged by the sizes of its packets alone.

A packet is large where the picture before does not predict a picture: where something appears,
moves suddenly or is cut. Key frames cost least, as each is decoded alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bot.media.frames import TIME_TOLERANCE, FrameSpec
from bot.video.candidates import PlannedFrame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.media.frames import FrameTimes
    from bot.video.candidates import Span

CHANGES = 0.35
"""Share of the candidates that are taken where something changes."""
KEY = 6
"""What a key frame costs, in other frames: it is about as many times larger."""
KEY_SHARE = 0.7
"""Share of the budget that is reserved for key frames."""
MIN_SHARE = 0.4
"""Least share of the candidates that is spread over the time: where key frames are rare, others are
decoded between them."""
WINDOW = 1.5
"""Seconds before and after a packet from which its usual size is computed."""
STEP = 0.25
"""Seconds between the times for which the usual size is computed."""
USUAL = 0.85
"""The quantile of sizes that counts as usual: in most videos every second or fourth packet is much
larger than those between."""
UNUSUAL = 1.25
"""Times the usual size from which a packet shows a change."""
MIN_GAP = 0.4
"""Seconds between two changes: what happens within is one."""
SETTLING = 0.1
"""Seconds after a change within which the sharpest frame is chosen."""
AFTER_KEY = 5
"""Packets after a key frame that are large anyway, as they refine its coarse picture."""
EARLY = 0.7
"""A key frame that comes earlier than this share of the usual interval marks a cut."""

STRETCH = 150
"""Frames of a stretch that is sampled in one call, at least: five seconds of most videos."""


def plan_frames(
    times: FrameTimes, spans: Sequence[Span], most: int, budget: int
) -> tuple[PlannedFrame, ...]:
    """Plan at most so many frames of some stretches of a video, in the order of their times.

    `budget` is how many frames are decoded in all, about; that is exceeded where key frames are so
    rare that long stretches would be left out.
    """
    parts = [times.within(*span) for span in spans]
    total = sum(len(part.at) for part in parts)
    frames: dict[float, PlannedFrame] = {}
    for part in parts:
        if len(part.at):
            share = len(part.at) / total
            for one in _plan_part(part, max(2, int(most * share)), int(budget * share)):
                frames.setdefault(one.spec.at, one)
    return tuple(frames[at] for at in thin_out(sorted(frames), most))


def _plan_part(times: FrameTimes, most: int, budget: int) -> list[PlannedFrame]:
    affordable = int(budget * KEY_SHARE / KEY)
    spare = budget - KEY * min(affordable, int(times.key.sum()))
    changes = _changes(times, int(most * CHANGES), spare)
    keys = _key_frames(times, min(most - len(changes), max(affordable, int(most * MIN_SHARE))))
    between = _between(times, [at for at, _ in keys], int(most * MIN_SHARE))
    key_times = thin_out([at for at, _ in keys], most - len(changes) - len(between))
    keys = [key for key in keys if key[0] in key_times]
    last = float(times.at[-1])
    exact = [(at, change, min(at + SETTLING, last)) for at, change in changes]
    exact += [(at, 0.0, at) for at in between]
    frames = [plan_frame(times, at, change) for at, change in keys]
    return frames + [plan_frame(times, at, change, until) for at, change, until in exact]


def plan_frame(
    times: FrameTimes, at: float, change: float = 0.0, until: float = 0.0
) -> PlannedFrame:
    """Plan a frame, with the key frame before it, and how many are decoded on the way."""
    place = int(np.searchsorted(times.at, at + TIME_TOLERANCE)) - 1
    before = np.flatnonzero(times.key[: place + 1])
    first = int(before[-1]) if len(before) else 0
    return PlannedFrame(FrameSpec(at, until, float(times.at[first])), KEY + place - first, change)


def _key_frames(times: FrameTimes, most: int) -> list[tuple[float, float]]:
    """Return key frames and their changes: those at cuts first, others spread over the time."""
    at = times.at[times.key]
    gaps = np.diff(at)
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    early = {float(at[i + 1]) for i in np.flatnonzero(gaps < usual * EARLY)} if usual else set()
    cuts = thin_out(sorted(early), most // 2)
    others = thin_out([float(t) for t in at if t not in early], most - len(cuts))
    return sorted((t, 0.5 if t in early else 0.0) for t in (*cuts, *others))


def _between(times: FrameTimes, keys: Sequence[float], fewest: int) -> list[float]:
    """Return frames far from all key frames, so that every part of the time has some."""
    first, last = float(times.at[0]), float(times.at[-1])
    step = (last - first) / max(1, fewest)
    grid = first + step * (np.arange(fewest) + 0.5)
    far = [float(t) for t in grid if all(abs(t - key) > step / 2 for key in keys)]
    places = np.clip(np.searchsorted(times.at, far), 0, len(times.at) - 1)
    return [float(times.at[i]) for i in dict.fromkeys(places.tolist())]


def group_by_cost(
    frames: Sequence[PlannedFrame], cost_per_call: int
) -> list[tuple[PlannedFrame, ...]]:
    """Group planned frames into calls that cost about so many frames, in order of time.

    Frames after the same key frame stay together, as all of them are decoded in one go.
    """
    groups: list[list[PlannedFrame]] = []
    cost, before = cost_per_call, PlannedFrame(FrameSpec(0.0, key=-1.0), 0)
    for one in frames:
        together = one.spec.key == before.spec.key
        if not together and cost >= cost_per_call:
            groups.append([])
            cost = 0
        cost += max(0, one.cost - before.cost) if together else one.cost
        groups[-1].append(one)
        before = one
    return [tuple(group) for group in groups]


def split_spans(times: FrameTimes, spans: Sequence[Span]) -> list[Span]:
    """Split stretches of a video into shorter ones that begin with key frames, to sample them."""
    parts: list[Span] = []
    for start, end in spans:
        part = times.within(start, end)
        cuts, last = [start], 0
        for place in np.flatnonzero(part.key).tolist():
            if place - last >= STRETCH:
                cuts.append(float(part.at[place]))
                last = place
        parts += pairwise([*cuts, end]) if len(part.at) else ()
    return parts


def thin_out(times: Sequence[float], most: int) -> list[float]:
    """Return at most so many of ordered times, as evenly spread as they allow."""
    if len(times) <= most:
        return list(times)
    if most <= 0:
        return []
    at, grid = np.asarray(times), np.linspace(times[0], times[-1], most)
    after = np.clip(np.searchsorted(at, grid), 1, len(at) - 1)
    nearest = np.where(grid - at[after - 1] <= at[after] - grid, after - 1, after)
    return [times[i] for i in dict.fromkeys(nearest.tolist())]


def _changes(times: FrameTimes, most: int, budget: int) -> list[tuple[float, float]]:
    """Return where packets are much larger than those around them, the most unusual first.

    Those that cost more than what remains of the budget are skipped.
    """
    places = np.flatnonzero(~times.key)
    if most <= 0 or len(places) < 8:
        return []
    since = _since_key(times)[places]
    at, size = times.at[places], times.size[places].astype(np.float64)
    ratio = np.where(since > AFTER_KEY, size / np.maximum(_usual(at, size), 1.0), 0.0)
    changes: list[tuple[float, float]] = []
    depth_by_key: dict[int, int] = {}
    for i in np.argsort(-ratio):
        if ratio[i] < UNUSUAL or len(changes) == most:
            break
        key = int(places[i] - since[i])
        cost = max(0, int(since[i]) - depth_by_key.get(key, 0))
        if cost <= budget and all(abs(at[i] - other) >= MIN_GAP for other, _ in changes):
            changes.append((float(at[i]), min(1.0, float(np.log2(ratio[i])) / 3)))
            budget -= cost
            depth_by_key[key] = depth_by_key.get(key, 0) + cost
    return changes


def _since_key(times: FrameTimes) -> NDArray[np.int64]:
    """Return the number of packets since the last key frame, of each packet."""
    places = np.arange(len(times.at))
    return places - np.maximum.accumulate(np.where(times.key, places, 0))


def _usual(at: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the usual size around each packet, interpolated between steps of time."""
    points = np.arange(at[0], at[-1] + STEP, STEP)
    first = np.searchsorted(at, points - WINDOW)
    last = np.searchsorted(at, points + WINDOW, side="right")
    usual = [
        np.quantile(size[a:b], USUAL) if b > a else 0.0 for a, b in zip(first, last, strict=True)
    ]
    return np.interp(at, points, usual)
