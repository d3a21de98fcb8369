"""The frames of an opened video in the order they are shown, decoded forwards from key frames."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING

from av import VideoFrame
from av.error import FFmpegError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    from av.video.stream import VideoStream

    from bot.media.video_container import VideoContainer

NOW = 0.0006
"""Seconds within which times are one: they are rounded to milliseconds."""
NEAR = 0.5
"""Seconds before a wanted frame from which every frame is decoded: earlier ones that no other
frame is made from are passed over, which spares up to half of the work."""
BRIEF = 0.1
"""Seconds that a frame is shown at most to be passed over: nothing is missed without it."""
PASSING = {"h264", "hevc", "mpeg4"}
"""Codecs whose decoders can be told so at any time; that of AV1 heeds only what it is opened with.
"""
BACK = (0.0, 10.0, 1e9)
"""Seconds to go back by where a file's index leads to after the wanted time."""

Timed = tuple[float, VideoFrame]
"""A frame, and when it is shown."""


class VideoDecoder:
    """The frames of a reel, decoded forwards as far as possible.

    After so many `seconds` of work it is `late`, and has no more.
    """

    def __init__(self, reel: VideoContainer, seconds: float = float("inf")) -> None:
        self._reel = reel
        self._end = time.monotonic() + seconds
        self.late = False
        self._frames: Iterator[Timed] = iter(())
        self._shown: Timed | None = None
        self._next: Timed | None = None
        self._whole_from = 0.0
        self._passed = -1.0
        self._passes = reel.codec in PASSING and not reel.ordered
        self.before: VideoFrame | None = None

    def frame(self, at: float, key: float = float("inf")) -> Timed | None:
        """Return the frame that is shown at a time, or the one nearest to it.

        `key` is the time of the key frame before it, where it is known: what was decoded after
        that need not be sought anew.
        """
        self._whole_from = at - NEAR
        if self._shown is None or not key - NOW <= self._shown[0] <= at + NOW:
            self._go_to(at)
        self._go_on(at)
        if self._shown is not None and self._shown[0] < self._passed <= at + NOW:
            # The wanted frame is shown so long that it was itself passed over.
            self._whole_from = float("-inf")
            self._go_to(at)
            self._go_on(at)
        return self._shown or self._next

    def passing(self, start: float, end: float) -> Iterator[Timed]:
        """Yield frames from a time until another, without those that can be passed over."""
        self._whole_from = float("inf")
        self._go_to(start)
        for shown in self.until(end):
            if shown[0] >= start - NOW:
                yield shown

    def until(self, end: float) -> Iterator[Timed]:
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

    def _from(self, seconds: float) -> Iterator[Timed]:
        """Decode from the key frame before a time; what is damaged is passed over."""
        reel, times = self._reel, list[float]()
        begun = not reel.ordered
        try:
            reel.seek(seconds)
            for packet in reel.container.demux(reel.stream):
                if time.monotonic() > self._end:
                    self.late = True
                    return
                # Without its index an AVI file is entered anywhere.
                begun = begun or packet.is_keyframe
                at = reel.when(packet)
                if at is not None and begun:
                    heapq.heappush(times, at)
                    self._set_passing(at, packet)
                yield from _timed(reel, packet, times) if begun else ()
        except MemoryError:
            raise
        except FFmpegError:
            return

    def _set_passing(self, at: float, packet: av.Packet[VideoStream]) -> None:
        shown = float((packet.duration or 0) * packet.time_base)
        passed = self._passes and at < self._whole_from and 0 < shown <= BRIEF
        self._passed = max(self._passed, at) if passed else self._passed
        self._reel.stream.codec_context.skip_frame = "NONREF" if passed else "DEFAULT"


def _timed(
    reel: VideoContainer, packet: av.Packet[VideoStream], times: list[float]
) -> Iterator[Timed]:
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
