"""One turn: a question about pictures becomes an answer, shown as it comes about."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import texts
from bot.gallery import Collected, File, Gallery
from bot.history import Past, Photo, Status, Turn
from bot.links import urls
from bot.markdown import Markdown
from bot.media.sheets import arrange
from bot.model import Delta, Finished, Request
from bot.problems import FileProblem, ModelProblem, ModelReason, Reason
from bot.prompt import Asked, Budget, build, places, selected
from bot.threads import Thread
from bot.tokens import family_of
from bot.transcript import request_view

if TYPE_CHECKING:
    from bot.model import Model, Picture
    from bot.preferences import InForce
    from bot.settings import Limits

log = structlog.get_logger()


class Audience(Protocol):
    """Who watches a turn come about."""

    def progress(self, text: str) -> None:
        """See what is being done."""
        ...

    def grow(self, text: str) -> None:
        """See the answer so far."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the words (may be empty), the files, and from where.

    `hints` are sentences to add at the end of the answer. With `photos_only` the words, which were
    not meant for Loupe, count beside a photo only; `shortened` ones are the beginning of a text.
    """

    id: str
    thread: Thread
    words: str
    author: str
    at: float
    files: tuple[File, ...] = ()
    messages: tuple[str, ...] = ()
    quoted: str = ""
    shared: bool = False
    hints: tuple[str, ...] = ()
    photos_only: bool = False
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished turn: what is stored, the whole text to show, and whether the hints are in it."""

    turn: Turn
    text: str
    hinted: bool
    photos: tuple[Photo, ...] = ()
    request: tuple[dict[str, object], ...] = ()


@dataclass(slots=True)
class _State:
    """How far a turn has come; what it holds when the user stops it is the outcome."""

    started: float
    collected: Collected = field(default_factory=Collected)
    notes: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    request: Request | None = None
    singles: tuple[int, ...] = ()
    sheets: tuple[int, ...] = ()
    markdown: Markdown = field(default_factory=Markdown)
    said: str = ""
    begun: bool = False
    first: float = 0.0
    finished: Finished = field(default_factory=Finished)
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
        return "".join(f"{note}\n\n" for note in (*self.collected.problems, *self.notes))


class Turns:
    """Runs turns; knows nothing of channels."""

    def __init__(
        self, model: Model, gallery: Gallery, limits: Limits, families: dict[str, str]
    ) -> None:
        self._model = model
        self._gallery = gallery
        self._limits = limits
        self._families = dict(families)

    async def run(
        self,
        question: Question,
        past: Past,
        force: InForce,
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
                timeout=self._limits.turn_seconds,
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
        self, question: Question, past: Past, force: InForce, audience: Audience, state: _State
    ) -> None:
        def tell(done: int, total: int) -> None:
            audience.progress(texts.looked_at(done, total))

        state.collected = await self._gallery.collect(question.thread, question.files, past, tell)
        if question.files and not _asks(question, state):
            return
        request = await self._compose(question, past, force, state)
        written = [question.words, *(turn.question for turn in past.turns)]
        state.markdown = Markdown(await asyncio.to_thread(urls, written))
        if state.head():
            audience.grow(state.head().rstrip())
        elif question.files:
            audience.progress(texts.THINKING)
        async with contextlib.aclosing(self._model.answer(request)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    state.first = state.first or time.monotonic() - state.started
                    state.say(event.text)
                    if state.said.strip():
                        audience.grow((state.head() + state.said).rstrip())
                elif isinstance(event, Finished):
                    state.finished = event
        if event_model := state.finished.model:
            self._learn(force.model, event_model)

    def _learn(self, name: str, answered_by: str) -> None:
        """Learn a model's family from what the service says answered."""
        if not self._families.get(name) and (family := family_of(answered_by)):
            self._families[name] = family

    async def _compose(
        self, question: Question, past: Past, force: InForce, state: _State
    ) -> Request:
        """Choose the pictures that go, and build the request."""
        limits = self._limits
        budget = Budget(limits.max_pictures, limits.max_prompt_tokens, self._family(force.model))
        new = {number for picture in state.collected.pictures for number in picture.numbers}
        chosen = [
            photo
            for photo in selected(past, question.words, question.quoted)
            if photo.number not in new
        ]
        surplus = max(0, len(chosen) + len(state.collected.pictures) - limits.max_files)
        chosen = chosen[surplus:]
        called = await self._gallery.recall(question.thread, chosen)
        gone = [photo.label for photo in chosen if photo.number not in called]
        state.notes = (
            *([texts.shortened(limits)] if question.shortened else []),
            *([texts.file_problem("", 0, FileProblem(Reason.TOO_MANY), limits)] if surplus else []),
            *(texts.file_gone(label) for label in gone),
        )
        wanted = [*called.values(), *state.collected.pictures]
        pictures = await self._within_limit(wanted, places(wanted, budget), state)
        rest = [p for p in past.photos if p.number not in new and p.number not in called]
        room = min(limits.recent_pictures, limits.max_pictures - len(pictures))
        recent = await self._gallery.recall(question.thread, rest[-room:] if room > 0 else [])
        request = Request(
            force.model,
            build(
                force.system,
                past,
                Asked(_words(question, state), question.author if question.shared else ""),
                tuple(pictures),
                recent,
                budget,
            ),
        )
        state.request = request
        return request

    def _family(self, name: str) -> str:
        return self._families.get(name) or family_of(name)

    async def _within_limit(
        self, pictures: list[Picture], limit: int, state: _State
    ) -> list[Picture]:
        """Send as many singly as the limit allows, the rest on contact sheets."""
        singly, groups = arrange(len(pictures), limit)
        singles = pictures[:singly]
        sheets, start = [], singly
        for count in groups:
            group = pictures[start : start + count]
            start += count
            try:
                sheets.append(await self._gallery.overview(group))
            except FileProblem as problem:
                names = texts.photo_ranges([n for picture in group for n in picture.numbers])
                state.notes += (texts.file_problem(names, 0, problem, self._limits),)
        state.singles = tuple(n for picture in singles for n in picture.numbers)
        state.sheets = tuple(n for sheet in sheets for n in sheet.numbers)
        if state.sheets:
            state.tail = (texts.seen_singly(state.singles, state.sheets),)
        return [*singles, *sheets]

    def _outcome(self, question: Question, force: InForce, state: _State) -> Outcome:
        answer = state.answer()
        if not answer and state.status == "answered":
            state.status = "failed"
            if state.request is not None and state.problem is None:
                state.problem = ModelProblem(ModelReason.EMPTY)
        if state.problem is not None:
            state.status = "failed"
            log.warning(
                "turn_failed", reason=state.problem.reason.value, detail=state.problem.detail
            )
        turn = Turn(
            id=question.id,
            at=question.at,
            author=question.author,
            question=_words(question, state),
            answer=answer,
            status=state.status,
            photos=tuple(sorted(photo.number for photo in state.collected.photos)),
            shown=state.singles,
            sheets=state.sheets,
            deployment=force.model,
            model=state.finished.model,
            usage=state.finished.usage,
            finish=state.finished.finish,
            refusal=state.finished.refusal or _refused(state.problem),
            problem=state.problem.reason.value if state.problem else "",
            first=round(state.first, 3),
            seconds=round(time.monotonic() - state.started, 3),
            messages=question.messages,
        )
        view = request_view(state.request.messages) if state.request else []
        return Outcome(
            turn,
            _shown(question, state, answer),
            _hinted(state),
            state.collected.photos,
            tuple(view),
        )


def _refused(problem: ModelProblem | None) -> str:
    """Tell where a content filter's refusal stood in the response."""
    filtered = {ModelReason.FILTERED, ModelReason.FILTERED_ANSWER}
    return problem.detail if problem is not None and problem.reason in filtered else ""


def _asks(question: Question, state: _State) -> bool:
    """Tell whether there is something to answer, now that the files are known."""
    return bool(state.collected.photos or (question.words and not question.photos_only))


def _words(question: Question, state: _State) -> str:
    """What is asked: words that were not meant for Loupe are neither told nor kept."""
    words = question.words if _asks(question, state) else ""
    return words or texts.unspoken(len(state.collected.photos))


def _hinted(state: _State) -> bool:
    return state.status != "stopped" and state.problem is None


def _shown(question: Question, state: _State, answer: str) -> str:
    """Compose the whole text that people see."""
    closing = [texts.WHY_MODEL[state.problem.reason]] if state.problem else []
    if state.status == "stopped":
        closing.append(texts.STOPPED_HERE if answer else texts.STOPPED_EARLY)
    elif _hinted(state):
        closing += [*state.tail, *question.hints]
    return "\n\n".join(part for part in (state.head().strip(), answer, *closing) if part)
