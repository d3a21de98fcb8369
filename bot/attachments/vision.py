"""The photos of a question, looked at side by side by the vision engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.aio import fan_out
from bot.domain.frame_ids import is_frame
from bot.domain.sightings import Sighting
from bot.errors import FileProblem, StoreDown, VisionProblem, VisionReason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.aio import Progress
    from bot.domain.threads import Thread
    from bot.limits import TurnLimits
    from bot.ports.model import Picture
    from bot.ports.vision import Vision

MOST = 200
"""Lines of text, and things, that are kept of one photo: more than a page full."""
AT_ONCE = 8
"""Photos of one question that wait for the engine with their originals on disk."""

log = structlog.get_logger()


@dataclass(slots=True)
class VisionResult:
    """Sightings by photo number; `problem` is why some are missing."""

    sightings: dict[int, Sighting] = field(default_factory=dict)
    problem: FileProblem | VisionProblem | None = None


class OriginalFiles(Protocol):
    """Where the files of photos are, as in `bot.attachments.store.AttachmentStore`."""

    def original(self, thread: Thread, sha256: str) -> AbstractAsyncContextManager[Path | None]:
        """Put the file of a photo on disk for a while; None where it is gone."""
        ...


class VisionPass:
    """Has photos analysed within a time limit; the failure of one does not affect the others."""

    def __init__(self, vision: Vision, files: OriginalFiles, limits: TurnLimits) -> None:
        self._vision = vision
        self._files = files
        self._seconds = limits.sight_seconds

    async def see(
        self, thread: Thread, pictures: Sequence[Picture], progress: Progress
    ) -> VisionResult:
        """Look at pictures of single photos, side by side; never raises what the engine raises."""
        outcomes = await fan_out(
            partial(self._attempt, thread),
            pictures,
            at_once=AT_ONCE,
            seconds=self._seconds,
            progress=progress,
        )
        result = VisionResult()
        for index, outcome in outcomes.items():
            if isinstance(outcome, Sighting):
                result.sightings[pictures[index].numbers[0]] = outcome
            else:
                result.problem = _graver(result.problem, outcome)
        if len(outcomes) < len(pictures):
            result.problem = _graver(result.problem, VisionProblem(VisionReason.TIMED_OUT))
        if result.problem is not None:
            count = len(result.sightings)
            log.warning("photos_not_all_seen", problem=str(result.problem), seen=count)
        return result

    async def _attempt(
        self, thread: Thread, picture: Picture
    ) -> Sighting | FileProblem | VisionProblem:
        """Look at a picture; return the problem if that fails, except when the store is down."""
        try:
            return await self._look(thread, picture)
        except (FileProblem, VisionProblem) as problem:
            return problem
        except StoreDown:
            raise
        except Exception:  # Whatever the engine fails with, the question is answered.
            log.exception("vision_broke")
            return VisionProblem(VisionReason.FAILED)

    async def _look(self, thread: Thread, picture: Picture) -> Sighting:
        if is_frame(picture.numbers[0]):  # There is no file that shows more of it.
            sighting = await self._vision.look(picture.jpeg, upright=True)
        else:
            async with self._files.original(thread, picture.sha256) as path:
                sighting = await self._vision.look(picture.jpeg, path)
        lines = tuple(line for line in sighting.lines if any(map(str.isalnum, line.text)))
        return replace(sighting, lines=lines[:MOST], things=sighting.things[:MOST])


def _graver(
    current: FileProblem | VisionProblem | None, new: FileProblem | VisionProblem
) -> FileProblem | VisionProblem:
    """Return the graver problem: one of the engine before one of a single picture."""
    return current if isinstance(current, VisionProblem) else new
