"""A stretch of a video decoded from its start to its end, of which varied frames are kept.

Runs in a child process.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.media.frame_marks import (
    MAX_NOISE,
    MIN_CHANGE,
    choose_varied,
    difference,
    mark_of,
    sharpness_of,
)
from bot.media.frames import TIME_TOLERANCE, VideoFrame
from bot.media.pixels import Pixels
from bot.media.video_colour import to_pixels
from bot.media.video_container import open_video
from bot.media.video_decoder import VideoDecoder
from bot.media.video_frames import QUALITY, TIME_SHARE, decoder_errors, video_frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.video_decoder import TimedFrame

INTERVAL = 0.1
"""Seconds between two samples: people hardly notice what is there for less, either."""
BLOCK = 5.0
"""Seconds of samples that are compared with each other: their pixels stay in memory meanwhile."""
BEFORE = 2
"""Samples back to the one that a sample is compared with, to measure a change."""
SETTLING = 0.3
"""Seconds around a sample that is chosen in which a sharper one may replace it."""


@dataclass(frozen=True, slots=True)
class SampledFrames:
    """Frames of a stretch; `is_complete` is false if time ran out before its end."""

    frames: tuple[VideoFrame, ...]
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class _Sample:
    """A frame of the stretch; `jump` is how much it differs from one a moment before."""

    at: float
    pixels: Pixels
    mark: bytes
    jump: float


def sample(
    path: Path,
    limits: FileLimits,
    start: float,
    end: float,
    slot: float,
    side: int,
    quality: int = QUALITY,
) -> SampledFrames:
    """Sample a stretch of a video, and keep as many frames as it has slots of time.

    Those are the most varied ones, and those at which much changes; of similar ones close by the
    sharpest. `slot` is in seconds; the frames are at most `side` pixels long. Frames that are
    shown briefly and that no other frame depends on are skipped.
    Raises `FileProblem`: those of `bot.media.video_container.open_video`, and `DAMAGED`; and
    `MemoryError`.
    """
    with decoder_errors(), open_video(path, limits) as video:
        decoder = VideoDecoder(video, limits.child_seconds * TIME_SHARE)
        samples = _samples(decoder.skim(start, end), side, video.aspect)
        frames = tuple(
            replace(video_frame(one.at, one.pixels, quality), jump=round(one.jump, 1))
            for block in _blocks(samples)
            for one in _choose(block, max(1, round(BLOCK / slot)))
        )
        return SampledFrames(frames, is_complete=not decoder.out_of_time)


def _blocks(samples: Iterator[_Sample]) -> Iterator[list[_Sample]]:
    """Split samples into blocks of time."""
    block: list[_Sample] = []
    for one in samples:
        if block and one.at - block[0].at >= BLOCK - TIME_TOLERANCE:
            yield block
            block = []
        block.append(one)
    if block:
        yield block


def _choose(block: list[_Sample], most: int) -> Iterator[_Sample]:
    """Choose samples that vary, and those at which much changes; of each the sharpest nearby.

    What changes all the time, as where people walk, is no change: it is subtracted from the jumps.
    """
    usual = float(np.median([one.jump for one in block]))
    block = [replace(one, jump=max(0.0, one.jump - usual)) for one in block]
    varied_places = choose_varied([one.mark for one in block], most)
    for place in sorted({*varied_places, *_sudden_changes(block, most)}):
        here = block[place]
        near = [one for one in block if abs(one.at - here.at) <= SETTLING]
        alike = [one for one in near if difference(one.mark, here.mark) < MAX_NOISE]
        sharpest = max(alike, key=lambda one: sharpness_of(one.pixels))
        yield replace(sharpest, jump=max(one.jump for one in alike))


def _sudden_changes(block: list[_Sample], most: int) -> list[int]:
    """Return at most so many places of samples that change more than those around them."""
    jumps = [one.jump for one in block]
    peaks = [
        place
        for place, jump in enumerate(jumps)
        if jump > MIN_CHANGE and jump == max(jumps[max(0, place - BEFORE) : place + BEFORE + 1])
    ]
    return sorted(peaks, key=lambda place: -jumps[place])[:most]


def _samples(frames: Iterator[TimedFrame], side: int, aspect: float) -> Iterator[_Sample]:
    """Yield frames at least `INTERVAL` apart as samples."""
    earlier_marks: deque[bytes] = deque(maxlen=BEFORE)
    next_at = float("-inf")
    for at, frame in frames:
        if at < next_at - TIME_TOLERANCE:
            continue
        next_at = at + INTERVAL
        pixels = to_pixels(frame, side, aspect)
        mark = mark_of(pixels)
        jump = difference(earlier_marks[0], mark) if earlier_marks else 0.0
        yield _Sample(at, pixels, mark, jump)
        earlier_marks.append(mark)
