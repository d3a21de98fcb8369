"""The frames of a video that a question is about, chosen by the best means at hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.aio import fan_out
from bot.domain.files import ChosenFrame
from bot.domain.frame_ids import CLOCK, frame_number, read_clock
from bot.domain.sightings import Sighting
from bot.errors import FileProblem, VisionProblem, VisionReason
from bot.media.frame_marks import MIN_CHANGE, choose_varied
from bot.video.relevance import by_vectors, by_words
from bot.video.selection import select

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.aio import Progress
    from bot.domain.files import Why
    from bot.limits import TurnLimits
    from bot.ports.embedding import Embedding
    from bot.ports.vision import Vision
    from bot.video.selection import SelectedCandidate
    from bot.video.survey import Candidate, Survey

EMBEDDING, WORDS, CHANGES = "embedding", "words", "changes"
"""The means: vectors of pictures and words; what was read and seen; what changes, and colours."""
LOOKS = 24
"""Candidates that are looked at, those with changes first: the engine takes half a second each."""
AT_ONCE = 8
"""Candidates that wait for an engine at the same time."""

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """What is wanted of a video: the words of the question, and at most so many frames.

    `looks` allows the engines that cost time or money; `leads` says that the model asks for frames
    itself, so that having all of them looked at is not worth it, and `overview` that it sees an
    overview first.
    """

    words: str
    count: int
    looks: bool = True
    leads: bool = False
    overview: bool = False


class Chooser:
    """Chooses frames; what an engine fails with costs its means only, never the answer."""

    def __init__(self, vision: Vision, embedding: Embedding | None, limits: TurnLimits) -> None:
        self._vision = vision
        self._embedding = embedding
        self._seconds = limits.sight_seconds

    async def choose(
        self, video: int, survey: Survey, wish: FrameRequest, progress: Progress
    ) -> tuple[tuple[ChosenFrame, ...], Survey]:
        """Choose frames, in the order of their times; returns the survey with what was found out.

        The times that the question itself names come first.
        """
        scores, means, survey = await self._scores(survey, wish, progress)
        named = _named(video, survey, wish)
        taken = {one.frame for one in named}
        left = [
            (one, score)
            for one, score in zip(survey.candidates, scores, strict=True)
            if frame_number(video, one.at) not in taken
        ]
        free, fitting = [one for one, _ in left], [score for _, score in left]
        picks = await asyncio.to_thread(select, free, fitting, wish.count - len(named))
        chosen = [_chosen(video, free[pick.place], pick, means) for pick in picks]
        return tuple(sorted((*named, *chosen), key=lambda one: one.frame)), survey

    async def _scores(
        self, survey: Survey, wish: FrameRequest, progress: Progress
    ) -> tuple[list[float], str, Survey]:
        """Score the candidates by the first means that works."""
        if wish.looks and self._embedding is not None:
            try:
                # The question first: where there are no embeddings, that costs one request only.
                words = await self._embedding.words(wish.words)
                survey = await self._embedded(survey, self._embedding, progress)
                return by_vectors(words, survey.vectors), EMBEDDING, survey
            except (FileProblem, VisionProblem) as problem:
                log.warning("frames_not_embedded", reason=str(problem))
        means = CHANGES
        if wish.looks and not wish.leads:
            survey = await self._looked_at(survey, progress)
            means = WORDS if survey.sightings else CHANGES
        sightings = survey.sightings if means == WORDS else ()
        scores = await asyncio.to_thread(by_words, wish.words, survey.candidates, sightings)
        return scores, means, survey

    async def _embedded(self, survey: Survey, embedding: Embedding, progress: Progress) -> Survey:
        """Embed the candidates that were not yet; raises what failed for more than half of all."""
        known = survey.vectors or (None,) * len(survey.candidates)
        lacking = [place for place, vector in enumerate(known) if vector is None]
        shown = [survey.candidates[place] for place in lacking]
        found = dict(
            zip(lacking, await self._each(shown, embedding.picture, progress), strict=True)
        )
        vectors = tuple(
            one if isinstance(one := found.get(place, old), tuple) else None
            for place, old in enumerate(known)
        )
        failed = next((one for one in found.values() if isinstance(one, Exception)), None)
        if failed is not None and 2 * vectors.count(None) > len(vectors):
            raise failed
        return replace(survey, vectors=vectors) if lacking else survey

    async def _looked_at(self, survey: Survey, progress: Progress) -> Survey:
        """Have candidates looked at, once; those that were not in time stay without."""
        if survey.sightings:
            return survey
        count = len(survey.candidates)
        places = await asyncio.to_thread(
            choose_varied, [one.mark for one in survey.candidates], LOOKS
        )
        shown = [survey.candidates[place] for place in places]
        seen = dict(
            zip(
                places,
                await self._each(shown, partial(self._vision.look, upright=True), progress),
                strict=True,
            )
        )
        kept = tuple(
            one if isinstance(one := seen.get(place), Sighting) else None for place in range(count)
        )
        return replace(survey, sightings=kept) if any(kept) else survey

    async def _each(
        self,
        candidates: Sequence[Candidate],
        engine: Callable[[bytes], Awaitable[T]],
        progress: Progress,
    ) -> list[T | FileProblem | VisionProblem]:
        """Show all candidates to an engine, side by side, for so long and no longer."""

        async def one(candidate: Candidate) -> T | FileProblem | VisionProblem:
            try:
                return await engine(candidate.jpeg)
            except (FileProblem, VisionProblem) as problem:
                return problem

        results = await fan_out(
            one, candidates, at_once=AT_ONCE, seconds=self._seconds, progress=progress
        )
        late = VisionProblem(VisionReason.TIMED_OUT)
        return [results.get(index, late) for index in range(len(candidates))]


def _named(video: int, survey: Survey, wish: FrameRequest) -> list[ChosenFrame]:
    """List the frames at the times that a question names, as far as they were surveyed."""
    times = dict.fromkeys(read_clock(found) for found in CLOCK.finditer(wish.words))
    inside = [at for at in times if any(start <= at < end for start, end in survey.spans)]
    return [ChosenFrame(frame_number(video, at), "asked", 1.0) for at in inside][: wish.count]


def _chosen(video: int, one: Candidate, pick: SelectedCandidate, means: str) -> ChosenFrame:
    changed: Why = "change" if one.change * 255 >= MIN_CHANGE else "spread"
    why = "question" if pick.fits else changed
    return ChosenFrame(frame_number(video, one.at), why, pick.score, means)
