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
    is_stopped: bool = False
    problem: ModelProblem | None = None


@dataclass(frozen=True, slots=True)
class _Stages:
    """A stage and all before it, as far as the turn came, with the answer's text so far."""

    inputs: CollectedQuestion
    composition: ComposedRequest | None = None
    draft: GrowingAnswer | None = None
    completion: FinishedAnswer | None = None
    answer: str = ""

    @classmethod
    def at(cls, stage: Stage) -> _Stages:
        match stage:
            case CollectedQuestion():
                return cls(stage)
            case PreparedQuestion():
                return cls(stage.inputs)
            case ComposedRequest():
                return cls(stage.inputs, stage)
            case GrowingAnswer(composition=composition):
                return cls(composition.inputs, composition, stage, None, stage.text.end())
            case FinishedAnswer(draft=draft):
                composition = draft.composition
                return cls(composition.inputs, composition, draft, stage, stage.text)


def outcome_of(stage: Stage, ending: Ending) -> Outcome:
    """Return what is stored and shown of a turn that ended at a stage."""
    stages = _Stages.at(stage)
    status, problem = _verdict(stages, ending)
    if problem is not None:
        log.warning("turn_failed", reason=problem.reason.value, detail=problem.detail)
    has_hints = status != "stopped" and problem is None
    files, composition, draft = stages.inputs.files, stages.composition, stages.draft
    return Outcome(
        _turn(stages, status, problem, ending.seconds),
        _text(stages, status, problem, has_hints=has_hints),
        has_hints,
        files.photos,
        tuple(request_view(draft.loop.request.messages)) if draft else (),
        files.videos,
        composition.overviews if composition else (),
    )


def _verdict(stages: _Stages, ending: Ending) -> tuple[Status, ModelProblem | None]:
    """Return the status of a turn, and what it failed by."""
    if ending.problem is not None:
        return "failed", ending.problem
    if ending.is_stopped:
        return "stopped", None
    if stages.answer:
        return "answered", None
    return "failed", ModelProblem(ModelReason.EMPTY) if stages.composition else None


def _turn(stages: _Stages, status: Status, problem: ModelProblem | None, seconds: float) -> Turn:
    inputs, composition, completion = stages.inputs, stages.composition, stages.completion
    question = inputs.question
    return Turn(
        id=question.id,
        at=question.at,
        author=question.author,
        question=inputs.words,
        answer=stages.answer,
        status=status,
        pictures=_pictures(stages),
        response=_response(stages, problem, seconds),
        evidence=TurnEvidence(composition.fresh, composition.passages)
        if composition
        else TurnEvidence(),
        grounding=completion.grounding if completion else Grounding(),
        posts=TurnPosts(questions=question.messages),
    )


def _pictures(stages: _Stages) -> TurnPictures:
    files, composition = stages.inputs.files, stages.composition
    return TurnPictures(
        photos=tuple(sorted(photo.number for photo in files.photos)),
        singles=composition.singles if composition else (),
        sheets=composition.sheets if composition else (),
        videos=tuple(sorted(video.number for video in files.videos)),
        frames=_frames(stages),
    )


def _frames(stages: _Stages) -> tuple[ChosenFrame, ...]:
    """List the frames that went to the model: those chosen for it, then those it asked for."""
    frames = stages.composition.frames if stages.composition else ()
    tool_frames = stages.draft.toolbox.requested_frames if stages.draft else ()
    numbers = {frame.frame for frame in frames}
    tool = (ChosenFrame(n, "asked", means="tool") for n in tool_frames if n not in numbers)
    return (*frames, *tool)


def _response(stages: _Stages, problem: ModelProblem | None, seconds: float) -> ModelResponse:
    response = stages.completion.response if stages.completion else Finished()
    return ModelResponse(
        deployment=stages.inputs.settings.model,
        model=response.model,
        usage=response.usage,
        finish=response.finish,
        refusal=response.refusal or _refusal(problem),
        problem=problem.reason.value if problem else "",
        first=round(stages.draft.text.first_seconds, 3) if stages.draft else 0.0,
        seconds=round(seconds, 3),
    )


def _refusal(problem: ModelProblem | None) -> str:
    """Return where a content filter's refusal stood in the response; empty where there is none."""
    reasons = {ModelReason.FILTERED, ModelReason.FILTERED_ANSWER}
    return problem.detail if problem is not None and problem.reason in reasons else ""


def _text(stages: _Stages, status: Status, problem: ModelProblem | None, *, has_hints: bool) -> str:
    """Return the whole text that people see."""
    inputs, composition = stages.inputs, stages.composition
    head = composition.head.strip() if composition else "\n\n".join(inputs.files.problems).strip()
    closing: list[str] = []
    if problem:
        why = texts.WHY_MODEL[problem.reason]
        closing.append(texts.with_prefix(why, inputs.question.prefix))
    if status == "stopped":
        closing.append(texts.STOPPED_HERE if stages.answer else texts.STOPPED_EARLY)
    if has_hints:
        closing += stages.completion.tail if stages.completion else ()
        closing += composition.tail if composition else ()
        closing += inputs.question.hints
    return "\n\n".join(part for part in (head, stages.answer, *closing) if part)
