"""A pass through a video without decoding it: what its packets tell of its length and changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from bot.domain.files import VideoFacts
from bot.errors import FileProblem, Reason
from bot.media.animation import leafed, moves, shown
from bot.media.truncation import is_cut
from bot.media.video_container import HDR_TRANSFERS, kind_of, opened, tags_of
from bot.media.video_frames import first_shot

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.video_container import VideoContainer

MOST_PACKETS = 500_000
"""Packets that are looked at: four hours at 30 frames a second."""


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """The pictures of a video as its packets tell them, sorted by time.

    `at` is when each is shown, in seconds from the first; `size` its bytes; `key` whether it can be
    decoded alone.
    """

    at: NDArray[np.float64]
    size: NDArray[np.int64]
    key: NDArray[np.bool_]

    def within(self, start: float, end: float) -> FrameTimes:
        """Keep those of a stretch of time."""
        there = (self.at >= start) & (self.at < end)
        return FrameTimes(self.at[there], self.size[there], self.key[there])


@dataclass(frozen=True, slots=True)
class ProbedFile:
    """What a file is: a video's facts, and the hex digest of its bytes."""

    facts: VideoFacts
    sha256: str


def examine(path: Path, limits: FileLimits) -> ProbedFile | None:
    """Find out whether a file is a video, and what there is to know of it; None for a picture.

    Raises `FileProblem`: those of `opened`, `TOO_LARGE_VIDEO`, and `DAMAGED` where not one picture
    can be decoded.
    """
    animated = moves(path, limits)
    if not animated and not kind_of(path).demuxer:
        return None
    size = path.stat().st_size
    if size > limits.max_video_bytes:
        raise FileProblem(Reason.TOO_LARGE_VIDEO)
    facts = _facts_of_book(path, limits) if animated else _facts(path, limits)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ProbedFile(facts, digest)


def ticks(path: Path, limits: FileLimits) -> FrameTimes:
    """List the pictures of a video; raises `FileProblem` as `opened` does."""
    if moves(path, limits):
        with leafed(path, limits) as book:
            return _sorted([(at, 1, True) for at, _ in book.pages()])
    with opened(path, limits) as reel:
        return _ticks(reel)[0]


def _ticks(reel: VideoContainer) -> tuple[FrameTimes, bool]:
    """List the pictures, and tell whether reading ended before the file's end."""
    found: list[tuple[float, int, bool]] = []
    broken = False
    try:
        for packet in reel.container.demux(reel.stream):
            at = reel.when(packet)
            # An edit list discards what is only there to be decoded from.
            if at is not None and packet.size and not packet.is_discard:
                found.append((at, packet.size, packet.is_keyframe))
            if len(found) >= MOST_PACKETS:
                break
    except FFmpegError:
        broken = True
    return _sorted(found), broken


def _sorted(found: list[tuple[float, int, bool]]) -> FrameTimes:
    found.sort()
    return FrameTimes(
        np.array([at for at, _, _ in found], np.float64),
        np.array([size for _, size, _ in found], np.int64),
        np.array([key for _, _, key in found], np.bool_),
    )


def _facts(path: Path, limits: FileLimits) -> VideoFacts:
    with opened(path, limits) as reel:
        listed, broken = _ticks(reel)
        count = len(listed.at)
        if not count:
            raise FileProblem(Reason.DAMAGED, "no pictures")
        # The last picture is shown as long as those before it, on average.
        span = float(listed.at[-1] - listed.at[0])
        seconds = span * count / (count - 1) if count > 1 else 0.0
        tags, sound = tags_of(reel), bool(reel.container.streams.audio)
        name, kind = reel.codec, reel.kind
        hdr = reel.stream.codec_context.color_trc in HDR_TRANSFERS
    width, height = first_shot(path, limits)
    return VideoFacts(
        format=kind.name,
        codec=name,
        width=width,
        height=height,
        size=path.stat().st_size,
        seconds=round(max(seconds, 0.0), 3),
        rate=round((count - 1) / span, 3) if span > 0 else 0.0,
        sound=sound,
        hdr=hdr,
        incomplete=broken or is_cut(path, kind),
        **tags,
    )


def _facts_of_book(path: Path, limits: FileLimits) -> VideoFacts:
    seconds, count = 0.0, 0
    with leafed(path, limits) as book:
        for at, page in book.pages():
            seconds, count = at + shown(page), count + 1
        if not count:
            raise FileProblem(Reason.DAMAGED, "no pictures")
        return VideoFacts(
            format=f"animated {book.image.format or 'picture'}",
            codec=(book.image.format or "").lower(),
            width=book.image.width,
            height=book.image.height,
            size=path.stat().st_size,
            seconds=round(seconds, 3),
            rate=round(count / seconds, 3),
            incomplete=is_cut(path, kind_of(path)),
        )
