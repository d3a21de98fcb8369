"""The sound track of a video in the format of transcription models; runs in a child process."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Discard

from bot.media.video_container import kind_of, open_video

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
"""Seconds by which time stamps may be off before that counts as a gap: containers round them, and
every correction is heard as a click."""
LOWEST_RATE = 4_000
"""Samples of a second below which no speech is understood."""


def extract_sound(path: Path, limits: FileLimits, start: float, end: float) -> bytes | None:
    """Decode the first sound track between two times, in seconds from the first picture.

    Returns a WAV file of one channel, 16 bit and 16 kHz, whose time 0 is `start`: a track that
    begins later starts with silence. It ends with the sound, or at `end`. A damaged track yields
    what can be decoded; None if that is nothing. Raises `FileProblem` as
    `bot.media.video_container.open_video` does.
    """
    if not kind_of(path).demuxer:
        return None
    with open_video(path, limits) as video:
        track = _track(video)
        if track is None:
            return None
        buffer = _SampleBuffer(start, end)
        for frame in _resample_all(_frames(video, track, start - LEAD_IN, end)):
            buffer.put(_time(video, track, frame), _samples(frame))
    return buffer.wav()


class _SampleBuffer:
    """The samples between two times; gaps stay silent."""

    def __init__(self, start: float, end: float) -> None:
        self._samples = np.zeros(max(0, round((end - start) * RATE)), np.int16)
        self._start = start
        self._next = -round(start * RATE)
        self._length = 0

    def put(self, at: float | None, samples: NDArray[np.int16]) -> None:
        """Store samples at their time, or right after the last ones if that is about the same."""
        place = self._next if at is None else round((at - self._start) * RATE)
        if abs(place - self._next) <= SLACK * RATE:
            place = self._next
        first, after = max(place, 0), min(place + len(samples), len(self._samples))
        if first < after:
            self._samples[first:after] = samples[first - place : after - place]
            self._length = max(self._length, after)
        self._next = place + len(samples)

    def wav(self) -> bytes | None:
        """Return the WAV file; None without any samples."""
        if not self._length:
            return None
        wav = io.BytesIO()
        with wave.open(wav, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self._samples[: self._length].astype("<i2", copy=False).tobytes())
        return wav.getvalue()


def _track(video: VideoContainer) -> AudioStream | None:
    """Return the first sound track that can be decoded, and have the demuxer skip all others."""
    tracks = [one for one in video.container.streams.audio if one.codec_context is not None]
    for stream in video.container.streams:
        if stream not in tracks[:1]:
            stream.discard = Discard.all
    return tracks[0] if tracks else None


def _frames(
    video: VideoContainer, track: AudioStream, start: float, end: float
) -> Iterator[AudioFrame]:
    """Decode the packets of a stretch; damaged ones are skipped."""
    # Read from the beginning: a seek trusts the index, which is wrong in a truncated file.
    try:
        for packet in video.container.demux(track):
            at = _time(video, track, packet)
            if at is None or (start < at + _length(packet) and at < end):
                yield from _decode(packet)
    except FFmpegError:
        return


def _decode(packet: Packet[AudioStream]) -> list[AudioFrame]:
    try:
        return packet.decode()
    except FFmpegError:
        return []


def _time(
    video: VideoContainer, track: AudioStream, one: Packet[AudioStream] | AudioFrame
) -> float | None:
    """Return the time of a packet or frame, in seconds from the first picture."""
    base = one.time_base or track.time_base
    return None if one.pts is None or base is None else float(one.pts * base) - video.start


def _length(packet: Packet[AudioStream]) -> float:
    """Return the seconds of a packet: old AVI files have few and long ones."""
    return float((packet.duration or 0) * (packet.time_base or 0))


def _resample_all(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """Convert frames of any format to `RATE` and one channel; the format may change midway."""
    resampler = _resampler()
    last = None
    for frame in frames:
        frame_format = (frame.format.name, frame.layout.name, frame.sample_rate)
        if last not in {None, frame_format}:
            yield from _resample(resampler, None)
            resampler = _resampler()
        last = frame_format
        if frame.sample_rate >= LOWEST_RATE:
            yield from _resample(resampler, frame)
    yield from _resample(resampler, None)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=RATE)


def _resample(resampler: av.AudioResampler, frame: AudioFrame | None) -> list[AudioFrame]:
    """Resample one frame, or flush with None; skip formats that cannot be converted."""
    try:
        return resampler.resample(frame)
    except (FFmpegError, ValueError):
        return []


def _samples(frame: AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().astype(np.int16, copy=False).reshape(-1)
