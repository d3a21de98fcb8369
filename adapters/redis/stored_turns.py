"""The format of turns in Redis: JSON of flat records, which Lua reads and 0.4.0 wrote, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from bot.domain.files import Photo, Video
from bot.domain.turn_record import TurnRecord, record_of, turn_of
from bot.ports.mailbox import AnsweredTurn, CitedFrames

if TYPE_CHECKING:
    from bot.domain.history import Turn


@dataclass(frozen=True, slots=True)
class _StoredAnswer:
    """The fields of `AnsweredTurn`, its turn as a flat record."""

    turn: TurnRecord
    parts: tuple[str, ...]
    photos: tuple[Photo, ...] = ()
    request: tuple[dict[str, Any], ...] = ()
    pointed: tuple[Photo, ...] = ()
    videos: tuple[Video, ...] = ()
    cited: tuple[CitedFrames, ...] = ()


_TURN = TypeAdapter(TurnRecord)
_ANSWER = TypeAdapter(_StoredAnswer)


def read_turn(text: str) -> Turn:
    """Read a turn that was committed."""
    return turn_of(_TURN.validate_json(text))


def read_answer(text: str) -> AnsweredTurn:
    """Read a finished turn that waits for its last edit."""
    answer = _ANSWER.validate_json(text)
    return AnsweredTurn(
        turn=turn_of(answer.turn),
        parts=answer.parts,
        photos=answer.photos,
        request=answer.request,
        outlined_photos=answer.pointed,
        videos=answer.videos,
        cited_frames=answer.cited,
    )


def answer_json(result: AnsweredTurn) -> bytes:
    """Write a finished turn as JSON."""
    return _ANSWER.dump_json(_stored(result))


def answer_fields(result: AnsweredTurn) -> dict[str, Any]:
    """Write a finished turn as a dict of what JSON can hold."""
    fields: dict[str, Any] = _ANSWER.dump_python(_stored(result), mode="json")
    return fields


def _stored(result: AnsweredTurn) -> _StoredAnswer:
    return _StoredAnswer(
        turn=record_of(result.turn),
        parts=result.parts,
        photos=result.photos,
        request=result.request,
        pointed=result.outlined_photos,
        videos=result.videos,
        cited=result.cited_frames,
    )
