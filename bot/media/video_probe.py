"""What a video is, by its packets alone: its facts, and the times of its frames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from av.error import FFmpegError

from bot.domain.files import VideoFacts
from bot.errors import FileProblem, Reason
from bot.media.animation import frame_seconds, is_animated, open_animation
from bot.media.frames import FrameTimes
from bot.media.photos import PreparedPhoto, prepare
from bot.media.truncation import is_truncated
from bot.media.video_colour import to_pixels
from bot.media.video_container import HDR_TRANSFERS, kind_of, open_video, tags_of
from bot.media.video_decoder import VideoDecoder

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.video_container import VideoContainer

MAX_PACKETS = 500_000
"""Packets that are read: four hours at 30 frames a second."""


@dataclass(frozen=True, slots=True)
class ProbedFile:
    """The facts of a video, and the hex digest of its bytes."""

    facts: VideoFacts
    sha256: str


def open_file(path: Path, limits: FileLimits) -> PreparedPhoto | ProbedFile:
    """Probe a video, or prepare a photo; runs in a child process.

    Raises `FileProblem` as `probe` and `prepare` do, and `MemoryError`.
    """
    return probe(path, limits) or prepare(path, limits)


def probe(path: Path, limits: FileLimits) -> ProbedFile | None:
    """Return the facts of a video; None for a picture.

    Raises `FileProblem`: those of `open_video`, `TOO_LARGE_VIDEO`, and `DAMAGED` where not one
    picture can be decoded.
    """
    animated = is_animated(path, limits)
    if not animated and not kind_of(path).demuxer:
        return None
    size = path.stat().st_size
    if size > limits.max_video_bytes:
        raise FileProblem(Reason.TOO_LARGE_VIDEO)
    facts = _facts_of_animation(path, limits) if animated else _facts_of_video(path, limits)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ProbedFile(facts, digest)


def frame_times(path: Path, limits: FileLimits) -> FrameTimes:
    """Return the times of a video's frames; raises `FileProblem` as `open_video` does."""
    if is_animated(path, limits):
        with open_animation(path, limits) as animation:
            return _sort([(at, 1, True) for at, _ in animation.frames()])
    with open_video(path, limits) as video:
        return _packet_times(video)[0]


def _packet_times(video: VideoContainer) -> tuple[FrameTimes, bool]:
    """Return the times of all frames, and whether the file could be read to its end."""
    frames: list[tuple[float, int, bool]] = []
    is_complete = True
    try:
        for packet in video.container.demux(video.stream):
            at = video.time_of_packet(packet)
            # An edit list discards packets that only others are decoded from.
            if at is not None and packet.size and not packet.is_discard:
                frames.append((at, packet.size, packet.is_keyframe))
            if len(frames) >= MAX_PACKETS:
                break
    except FFmpegError:
        is_complete = False
    return _sort(frames), is_complete


def _sort(frames: list[tuple[float, int, bool]]) -> FrameTimes:
    frames.sort()
    return FrameTimes(
        np.array([at for at, _, _ in frames], np.float64),
        np.array([size for _, size, _ in frames], np.int64),
        np.array([key for _, _, key in frames], np.bool_),
    )


def _facts_of_video(path: Path, limits: FileLimits) -> VideoFacts:
    with open_video(path, limits) as video:
        times, is_complete = _packet_times(video)
        count = len(times.at)
        if not count:
            raise FileProblem(Reason.DAMAGED, "no pictures")
        # The last picture is shown as long as those before it, on average.
        span = float(times.at[-1] - times.at[0])
        seconds = span * count / (count - 1) if count > 1 else 0.0
        tags, sound = tags_of(video), bool(video.container.streams.audio)
        codec, kind = video.codec, video.kind
        hdr = video.stream.codec_context.color_trc in HDR_TRANSFERS
    width, height = first_frame_size(path, limits)
    return VideoFacts(
        format=kind.name,
        codec=codec,
        width=width,
        height=height,
        size=path.stat().st_size,
        seconds=round(max(seconds, 0.0), 3),
        rate=round((count - 1) / span, 3) if span > 0 else 0.0,
        sound=sound,
        hdr=hdr,
        incomplete=not is_complete or is_truncated(path, kind),
        **tags,
    )


def first_frame_size(path: Path, limits: FileLimits) -> tuple[int, int]:
    """Decode the first frame, and return its upright width and height."""
    with open_video(path, limits) as video:
        first = VideoDecoder(video).frame(0.0)
        if first is not None:
            _, frame = first
            pixels = to_pixels(frame, limits.max_photo_side, video.aspect)
            return pixels.shape[1], pixels.shape[0]
    raise FileProblem(Reason.DAMAGED, "no picture decodes")


def _facts_of_animation(path: Path, limits: FileLimits) -> VideoFacts:
    seconds, count = 0.0, 0
    with open_animation(path, limits) as animation:
        for at, frame in animation.frames():
            seconds, count = at + frame_seconds(frame), count + 1
        if not count:
            raise FileProblem(Reason.DAMAGED, "no pictures")
        image = animation.image
        return VideoFacts(
            format=f"animated {image.format or 'picture'}",
            codec=(image.format or "").lower(),
            width=image.width,
            height=image.height,
            size=path.stat().st_size,
            seconds=round(seconds, 3),
            rate=round(count / seconds, 3),
            incomplete=is_truncated(path, kind_of(path)),
        )
