"""What it costs to bring ten frames of a long video, beside other ways to go through the file.

Each way runs in a fresh process. Loupe's time is from the file to ten frames at full size, in a
bot whose child processes are started: finding out what the file is, keeping it, a survey, and a
choice by what changes. Its memory is that of the process and its children, the most that each held.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2

from benchmarks.figures import table, verdict
from benchmarks.footage_scenes import (
    CAR_PARK,
    CORNERS,
    FENCE,
    PATH,
    WALL,
    Clip,
    encode,
    lasting,
)
from benchmarks.memory import peak
from benchmarks.recall import FRAMES, screening
from bot.settings_reader import load_limits
from bot.video.candidates import FrameRequest
from bot.video.chooser import Chooser
from tests.helpers.fakes import FakeVision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMITS = load_limits()
FILM = Clip(
    "film", (*CORNERS, CAR_PARK, FENCE, PATH, WALL), size=(1920, 1080), seconds=60, grain=6.0
)
BITS = 11_000_000
GAPS = (2, 10)
"""Seconds between key frames."""
SECONDS = 180
LENGTHS = (10, 60, SECONDS)
ROUNDS = 3
AIM = 15.0
FLAT = 1.25
"""Times the memory of ten seconds that three minutes may take at most."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The seconds that a way took, and the most memory, in megabytes."""

    seconds: float
    memory: float | None


def loupe(path: Path) -> float:
    """Take a video in, survey it, choose ten frames, decode them; returns the seconds."""
    return asyncio.run(_loupe(path))


async def _loupe(path: Path) -> float:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        async with screening(path, Path(folder), LIMITS) as clip:
            chooser = Chooser(FakeVision(), None, LIMITS.turns)
            start = time.perf_counter()
            survey = await clip.survey()
            times, _ = await clip.chosen(
                chooser, survey, FrameRequest("", FRAMES, uses_engines=False)
            )
            seconds = time.perf_counter() - start
            assert times
            _note_peak()
            return clip.seconds_taken + seconds


def reading(path: Path) -> float:
    """Read every frame with OpenCV, and keep ten evenly spread ones."""
    start = time.perf_counter()
    video = cv2.VideoCapture(str(path))
    step, frames, number = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) // FRAMES, [], 0
    while True:
        there, pixels = video.read()
        if not there:
            break
        if number % step == step // 2:
            frames.append(cv2.imencode(".jpg", pixels)[1])
        number += 1
    assert len(frames) == FRAMES
    return time.perf_counter() - start


def seeking(path: Path) -> float:
    """Seek ten evenly spread times with OpenCV."""
    start = time.perf_counter()
    video = cv2.VideoCapture(str(path))
    length = 1000 * video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS)
    frames = []
    for place in range(FRAMES):
        video.set(cv2.CAP_PROP_POS_MSEC, (place + 0.5) * length / FRAMES)
        there, pixels = video.read()
        assert there
        frames.append(cv2.imencode(".jpg", pixels)[1])
    return time.perf_counter() - start


def demuxing(path: Path) -> float:
    """Go through the packets, decoding none."""
    start = time.perf_counter()
    with av.open(str(path)) as container:
        for _ in container.demux(container.streams.video[0]):
            pass
    return time.perf_counter() - start


READING = "OpenCV, every frame"
WAYS: dict[str, tuple[Callable[[Path], float], int]] = {
    "Loupe, ten frames": (loupe, ROUNDS),
    READING: (reading, 1),
    "OpenCV, ten seeks": (seeking, ROUNDS),
    "PyAV, demuxing alone": (demuxing, ROUNDS),
}
LOUPE = next(iter(WAYS))

_peak: float | None = None


def _note_peak() -> None:
    global _peak  # noqa: PLW0603 - the process is fresh, and lives for one way
    _peak = peak(os.getpid())


def _spent(way: str, path: Path) -> Spent:
    seconds = WAYS[way][0](path)
    if _peak is None:
        _note_peak()
    return Spent(seconds, _peak)


def spend(way: str, path: Path, rounds: int) -> Spent:
    """Go a way some times; returns the median of the seconds, and the most memory."""
    runs = []
    for _ in range(rounds):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
            runs.append(fresh.submit(_spent, way, path).result())
    peaks = [one.memory for one in runs if one.memory is not None]
    return Spent(statistics.median(one.seconds for one in runs), max(peaks, default=None))


def films(folder: Path) -> dict[tuple[int, int], Path]:
    """Make the videos, by the seconds between their key frames and their length."""
    short = {gap: folder / f"film-{gap}.mp4" for gap in GAPS}
    encode(FILM, short, BITS)
    paths = {
        (gap, length): folder / f"film-{gap}-{length}.mp4" for gap in GAPS for length in LENGTHS
    }
    for (gap, length), path in paths.items():
        lasting(short[gap], path, length)
    return paths


def main(folder: Path) -> None:
    """Measure all ways, and print the tables."""
    paths = films(folder)
    size = paths[GAPS[0], SECONDS].stat().st_size / 1e6
    costs = {
        (way, gap): spend(way, paths[gap, SECONDS], rounds)
        for gap in GAPS
        for way, (_, rounds) in WAYS.items()
    }
    rows = [(way, *(cell for gap in GAPS for cell in _cells(costs[way, gap]))) for way in WAYS]
    head = [f"{what}, {gap} s" for gap in GAPS for what in ("seconds", "peak MB")]
    title = f"Ten frames of three minutes: 1920x1080, 30 frames/s, H.264, {size:.0f} MB"
    table(f"{title}, by the distance of key frames", ("", *head), rows)
    _report_memory(paths)
    print()
    for gap in GAPS:
        times = costs[READING, gap].seconds / costs[LOUPE, gap].seconds
        comparison = f"key frames every {gap} s: {times:.1f} times as fast as reading every frame"
        verdict(comparison, f"{AIM:g}", success=times >= AIM)


def _report_memory(paths: dict[tuple[int, int], Path]) -> None:
    peaks = {
        gap: [spend(LOUPE, paths[gap, length], 1).memory for length in LENGTHS] for gap in GAPS
    }
    rows = [
        (f"key frames every {gap} s", *map(_megabytes, amounts)) for gap, amounts in peaks.items()
    ]
    table("Peak memory of Loupe, MB, by the length", ("", *(f"{n} s" for n in LENGTHS)), rows)
    print()
    for gap, (short, *_, long) in peaks.items():
        if short and long:
            comparison = (
                f"key frames every {gap} s: {long / short:.2f} times the memory of ten seconds"
            )
            verdict(comparison, f"{FLAT:g} at most", success=long / short <= FLAT)


def _cells(cost: Spent) -> Sequence[str]:
    return f"{cost.seconds:.2f}", _megabytes(cost.memory)


def _megabytes(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:.0f}"
