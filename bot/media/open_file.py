"""A file as it is taken in: a photo made ready for a model, or a video examined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.media.photos import PreparedPhoto, prepare
from bot.media.video_probe import ProbedFile, examine

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits


def take_in(path: Path, limits: FileLimits) -> PreparedPhoto | ProbedFile:
    """Find out what a file is, and do with it what its kind asks for; runs in a child process.

    Raises `FileProblem` as `prepare` and `examine` do, and `MemoryError`.
    """
    return examine(path, limits) or prepare(path, limits)
