"""The frames of a video that a question is about, chosen by the best means available."""

from __future__ import annotations

import asyncio
from dataclasses import replace
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
    from bot.video.candidates import Candidate, FrameRequest, SelectedCandidate, Survey

EMBEDDING, WORDS, CHANGES = "embedding", "words", "changes"
"""The means: vectors of pictures and words; text and objects; changes and colours."""
MAX_SIGHTINGS = 24
"""Candidates that vision looks at, varied ones: the engine takes half a second for each."""
AT_ONCE = 8
"""Candidates that wait for an engine at the same time."""

T = TypeVar("T")

log = structlog.get_logger()


class Chooser:
    """Chooses frames. If an engine fails, a simpler means chooses; the answer never fails."""

    def __init__(self, vision: Vision, embedding: Embedding | None, limits: TurnLimits) -> None:
        self._vision = vision
        self._embedding = embedding
        self._seconds = limits.sight_seconds

    async def choose(
        self, video: int, survey: Survey, request: FrameRequest, progress: Progress
    ) -> tuple[tuple[ChosenFrame, ...], Survey]:
        """Choose frames, in the order of their times; return the survey with new results as well.

        The times that the question itself names come first.
        """
        scores, means, survey = await self._score(survey, request, progress)
        named_frames = _named_frames(video, survey, request)
        numbers = {one.frame for one in named_frames}
        others = [
            (one, score)
            for one, score in zip(survey.candidates, scores, strict=True)
            if frame_number(video, one.at) not in numbers
        ]
        candidates, scores = [one for one, _ in others], [score for _, score in others]
        count = request.count - len(named_frames)
        selection = await asyncio.to_thread(select, candidates, scores, count)
        frames = [_chosen_frame(video, candidates[one.place], one, means) for one in selection]
        return tuple(sorted((*named_frames, *frames), key=lambda one: one.frame)), survey

    async def _score(
        self, survey: Survey, request: FrameRequest, progress: Progress
    ) -> tuple[list[float], str, Survey]:
        """Score the candidates by the first means that works."""
        if request.uses_engines and self._embedding is not None:
            try:
                # The question first: where there are no embeddings, that costs one request only.
                words = await self._embedding.words(request.words)
                survey = await self._embed(survey, self._embedding, progress)
                return by_vectors(words, survey.vectors), EMBEDDING, survey
            except (FileProblem, VisionProblem) as problem:
                log.warning("frames_not_embedded", reason=str(problem))
        means = CHANGES
        if request.uses_engines and not request.leads:
            survey = await self._look(survey, progress)
            means = WORDS if survey.sightings else CHANGES
        sightings = survey.sightings if means == WORDS else ()
        scores = await asyncio.to_thread(by_words, request.words, survey.candidates, sightings)
        return scores, means, survey

    async def _embed(self, survey: Survey, embedding: Embedding, progress: Progress) -> Survey:
        """Embed candidates without a vector; raise the first error if most of all have none."""
        vectors = list(survey.vectors or (None,) * len(survey.candidates))
        places = [place for place, vector in enumerate(vectors) if vector is None]
        candidates = [survey.candidates[place] for place in places]
        results = await self._each(candidates, embedding.picture, progress)
        errors: list[Exception] = []
        for place, result in zip(places, results, strict=True):
            if isinstance(result, Exception):
                errors.append(result)
            else:
                vectors[place] = result
        if errors and 2 * vectors.count(None) > len(vectors):
            raise errors[0]
        return replace(survey, vectors=tuple(vectors)) if places else survey

    async def _look(self, survey: Survey, progress: Progress) -> Survey:
        """Let vision look at candidates, once; those for which time runs out have no sighting."""
        if survey.sightings:
            return survey
        marks = [one.mark for one in survey.candidates]
        places = await asyncio.to_thread(choose_varied, marks, MAX_SIGHTINGS)
        candidates = [survey.candidates[place] for place in places]
        look = partial(self._vision.look, upright=True)
        results = await self._each(candidates, look, progress)
        sightings: list[Sighting | None] = [None] * len(survey.candidates)
        for place, result in zip(places, results, strict=True):
            sightings[place] = result if isinstance(result, Sighting) else None
        return replace(survey, sightings=tuple(sightings)) if any(sightings) else survey

    async def _each(
        self,
        candidates: Sequence[Candidate],
        engine: Callable[[bytes], Awaitable[T]],
        progress: Progress,
    ) -> list[T | FileProblem | VisionProblem]:
        """Show all candidates to an engine, side by side, as long as there is time."""

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


def _named_frames(video: int, survey: Survey, request: FrameRequest) -> list[ChosenFrame]:
    """Return the frames at the times that a question names, within the stretches of the survey."""
    times = dict.fromkeys(read_clock(match) for match in CLOCK.finditer(request.words))
    inside = [at for at in times if any(start <= at < end for start, end in survey.spans)]
    return [ChosenFrame(frame_number(video, at), "asked", 1.0) for at in inside][: request.count]


def _chosen_frame(
    video: int, candidate: Candidate, selection: SelectedCandidate, means: str
) -> ChosenFrame:
    why: Why = "change" if candidate.change * 255 >= MIN_CHANGE else "spread"
    if selection.fits:
        why = "question"
    return ChosenFrame(frame_number(video, candidate.at), why, selection.score, means)
