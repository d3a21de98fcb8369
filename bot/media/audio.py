"""The sound of a video, as models that transcribe want it; runs in a child process."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Discard

from bot.media.video_container import kind_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from numpy.typing import NDArray

    from bot.limits import FileLimits
    from bot.media.video_container import VideoContainer

RATE = 16_000
"""Samples of a second: what Whisper was trained on."""
LEAD_IN = 0.5
"""Seconds before a stretch that are decoded as well, since codecs need some to settle."""
SLACK = 0.1
"""Seconds that time stamps may be off by before the sound is taken to have a gap: containers round
them, and every correction is heard as a click."""
LOWEST_RATE = 4_000
"""Samples of a second below which no speech is understood."""


def sound(path: Path, limits: FileLimits, start: float, end: float) -> bytes | None:
    """Decode the first sound track between two times, in seconds from the first picture.

    Returns a WAV file of one channel, 16 bit and 16 kHz, whose time 0 is `start`: what begins later
    is led in by silence. It ends with the sound, or at `end`.
    A damaged track yields what it holds; None where that is nothing. Raises `FileProblem` as
    `bot.media.video_container.opened` does.
    """
    if not kind_of(path).demuxer:
        return None
    with opened(path, limits) as reel:
        track = _track(reel)
        if track is None:
            return None
        tape = _SampleBuffer(start, end)
        for frame in _resampled(_frames(reel, track, start - LEAD_IN, end)):
            tape.lay(_time(reel, track, frame), _samples(frame))
    return tape.wav()


class _SampleBuffer:
    """Room for the samples between two times; what does not come stays silent."""

    def __init__(self, start: float, end: float) -> None:
        self._samples = np.zeros(max(0, round((end - start) * RATE)), np.int16)
        self._start = start
        self._next = -round(start * RATE)
        self._length = 0

    def lay(self, at: float | None, samples: NDArray[np.int16]) -> None:
        """Put samples in their place, or after the last ones where that is about the same."""
        place = self._next if at is None else round((at - self._start) * RATE)
        if abs(place - self._next) <= SLACK * RATE:
            place = self._next
        first, after = max(place, 0), min(place + len(samples), len(self._samples))
        if first < after:
            self._samples[first:after] = samples[first - place : after - place]
            self._length = max(self._length, after)
        self._next = place + len(samples)

    def wav(self) -> bytes | None:
        """Write the WAV file; None where nothing was laid."""
        if not self._length:
            return None
        written = io.BytesIO()
        with wave.open(written, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self._samples[: self._length].astype("<i2", copy=False).tobytes())
        return written.getvalue()


def _track(reel: VideoContainer) -> AudioStream | None:
    """Find the first sound track that can be decoded, and have the demuxer skip all else."""
    tracks = [one for one in reel.container.streams.audio if one.codec_context is not None]
    for stream in reel.container.streams:
        if stream not in tracks[:1]:
            stream.discard = Discard.all
    return tracks[0] if tracks else None


def _frames(
    reel: VideoContainer, track: AudioStream, start: float, end: float
) -> Iterator[AudioFrame]:
    """Decode the packets of a stretch; what is damaged is passed over."""
    # Read from the beginning: a seek trusts the index, and leads astray in a cut file.
    try:
        for packet in reel.container.demux(track):
            at = _time(reel, track, packet)
            if at is None or (start < at + _length(packet) and at < end):
                yield from _decoded(packet)
    except FFmpegError:
        return


def _decoded(packet: Packet[AudioStream]) -> list[AudioFrame]:
    try:
        return packet.decode()
    except FFmpegError:
        return []


def _time(
    reel: VideoContainer, track: AudioStream, one: Packet[AudioStream] | AudioFrame
) -> float | None:
    """Tell when a packet or frame is heard, from the first picture on."""
    base = one.time_base or track.time_base
    return None if one.pts is None or base is None else float(one.pts * base) - reel.start


def _length(packet: Packet[AudioStream]) -> float:
    """Tell the seconds of a packet: old AVI files have few and long ones."""
    return float((packet.duration or 0) * (packet.time_base or 0))


def _resampled(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """Bring frames of any form to one; the form may change in the midst of a track."""
    resampler = _resampler()
    last = None
    for frame in frames:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if last not in {None, form}:
            yield from _taken(resampler, None)
            resampler = _resampler()
        last = form
        if frame.sample_rate >= LOWEST_RATE:
            yield from _taken(resampler, frame)
    yield from _taken(resampler, None)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=RATE)


def _taken(resampler: av.AudioResampler, frame: AudioFrame | None) -> list[AudioFrame]:
    """Resample one frame, or what is left; nothing of a form that cannot be brought to ours."""
    try:
        return resampler.resample(frame)
    except (FFmpegError, ValueError):
        return []


def _samples(frame: AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().astype(np.int16, copy=False).reshape(-1)
