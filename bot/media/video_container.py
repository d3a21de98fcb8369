"""An open video file: one demuxer, one protocol, one picture track; used in a child process."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.file_types import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from av import Packet

    from bot.limits import FileLimits

PROBED_BYTES = 5_000_000
PROBED_MICROSECONDS = 5_000_000
"""How far FFmpeg may read to find out what is in a file: its own defaults, fixed."""
HDR_TRANSFERS = {16, 18}
"""Transfer characteristics of PQ and HLG (ITU-T H.273, table 3)."""
ATTACHED_PICTURE = av.stream.Disposition.attached_pic
MAX_ASPECT = 4.0
"""Width of a pixel by its height at most, or the reverse: beyond it a file is wrong."""
WITHOUT_TIMESTAMPS = {"h264", "hevc"}
"""Codecs whose time stamps FFmpeg guesses wrongly in AVI, which has none."""
MAX_TAG = 60
"""Most characters of a camera's name."""

_PLACE = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:[+-][\d.]+)?/?")
"""Latitude and longitude in degrees, as cameras write them (ISO 6709)."""


@dataclass(frozen=True, slots=True)
class VideoContainer:
    """An open video file. Times are in seconds from its first picture."""

    kind: FileType
    container: InputContainer
    stream: VideoStream
    start: float

    @property
    def aspect(self) -> float:
        """The width of its pixels by their height."""
        shape = self.stream.sample_aspect_ratio
        return min(max(float(shape), 1 / MAX_ASPECT), MAX_ASPECT) if shape else 1.0

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec of its pictures, whichever decoder is used."""
        return _codec_of(self.stream)

    @property
    def only_order_is_known(self) -> bool:
        """Whether the order of its pictures is known, but not their times."""
        return self.kind == kinds.AVI and self.codec in WITHOUT_TIMESTAMPS

    def time_of_packet(self, packet: Packet[VideoStream]) -> float | None:
        """Return when the picture of a packet is shown.

        If only the order is known, this is when some picture near it is shown.
        """
        stamp = packet.dts if self.only_order_is_known or packet.pts is None else packet.pts
        return self.time_of(stamp)

    def time_of(self, pts: int | None) -> float | None:
        """Return when a packet or frame with this time stamp is shown."""
        base = self.stream.time_base
        return None if pts is None or base is None else float(pts * base) - self.start

    def seek(self, seconds: float) -> None:
        """Go to the last key frame at or before a time; raises `FFmpegError` where it cannot."""
        base = self.stream.time_base
        if base is not None:
            self.container.seek(int((seconds + self.start) / base), stream=self.stream)


def kind_of(path: Path) -> FileType:
    """Return the type of a file; raises `FileProblem` (`EMPTY`)."""
    with path.open("rb") as file:
        head = file.read(kinds.HEAD_BYTES)
    if not head:
        raise FileProblem(Reason.EMPTY)
    return kinds.sniff(head)


@contextmanager
def open_video(path: Path, limits: FileLimits) -> Iterator[VideoContainer]:
    """Open a video with the demuxer of its type only.

    Raises `FileProblem`: `UNSUPPORTED` (no video), `DAMAGED`, `NO_PICTURE`, `CODEC`,
    `TOO_MANY_PIXELS`.
    """
    kind = kind_of(path)
    if not kind.demuxer:
        raise FileProblem(kind.problem or Reason.UNSUPPORTED, kind.name)
    with _container(path, kind) as container:
        stream = _picture_track(container)
        _check_size(stream, limits)
        # Child processes decode in parallel; threads in them would only hide who uses the memory.
        stream.thread_type = ThreadType.NONE
        stream.codec_context.options = {"max_pixels": str(limits.max_photo_pixels)}
        yield VideoContainer(kind, container, stream, _start(stream, kind))


@contextmanager
def _container(path: Path, kind: FileType) -> Iterator[InputContainer]:
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": kind.demuxer,
        "probesize": str(PROBED_BYTES),
        "analyzeduration": str(PROBED_MICROSECONDS),
    }
    try:
        container = av.open(
            f"file:{path}", format=kind.demuxer, options=options, metadata_errors="ignore"
        )
    except MemoryError:
        raise
    except (FFmpegError, ValueError, OverflowError) as error:
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from None
    with container:
        yield container


def _picture_track(container: InputContainer) -> VideoStream:
    """Return the track that is a video: a sound recording may hold a picture of its cover."""
    tracks = [
        stream
        for stream in container.streams
        if stream.type == "video" and not stream.disposition & ATTACHED_PICTURE
    ]
    decodable = [
        stream
        for stream in tracks
        if isinstance(stream, VideoStream) and stream.codec_context is not None
    ]
    if decodable:
        return max(decodable, key=lambda stream: (stream.width or 0) * (stream.height or 0))
    raise FileProblem(Reason.CODEC, "unknown") if tracks else FileProblem(Reason.NO_PICTURE)


def _check_size(stream: VideoStream, limits: FileLimits) -> None:
    width, height = stream.width or 0, stream.height or 0
    if not width or not height:
        raise FileProblem(Reason.CODEC, _codec_of(stream))
    if width * height > limits.max_photo_pixels or max(width, height) > limits.max_photo_side:
        raise FileProblem(Reason.TOO_MANY_PIXELS, f"{width}x{height}")


def _codec_of(stream: VideoStream) -> str:
    return stream.codec_context.codec.canonical_name


def _start(stream: VideoStream, kind: FileType) -> float:
    """Return the time stamp of the first picture, in seconds."""
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    context = stream.codec_context
    delay = (
        kind == kinds.AVI and context.has_b_frames and _codec_of(stream) not in WITHOUT_TIMESTAMPS
    )
    # FFmpeg stamps AVI by the order of decoding, which is one picture ahead.
    return float((stream.start_time + delay) * stream.time_base)


def tags_of(video: VideoContainer) -> dict[str, Any]:
    """Return when, where and with what a video was made, for `VideoFacts`, without invalid tags."""
    tags = {name.lower(): value for name, value in video.container.metadata.items()}
    latitude, longitude = _place(tags)
    return {
        "taken": _time_taken(tags),
        "latitude": latitude,
        "longitude": longitude,
        "camera": _camera(tags),
    }


def _time_taken(tags: Mapping[str, str]) -> str:
    """Prefer the camera's local time to that of the container, which is UTC."""
    for name in ("com.apple.quicktime.creationdate", "creation_time", "date"):
        stamp = tags.get(name, "").strip()
        try:
            time = datetime.fromisoformat(stamp)
        except ValueError:
            continue
        if time.year > 1970:  # A clock that was never set begins in 1904 or 1970.
            day_only = len(stamp) <= len("2024-05-06")
            return f"{time.date()}" if day_only else time.isoformat(timespec="seconds")
    return ""


def _place(tags: Mapping[str, str]) -> tuple[float | None, float | None]:
    for name in ("com.apple.quicktime.location.iso6709", "location", "location-eng"):
        match = _PLACE.match(tags.get(name, ""))
        if match:
            latitude, longitude = float(match[1]), float(match[2])
            if abs(latitude) <= 90 and abs(longitude) <= 180:
                return latitude, longitude
    return None, None


def _camera(tags: Mapping[str, str]) -> str:
    names = ("com.apple.quicktime.make", "com.apple.quicktime.model")
    words = [tags.get(name, "") for name in names]
    if not any(words):
        words = [tags.get("make", ""), tags.get("model", "")]
    name = "".join(sign for sign in " ".join(words) if sign.isprintable())
    return " ".join(name.split())[:MAX_TAG]
