"""Frames of a video, decoded exactly at the times that are wanted; runs in a child process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import FileProblem, Reason
from bot.media.animation import leafed, moves
from bot.media.frame_marks import difference, mark_of, sharpness_of
from bot.media.image import decode_own, encode, shrink, to_bgr
from bot.media.photos import fitted
from bot.media.video_colour import picture
from bot.media.video_container import opened
from bot.media.video_decoder import NOW, VideoDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.image import Pixels
    from bot.media.video_decoder import Timed

QUALITY = 85
PATIENCE = 0.75
"""Share of the time of a child process after which it gives back what it has."""
WITHOUT_LOSS = 98
"""The quality of a JPEG that is cut and encoded once more: nobody can see what it loses."""


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """A frame that is wanted: the one shown at a time, or the sharpest until a later one.

    `key` is the time of the key frame before it, where it is known: what was decoded after that
    need not be sought anew. `whole` is how many pixels long a second JPEG is to be; 0 for none.
    """

    at: float
    until: float = 0.0
    key: float = float("inf")
    whole: int = 0


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame: when it is shown (seconds), and its upright JPEG of `width` x `height` pixels.

    `mark` is the frame in 32 x 18 pixels (blue, green, red), for comparing; `sharpness` the
    variance of its Laplacian, and `brightness` its mean from 0 to 255. `jump` is how much it
    differs from the frame before the wanted time (see `difference`), where that was decoded.
    `whole` is the second JPEG.
    """

    at: float
    jpeg: bytes
    width: int
    height: int
    mark: bytes
    sharpness: float
    brightness: float
    jump: float = 0.0
    whole: bytes = b""


def shots(
    path: Path, limits: FileLimits, wanted: Sequence[FrameSpec], side: int, quality: int = QUALITY
) -> tuple[VideoFrame, ...]:
    """Decode the frames that are wanted, at most `side` pixels long, in the order of their times.

    Those that a damaged file does not hold are left out, and those that there was no time for.
    Raises `FileProblem`: those of `bot.media.video_container.opened`, and `DAMAGED`; and
    `MemoryError`.
    """
    ordered = sorted(wanted, key=lambda one: one.at)
    with decoding():
        if moves(path, limits):
            return tuple(_leafed(path, limits, ordered, side, quality))
        with opened(path, limits) as reel:
            source = VideoDecoder(reel, limits.child_seconds * PATIENCE)
            return tuple(_decoded(source, ordered, side, quality, reel.aspect))


@contextmanager
def decoding() -> Iterator[None]:
    """Raise `FileProblem` (`DAMAGED`) whatever a file makes a decoder raise."""
    try:
        yield
    except (FileProblem, MemoryError):
        raise
    except Exception as error:
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from error


def first_shot(path: Path, limits: FileLimits) -> tuple[int, int]:
    """Decode the first frame and tell its upright size; raises `FileProblem` (`DAMAGED`)."""
    with opened(path, limits) as reel:
        found = VideoDecoder(reel).frame(0.0)
        if found is not None:
            _, frame = found
            upright = picture(frame, limits.max_photo_side, reel.aspect)
            return upright.shape[1], upright.shape[0]
    raise FileProblem(Reason.DAMAGED, "no picture decodes")


def frame_pixels(path: Path, limits: FileLimits, at: float) -> Pixels:
    """Decode the frame that is shown at a time, upright and at full size.

    Raises `FileProblem`: those of `shots`, and `GONE` where there is none.
    """
    [*made] = shots(path, limits, [FrameSpec(at)], limits.max_photo_side, WITHOUT_LOSS)
    found = decode_own(made[0].jpeg) if made else None
    if found is None:
        raise FileProblem(Reason.GONE)
    return found


def _leafed(
    path: Path, limits: FileLimits, wanted: Sequence[FrameSpec], side: int, quality: int
) -> Iterator[VideoFrame]:
    """Leaf through an animated picture; each shot tells how much differs from the page before."""
    with leafed(path, limits) as book:
        waiting = list(wanted)
        last: tuple[float, Pixels, float] | None = None
        before = b""
        for at, page in book.pages():
            while last is not None and waiting and at > waiting[0].at + NOW:
                yield _turned(last, quality)
                waiting.pop(0)
            if not waiting:
                return
            pixels = to_bgr(page)
            shrunk = shrink(pixels, fitted(pixels.shape[1], pixels.shape[0], side))
            mark = mark_of(shrunk)
            last = at, shrunk, difference(before, mark) if before else 0.0
            before = mark
        if last is not None:
            yield from [_turned(last, quality)] * len(waiting)


def _turned(page: tuple[float, Pixels, float], quality: int) -> VideoFrame:
    at, pixels, jump = page
    return replace(shot_of(at, pixels, quality), jump=round(jump, 1))


def _decoded(
    source: VideoDecoder, wanted: Sequence[FrameSpec], side: int, quality: int, aspect: float
) -> Iterator[VideoFrame]:
    """Decode on from one wanted frame to the next, seeking where a key frame lies between."""
    for one in wanted:
        found = source.frame(one.at, one.key)
        if source.late:
            return
        if found is None:
            continue
        before = source.before if one.until else None
        (at, frame), pixels = _sharpest(found, source.until(one.until), side, aspect)
        shot = shot_of(at, pixels, quality)
        if before is not None:
            earlier = mark_of(picture(before, side, aspect))
            shot = replace(shot, jump=round(difference(earlier, shot.mark), 1))
        if one.whole:
            larger = picture(frame, one.whole, aspect)
            shot = replace(shot, whole=encode(larger, QUALITY))
        yield shot


def _sharpest(
    found: Timed, others: Iterator[Timed], side: int, aspect: float
) -> tuple[Timed, Pixels]:
    """Find the sharpest of some frames, and its pixels."""
    best = found, picture(found[1], side, aspect)
    sharpness = sharpness_of(best[1])
    for other in others:
        pixels = picture(other[1], side, aspect)
        if (sharper := sharpness_of(pixels)) > sharpness:
            best, sharpness = (other, pixels), sharper
    return best


def shot_of(at: float, pixels: Pixels, quality: int) -> VideoFrame:
    """Make a shot of a frame's pixels."""
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
