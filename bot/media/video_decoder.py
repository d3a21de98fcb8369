"""The frames of an open video in the order they are shown, decoded forwards from key frames."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING

from av import VideoFrame
from av.error import FFmpegError

from bot.media.frames import TIME_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    from av.video.stream import VideoStream

    from bot.media.video_container import VideoContainer

NEAR = 0.5
"""Seconds before the target from which every frame is decoded: earlier ones that no other frame
depends on are skipped, which saves up to half of the work."""
BRIEF = 0.1
"""Only frames that are shown for so many seconds at most are skipped: nothing is missed then."""
SKIPPING_CODECS = {"h264", "hevc", "mpeg4"}
"""Codecs whose decoders can start and stop skipping at any time; that of AV1 cannot."""
BACK = (0.0, 10.0, 1e9)
"""Seconds by which to seek back further where a file's index leads past the target."""

TimedFrame = tuple[float, VideoFrame]
"""A frame, and when it is shown."""


class VideoDecoder:
    """Decodes the frames of a video, forwards as far as possible.

    After so many `seconds` of work it is `out_of_time`, and returns no more.
    """

    def __init__(self, video: VideoContainer, seconds: float = float("inf")) -> None:
        self._video = video
        self._deadline = time.monotonic() + seconds
        self.out_of_time = False
        self.previous: VideoFrame | None = None
        """The frame before the one that `frame` returned, where it was decoded."""
        self._frames: Iterator[TimedFrame] = iter(())
        self._current: TimedFrame | None = None
        self._next: TimedFrame | None = None
        self._skip_until = 0.0
        self._last_skip = -1.0
        self._can_skip = video.codec in SKIPPING_CODECS and not video.only_order_is_known

    def frame(self, at: float, key: float = float("inf")) -> TimedFrame | None:
        """Return the frame that is shown at a time, or the one nearest to it.

        `key` is the time of the key frame before it, where it is known: what was decoded after
        that is not decoded again.
        """
        self._skip_until = at - NEAR
        if self._current is None or not key - TIME_TOLERANCE <= self._current[0] <= (
            at + TIME_TOLERANCE
        ):
            self._seek(at)
        self._advance(at)
        if self._current is not None and self._current[0] < self._last_skip <= at + TIME_TOLERANCE:
            # The target itself was skipped, as it is shown for long.
            self._skip_until = float("-inf")
            self._seek(at)
            self._advance(at)
        return self._current or self._next

    def skim(self, start: float, end: float) -> Iterator[TimedFrame]:
        """Yield frames from a time until another, without those that can be skipped."""
        self._skip_until = float("inf")
        self._seek(start)
        for frame in self.until(end):
            if frame[0] >= start - TIME_TOLERANCE:
                yield frame

    def until(self, end: float) -> Iterator[TimedFrame]:
        """Yield the frames that follow until a time."""
        while self._next is not None and self._next[0] < end:
            self._step()
            if self._current is not None:
                yield self._current

    def _advance(self, at: float) -> None:
        while self._next is not None and self._next[0] <= at + TIME_TOLERANCE:
            self._step()

    def _seek(self, at: float) -> None:
        for back in BACK:
            self._frames = self._decode_from(max(0.0, at + TIME_TOLERANCE - back))
            self._last_skip = -1.0
            self._current, self.previous, self._next = None, None, next(self._frames, None)
            if (self._next is not None and self._next[0] <= at + TIME_TOLERANCE) or at <= back:
                return

    def _step(self) -> None:
        self.previous = self._current[1] if self._current else None
        self._current, self._next = self._next, next(self._frames, None)

    def _decode_from(self, seconds: float) -> Iterator[TimedFrame]:
        """Decode from the key frame before a time; what is damaged is skipped."""
        video, times = self._video, list[float]()
        can_start = not video.only_order_is_known
        try:
            video.seek(seconds)
            for packet in video.container.demux(video.stream):
                if time.monotonic() > self._deadline:
                    self.out_of_time = True
                    return
                # Without its index, reading an AVI file starts anywhere.
                can_start = can_start or packet.is_keyframe
                at = video.time_of_packet(packet)
                if at is not None and can_start:
                    heapq.heappush(times, at)
                    self._set_skipping(at, packet)
                yield from _decode_packet(video, packet, times) if can_start else ()
        except MemoryError:
            raise
        except FFmpegError:
            return

    def _set_skipping(self, at: float, packet: av.Packet[VideoStream]) -> None:
        seconds = float((packet.duration or 0) * packet.time_base)
        skip = self._can_skip and at < self._skip_until and 0 < seconds <= BRIEF
        self._last_skip = max(self._last_skip, at) if skip else self._last_skip
        self._video.stream.codec_context.skip_frame = "NONREF" if skip else "DEFAULT"


def _decode_packet(
    video: VideoContainer, packet: av.Packet[VideoStream], times: list[float]
) -> Iterator[TimedFrame]:
    """Decode a packet; `times` is a heap of the times of packets that yielded no frame yet."""
    try:
        frames = packet.decode()
    except MemoryError:
        raise
    except FFmpegError:
        return
    for frame in frames:
        if video.only_order_is_known:
            at = heapq.heappop(times) if times else None
        else:
            at = video.time_of(frame.pts if frame.pts is not None else frame.dts)
        if at is not None and isinstance(frame, VideoFrame):
            yield at, frame
