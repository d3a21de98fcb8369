"""Tiny videos that tests make themselves: each scene is a colour, with words on it or a tone."""

from __future__ import annotations

import functools
import io
import wave
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.frame import PictureType
from PIL import Image, ImageColor, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 10
"""Frames a second."""
SIDE = (320, 240)

Scene = tuple[float, str, str]
"""Seconds, colour and words."""

DAY: tuple[Scene, ...] = ((1.0, "navy", ""), (1.0, "darkred", ""), (1.0, "olive", ""))


def paint_scene(colour: str, words: str = "", size: tuple[int, int] = SIDE) -> Image.Image:
    """Paint a frame."""
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    draw.multiline_text((16, 16), words, "white", ImageFont.load_default(22))
    return image


@functools.cache
def scene_video(
    *scenes: Scene, sound: bytes = b"", size: tuple[int, int] = SIDE, **options: str
) -> bytes:
    """Make an MP4 file of scenes, which `sound` (a WAV file) goes with.

    `options` are those of the encoder, which puts a key frame at the beginning of each scene.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        screen: Any = file.add_stream("libx264", rate=RATE, options={"g": "7", "forced-idr": "1"})
        screen.width, screen.height, screen.pix_fmt = *size, "yuv420p"
        track: Any = file.add_stream("aac", rate=_rate(sound), layout="mono") if sound else None
        for colour, words, first in _frames(scenes or DAY):
            frame = av.VideoFrame.from_image(paint_scene(colour, words, size))
            frame.pict_type = PictureType.I if first else PictureType.NONE
            file.mux(screen.encode(frame))
        file.mux(screen.encode(None))
        if track:
            file.mux([*track.encode(_samples(sound)), *track.encode(None)])
    return buffer.getvalue()


def _frames(scenes: Sequence[Scene]) -> list[tuple[str, str, bool]]:
    """List the frames, and which of them begin a scene."""
    return [
        (colour, words, number == 0)
        for seconds, colour, words in scenes
        for number in range(round(seconds * RATE))
    ]


def _rate(sound: bytes) -> int:
    with wave.open(io.BytesIO(sound)) as wav:
        return wav.getframerate()


def _samples(sound: bytes) -> av.AudioFrame:
    with wave.open(io.BytesIO(sound)) as wav:
        data = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
    frame = av.AudioFrame.from_ndarray(data[None, :] / np.float32(32768), "fltp", "mono")
    frame.sample_rate = _rate(sound)
    return frame


def share(picture: Image.Image, colour: str) -> float:
    """Return how much of a picture has nearly a colour."""
    pixels = np.asarray(picture.convert("RGB"), np.int16)
    apart = np.abs(pixels - np.array(ImageColor.getrgb(colour)[:3])).max(axis=2)
    return float((apart < 40).mean())
