"""An opened video file: one demuxer, one protocol, one picture track; all in a child process."""

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
MOST_ASPECT = 4.0
"""Of pixels that are not square; beyond it a file is wrong."""
WITHOUT_STAMPS = {"h264", "hevc"}
"""Codecs whose time stamps in AVI, which has none, FFmpeg guesses wrongly."""
MAX_TAG = 60

_PLACE = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:[+-][\d.]+)?/?")
"""Degrees as ISO 6709 writes them, which cameras do."""


@dataclass(frozen=True, slots=True)
class VideoContainer:
    """A video file, opened. Times count from its first picture, in seconds."""

    kind: FileType
    container: InputContainer
    stream: VideoStream
    start: float

    @property
    def aspect(self) -> float:
        """How many times wider than high its pixels are."""
        shape = self.stream.sample_aspect_ratio
        return min(max(float(shape), 1 / MOST_ASPECT), MOST_ASPECT) if shape else 1.0

    @property
    def codec(self) -> str:
        """What FFmpeg calls the codec of its pictures, whichever decoder is used."""
        return _codec_of(self.stream)

    @property
    def ordered(self) -> bool:
        """Whether only the order of its pictures is sure, not their time stamps."""
        return self.kind == kinds.AVI and self.codec in WITHOUT_STAMPS

    def when(self, packet: Packet[VideoStream]) -> float | None:
        """Tell when the picture of a packet is shown.

        Where only the order is sure, this is when some picture near it is shown.
        """
        stamp = packet.dts if self.ordered or packet.pts is None else packet.pts
        return self.time_of(stamp)

    def time_of(self, pts: int | None) -> float | None:
        """Tell when a packet or frame with this time stamp is shown."""
        base = self.stream.time_base
        return None if pts is None or base is None else float(pts * base) - self.start

    def seek(self, seconds: float) -> None:
        """Go to the last key frame at or before a time; raises `FFmpegError` where it cannot."""
        base = self.stream.time_base
        if base is not None:
            self.container.seek(int((seconds + self.start) / base), stream=self.stream)


def kind_of(path: Path) -> FileType:
    """Tell what a file is; raises `FileProblem` (`EMPTY`)."""
    with path.open("rb") as file:
        head = file.read(kinds.HEAD_BYTES)
    if not head:
        raise FileProblem(Reason.EMPTY)
    return kinds.sniff(head)


@contextmanager
def opened(path: Path, limits: FileLimits) -> Iterator[VideoContainer]:
    """Open a video with the demuxer of its kind only.

    Raises `FileProblem`: `UNSUPPORTED` (no video), `DAMAGED`, `NO_PICTURE`, `CODEC`,
    `TOO_MANY_PIXELS`.
    """
    kind = kind_of(path)
    if not kind.demuxer:
        raise FileProblem(kind.problem or Reason.UNSUPPORTED, kind.name)
    with _container(path, kind) as container:
        stream = _picture_track(container)
        _fits(stream, limits)
        # Side by side decode children, not threads of one; and a thread hides where memory goes.
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
    """Find the track that moves: a sound recording may hold the picture of its cover."""
    moving = [
        stream
        for stream in container.streams
        if stream.type == "video" and not stream.disposition & ATTACHED_PICTURE
    ]
    known = [
        stream
        for stream in moving
        if isinstance(stream, VideoStream) and stream.codec_context is not None
    ]
    if known:
        return max(known, key=lambda stream: (stream.width or 0) * (stream.height or 0))
    raise FileProblem(Reason.CODEC, "unknown") if moving else FileProblem(Reason.NO_PICTURE)


def _fits(stream: VideoStream, limits: FileLimits) -> None:
    width, height = stream.width or 0, stream.height or 0
    if not width or not height:
        raise FileProblem(Reason.CODEC, _codec_of(stream))
    if width * height > limits.max_photo_pixels or max(width, height) > limits.max_photo_side:
        raise FileProblem(Reason.TOO_MANY_PIXELS, f"{width}x{height}")


def _codec_of(stream: VideoStream) -> str:
    return stream.codec_context.codec.canonical_name


def _start(stream: VideoStream, kind: FileType) -> float:
    """Tell the time stamp of the first picture, in seconds."""
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    context = stream.codec_context
    late = kind == kinds.AVI and context.has_b_frames and _codec_of(stream) not in WITHOUT_STAMPS
    # To AVI FFmpeg adds stamps by the order of decoding, which is one picture ahead.
    return float((stream.start_time + late) * stream.time_base)


def tags_of(reel: VideoContainer) -> dict[str, Any]:
    """Read when, where and with what a video was made, for `VideoFacts`; wrong tags are dropped."""
    tags = {name.lower(): value for name, value in reel.container.metadata.items()}
    latitude, longitude = _place(tags)
    return {
        "taken": _taken(tags),
        "latitude": latitude,
        "longitude": longitude,
        "camera": _camera(tags),
    }


def _taken(tags: Mapping[str, str]) -> str:
    """Prefer the camera's local time to that of the container, which is UTC."""
    for name in ("com.apple.quicktime.creationdate", "creation_time", "date"):
        told = tags.get(name, "").strip()
        try:
            taken = datetime.fromisoformat(told)
        except ValueError:
            continue
        if taken.year > 1970:  # A clock that was never set begins in 1904 or 1970.
            day_only = len(told) <= len("2024-05-06")
            return f"{taken.date()}" if day_only else taken.isoformat(timespec="seconds")
    return ""


def _place(tags: Mapping[str, str]) -> tuple[float | None, float | None]:
    for name in ("com.apple.quicktime.location.iso6709", "location", "location-eng"):
        found = _PLACE.match(tags.get(name, ""))
        if found:
            latitude, longitude = float(found[1]), float(found[2])
            if abs(latitude) <= 90 and abs(longitude) <= 180:
                return latitude, longitude
    return None, None


def _camera(tags: Mapping[str, str]) -> str:
    names = ("com.apple.quicktime.make", "com.apple.quicktime.model")
    words = [tags.get(name, "") for name in names]
    if not any(words):
        words = [tags.get("make", ""), tags.get("model", "")]
    plain = "".join(sign for sign in " ".join(words) if sign.isprintable())
    return " ".join(plain.split())[:MAX_TAG]
