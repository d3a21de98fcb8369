"""A turn as it is recorded: flat, with the field names that the store and `/json full` write."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.files import ChosenFrame, SpokenPassage, VisionRecord
from bot.domain.history import (
    ModelResponse,
    Status,
    Turn,
    TurnEvidence,
    TurnPictures,
    TurnPosts,
    Usage,
)
from bot.domain.outlines import Grounding, Outline, Span


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """All fields of a `bot.domain.history.Turn` on one level, in the order they are written.

    Version 0.4.0 wrote this shape as well, so each version reads what the other has stored. Fields
    may be added with a default; none may be renamed or removed.
    """

    id: str
    at: float
    author: str
    question: str
    answer: str
    status: Status = "answered"
    photos: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    sheets: tuple[int, ...] = ()
    deployment: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: str = ""
    refusal: str = ""
    problem: str = ""
    first: float = 0.0
    seconds: float = 0.0
    messages: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    sightings: tuple[VisionRecord, ...] = ()
    outlines: tuple[Outline, ...] = ()
    grounding: tuple[Span, ...] = ()
    videos: tuple[int, ...] = ()
    frames: tuple[ChosenFrame, ...] = ()
    heard: tuple[SpokenPassage, ...] = ()


def record_of(turn: Turn) -> TurnRecord:
    """Return the record of a turn."""
    pictures, response = turn.pictures, turn.response
    return TurnRecord(
        id=turn.id,
        at=turn.at,
        author=turn.author,
        question=turn.question,
        answer=turn.answer,
        status=turn.status,
        photos=pictures.photos,
        shown=pictures.singles,
        sheets=pictures.sheets,
        deployment=response.deployment,
        model=response.model,
        usage=response.usage,
        finish=response.finish,
        refusal=response.refusal,
        problem=response.problem,
        first=response.first,
        seconds=response.seconds,
        messages=turn.posts.questions,
        sent=turn.posts.answers,
        sightings=turn.evidence.sightings,
        outlines=turn.grounding.outlines,
        grounding=turn.grounding.spans,
        videos=pictures.videos,
        frames=pictures.frames,
        heard=turn.evidence.passages,
    )


def turn_of(record: TurnRecord) -> Turn:
    """Return the turn that a record is of."""
    return Turn(
        id=record.id,
        at=record.at,
        author=record.author,
        question=record.question,
        answer=record.answer,
        status=record.status,
        pictures=TurnPictures(
            photos=record.photos,
            singles=record.shown,
            sheets=record.sheets,
            videos=record.videos,
            frames=record.frames,
        ),
        response=ModelResponse(
            deployment=record.deployment,
            model=record.model,
            usage=record.usage,
            finish=record.finish,
            refusal=record.refusal,
            problem=record.problem,
            first=record.first,
            seconds=record.seconds,
        ),
        evidence=TurnEvidence(sightings=record.sightings, passages=record.heard),
        grounding=Grounding(outlines=record.outlines, spans=record.grounding),
        posts=TurnPosts(questions=record.messages, answers=record.sent),
    )
