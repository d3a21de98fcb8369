"""One turn: a question about pictures becomes an answer, which is shown while it grows."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot import strings as texts
from bot.errors import ModelProblem, ModelReason
from bot.grounding.codes import doubts
from bot.grounding.outlines import key, uncited_outlines
from bot.grounding.pointing import ground
from bot.ports.model import Finished
from bot.text.links import urls
from bot.tools.loop import ToolLoop
from bot.turn.answer_text import AnswerText
from bot.turn.outcome_builder import Ending, outcome_of
from bot.turn.stages import CollectedQuestion, FinishedAnswer, GrowingAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

    from bot.attachments.collected_files import CollectedFiles
    from bot.domain.history import ThreadHistory
    from bot.domain.outcome import Outcome
    from bot.domain.preferences import EffectiveSettings
    from bot.domain.question import Question, RequestedFile
    from bot.domain.threads import Thread
    from bot.limits import RequestLimits, TurnLimits
    from bot.ports.model import Model
    from bot.tools.toolbox import Toolbox
    from bot.turn.budgets import ModelBudgets
    from bot.turn.stages import ComposedRequest, PreparedQuestion, Stage
    from bot.video.prepared_video import Say


class Audience(Protocol):
    """Watches the progress of a turn."""

    def progress(self, text: str) -> None:
        """Show what is being done."""
        ...

    def grow(self, text: str) -> None:
        """Show the answer so far."""
        ...


class FileCollector(Protocol):
    """What fetches and numbers files, as `bot.attachments.store.AttachmentStore` does."""

    async def collect(
        self,
        thread: Thread,
        files: Sequence[RequestedFile],
        past: ThreadHistory,
        progress: Callable[[int, int], None],
    ) -> CollectedFiles:
        """Fetch, check and store all files; the failure of one does not affect the others."""
        ...


class Preparer(Protocol):
    """What prepares questions, as `bot.turn.preparation.QuestionPreparer` does."""

    async def prepare(
        self, inputs: CollectedQuestion, say: Say, *, leads: bool = False
    ) -> PreparedQuestion:
        """Choose photos and frames, and have them looked at."""
        ...


class Composer(Protocol):
    """What composes requests, as `bot.turn.request.RequestComposer` does."""

    async def compose(self, preparation: PreparedQuestion) -> ComposedRequest:
        """Arrange the pictures and build the messages."""
        ...


class Toolboxes(Protocol):
    """What builds the tools of an answer, as `bot.turn.toolboxes.ToolboxBuilder` does."""

    @property
    def allows_calls(self) -> bool:
        """Whether models may call tools at all."""
        ...

    def build(self, composition: ComposedRequest) -> Toolbox:
        """Return the tools for all photos and videos of a thread."""
        ...


class TurnRunner:
    """Runs turns stage by stage; knows nothing of channels."""

    def __init__(
        self,
        model: Model,
        attachments: FileCollector,
        preparer: Preparer,
        composer: Composer,
        toolboxes: Toolboxes,
        budgets: ModelBudgets,
        turns: TurnLimits,
        requests: RequestLimits,
    ) -> None:
        self._model = model
        self._attachments = attachments
        self._preparer = preparer
        self._composer = composer
        self._toolboxes = toolboxes
        self._budgets = budgets
        self._limits = turns
        self._max_pictures = requests.max_pictures

    async def run(
        self,
        question: Question,
        past: ThreadHistory,
        settings: EffectiveSettings,
        audience: Audience,
        stop: asyncio.Event,
    ) -> Outcome:
        """Answer a question; ends within a moment when `stop` is set, with the text so far."""
        start = time.monotonic()
        inputs = CollectedQuestion(question, past, settings)
        latest: Stage = inputs

        async def advance() -> None:
            nonlocal latest
            async with aclosing(self._stages(inputs, audience, start)) as stages:
                async for stage in stages:
                    latest = stage

        is_stopped, problem = await _until_stopped(advance(), stop, self._limits.turn_seconds)
        return outcome_of(latest, Ending(time.monotonic() - start, is_stopped, problem))

    async def _stages(
        self, question: CollectedQuestion, audience: Audience, start: float
    ) -> AsyncGenerator[Stage]:
        """Yield each stage as it is reached."""
        inputs = await self._collect(question, audience)
        yield inputs
        if question.question.files and not inputs.answerable:
            return
        leads = self._model.takes_tools(question.settings.model) and self._toolboxes.allows_calls
        preparation = await self._preparer.prepare(inputs, audience.progress, leads=leads)
        yield preparation
        composition = await self._composer.compose(preparation)
        yield composition
        draft = await self._begin_answer(composition, audience, start)
        yield draft
        response = await _listen(draft, audience)
        self._budgets.learn(question.settings.model, response.model)
        yield await asyncio.to_thread(self._complete, draft, response)

    async def _collect(self, question: CollectedQuestion, audience: Audience) -> CollectedQuestion:
        """Fetch and number the files."""
        source = question.question

        def progress(count: int, _: int) -> None:
            audience.progress(texts.looking_progress(count, *source.counts))

        files = await self._attachments.collect(
            source.thread, source.files, question.past, progress
        )
        return replace(question, files=files)

    async def _begin_answer(
        self, composition: ComposedRequest, audience: Audience, start: float
    ) -> GrowingAnswer:
        """Begin an answer: what may be a link in it, and which tools the model may call."""
        question = composition.inputs.question
        earlier = (turn.question for turn in composition.inputs.past.turns)
        words = [question.words, *earlier]
        links = await asyncio.to_thread(urls, words) if question.links else ()
        if composition.head:
            audience.grow(composition.head.rstrip())
        elif question.files:
            audience.progress(texts.THINKING)
        toolbox = self._toolboxes.build(composition)
        loop = ToolLoop(self._model, composition.request, toolbox, self._max_pictures)
        return GrowingAnswer(composition, AnswerText(links, start), toolbox, loop)

    def _complete(self, draft: GrowingAnswer, response: Finished) -> FinishedAnswer:
        """End an answer: find what it points at, and what is doubtful in it."""
        answer, composition = draft.text.end(), draft.composition
        if not composition.request.vision:
            return FinishedAnswer(draft, answer, response)
        # In a follow-up, a model with tools points by itself if there is anything to point at.
        new_pictures = composition.singles or composition.sheets or composition.frames
        uses_sightings = new_pictures or not response.had_tools
        sightings = composition.sightings if uses_sightings else {}
        grounding = ground(answer, draft.toolbox.outlines, response.grounding, sightings)
        unnamed = uncited_outlines(answer, grounding.outlines)
        lines = [line for one in composition.sightings.values() for line in one.lines]
        tail = (
            *([key(unnamed)] if unnamed else []),
            *doubts(answer, lines, self._limits.sure_confidence),
        )
        return FinishedAnswer(draft, answer, response, grounding, tail)


async def _listen(draft: GrowingAnswer, audience: Audience) -> Finished:
    """Let people see the answer grow; returns how the model ended it."""
    response = Finished()
    text, head = draft.text, draft.composition.head
    async with aclosing(draft.loop.answer()) as events:
        async for event in events:
            if isinstance(event, Finished):
                response = event
                continue
            text.add(event.text)
            if text.text.strip():
                audience.grow((head + text.text).rstrip())
    return response


async def _until_stopped(
    work: Coroutine[None, None, None], stop: asyncio.Event, seconds: float
) -> tuple[bool, ModelProblem | None]:
    """Work until it is done, stopped or out of time.

    Returns whether it was stopped, and the problem that it failed by.
    """
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        finished_tasks, _ = await asyncio.wait(
            {working, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if working in finished_tasks:
            await working
            return False, None
        if stopping in finished_tasks:
            return True, None
        return False, ModelProblem(ModelReason.TIMED_OUT)
    except ModelProblem as problem:
        return False, problem
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
