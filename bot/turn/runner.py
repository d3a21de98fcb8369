"""One turn: a question about pictures becomes an answer, shown as it comes about."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import strings as texts
from bot.attachments.store import CollectedFiles
from bot.commands.transcript import request_view
from bot.domain.files import ChosenFrame
from bot.domain.frame_ids import is_frame, video_of
from bot.domain.history import (
    ModelResponse,
    Status,
    ThreadHistory,
    Turn,
    TurnEvidence,
    TurnPictures,
    TurnPosts,
)
from bot.domain.outcome import Outcome
from bot.domain.outlines import Grounding
from bot.errors import FileProblem, ModelProblem, ModelReason, Reason
from bot.grounding.codes import doubts
from bot.grounding.outlines import key, uncited
from bot.grounding.pointing import grounded
from bot.ports.model import Finished
from bot.text.links import urls
from bot.text.markdown import Markdown
from bot.tools.loop import ToolLoop
from bot.tools.toolbox import Toolbox
from bot.tools.video_frames import VideoFramesTool
from bot.turn.request import ComposedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.attachments.store import AttachmentStore
    from bot.domain.boxes import Box
    from bot.domain.preferences import EffectiveSettings
    from bot.domain.question import Question
    from bot.limits import RequestLimits, ToolLimits, TurnLimits
    from bot.ports.model import Model, Picture
    from bot.turn.request import RequestComposer
    from bot.video.footage import FrameStore

log = structlog.get_logger()


class Audience(Protocol):
    """Who watches a turn come about."""

    def progress(self, text: str) -> None:
        """See what is being done."""
        ...

    def grow(self, text: str) -> None:
        """See the answer so far."""
        ...


@dataclass(slots=True)
class _State:
    """How far a turn has come; what it holds when the user stops it is the outcome."""

    started: float
    collected: CollectedFiles = field(default_factory=CollectedFiles)
    composed: ComposedRequest | None = None
    toolbox: Toolbox | None = None
    reels: VideoFramesTool | None = None
    rounds: ToolLoop | None = None
    markdown: Markdown = field(default_factory=Markdown)
    said: str = ""
    begun: bool = False
    first: float = 0.0
    finished: Finished = field(default_factory=Finished)
    grounding: Grounding = field(default_factory=Grounding)
    tail: tuple[str, ...] = ()
    status: Status = "answered"
    problem: ModelProblem | None = None

    def say(self, piece: str) -> None:
        """Take a piece of the model's text, made safe; blank lines at the start are dropped."""
        piece = piece if self.begun else piece.lstrip()
        self.begun = self.begun or bool(piece)
        self.said += self.markdown.feed(piece)

    def answer(self) -> str:
        """End the model's text."""
        self.said += self.markdown.finish()
        return self.said.rstrip()

    def head(self) -> str:
        """The notes that stand above the answer."""
        notes = self.composed.notes if self.composed else ()
        return "".join(f"{note}\n\n" for note in (*self.collected.problems, *notes))


class TurnRunner:
    """Runs turns; knows nothing of channels."""

    def __init__(
        self,
        model: Model,
        gallery: AttachmentStore,
        footage: FrameStore,
        composer: RequestComposer,
        turns: TurnLimits,
        tools: ToolLimits,
        requests: RequestLimits,
    ) -> None:
        self._model = model
        self._gallery = gallery
        self._footage = footage
        self._composer = composer
        self._turns = turns
        self._tools = tools
        self._pictures = requests.max_pictures

    async def run(
        self,
        question: Question,
        past: ThreadHistory,
        force: EffectiveSettings,
        audience: Audience,
        stop: asyncio.Event,
    ) -> Outcome:
        """Answer a question; ends within a moment when `stop` is set, with the text so far."""
        state = _State(time.monotonic())
        work = asyncio.create_task(self._work(question, past, force, audience, state))
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {work, stopping},
                timeout=self._turns.turn_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if work in done:
                await work
            elif stopping in done:
                state.status = "stopped"
            else:
                state.problem = ModelProblem(ModelReason.TIMED_OUT)
        except ModelProblem as problem:
            state.problem = problem
        finally:
            for task in (work, stopping):
                task.cancel()
            await asyncio.gather(work, stopping, return_exceptions=True)
        return self._outcome(question, force, state)

    async def _work(
        self,
        question: Question,
        past: ThreadHistory,
        force: EffectiveSettings,
        audience: Audience,
        state: _State,
    ) -> None:
        def tell(done: int, _: int) -> None:
            audience.progress(texts.looking_progress(done, *question.counts))

        state.collected = await self._gallery.collect(question.thread, question.files, past, tell)
        if question.files and not _asks(question, state):
            return
        words = _words(question, state)
        leads = self._model.takes_tools(force.model) and self._tools.max_tool_calls > 0
        state.composed = await self._composer.compose(
            question, words, state.collected, past, force, audience.progress, leads=leads
        )
        written = [question.words, *(turn.question for turn in past.turns)]
        links = await asyncio.to_thread(urls, written) if question.links else ()
        state.markdown = Markdown(links)
        if state.head():
            audience.grow(state.head().rstrip())
        elif question.files:
            audience.progress(texts.THINKING)
        state.toolbox = self._toolbox(question, past, force, state)
        state.rounds = ToolLoop(self._model, state.composed.request, state.toolbox, self._pictures)
        await self._listen(state.rounds, audience, state)
        self._composer.learn(force.model, state.finished.model)
        await asyncio.to_thread(self._close, state)

    def _toolbox(
        self, question: Question, past: ThreadHistory, force: EffectiveSettings, state: _State
    ) -> Toolbox:
        """Give the tools for all photos and videos of a thread; none where vision is off."""
        thread, collected = question.thread, state.collected
        if not force.vision:
            return Toolbox((), _nothing, self._tools)
        photos = {photo.number: photo for photo in (*past.photos, *collected.photos)}
        videos = {video.number: video for video in (*past.videos, *collected.videos)}

        async def crop(number: int, box: Box) -> Picture:
            if is_frame(number):
                return await self._footage.closer(thread, videos[video_of(number)], number, box)
            return await self._gallery.closer(thread, photos[number], box)

        async def fetch(video: int, times: Sequence[float]) -> Mapping[int, Picture]:
            return await self._footage.frames(thread, videos[video], times)

        lengths = {number: video.facts.seconds for number, video in videos.items()}
        state.reels = (
            VideoFramesTool(lengths, fetch, _frames_seen(state.composed, past)) if videos else None
        )
        return Toolbox(photos, crop, self._tools, state.reels)

    async def _listen(self, rounds: ToolLoop, audience: Audience, state: _State) -> None:
        """Let people see the answer grow."""
        async with contextlib.aclosing(rounds.answer()) as events:
            async for event in events:
                if isinstance(event, Finished):
                    state.finished = event
                    continue
                state.first = state.first or time.monotonic() - state.started
                state.say(event.text)
                if state.said.strip():
                    audience.grow((state.head() + state.said).rstrip())

    def _close(self, state: _State) -> None:
        """Find what the whole answer points at, and what is doubtful in it."""
        composed, answer = state.composed, state.answer()
        if composed is None or state.toolbox is None or not composed.request.vision:
            return
        sightings = composed.sightings
        outlines, said = state.toolbox.outlines, state.finished.grounding
        # Asked on, a model with tools points by itself if there is anything to point at.
        fresh = composed.singles or composed.sheets or composed.chosen
        matched = fresh or not state.finished.offered
        state.grounding = grounded(answer, outlines, said, sightings if matched else {})
        unnamed = uncited(answer, state.grounding.outlines)
        lines = [line for sighting in sightings.values() for line in sighting.lines]
        state.tail = (
            *([key(unnamed)] if unnamed else []),
            *doubts(answer, lines, self._turns.sure_confidence),
        )

    def _outcome(self, question: Question, force: EffectiveSettings, state: _State) -> Outcome:
        answer = state.answer()
        if not answer and state.status == "answered":
            state.status = "failed"
            if state.composed is not None and state.problem is None:
                state.problem = ModelProblem(ModelReason.EMPTY)
        if state.problem is not None:
            state.status = "failed"
            log.warning(
                "turn_failed", reason=state.problem.reason.value, detail=state.problem.detail
            )
        composed = state.composed
        turn = Turn(
            id=question.id,
            at=question.at,
            author=question.author,
            question=_words(question, state),
            answer=answer,
            status=state.status,
            pictures=TurnPictures(
                photos=tuple(sorted(photo.number for photo in state.collected.photos)),
                singles=composed.singles if composed else (),
                sheets=composed.sheets if composed else (),
                videos=tuple(sorted(video.number for video in state.collected.videos)),
                frames=_frames(state),
            ),
            response=ModelResponse(
                deployment=force.model,
                model=state.finished.model,
                usage=state.finished.usage,
                finish=state.finished.finish,
                refusal=state.finished.refusal or _refused(state.problem),
                problem=state.problem.reason.value if state.problem else "",
                first=round(state.first, 3),
                seconds=round(time.monotonic() - state.started, 3),
            ),
            evidence=TurnEvidence(composed.seen, composed.heard) if composed else TurnEvidence(),
            grounding=state.grounding,
            posts=TurnPosts(questions=question.messages),
        )
        view = request_view(state.rounds.request.messages) if state.rounds else []
        return Outcome(
            turn,
            _shown(question, state, answer),
            _hinted(state),
            state.collected.photos,
            tuple(view),
            state.collected.videos,
            composed.overviews if composed else (),
        )


def _refused(problem: ModelProblem | None) -> str:
    """Tell where a content filter's refusal stood in the response."""
    filtered = {ModelReason.FILTERED, ModelReason.FILTERED_ANSWER}
    return problem.detail if problem is not None and problem.reason in filtered else ""


def _frames(state: _State) -> tuple[ChosenFrame, ...]:
    """List the frames that went to the model: those chosen for it, then those it asked for."""
    chosen = state.composed.chosen if state.composed else ()
    known = {one.frame for one in chosen}
    asked = state.reels.asked if state.reels else ()
    return (*chosen, *(ChosenFrame(n, "asked", means="tool") for n in asked if n not in known))


def _frames_seen(composed: ComposedRequest | None, past: ThreadHistory) -> tuple[int, ...]:
    """List the frames that the model saw, now or in earlier turns."""
    earlier = [one.frame for turn in past.turns for one in turn.pictures.frames]
    now = [*(one.frame for one in composed.chosen), *composed.overviews] if composed else []
    return (*earlier, *now)


async def _nothing(_: int, __: Box) -> Picture:
    """Cut nothing out: there are no photos."""
    raise FileProblem(Reason.GONE)


def _asks(question: Question, state: _State) -> bool:
    """Tell whether there is something to answer, now that the files are known."""
    files = state.collected.photos or state.collected.videos
    return bool(files or (question.words and not question.photos_only))


def _words(question: Question, state: _State) -> str:
    """What is asked: words that were not meant for Loupe are neither told nor kept."""
    words = question.words if _asks(question, state) else ""
    return words or texts.default_question(len(state.collected.photos), len(state.collected.videos))


def _hinted(state: _State) -> bool:
    return state.status != "stopped" and state.problem is None


def _shown(question: Question, state: _State, answer: str) -> str:
    """Compose the whole text that people see."""
    closing = []
    if state.problem:
        closing.append(texts.with_prefix(texts.WHY_MODEL[state.problem.reason], question.prefix))
    if state.status == "stopped":
        closing.append(texts.STOPPED_HERE if answer else texts.STOPPED_EARLY)
    elif _hinted(state):
        missing = state.composed.tail if state.composed else ()
        closing += [*state.tail, *missing, *question.hints]
    return "\n\n".join(part for part in (state.head().strip(), answer, *closing) if part)
