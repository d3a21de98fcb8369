"""Preparing a phone's photo for a model, beside a plain Pillow resize and beside decoding alone.

    python -m benchmarks.photos [ROUNDS]

Times are medians of alternating rounds in one process with one thread, as in Loupe's children;
memory is the growth of a fresh process that does the work once (Linux).
"""

from __future__ import annotations

import io
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageOps

from bot.media.file_types import sniff
from bot.media.photo_metadata import read_header
from bot.media.photos import decode, prepare
from bot.media.pixels import QUALITY, fitted_size
from bot.settings_reader import load_limits

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = (4032, 3024)
AIM = 3.0
ROUNDS = 7
LIMITS = load_limits()


def phone_photo() -> bytes:
    """Shapes, edges and a sensor's grain, stored sideways: about 4 MB."""
    rng = np.random.default_rng(7)
    width, height = SIZE
    coarse = rng.integers(0, 256, (height // 48, width // 48, 3), np.uint8)
    pixels = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
    for x, y in rng.integers(0, width, (400, 2)).tolist():
        cv2.putText(pixels, "Loupe", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 2, (x % 255, y % 255, 90), 4)
    pixels = cv2.add(pixels, rng.integers(0, 10, (height, width, 1), np.uint8).repeat(3, axis=2))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()


def with_loupe(path: Path) -> None:
    prepare(path, LIMITS.files)


def with_pillow(path: Path) -> None:
    with Image.open(path) as source:
        image = ImageOps.exif_transpose(source)
    size = fitted_size(*image.size, LIMITS.files.photo_side)
    image.resize(size, Image.Resampling.LANCZOS).save(io.BytesIO(), "JPEG", quality=QUALITY)


def decode_alone(path: Path) -> None:
    data = path.read_bytes()
    header = read_header(data, sniff(data), LIMITS.files)
    decode(
        data,
        header,
        max(fitted_size(header.facts.width, header.facts.height, LIMITS.files.photo_side)),
    )


METHODS: dict[str, Callable[[Path], None]] = {
    "prepare (Loupe)": with_loupe,
    "Pillow LANCZOS": with_pillow,
    "decode alone": decode_alone,
}


def seconds(method: Callable[[Path], None], path: Path) -> float:
    start = time.perf_counter()
    method(path)
    return time.perf_counter() - start


def growth(name: str, path: Path) -> float | None:
    """Megabytes by which this process grows at most while a method works."""
    before = memory("VmRSS")
    METHODS[name](path)
    peak = memory("VmHWM")
    return None if peak is None or before is None else peak - before


def memory(field: str) -> float | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    match = re.search(rf"{field}:\s+(\d+) kB", status.read_text())
    return int(match[1]) / 1024 if match else None


def main(rounds: int) -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(phone_photo())
        times: dict[str, list[float]] = {name: [] for name in METHODS}
        for _ in range(rounds):
            for name, method in METHODS.items():
                times[name].append(seconds(method, path))
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
            growths = {name: fresh.apply(growth, (name, path)) for name in METHODS}
        report(times, growths, path.stat().st_size)


def report(times: dict[str, list[float]], growths: dict[str, float | None], size: int) -> None:
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    print(f"JPEG {SIZE[0]}x{SIZE[1]}, {size / 1e6:.1f} MB, orientation 6")
    print(f"{'':18} {'median ms':>10} {'best ms':>10} {'peak MB':>10}")
    for name, median in medians.items():
        peak = growths[name]
        cell = "-" if peak is None else f"{peak:.0f}"
        print(f"{name:18} {median * 1e3:10.1f} {min(times[name]) * 1e3:10.1f} {cell:>10}")
    loupe, pillow, decoding = medians.values()
    verdict = "reached" if pillow / loupe >= AIM else "missed"
    print(f"{pillow / loupe:.1f} times as fast as Pillow (aim {AIM:g}: {verdict})")
    print(f"{loupe / decoding:.1f} times as long as decoding alone")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
