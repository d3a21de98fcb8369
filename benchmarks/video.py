"""Frames of videos: what it costs to get to them, and whether those are among them that matter.

    python -m benchmarks.video

All clips are made anew, of the real footage of the tests (see `benchmarks.footage_scenes`). What
each means proves is told in `benchmarks.recall`, and printed with its figures.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import footage_cost
from benchmarks.figures import machine, table, verdict
from benchmarks.footage_scenes import Clip, clips, encode
from benchmarks.recall import CANDIDATES, EMBEDDING, MEANS, OVERVIEW, SPREAD, WORDS, Asked, asked
from bot.settings_reader import load_limits

if TYPE_CHECKING:
    from bot.limits import Limits

GAPS = (2, 10)
"""Seconds between key frames."""
BITS = 6_000_000
AIM = 0.9
LIMITS = load_limits()
GLANCED = replace(LIMITS, videos=LIMITS.videos.model_copy(update={"video_watched": 0}))
"""Limits under which these clips are looked at as longer ones are."""

PROVES = f"""
  {EMBEDDING}: the vectors are measured from the picture, with noise, and are not those of the
    service: what is planted is among the candidates, and cosines and spreading find it.
  {OVERVIEW}: a scripted model reads the contact sheet that is sent, its times too, and fetches the
    frames with the tool: what is planted is on the sheet and can be had from it.
  {WORDS}: the engine on this machine reads and sees the candidates.
  {CANDIDATES}: not means, but what all of them choose from; beside it what even spread finds."""


def main() -> None:
    """Measure what frames cost, and what is found among them."""
    with tempfile.TemporaryDirectory() as folder:
        footage_cost.main(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        _recall(Path(folder))


def _recall(folder: Path) -> None:
    questions: list[Asked] = []
    glanced: list[Asked] = []
    for clip in clips():
        paths = {gap: folder / f"{clip.name}-{gap}.mp4" for gap in GAPS}
        encode(clip, paths, BITS)
        for gap, path in paths.items():
            questions += _asked(clip, gap, path, LIMITS)
            glanced += _asked(clip, gap, path, GLANCED)
    kinds = sorted({one.event.kind for one in questions})
    _report(
        f"Moments found among ten frames: {len(questions)} questions "
        "about clips of a minute, 1280x720",
        questions,
        kinds,
    )
    _report("The same where no clip is watched whole, as longer ones", glanced, kinds)
    print(PROVES, end="\n\n")
    for means in (EMBEDDING, OVERVIEW, WORDS):
        recall = sum(means in one.means for one in questions) / len(questions)
        even = sum(SPREAD in one.means for one in questions) / len(questions)
        comparison = f"{means}: {recall:.2f} of the moments, even spread {even:.2f}"
        verdict(comparison, f"{AIM:g}", success=recall >= AIM)


def _report(title: str, questions: list[Asked], kinds: list[str]) -> None:
    head = ("", *(f"key frames every {gap} s" for gap in GAPS), *kinds)
    rows = [
        (
            means,
            *(_share(questions, means, gap=gap) for gap in GAPS),
            *(_share(questions, means, kind=kind) for kind in kinds),
        )
        for means in (*MEANS, CANDIDATES)
    ]
    table(title, head, rows)


def _asked(clip: Clip, gap: int, path: Path, limits: Limits) -> list[Asked]:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        return asyncio.run(asked(clip, gap, path, Path(folder), limits))


def _share(questions: list[Asked], means: str, *, gap: int = 0, kind: str = "") -> str:
    """Return in how many of some cases a means found the moment."""
    cases = [one for one in questions if gap in {0, one.gap} and kind in {"", one.event.kind}]
    return f"{sum(means in one.means for one in cases)}/{len(cases)}"


if __name__ == "__main__":
    print(machine())
    main()
