"""Video clips with known truth: real footage in which things are planted at known times.

What is planted: a sign, a number plate, a person who walks by, a flash, and a part of the picture
that turns red, each for half a second to one and a half. Clips are the same at each run.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from benchmarks.scenes import MEDIA, Pixels, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Painter = Callable[[Pixels, float, float], Pixels]
    """Plants something in a picture: gets the seconds since it is wholly there, and how much of it
    is there, 0 to 1."""

RATE = 30
SIZE = (1280, 720)
SECONDS = 60
GRAIN = 4.0
FIELDS = 7
"""Fields of noise that take turns: more are not told apart by an encoder."""
LENGTHS = (0.5, 0.75, 1.0, 1.25, 1.5)
"""Seconds that planted things are wholly there."""
ENTRY_SECONDS = 0.2
"""Seconds before and after in which a thing that moves comes into the picture, or leaves it."""
NEARLY_ALL = 0.9
MAN = 58, (612, 232, 55, 136)
"""A frame of the clip of the car park, and the place in it of a man who walks alone."""
VTEST, STREET = "vtest12_h264.mp4", "street_bikes_taxi.mp4"

SPEED = 240
"""Pixels a second that things move at."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something planted: from when to when it is wholly there, and a question about it."""

    kind: str
    start: float
    end: float
    question: str
    paint: Painter = field(repr=False, compare=False)

    def share(self, at: float) -> float:
        """Return how much of it is in the picture at a time, 0 to 1."""
        entry, exit_ = (at - self.start) / ENTRY_SECONDS, (self.end - at) / ENTRY_SECONDS
        return max(0.0, min(1.0, 1 + entry, 1 + exit_))

    def shown(self, at: float) -> bool:
        """Return whether nearly all of it is in the picture at a time."""
        return self.share(at) >= NEARLY_ALL

    def onto(self, pixels: Pixels, at: float) -> Pixels:
        """Show it in a picture, as far as it is there at a time."""
        share = self.share(at)
        return self.paint(pixels, at - self.start, share) if share else pixels


@dataclass(frozen=True, slots=True)
class Take:
    """Frames of real footage, from one to another, played forwards and backwards as it was shot.

    `crop` is the part that is shown, as shares of the picture; `sway` is how far a hand moves the
    camera, in pixels of the clip.
    """

    file: str
    first: int
    last: int
    crop: tuple[float, float, float, float] = (0, 0, 1, 1)
    sway: float = 0.0

    def frame(self, at: float, size: tuple[int, int]) -> Pixels:
        """Show it at a time."""
        rate = _decoded(self.file)[1]
        length = self.last - self.first
        place = int(at * rate) % (2 * length)
        number = self.first + (place if place < length else 2 * length - place)
        large = _enlarged(self.file, number, self.crop, size)
        dx, dy = (self.sway * np.sin((1.9 * at, 2.7 * at + 1))).tolist()
        across = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        return cv2.warpAffine(large, across, size, borderMode=cv2.BORDER_REFLECT) if dx else large


CAR_PARK = Take(VTEST, 0, 119)
FENCE = Take(STREET, 152, 186, sway=6)
PATH = Take(VTEST, 0, 119, (0.3, 0.1, 0.9, 0.7), sway=14)
WALL = Take(STREET, 216, 246, sway=10)
CYCLIST = Take(STREET, 108, 144, sway=4)
CORNERS = tuple(
    Take(VTEST, 0, 119, (left, top, left + 0.6, top + 0.6), sway=8)
    for left, top in ((0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.4, 0.4))
)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip: the takes that follow one another, the same time each, and what is planted."""

    name: str
    takes: tuple[Take, ...]
    events: tuple[Event, ...] = ()
    size: tuple[int, int] = SIZE
    seconds: int = SECONDS
    grain: float = GRAIN

    def frames(self) -> Iterator[Pixels]:
        """Draw all frames, as an encoder takes them: planes of brightness and colour (I420)."""
        noise = _noise(self.size, self.grain)
        for number in range(self.seconds * RATE):
            at = number / RATE
            take = self.takes[int(at * len(self.takes) / self.seconds)]
            pixels = take.frame(at, self.size).copy()
            for event in self.events:
                pixels = event.onto(pixels, at)
            planes = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420)
            lighter, darker = noise[number % FIELDS]
            light = planes[: self.size[1]]
            cv2.subtract(cv2.add(light, lighter, dst=light), darker, dst=light)
            yield planes


def clips() -> list[Clip]:
    """List the clips with things planted: seen by a fixed camera, from a hand, and cut."""
    return [
        Clip("fixed camera", (CAR_PARK,), _events(1)),
        Clip("held camera", (FENCE,), _events(2)),
        Clip("five shots", (PATH, FENCE, CYCLIST, WALL, CAR_PARK), _events(3)),
    ]


def encode(clip: Clip, paths: dict[int, Path], bits: int, preset: str = "veryfast") -> None:
    """Write a clip as H.264 once for each distance of key frames, in seconds."""
    writers = {path: _Writer(path, clip, gap, bits, preset) for gap, path in paths.items()}
    for planes in clip.frames():
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        for writer in writers.values():
            writer.write(frame)
    for writer in writers.values():
        writer.close()


class _Writer:
    def __init__(self, path: Path, clip: Clip, gap: int, bits: int, preset: str) -> None:
        self._container = av.open(str(path), "w")
        stream: Any = self._container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = clip.size
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", bits, gap * RATE
        # Cameras put key frames at fixed distances, whatever is seen.
        stream.options = {"preset": preset, "sc_threshold": "0"}
        self._stream = stream

    def write(self, frame: av.VideoFrame | None) -> None:
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self.write(None)
        self._container.close()


def lasting(source: Path, path: Path, seconds: int) -> None:
    """Write so many seconds of a clip, again and again from its start, without encoding it anew."""
    with av.open(str(source)) as clip, av.open(str(path), "w") as longer:
        stream = clip.streams.video[0]
        copy = longer.add_stream_from_template(stream)
        assert stream.time_base is not None
        length = round(float(stream.duration or 0) * stream.time_base) / stream.time_base
        ticks, shift = seconds / stream.time_base, 0
        while shift < ticks:
            clip.seek(0)
            for packet in clip.demux(stream):
                if packet.pts is None or packet.dts is None or packet.dts + shift >= ticks:
                    continue
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = copy
                longer.mux(packet)
            shift += int(length)


def _events(seed: int) -> tuple[Event, ...]:
    """Plant one of each kind, in an order and at times of their own."""
    rng = random.Random(seed)
    kinds = rng.sample(sorted(KINDS), len(KINDS))
    lengths = rng.sample(LENGTHS, len(LENGTHS))
    slot = SECONDS / len(kinds)
    events = []
    for number, (kind, length) in enumerate(zip(kinds, lengths, strict=True)):
        start = round(slot * number + rng.uniform(0.05, 0.8) * slot, 2)
        question, paint = KINDS[kind](rng)
        events.append(Event(kind, start, start + length, question, paint))
    return tuple(events)


def _sign(rng: random.Random) -> tuple[str, Painter]:
    """A sign that comes into view where it stands, as when something passes by in front of it."""
    word = rng.choice(("STADIUM", "HARBOUR", "LIBRARY"))
    patch, _ = written("words", word, 40, (245,) * 3, (120, 60, 20))
    place = rng.randrange(60, 700), rng.randrange(60, 300)
    return f"Where does the sign say {word}?", _moving(patch, _whole(patch), place, 0)


def _plate(rng: random.Random) -> tuple[str, Painter]:
    """A plate as of a car that comes out from behind something, near by."""
    number = "".join(rng.sample("BDFGHJKLMNPRST", 3)) + f" {rng.randrange(120, 989)}"
    patch, _ = written("plate", number, 34, (20,) * 3, (60, 205, 245))
    place = rng.randrange(40, 600), rng.randrange(420, 560)
    return "Which number plate is seen?", _moving(patch, _whole(patch), place, SPEED)


def _person(rng: random.Random) -> tuple[str, Painter]:
    """The man of the car park, near by."""
    patch, cover = man()
    place = rng.randrange(40, 600), SIZE[1] - len(patch) - 20
    return "When does a person appear in front?", _moving(patch, cover, place, SPEED)


def _flash(rng: random.Random) -> tuple[str, Painter]:
    def paint(pixels: Pixels, since: float, share: float) -> Pixels:
        return cv2.convertScaleAbs(pixels, alpha=1.15, beta=85) if share == 1 else pixels

    return "When is there a flash?", paint


def _red(rng: random.Random) -> tuple[str, Painter]:
    """A light that falls on a part of the picture."""
    left, top = rng.randrange(100, 700), rng.randrange(60, 300)

    def paint(pixels: Pixels, since: float, share: float) -> Pixels:
        if share == 1:
            part = pixels[top : top + 300, left : left + 420]
            part[:] = cv2.addWeighted(part, 0.45, np.full_like(part, (20, 20, 210)), 0.55, 0)
        return pixels

    return "When does it turn red?", paint


KINDS: dict[str, Callable[[random.Random], tuple[str, Painter]]] = {
    "sign": _sign,
    "plate": _plate,
    "person": _person,
    "flash": _flash,
    "red": _red,
}


def _moving(patch: Pixels, cover: Pixels, place: tuple[int, int], speed: int) -> Painter:
    """Move a patch to the right, uncovered from its right side on and covered again."""
    height, width = patch.shape[:2]
    mask = cover[..., None] / np.float32(255)

    def paint(pixels: Pixels, since: float, share: float) -> Pixels:
        left, top = place[0] + round(speed * since), place[1]
        hidden = width - round(width * share)
        under = pixels[top : top + height, left + hidden : left + width]
        own, how = patch[:, hidden:], mask[:, hidden:]
        under[:] = (under * (1 - how) + own * how).astype(np.uint8)
        return pixels

    return paint


def _whole(patch: Pixels) -> Pixels:
    return np.full(patch.shape[:2], 255, np.uint8)


@lru_cache(1)
def man() -> tuple[Pixels, Pixels]:
    """Cut the man out, four times as large, with how far each pixel is of him (0 to 255)."""
    frames, _ = _decoded(VTEST)
    number, (left, top, width, height) = MAN
    part = slice(top, top + height), slice(left, left + width)
    ground = np.median(np.stack([frame[part] for frame in frames[::4]]), axis=0).astype(np.uint8)
    apart = cv2.absdiff(frames[number][part], ground).max(axis=2)
    solid = cv2.morphologyEx(
        (cv2.GaussianBlur(apart, (0, 0), 1.5) > 24).astype(np.uint8),
        cv2.MORPH_CLOSE,
        np.ones((9, 5)),
    )
    solid = cv2.erode(solid, np.ones((3, 3)))
    size = 4 * width, 4 * height
    large: Pixels = cv2.resize(frames[number][part], size, interpolation=cv2.INTER_CUBIC)
    return large, cv2.GaussianBlur(cv2.resize(solid * 255, size), (0, 0), 3).astype(np.uint8)


@lru_cache(1)
def _noise(size: tuple[int, int], strength: float) -> list[tuple[Pixels, Pixels]]:
    """Make the noise of a sensor: how much lighter each pixel is, and how much darker."""
    rng = np.random.default_rng(1)
    fields = [rng.normal(0, strength, size[::-1]) for _ in range(FIELDS)]
    return [
        (np.clip(one, 0, 99).astype(np.uint8), np.clip(-one, 0, 99).astype(np.uint8))
        for one in fields
    ]


@lru_cache(150)
def _enlarged(
    name: str, number: int, crop: tuple[float, float, float, float], size: tuple[int, int]
) -> Pixels:
    """Cut the part out of a frame that is shown, and bring it to the size of a clip."""
    pixels = _decoded(name)[0][number]
    height, width = pixels.shape[:2]
    left, top, right, bottom = np.multiply(crop, (width, height, width, height)).astype(int)
    part = pixels[top:bottom, left:right]
    large: Pixels = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)
    return large


@lru_cache
def _decoded(name: str) -> tuple[list[Pixels], float]:
    """Decode all frames of a clip of the tests; returns their rate too."""
    with av.open(str(MEDIA / name)) as container:
        frames: list[Any] = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
        return frames, float(container.streams.video[0].average_rate or RATE)
