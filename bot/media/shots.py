"""Frames of a video, decoded exactly at the times that are wanted; runs in a child process."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from av import VideoFrame
from av.error import FFmpegError

from bot.media.flipbook import leafed, moves
from bot.media.photos import fitted
from bot.media.pixels import decode_own, encode, shrink, to_bgr
from bot.media.reel import opened
from bot.media.tones import picture
from bot.problems import FileProblem, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import av
    from av.video.stream import VideoStream

    from bot.media.pixels import Pixels
    from bot.media.reel import Reel
    from bot.settings import Limits

NOW = 0.0006
"""Seconds within which times are one: they are rounded to milliseconds."""
NEAR = 0.5
"""Seconds before a wanted frame from which every frame is decoded: earlier ones that no other
frame is made from are passed over, which spares up to half of the work."""
PASSING = {"h264", "hevc", "mpeg4"}
"""Codecs whose decoders can be told so at any time; that of AV1 heeds only what it is opened with.
"""
BACK = (0.0, 10.0, 1e9)
"""Seconds to go back by where a file's index leads to after the wanted time."""
MARK = (32, 18)
"""Size of a frame's mark: enough to tell what changed, too small for noise to show."""
QUALITY = 85
WITHOUT_LOSS = 98
"""The quality of a JPEG that is cut and encoded once more: nobody can see what it loses."""

_Timed = tuple[float, VideoFrame]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A frame that is wanted: the one shown at a time, or the sharpest until a later one.

    `key` is the time of the key frame before it, where it is known: what was decoded after that
    need not be sought anew.
    """

    at: float
    until: float = 0.0
    key: float = float("inf")


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame: when it is shown (seconds), and its upright JPEG of `width` x `height` pixels.

    `mark` is the frame in 32 x 18 pixels (blue, green, red), for comparing; `sharpness` the
    variance of its Laplacian, and `brightness` its mean from 0 to 255. `jump` is how much it
    differs from the frame before the wanted time (see `difference`), where that was decoded.
    """

    at: float
    jpeg: bytes
    width: int
    height: int
    mark: bytes
    sharpness: float
    brightness: float
    jump: float = 0.0


def difference(mark: bytes, other: bytes) -> float:
    """Tell how much two marks differ where they differ most, from 0 to 255.

    That is the mean over a block of 4 x 3 of their pixels, a sixty-fourth part of the frame.
    """
    a, b = (np.frombuffer(each, np.uint8).astype(np.int16) for each in (mark, other))
    apart = np.abs(a - b).reshape(MARK[1], MARK[0], 3).max(axis=2).astype(np.float32)
    return float(cv2.blur(apart, (4, 3)).max())


def shots(
    path: Path, limits: Limits, wanted: Sequence[Wanted], side: int, quality: int = QUALITY
) -> tuple[Shot, ...]:
    """Decode the frames that are wanted, at most `side` pixels long, in the order of their times.

    Those that a damaged file does not hold are left out. Raises `FileProblem`: those of
    `bot.media.reel.opened`, and `DAMAGED`; and `MemoryError`.
    """
    ordered = sorted(wanted, key=lambda one: one.at)
    try:
        if moves(path, limits):
            return tuple(_leafed(path, limits, ordered, side, quality))
        with opened(path, limits) as reel:
            return tuple(_decoded(reel, ordered, side, quality))
    except (FileProblem, MemoryError):
        raise
    except Exception as error:  # A decoder raises whatever the file makes it raise.
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from error


def first_shot(path: Path, limits: Limits) -> tuple[int, int]:
    """Decode the first frame and tell its upright size; raises `FileProblem` (`DAMAGED`)."""
    with opened(path, limits) as reel:
        found = _Source(reel).frame(Wanted(0.0))
        if found is not None:
            _, frame = found
            upright = picture(frame, limits.max_photo_side, reel.aspect)
            return upright.shape[1], upright.shape[0]
    raise FileProblem(Reason.DAMAGED, "no picture decodes")


def frame_pixels(path: Path, limits: Limits, at: float) -> Pixels:
    """Decode the frame that is shown at a time, upright and at full size.

    Raises `FileProblem`: those of `shots`, and `GONE` where there is none.
    """
    [*made] = shots(path, limits, [Wanted(at)], limits.max_photo_side, WITHOUT_LOSS)
    found = decode_own(made[0].jpeg) if made else None
    if found is None:
        raise FileProblem(Reason.GONE)
    return found


def _leafed(
    path: Path, limits: Limits, wanted: Sequence[Wanted], side: int, quality: int
) -> Iterator[Shot]:
    with leafed(path, limits) as book:
        waiting = list(wanted)
        last: tuple[float, Pixels] | None = None
        for at, page in book.pages():
            while last is not None and waiting and at > waiting[0].at + NOW:
                yield _shot(*last, quality)
                waiting.pop(0)
            if not waiting:
                return
            pixels = to_bgr(page)
            last = at, shrink(pixels, fitted(pixels.shape[1], pixels.shape[0], side))
        if last is not None:
            yield from [_shot(*last, quality)] * len(waiting)


def _decoded(reel: Reel, wanted: Sequence[Wanted], side: int, quality: int) -> Iterator[Shot]:
    """Decode on from one wanted frame to the next, seeking where a key frame lies between."""
    source = _Source(reel)
    for one in wanted:
        found = source.frame(one)
        if found is None:
            continue
        at, frame = found
        pixels = picture(frame, side, reel.aspect)
        best, sharpness = (at, pixels), _sharpness(pixels)
        before = source.before if one.until else None
        for later, after in source.until(one.until):
            pixels = picture(after, side, reel.aspect)
            if (sharper := _sharpness(pixels)) > sharpness:
                best, sharpness = (later, pixels), sharper
        shot = _shot(*best, quality)
        if before is not None:
            earlier = _mark(picture(before, side, reel.aspect))
            shot = replace(shot, jump=round(difference(earlier, shot.mark), 1))
        yield shot


class _Source:
    """The frames of a reel, decoded forwards as far as possible."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self._frames: Iterator[_Timed] = iter(())
        self._shown: _Timed | None = None
        self._next: _Timed | None = None
        self._whole_from = 0.0
        self._passed = -1.0
        self._passes = reel.codec in PASSING and not reel.ordered
        self.before: VideoFrame | None = None

    def frame(self, one: Wanted) -> _Timed | None:
        """Return the frame that is shown at a time, or the one nearest to it."""
        self._whole_from = one.at - NEAR
        if self._shown is None or not one.key - NOW <= self._shown[0] <= one.at + NOW:
            self._go_to(one.at)
        self._go_on(one.at)
        if self._shown is not None and self._shown[0] < self._passed <= one.at + NOW:
            # The wanted frame is shown so long that it was itself passed over.
            self._whole_from = float("-inf")
            self._go_to(one.at)
            self._go_on(one.at)
        return self._shown or self._next

    def until(self, end: float) -> Iterator[_Timed]:
        """Yield the frames that follow until a time."""
        while self._next is not None and self._next[0] < end:
            self._step()
            if self._shown is not None:
                yield self._shown

    def _go_on(self, at: float) -> None:
        while self._next is not None and self._next[0] <= at + NOW:
            self._step()

    def _go_to(self, at: float) -> None:
        for back in BACK:
            self._frames, self._passed = self._from(max(0.0, at + NOW - back)), -1.0
            self._shown, self.before, self._next = None, None, next(self._frames, None)
            if (self._next is not None and self._next[0] <= at + NOW) or at <= back:
                return

    def _step(self) -> None:
        self.before = self._shown[1] if self._shown else None
        self._shown, self._next = self._next, next(self._frames, None)

    def _from(self, seconds: float) -> Iterator[_Timed]:
        """Decode from the key frame before a time; what is damaged is passed over."""
        reel, times = self._reel, list[float]()
        begun = not reel.ordered
        try:
            reel.seek(seconds)
            for packet in reel.container.demux(reel.stream):
                # Without its index an AVI file is entered anywhere.
                begun = begun or packet.is_keyframe
                at = reel.when(packet)
                if at is not None and begun:
                    heapq.heappush(times, at)
                    self._set_passing(at)
                yield from _timed(reel, packet, times) if begun else ()
        except MemoryError:
            raise
        except FFmpegError:
            return

    def _set_passing(self, at: float) -> None:
        passed = at < self._whole_from and self._passes
        self._passed = max(self._passed, at) if passed else self._passed
        self._reel.stream.codec_context.skip_frame = "NONREF" if passed else "DEFAULT"


def _timed(reel: Reel, packet: av.Packet[VideoStream], times: list[float]) -> Iterator[_Timed]:
    """Decode a packet; `times` are those of packets from which no frame came yet, as a heap."""
    try:
        frames = packet.decode()
    except MemoryError:
        raise
    except FFmpegError:
        return
    for frame in frames:
        if reel.ordered:
            at = heapq.heappop(times) if times else None
        else:
            at = reel.time_of(frame.pts if frame.pts is not None else frame.dts)
        if at is not None and isinstance(frame, VideoFrame):
            yield at, frame


def _shot(at: float, pixels: Pixels, quality: int) -> Shot:
    mark = _mark(pixels)
    return Shot(
        at=round(max(at, 0.0), 3),
        jpeg=encode(pixels, quality),
        width=pixels.shape[1],
        height=pixels.shape[0],
        mark=mark,
        sharpness=round(_sharpness(pixels), 1),
        brightness=round(float(pixels.mean()), 1),
    )


def _mark(pixels: Pixels) -> bytes:
    mark: Pixels = cv2.resize(pixels, MARK, interpolation=cv2.INTER_AREA)
    return mark.tobytes()


def _sharpness(pixels: Pixels) -> float:
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())
