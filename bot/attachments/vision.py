"""The photos of a question, looked at side by side by the vision engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from bot.aio import end
from bot.domain.frame_ids import is_frame
from bot.domain.sightings import Sighting
from bot.errors import FileProblem, StoreDown, VisionProblem, VisionReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.attachments.store import AttachmentStore
    from bot.domain.threads import Thread
    from bot.limits import TurnLimits
    from bot.ports.model import Picture
    from bot.ports.vision import Vision

MOST = 200
"""Lines of text, and things, that are kept of one photo: more than a page full."""
AT_ONCE = 8
"""Photos of one question that wait for the engine with their originals on disk."""

Progress = Callable[[int, int], None]
"""Is told how many are done, of how many."""

log = structlog.get_logger()


@dataclass(slots=True)
class VisionResult:
    """What was seen, by photo number; `problem` is why something is missing."""

    sightings: dict[int, Sighting] = field(default_factory=dict)
    problem: FileProblem | VisionProblem | None = None


class VisionPass:
    """Has photos looked at, for so long and no longer; what fails costs itself only."""

    def __init__(self, vision: Vision, gallery: AttachmentStore, limits: TurnLimits) -> None:
        self._vision = vision
        self._gallery = gallery
        self._seconds = limits.sight_seconds

    async def see(
        self, thread: Thread, pictures: Sequence[Picture], progress: Progress
    ) -> VisionResult:
        """Look at pictures of single photos, side by side; never raises what the engine raises."""
        seen = VisionResult()
        limit = asyncio.Semaphore(AT_ONCE)
        done = 0

        async def one(picture: Picture) -> None:
            nonlocal done
            async with limit:
                try:
                    seen.sightings[picture.numbers[0]] = await self._look(thread, picture)
                except (FileProblem, VisionProblem) as problem:
                    seen.problem = _graver(seen.problem, problem)
                except StoreDown:
                    raise
                except Exception:  # whatever the engine fails with, the question is answered
                    log.exception("vision_broke")
                    seen.problem = _graver(seen.problem, VisionProblem(VisionReason.FAILED))
            done += 1
            progress(done, len(pictures))

        tasks = [asyncio.create_task(one(picture)) for picture in pictures]
        try:
            if await _ended(tasks, self._seconds) < len(tasks):
                seen.problem = _graver(seen.problem, VisionProblem(VisionReason.TIMED_OUT))
        finally:
            await end(*tasks)
        if seen.problem is not None:
            log.warning("photos_not_all_seen", problem=str(seen.problem), seen=len(seen.sightings))
        return seen

    async def _look(self, thread: Thread, picture: Picture) -> Sighting:
        if is_frame(picture.numbers[0]):  # There is no file that shows more of it.
            seen = await self._vision.look(picture.jpeg, upright=True)
        else:
            async with self._gallery.original(thread, picture.sha256) as path:
                seen = await self._vision.look(picture.jpeg, path)
        lines = tuple(line for line in seen.lines if any(map(str.isalnum, line.text)))
        return replace(seen, lines=lines[:MOST], things=seen.things[:MOST])


async def _ended(tasks: Sequence[asyncio.Task[None]], seconds: float) -> int:
    """Count the tasks that end in time; raises at once what one of them raises."""
    if not tasks:
        return 0
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()
    return len(done)


def _graver(
    known: FileProblem | VisionProblem | None, new: FileProblem | VisionProblem
) -> FileProblem | VisionProblem:
    """Prefer what is wrong with the engine to what is wrong with one picture."""
    return known if isinstance(known, VisionProblem) else new
