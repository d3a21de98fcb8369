"""Clips that tests make themselves: each frame shows its own number, to be read from pixels."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SIZE = 160, 90
COLUMNS, ROWS = 8, 2
"""Blocks of a frame, one for each bit of its number: white for 1, black for 0."""
TICK = Fraction(1, 1000)

FAST: Mapping[str, Mapping[str, str]] = {
    "libx264": {"preset": "superfast", "bf": "2", "sc_threshold": "0"},
    "libx265": {"preset": "ultrafast", "bf": "2", "x265-params": "log-level=none:scenecut=0"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "8", "svtav1-params": "lp=1"},
    "mpeg4": {"bf": "0", "q": "3"},
}


def blocks(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Draw a number of up to 16 bits."""
    bits = np.array([number >> place & 1 for place in range(COLUMNS * ROWS)], np.uint8)
    coarse = np.where(bits, 235, 20).astype(np.uint8).reshape(ROWS, COLUMNS)
    grey = cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
    return np.repeat(grey[..., None], 3, axis=2)


def number_in(pixels: NDArray[np.uint8]) -> int:
    """Read the number that a frame shows, whatever its size."""
    grey = cv2.resize(pixels, (COLUMNS * 16, ROWS * 16), interpolation=cv2.INTER_AREA).mean(axis=2)
    means = grey.reshape(ROWS, 16, COLUMNS, 16)[:, 4:12, :, 4:12].mean(axis=(1, 3)).ravel()
    return sum(1 << place for place, mean in enumerate(means) if mean > 128)


def number_of(jpeg: bytes) -> int:
    """Read the number that the JPEG of a frame shows."""
    return number_in(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))


def clip(
    path: Path,
    codec: str = "libx264",
    *,
    frames: int = 50,
    rate: int = 25,
    size: tuple[int, int] = SIZE,
    gop: int = 10,
    times: Sequence[float] | None = None,
    start: float = 0.0,
    rotation: int = 0,
    sound: bool = False,
    pixels: str = "yuv420p",
    tags: Mapping[str, str] | None = None,
    movflags: str = "",
    draw: Any = blocks,
    **options: str,
) -> Path:
    """Make a clip of frames 0, 1, 2, ... at a rate, or at these times (in whole milliseconds).

    The first is shown at `start`. `turned` is what a player has to turn it by, clockwise;
    `options` are those of the encoder.
    """
    container_options = {"movflags": movflags} if movflags else {}
    with av.open(str(path), "w", options=container_options) as container:
        container.metadata.update(tags or {})
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        if "aspect" in options:
            stream.codec_context.sample_aspect_ratio = Fraction(
                options.pop("aspect").replace(":", "/")
            )
        stream.options = {"g": str(gop), **FAST.get(codec, {}), **options}
        base = TICK if times is not None else Fraction(1, rate)
        stream.codec_context.time_base = base
        at = times if times is not None else [number / rate for number in range(frames)]
        audio = silence(container, path.suffix, max(at)) if sound else []
        for number, seconds in enumerate(at):
            frame = av.VideoFrame.from_ndarray(draw(number, size), "bgr24")
            frame.pts, frame.time_base = round((seconds + start) / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        container.mux(audio)
    if rotation:
        turn(path, rotation)
    return path


SOUND = {".avi": "pcm_s16le", ".webm": "libopus"}


def silence(container: Any, suffix: str, seconds: float) -> list[av.Packet[Any]]:
    """Add a sound track to a container; returns what is to be muxed."""
    track = container.add_stream(SOUND.get(suffix, "aac"), rate=48_000, layout="mono")
    packets = []
    for first in range(0, max(1, round(seconds * 48_000)), 960):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "flt", "mono")
        frame.sample_rate, frame.pts = 48_000, first
        packets += track.encode(frame)
    return [*packets, *track.encode(None)]


MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def _matrix(rotation: int) -> bytes:
    a, b, c, d = MATRICES[rotation]
    return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)


def turn(path: Path, degrees: int) -> None:
    """Have an MP4 turned clockwise by its track header (ISO/IEC 14496-12, 8.3.2)."""
    data = path.read_bytes()
    at = data.index(_matrix(0), data.index(b"tkhd"))
    matrix = _matrix(degrees)
    path.write_bytes(data[:at] + matrix + data[at + len(matrix) :])


def animation(path: Path, frames: int = 12, **how: Any) -> Path:
    """Make a GIF or WebP whose frames show their numbers, of 50 milliseconds each."""
    pages = [Image.fromarray(blocks(number)) for number in range(frames)]
    lossless = {"lossless": True} if path.suffix == ".webp" else {}
    options = {"duration": 50, "loop": 0, **lossless, **how}
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)
    return path


def patch(path: Path, mark: bytes, offset: int, value: bytes, last: bool = False) -> None:
    """Overwrite bytes of a file that stand so far behind the mark."""
    data = path.read_bytes()
    at = (data.rindex if last else data.index)(mark) + offset
    path.write_bytes(data[:at] + value + data[at + len(value) :])
