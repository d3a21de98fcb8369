"""A stretch of a video watched from its start to its end, of which what is new is kept.

Runs in a child process.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.media.frame_diversity import varied
from bot.media.frame_marks import CHANGED, SAME, difference, mark_of, sharpness_of
from bot.media.image import Pixels
from bot.media.video_colour import picture
from bot.media.video_container import opened
from bot.media.video_decoder import NOW, VideoDecoder
from bot.media.video_frames import PATIENCE, QUALITY, VideoFrame, decoding, shot_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.video_decoder import Timed

EVERY = 0.1
"""Seconds between two looks: what is there for less can hardly be told by people either."""
BLOCK = 5.0
"""Seconds of looks that are held against each other: their pixels stay in memory meanwhile."""
BEFORE = 2
"""Looks back to the frame that tells how much changes at a moment."""
SETTLING = 0.3
"""Seconds around a look that is kept in which a sharper one may take its place."""


@dataclass(frozen=True, slots=True)
class SampledFrames:
    """Frames of a stretch; `whole` is false where there was no time for the rest of it."""

    shots: tuple[VideoFrame, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Sample:
    """A look at a frame; `jump` is how much it differs from one a moment before."""

    at: float
    pixels: Pixels
    mark: bytes
    jump: float


def watch(
    path: Path,
    limits: FileLimits,
    start: float,
    end: float,
    slot: float,
    side: int,
    quality: int = QUALITY,
) -> SampledFrames:
    """Look through a stretch of a video, and keep as many frames as it has slots of time.

    Those are the most varied ones, beside those at which much changes; of similar ones close by
    the sharpest. `slot` is in seconds; the frames are at most `side` pixels long. Frames that are
    shown briefly and from which no others are made are not looked at.
    Raises `FileProblem`: those of `bot.media.video_container.opened`, and `DAMAGED`; and
    `MemoryError`.
    """
    with decoding(), opened(path, limits) as reel:
        source = VideoDecoder(reel, limits.child_seconds * PATIENCE)
        looks = _looks(source.passing(start, end), side, reel.aspect)
        shots = tuple(
            replace(shot_of(look.at, look.pixels, quality), jump=round(look.jump, 1))
            for block in _blocks(looks)
            for look in _kept(block, max(1, round(BLOCK / slot)))
        )
        return SampledFrames(shots, whole=not source.late)


def _blocks(looks: Iterator[_Sample]) -> Iterator[list[_Sample]]:
    """Part looks into blocks of time."""
    block: list[_Sample] = []
    for look in looks:
        if block and look.at - block[0].at >= BLOCK - NOW:
            yield block
            block = []
        block.append(look)
    if block:
        yield block


def _kept(block: list[_Sample], most: int) -> Iterator[_Sample]:
    """Choose looks that vary, and those at which much changes; the sharpest around each is kept.

    What changes all the time, as where people walk, is no change: it is taken off the jumps.
    """
    usual = float(np.median([look.jump for look in block]))
    block = [replace(look, jump=max(0.0, look.jump - usual)) for look in block]
    for place in sorted({*varied([look.mark for look in block], most), *_sudden(block, most)}):
        here = block[place]
        near = [look for look in block if abs(look.at - here.at) <= SETTLING]
        alike = [look for look in near if difference(look.mark, here.mark) < SAME]
        sharpest = max(alike, key=lambda look: sharpness_of(look.pixels))
        yield replace(sharpest, jump=max(look.jump for look in alike))


def _sudden(block: list[_Sample], most: int) -> list[int]:
    """Find at most so many places of looks that change more than those around them."""
    jumps = [look.jump for look in block]
    peaks = [
        place
        for place, jump in enumerate(jumps)
        if jump > CHANGED and jump == max(jumps[max(0, place - BEFORE) : place + BEFORE + 1])
    ]
    return sorted(peaks, key=lambda place: -jumps[place])[:most]


def _looks(frames: Iterator[Timed], side: int, aspect: float) -> Iterator[_Sample]:
    """Look at frames of a stretch, so far apart as looks are."""
    earlier: deque[bytes] = deque(maxlen=BEFORE)
    due = float("-inf")
    for at, frame in frames:
        if at < due - NOW:
            continue
        due = at + EVERY
        pixels = picture(frame, side, aspect)
        mark = mark_of(pixels)
        yield _Sample(at, pixels, mark, difference(earlier[0], mark) if earlier else 0.0)
        earlier.append(mark)
