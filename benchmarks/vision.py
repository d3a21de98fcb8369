"""Reading and seeing on this machine: text found, plates exact, boxes, time and memory per photo.

    python -m benchmarks.vision [PHOTOS]

Each engine gets the same photos, real ones and generated ones with known truth (see
`benchmarks.scenes`), in a fresh process of its own: Loupe with and without tiles gets the file and
the model-ready picture, rapidocr as it comes and Tesseract (if installed) get the latter. PHOTOS is
how many photos of 12 megapixels with small text there are. A word is found if its letters and
digits occur in a line; a plate, VIN or odometer is exact if a line has just its characters.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.vision.local import look_at
from adapters.vision.polygons import corners, iou
from adapters.vision.settings import VisionSettings
from benchmarks.figures import machine, table, verdict
from benchmarks.scenes import decoded, generated, real, small
from bot.domain.sightings import TextLine
from bot.media.photos import prepare
from bot.settings_reader import load_limits
from bot.text.vin import read_vin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.scenes import Item, Scene

PHOTOS = 4
SMALL = "small in 12 MP"
GAIN = 1.5
"""How many times the small text of plain reading tiles are to find."""
LIMITS = load_limits()
SETTINGS = VisionSettings(_env_file=None)
LOUPE, UNTILED, PLAIN, TESSERACT = "Loupe", "without tiles", "rapidocr", "Tesseract"
LOOK = 0.01
"""Seconds between looks at how much memory Tesseract has taken."""


def loupe(jpeg: bytes, original: Path) -> list[TextLine]:
    """Read as Loupe does."""
    return list(look_at(jpeg, original, LIMITS.files, SETTINGS).lines)


def untiled(jpeg: bytes, original: Path) -> list[TextLine]:
    """Read as Loupe does with LOUPE_VISION_TILES=1."""
    return list(
        look_at(jpeg, original, LIMITS.files, SETTINGS.model_copy(update={"tiles": 1})).lines
    )


def plain(jpeg: bytes, original: Path) -> list[TextLine]:
    """Read the model-ready picture with rapidocr as it comes."""
    global _rapidocr  # noqa: PLW0603 - one engine for all photos of the process
    if _rapidocr is None:
        from rapidocr import RapidOCR  # noqa: PLC0415

        _rapidocr = RapidOCR(params={"Global.log_level": "critical"})
    pixels = decoded(jpeg)
    size = np.array(pixels.shape[1::-1], np.float32)
    result = _rapidocr(pixels)
    if result.boxes is None:
        return []
    return [
        TextLine(text, tuple(map(tuple, (box / size).tolist())), float(score))
        for text, box, score in zip(result.txts, result.boxes, result.scores, strict=True)
    ]


_rapidocr: Any = None


def tesseract(jpeg: bytes, original: Path) -> list[TextLine]:
    """Read the model-ready picture with Tesseract, looking for sparse text."""
    height, width = decoded(jpeg).shape[:2]
    command = ["tesseract", "stdin", "stdout", "--psm", "11", "tsv"]
    output = _run(command, jpeg)
    lines: dict[tuple[str, ...], list[list[str]]] = {}
    for row in (line.split("\t") for line in output.splitlines()[1:]):
        if len(row) == 12 and row[11].strip():
            lines.setdefault(tuple(row[1:5]), []).append(row)
    return [_tesseract_line(words, width, height) for words in lines.values()]


def _run(command: list[str], data: bytes) -> str:
    """Run a program on bytes, and note how much memory it takes."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=file, stdout=pipe, stderr=none)
    output = None
    while output is None:
        try:
            output, _ = process.communicate(timeout=LOOK)
        except subprocess.TimeoutExpired:
            _peaks.append(memory(process.pid) or 0.0)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return output.decode()


_peaks: list[float] = []


def _tesseract_line(words: list[list[str]], width: int, height: int) -> TextLine:
    boxes = np.array([[int(value) for value in word[6:10]] for word in words])
    left, top = boxes[:, :2].min(axis=0) / (width, height)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0) / (width, height)
    place = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TextLine(" ".join(word[11] for word in words), place, float(words[0][10]) / 100)


ENGINES: dict[str, Callable[[bytes, Path], list[TextLine]]] = {
    LOUPE: loupe,
    UNTILED: untiled,
    PLAIN: plain,
    TESSERACT: tesseract,
}


@dataclass
class Score:
    """What an engine found in photos of one group."""

    words: int = 0
    of_words: int = 0
    exact: int = 0
    of_exact: int = 0
    vins: int = 0
    shares: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, scene: Scene, lines: Sequence[TextLine], size: tuple[int, int]) -> None:
        """Count what was found in a photo of `size` (width, height)."""
        texts = [bare(line.text) for line in lines]
        for item in scene.items:
            words = [bare(word) for word in item.text.split()]
            self.words += sum(any(word in line for line in texts) for word in words)
            self.of_words += len(words)
            if item.kind != "words":
                self.exact += bare(item.text) in texts
                self.of_exact += 1
            self._place(item, lines, size)
        numbers = [read_vin(line.text) for line in lines]
        self.vins += sum(vin is not None and vin.passes for vin in numbers)

    @property
    def fit(self) -> float | None:
        """The median IoU of boxes with the truth."""
        return statistics.median(self.shares) if self.shares else None

    def _place(self, item: Item, lines: Sequence[TextLine], size: tuple[int, int]) -> None:
        """Hold the place of an item against those of the lines that have a word of it."""
        if item.corners is None:
            return
        words = [bare(word) for word in item.text.split()]
        matches = [line for line in lines if any(word in bare(line.text) for word in words)]
        shares = [iou(corners(line.polygon, *size), item.corners) for line in matches]
        self.shares += [max(shares)] if shares else []


def bare(text: str) -> str:
    """Keep the letters and digits of a text, in capitals."""
    return re.sub(r"[\W_]", "", text).upper()


def measure(engine: str, scenes: Sequence[Scene]) -> tuple[dict[str, Score], float | None]:
    """Have all photos read; returns the scores by group, and the peak of memory in megabytes."""
    look = ENGINES[engine]
    scores: dict[str, Score] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        for number, scene in enumerate([scenes[0], *scenes]):
            path.write_bytes(scene.data)
            picture = prepare(path, LIMITS.files)
            start = time.perf_counter()
            lines = look(picture.jpeg, path)
            seconds = time.perf_counter() - start
            if number:  # With the first look an engine loads.
                score = scores.setdefault(scene.group, Score())
                score.seconds.append(seconds)
                score.add(scene, lines, (picture.facts.width, picture.facts.height))
    return scores, peak(engine)


def peak(engine: str) -> float | None:
    """Return how much memory the engine took at most, in megabytes (Linux).

    Not by `getrusage`, whose `ru_maxrss` a process takes over from the one that started it.
    """
    return max(_peaks, default=None) if engine == TESSERACT else memory("self")


def memory(process: int | str) -> float | None:
    """Return how much memory a process has held at most so far, in megabytes."""
    status = Path(f"/proc/{process}/status")
    try:
        match = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) / 1024 if match else None


def main(photos: int = PHOTOS) -> None:
    """Measure all engines on all photos, and print the tables."""
    scenes = [*real(), *generated(), *small(photos)]
    names = [name for name in ENGINES if name != TESSERACT or shutil.which("tesseract")]
    measured: dict[str, dict[str, Score]] = {}
    peaks: dict[str, float | None] = {}
    for name in names:
        with multiprocessing.get_context("spawn").Pool(1) as fresh:
            measured[name], peaks[name] = fresh.apply(measure, (name, scenes))
    report(measured, peaks)
    if TESSERACT not in names:
        print("  Tesseract is not installed (Debian: tesseract-ocr).")


def report(scores_by_engine: dict[str, dict[str, Score]], peaks: dict[str, float | None]) -> None:
    """Print what was found, and what it took."""
    groups = list(scores_by_engine[LOUPE])
    for title, cell in CELLS.items():
        rows = [
            (group, *(cell(scores[group]) for scores in scores_by_engine.values()))
            for group in groups
        ]
        table(title, ("", *scores_by_engine), rows)
    row = tuple("-" if peak is None else f"{peak:.0f}" for peak in peaks.values())
    table("Peak of memory, MB", ("", *scores_by_engine), [("all photos", *row)])
    print()
    ours, bare_engine = scores_by_engine[LOUPE], scores_by_engine[PLAIN]
    gain = ours[SMALL].words / max(1, bare_engine[SMALL].words)
    verdict(
        f"small text: {gain:.2f} times the words of plain rapidocr",
        f"{GAIN:g}",
        success=gain >= GAIN,
    )
    for what in MEASURES:
        compare(what, ours, bare_engine, PLAIN)
    compare(WORDS, ours, scores_by_engine[UNTILED], UNTILED)


def compare(what: str, ours: dict[str, Score], theirs: dict[str, Score], name: str) -> None:
    """Return in which groups Loupe is worse than another engine."""
    value, slack = MEASURES[what]
    worse = [group for group in ours if value(ours[group]) < value(theirs[group]) - slack]
    comparison = f"{what} than {name}: {', '.join(worse) or 'nowhere'}"
    verdict(comparison, "nowhere", success=not worse)


WORDS = "fewer words"
MEASURES: dict[str, tuple[Callable[[Score], float], float]] = {
    WORDS: (lambda score: score.words, 0),
    "fewer plates, odometers, VINs exact": (lambda score: score.exact, 0),
    "looser boxes": (lambda score: score.fit or 0.0, 0.01),
}
"""What is held against other engines, each with the difference that is not told."""


def _share(count: int, of: int) -> str:
    return f"{count}/{of}" if of else "-"


CELLS: dict[str, Callable[[Score], str]] = {
    "Words found": lambda score: _share(score.words, score.of_words),
    "Plates, odometers, VINs exact": lambda score: _share(score.exact, score.of_exact),
    "VINs whose check digit fits": lambda score: str(score.vins),
    "Boxes: median IoU with the truth": lambda score: (
        "-" if score.fit is None else f"{score.fit:.2f}"
    ),
    "Seconds per photo, median": lambda score: f"{statistics.median(score.seconds):.2f}",
}


if __name__ == "__main__":
    print(machine())
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PHOTOS)
