"""The outcome of a turn, made of the last stage that it reached and of how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot import strings as texts
from bot.commands.transcript import request_view
from bot.domain.files import ChosenFrame
from bot.domain.history import (
    ModelResponse,
    Turn,
    TurnEvidence,
    TurnPictures,
    TurnPosts,
)
from bot.domain.outcome import Outcome
from bot.domain.outlines import Grounding
from bot.errors import ModelProblem, ModelReason
from bot.ports.model import Finished
from bot.turn.stages import (
    CollectedQuestion,
    ComposedRequest,
    FinishedAnswer,
    GrowingAnswer,
    PreparedQuestion,
)

if TYPE_CHECKING:
    from bot.domain.history import Status
    from bot.turn.stages import Stage

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended: by itself, by a stop, or by a problem; and after how many seconds."""

    seconds: float
    stopped: bool = False
    problem: ModelProblem | None = None


@dataclass(frozen=True, slots=True)
class _Reached:
    """A stage and all before it, as far as the turn came, with the answer's text so far."""

    collected: CollectedQuestion
    composed: ComposedRequest | None = None
    growing: GrowingAnswer | None = None
    finished: FinishedAnswer | None = None
    answer: str = ""

    @classmethod
    def at(cls, stage: Stage) -> _Reached:
        match stage:
            case CollectedQuestion():
                return cls(stage)
            case PreparedQuestion():
                return cls(stage.collected)
            case ComposedRequest():
                return cls(stage.collected, stage)
            case GrowingAnswer(composed=composed):
                return cls(composed.collected, composed, stage, None, stage.text.end())
            case FinishedAnswer(growing=growing):
                composed = growing.composed
                return cls(composed.collected, composed, growing, stage, stage.text)


def outcome_of(stage: Stage, ending: Ending) -> Outcome:
    """Return what is stored and shown of a turn that ended at a stage."""
    reached = _Reached.at(stage)
    status, problem = _judged(reached, ending)
    if problem is not None:
        log.warning("turn_failed", reason=problem.reason.value, detail=problem.detail)
    hinted = status != "stopped" and problem is None
    files, composed, growing = reached.collected.files, reached.composed, reached.growing
    return Outcome(
        _turn(reached, status, problem, ending.seconds),
        _text(reached, status, problem, hinted=hinted),
        hinted,
        files.photos,
        tuple(request_view(growing.loop.request.messages)) if growing else (),
        files.videos,
        composed.overviews if composed else (),
    )


def _judged(reached: _Reached, ending: Ending) -> tuple[Status, ModelProblem | None]:
    """Return the status of a turn, and what it failed by."""
    if ending.problem is not None:
        return "failed", ending.problem
    if ending.stopped:
        return "stopped", None
    if reached.answer:
        return "answered", None
    return "failed", ModelProblem(ModelReason.EMPTY) if reached.composed else None


def _turn(reached: _Reached, status: Status, problem: ModelProblem | None, seconds: float) -> Turn:
    collected, composed, finished = reached.collected, reached.composed, reached.finished
    question = collected.question
    return Turn(
        id=question.id,
        at=question.at,
        author=question.author,
        question=collected.words,
        answer=reached.answer,
        status=status,
        pictures=_pictures(reached),
        response=_response(reached, problem, seconds),
        evidence=TurnEvidence(composed.fresh, composed.passages) if composed else TurnEvidence(),
        grounding=finished.grounding if finished else Grounding(),
        posts=TurnPosts(questions=question.messages),
    )


def _pictures(reached: _Reached) -> TurnPictures:
    files, composed = reached.collected.files, reached.composed
    return TurnPictures(
        photos=tuple(sorted(photo.number for photo in files.photos)),
        singles=composed.singles if composed else (),
        sheets=composed.sheets if composed else (),
        videos=tuple(sorted(video.number for video in files.videos)),
        frames=_frames(reached),
    )


def _frames(reached: _Reached) -> tuple[ChosenFrame, ...]:
    """List the frames that went to the model: those chosen for it, then those it asked for."""
    chosen = reached.composed.frames if reached.composed else ()
    requested = reached.growing.toolbox.requested_frames if reached.growing else ()
    numbers = {frame.frame for frame in chosen}
    tool = (ChosenFrame(n, "asked", means="tool") for n in requested if n not in numbers)
    return (*chosen, *tool)


def _response(reached: _Reached, problem: ModelProblem | None, seconds: float) -> ModelResponse:
    response = reached.finished.response if reached.finished else Finished()
    return ModelResponse(
        deployment=reached.collected.settings.model,
        model=response.model,
        usage=response.usage,
        finish=response.finish,
        refusal=response.refusal or _refused(problem),
        problem=problem.reason.value if problem else "",
        first=round(reached.growing.text.first_seconds, 3) if reached.growing else 0.0,
        seconds=round(seconds, 3),
    )


def _refused(problem: ModelProblem | None) -> str:
    """Return where a content filter's refusal stood in the response; empty where there is none."""
    filtered = {ModelReason.FILTERED, ModelReason.FILTERED_ANSWER}
    return problem.detail if problem is not None and problem.reason in filtered else ""


def _text(reached: _Reached, status: Status, problem: ModelProblem | None, *, hinted: bool) -> str:
    """Write the whole text that people see."""
    collected, composed = reached.collected, reached.composed
    head = composed.head.strip() if composed else "\n\n".join(collected.files.problems).strip()
    closing: list[str] = []
    if problem:
        why = texts.WHY_MODEL[problem.reason]
        closing.append(texts.with_prefix(why, collected.question.prefix))
    if status == "stopped":
        closing.append(texts.STOPPED_HERE if reached.answer else texts.STOPPED_EARLY)
    if hinted:
        closing += reached.finished.tail if reached.finished else ()
        closing += composed.tail if composed else ()
        closing += collected.question.hints
    return "\n\n".join(part for part in (head, reached.answer, *closing) if part)
