"""Frames of a video, decoded exactly at certain times; runs in a child process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import FileProblem, Reason
from bot.media.animation import is_animated, open_animation
from bot.media.crop import crop
from bot.media.frame_marks import difference, mark_of, sharpness_of
from bot.media.frames import TIME_TOLERANCE, FrameSpec, VideoFrame
from bot.media.pixels import decode_own, encode, fitted_size, shrink, to_bgr
from bot.media.video_colour import to_pixels
from bot.media.video_container import open_video
from bot.media.video_decoder import VideoDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bot.domain.boxes import Box
    from bot.limits import FileLimits
    from bot.media.crop import Crop
    from bot.media.pixels import Pixels
    from bot.media.video_decoder import TimedFrame

QUALITY = 85
"""JPEG quality of frames."""
TIME_SHARE = 0.75
"""Share of the time of a child process after which it returns what it has."""
NEAR_LOSSLESS = 98
"""Quality of a JPEG that is cropped and encoded once more: nobody can see the loss."""


def decode_frames(
    path: Path, limits: FileLimits, specs: Sequence[FrameSpec], side: int, quality: int = QUALITY
) -> tuple[VideoFrame, ...]:
    """Decode frames, at most `side` pixels long, and return them in the order of their times.

    Frames that a damaged file does not hold are left out, and those for which time ran out.
    Raises `FileProblem`: those of `bot.media.video_container.open_video`, and `DAMAGED`; and
    `MemoryError`.
    """
    specs = sorted(specs, key=lambda spec: spec.at)
    with decoder_errors():
        if is_animated(path, limits):
            return tuple(_frames_of_animation(path, limits, specs, side, quality))
        with open_video(path, limits) as video:
            decoder = VideoDecoder(video, limits.child_seconds * TIME_SHARE)
            return tuple(_frames_of_video(decoder, specs, side, quality, video.aspect))


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Raise `FileProblem` (`DAMAGED`) for whatever a file makes a decoder raise."""
    try:
        yield
    except (FileProblem, MemoryError):
        raise
    except Exception as error:
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from error


def crop_frame(path: Path, limits: FileLimits, at: float, box: Box, side: int) -> Crop:
    """Cut a box out of the frame that is shown at a time, at full resolution.

    Raises `FileProblem`: those of `decode_frames`, and `GONE` where there is no such frame.
    """
    return crop(frame_at(path, limits, at), box, side)


def frame_at(path: Path, limits: FileLimits, at: float) -> Pixels:
    """Decode the frame that is shown at a time, upright and at full size."""
    frames = decode_frames(path, limits, [FrameSpec(at)], limits.max_photo_side, NEAR_LOSSLESS)
    pixels = decode_own(frames[0].jpeg) if frames else None
    if pixels is None:
        raise FileProblem(Reason.GONE)
    return pixels


def _frames_of_animation(
    path: Path, limits: FileLimits, specs: Sequence[FrameSpec], side: int, quality: int
) -> Iterator[VideoFrame]:
    """Read an animated picture; each frame records how much it differs from the one before."""
    with open_animation(path, limits) as animation:
        remaining = list(specs)
        last: tuple[float, Pixels, float] | None = None
        last_mark = b""
        for at, image in animation.frames():
            while last is not None and remaining and at > remaining[0].at + TIME_TOLERANCE:
                yield _frame_of_animation(last, quality)
                remaining.pop(0)
            if not remaining:
                return
            pixels = to_bgr(image)
            small = shrink(pixels, fitted_size(pixels.shape[1], pixels.shape[0], side))
            mark = mark_of(small)
            last = at, small, difference(last_mark, mark) if last_mark else 0.0
            last_mark = mark
        if last is not None:
            yield from [_frame_of_animation(last, quality)] * len(remaining)


def _frame_of_animation(frame: tuple[float, Pixels, float], quality: int) -> VideoFrame:
    at, pixels, jump = frame
    return replace(video_frame(at, pixels, quality), jump=round(jump, 1))


def _frames_of_video(
    decoder: VideoDecoder, specs: Sequence[FrameSpec], side: int, quality: int, aspect: float
) -> Iterator[VideoFrame]:
    """Decode on from one frame to the next, seeking where a key frame lies between."""
    for spec in specs:
        first = decoder.frame(spec.at, spec.key)
        if decoder.out_of_time:
            return
        if first is None:
            continue
        previous = decoder.previous if spec.until else None
        (at, source), pixels = _sharpest(first, decoder.until(spec.until), side, aspect)
        frame = video_frame(at, pixels, quality)
        if previous is not None:
            earlier_mark = mark_of(to_pixels(previous, side, aspect))
            frame = replace(frame, jump=round(difference(earlier_mark, frame.mark), 1))
        if spec.full_side:
            larger = to_pixels(source, spec.full_side, aspect)
            frame = replace(frame, full_jpeg=encode(larger, QUALITY))
        yield frame


def _sharpest(
    first: TimedFrame, others: Iterator[TimedFrame], side: int, aspect: float
) -> tuple[TimedFrame, Pixels]:
    """Return the sharpest of some frames, and its pixels."""
    best = first, to_pixels(first[1], side, aspect)
    sharpness = sharpness_of(best[1])
    for other in others:
        pixels = to_pixels(other[1], side, aspect)
        if (sharper := sharpness_of(pixels)) > sharpness:
            best, sharpness = (other, pixels), sharper
    return best


def video_frame(at: float, pixels: Pixels, quality: int) -> VideoFrame:
    """Make a frame of upright pixels."""
    mark = mark_of(pixels)
    return VideoFrame(
        at=round(max(at, 0.0), 3),
        jpeg=encode(pixels, quality),
        width=pixels.shape[1],
        height=pixels.shape[0],
        mark=mark,
        sharpness=round(sharpness_of(pixels), 1),
        brightness=round(float(pixels.mean()), 1),
    )
