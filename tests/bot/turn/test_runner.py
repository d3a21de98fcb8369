"""A turn: what is asked of the model, what people see meanwhile, and what is stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from bot import strings as texts
from bot.attachments.store import AttachmentStore
from bot.domain.history import ThreadHistory, Usage
from bot.domain.history import Turn as Stored
from bot.domain.messages import Attachment, Author
from bot.domain.preferences import EffectiveSettings
from bot.domain.question import Question, RequestedFile
from bot.domain.threads import Thread
from bot.errors import FileProblem, ModelProblem, ModelReason, Reason
from bot.ports.model import Picture, TextPart
from tests.helpers.fakes import FakeVision, InProcessSandbox, ScriptedModel, build_video_parts
from tests.helpers.images import corners_image, encode_image
from tests.helpers.limits import limits_of
from tests.helpers.turn_parts import TurnParts

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.outcome import Outcome
    from bot.domain.size_limits import SizeLimits
    from bot.ports.model import Request

THREAD = Thread("fake", "t", "c")
FORCE = EffectiveSettings("Be brief.", "gpt-test", True)
ANNA = Author("a", "Anna")


class Watcher:
    """Sees a turn come about; sets `stop` at a text that the test names."""

    def __init__(self, stop_at: str = "") -> None:
        self.progressed: list[str] = []
        self.grown: list[str] = []
        self.stop = asyncio.Event()
        self._stop_at = stop_at

    def progress(self, text: str) -> None:
        self._see(self.progressed, text)

    def grow(self, text: str) -> None:
        self._see(self.grown, text)

    def _see(self, seen: list[str], text: str) -> None:
        seen.append(text)
        if self._stop_at and self._stop_at in text:
            self.stop.set()


class Bench:
    """Turns with a scripted model, on pictures in memory."""

    def __init__(self, spool: Path, *pieces: str, **limits: Any) -> None:
        children: Any = InProcessSandbox()
        self.model = ScriptedModel(*pieces)
        self.limits = limits_of(**limits)
        self.blobs = BlobStore(MemoryStore())
        self.gallery = AttachmentStore(children, self.blobs, self.limits.files, spool)
        self.vision = FakeVision()
        footage, films = build_video_parts(
            children, self.blobs, self.gallery, self.limits, self.vision
        )
        parts = TurnParts(self.gallery, self.vision, films, self.limits)
        self.budgets = parts.budgets
        self.turns = parts.runner(self.model, footage)
        self.watcher = Watcher()

    async def ask(
        self, words: str = "", *files: RequestedFile, past: ThreadHistory | None = None, **more: Any
    ) -> Outcome:
        question = Question("1", THREAD, words, "Anna", 5.0, files, ("m1",), **more)
        async with asyncio.timeout(10):
            return await self.turns.run(
                question, past or ThreadHistory(), FORCE, self.watcher, self.watcher.stop
            )

    @property
    def request(self) -> Request:
        (request,) = self.model.requests
        return request

    @property
    def last(self) -> list[str]:
        """The words and the names of the pictures of the last message of the request."""
        parts = self.request.messages[-1].parts
        return [part.text if isinstance(part, TextPart) else part.name for part in parts]


def picture(number: int, found: bytes | FileProblem | None = None) -> RequestedFile:
    """A picture of its own for each number."""

    async def fetch(_: Attachment, into: Path, allowance: SizeLimits) -> bool:
        if isinstance(found, FileProblem):
            raise found
        into.write_bytes(found or encode_image(corners_image(64 + number, 48)))
        return True

    return RequestedFile(Attachment(f"{number}.jpg"), ANNA, 5.0, "m1", fetch)


def large(number: int) -> bytes:
    """A picture of the size that phones send, and that models count in full."""
    return encode_image(corners_image(1024 + number, 1024))


def sent(request: Request) -> list[int]:
    """The photos that are in a request singly."""
    return [
        part.numbers[0]
        for said in request.messages
        for part in said.parts
        if isinstance(part, Picture) and len(part.numbers) == 1
    ]


async def test_a_question_about_a_photo(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    outcome = await bench.ask("What is it?", picture(1))
    assert outcome.text == "A red car."
    assert bench.last == ["[P1 1.jpg]", "P1 1.jpg", "What is it?"]
    assert (bench.request.model, outcome.photos[0].label) == ("gpt-test", "P1 1.jpg")
    turn = outcome.turn
    assert (turn.id, turn.at, turn.author, turn.posts.questions) == ("1", 5.0, "Anna", ("m1",))
    assert (turn.question, turn.answer, turn.status) == ("What is it?", "A red car.", "answered")
    assert (turn.pictures.photos, turn.pictures.singles, turn.pictures.sheets) == ((1,), (1,), ())
    assert (turn.response.deployment, turn.response.model, turn.response.finish) == (
        "gpt-test",
        "gpt-test",
        "stop",
    )
    assert turn.response.usage == Usage(10, 5)
    assert 0 < turn.response.first <= turn.response.seconds
    assert [said["role"] for said in outcome.request] == ["system", "user"]
    assert bench.model.closed == 1


async def test_people_see_the_looking_then_the_answer_grow(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.ask("What are they?", picture(1), picture(2))
    assert bench.watcher.progressed == [
        texts.looking_progress(1, 2),
        texts.looking_progress(2, 2),
        texts.reading_progress(1, 2),
        texts.reading_progress(2, 2),
        texts.THINKING,
    ]
    assert bench.watcher.grown[0] == "A red"
    assert all(text and text == text.rstrip() for text in bench.watcher.grown)


@pytest.mark.parametrize(("count", "unspoken"), [(1, texts.DESCRIBE), (2, texts.DESCRIBE_SEVERAL)])
async def test_a_photo_without_words_asks_for_a_description(
    tmp_path: Path, count: int, unspoken: str
) -> None:
    bench = Bench(tmp_path)
    outcome = await bench.ask("", *(picture(number) for number in range(1, count + 1)))
    assert outcome.turn.question == bench.last[-1] == unspoken


async def test_a_file_that_fails_is_told_above_the_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    outcome = await bench.ask("What is it?", picture(1, FileProblem(Reason.EXPIRED)), picture(2))
    problem = texts.file_problem("1.jpg", 1, FileProblem(Reason.EXPIRED), bench.limits.files)
    assert outcome.text == f"{problem}\n\nA red car."
    assert bench.watcher.grown[0] == problem
    assert all(outcome.text.startswith(text) for text in bench.watcher.grown)
    assert outcome.turn.answer == "A red car."


async def test_when_all_files_fail_and_nothing_is_asked_the_model_is_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    outcome = await bench.ask("", picture(1, FileProblem(Reason.EMPTY)))
    assert outcome.text == texts.file_problem(
        "1.jpg", 1, FileProblem(Reason.EMPTY), bench.limits.files
    )
    assert (outcome.turn.status, outcome.turn.response.problem) == ("failed", "")
    assert (bench.model.requests, outcome.request) == ([], ())


async def test_words_are_answered_though_all_files_fail(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    outcome = await bench.ask("Hello?", picture(1, FileProblem(Reason.EMPTY)))
    assert outcome.text.endswith("\n\nA red car.")


async def test_words_not_meant_for_loupe_are_nothing_without_a_photo(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    broken = picture(1, FileProblem(Reason.EMPTY))
    outcome = await bench.ask("Party secrets", broken, photos_only=True)
    assert bench.model.requests == []
    assert (outcome.turn.question, outcome.turn.status) == (texts.default_question(0), "failed")
    assert "secrets" not in outcome.text
    await bench.ask("A dent", picture(1), photos_only=True)
    assert bench.last[-1] == "A dent"


async def test_a_question_that_was_cut_is_told_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    outcome = await bench.ask("What is", is_shortened=True)
    assert outcome.text == f"{texts.question_shortened(bench.limits.messages)}\n\nA red car."


async def test_an_earlier_photo_comes_back_when_it_is_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, recent_pictures=0)
    first = await bench.ask("What are they?", picture(1), picture(2))
    bench.model.requests.clear()
    past = ThreadHistory(turns=(first.turn,), photos=first.photos)
    second = await bench.ask("And P1?", past=past)
    assert bench.last[:2] == ["[P1 1.jpg]", "P1 1.jpg"]
    assert (second.turn.pictures.photos, second.turn.pictures.singles) == ((), (1,))


async def test_a_named_photo_that_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = await bench.ask("What is it?", picture(1))
    await bench.gallery.forget(THREAD, float("inf"))
    second = await bench.ask("And P1?", past=ThreadHistory(photos=first.photos))
    assert second.text == f"{texts.file_gone('P1 1.jpg')}\n\nA red car."


async def test_no_more_photos_are_recalled_than_may_be_posted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_files=3, recent_pictures=0)
    first = await bench.ask("What are they?", *(picture(number) for number in range(1, 4)))
    bench.model.requests.clear()
    past = ThreadHistory(turns=(first.turn,), photos=first.photos)
    outcome = await bench.ask("And P1, P2, P3?", picture(4), past=past)
    assert sent(bench.request) == [2, 3, 4]
    problem = texts.file_problem("", 0, FileProblem(Reason.TOO_MANY), bench.limits.files)
    assert outcome.text == f"{problem}\n\nA red car."


async def test_dear_pictures_go_on_sheets_so_that_history_has_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.budgets.learn("gpt-test", "gpt-4o-mini")
    past = ThreadHistory(turns=(Stored("0", 1.0, "Anna", "What is it?", "A blue car."),))
    await bench.ask("And these?", *(picture(n, large(n)) for n in (1, 2, 3)), past=past)
    assert sent(bench.request) == [1]
    assert [said.role for said in bench.request.messages] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


async def test_the_last_few_photos_travel_and_older_ones_do_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path, recent_pictures=2)
    first = await bench.ask("What are they?", *(picture(number) for number in range(1, 5)))
    bench.model.requests.clear()
    await bench.ask("And now?", past=ThreadHistory(turns=(first.turn,), photos=first.photos))
    assert sent(bench.request) == [3, 4]


async def test_recent_photos_leave_the_limit_to_new_ones(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_pictures=3)
    first = await bench.ask("What is it?", picture(1))
    bench.model.requests.clear()
    await bench.ask(
        "?", *(picture(n) for n in range(2, 5)), past=ThreadHistory(photos=first.photos)
    )
    assert sent(bench.request) == [2, 3, 4]


async def test_more_pictures_than_the_limit_go_on_sheets_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, max_pictures=3)
    outcome = await bench.ask("What are they?", *(picture(n) for n in range(1, 8)))
    assert sent(bench.request) == [1, 2]
    assert outcome.text == f"A red car.\n\n{texts.overview_sheets((1, 2), range(3, 8))}"
    assert (outcome.turn.pictures.singles, outcome.turn.pictures.sheets) == (
        (1, 2),
        (3, 4, 5, 6, 7),
    )


async def test_a_sheet_that_cannot_be_made_costs_its_photos_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_: object) -> Picture:
        raise FileProblem(Reason.TOO_SLOW)

    bench = Bench(tmp_path, max_pictures=3)
    monkeypatch.setattr(bench.gallery, "overview", failing)
    outcome = await bench.ask("What are they?", *(picture(n) for n in range(1, 8)))
    problem = texts.file_problem("P3–P7", 0, FileProblem(Reason.TOO_SLOW), bench.limits.files)
    assert outcome.text == f"{problem}\n\nA red car."
    assert (outcome.turn.pictures.singles, outcome.turn.pictures.sheets) == ((1, 2), ())


@pytest.mark.parametrize("reason", ModelReason)
async def test_a_model_that_fails_ends_in_one_sentence(tmp_path: Path, reason: ModelReason) -> None:
    bench = Bench(tmp_path)
    bench.model.problem = ModelProblem(reason, "for the log")
    outcome = await bench.ask("What is it?", hints=("A hint.",))
    assert outcome.text == f"A red car.\n\n{texts.WHY_MODEL[reason]}"
    turn = outcome.turn
    assert (turn.status, turn.response.problem, turn.answer) == (
        "failed",
        reason.value,
        "A red car.",
    )


@pytest.mark.parametrize("reason", [ModelReason.FILTERED, ModelReason.FILTERED_ANSWER])
async def test_where_a_filter_refused_is_recorded(tmp_path: Path, reason: ModelReason) -> None:
    bench = Bench(tmp_path)
    bench.model.problem = ModelProblem(reason, "400 content_filter prompt")
    assert (await bench.ask("What is it?")).turn.response.refusal == "400 content_filter prompt"


async def test_a_model_that_says_nothing_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, " ", "\n\n")
    outcome = await bench.ask("What is it?")
    assert outcome.text == texts.WHY_MODEL[ModelReason.EMPTY]
    assert (outcome.turn.status, outcome.turn.response.problem) == ("failed", "empty")
    assert bench.watcher.grown == []


async def test_a_turn_that_takes_too_long_ends_with_what_it_has(tmp_path: Path) -> None:
    bench = Bench(tmp_path, turn_seconds=0.2)
    bench.model.gate = asyncio.Event()
    outcome = await bench.ask("What is it?")
    assert outcome.text == f"A red\n\n{texts.WHY_MODEL[ModelReason.TIMED_OUT]}"
    assert outcome.turn.response.problem == "timed_out"
    assert bench.model.closed == 1


async def test_a_stop_ends_the_answer_and_closes_the_model(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.model.gate = asyncio.Event()
    bench.watcher = Watcher(stop_at="A red")
    outcome = await bench.ask("What is it?", picture(1), hints=("A hint.",))
    assert outcome.text == f"A red\n\n{texts.STOPPED_HERE}"
    assert (outcome.turn.status, outcome.turn.answer) == ("stopped", "A red")
    assert [photo.number for photo in outcome.photos] == [1]
    assert bench.model.closed == 1


async def test_a_stop_before_the_first_word(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "", "A red car.")
    bench.model.gate = asyncio.Event()
    bench.watcher = Watcher(stop_at=texts.THINKING)
    outcome = await bench.ask("What is it?", picture(1))
    assert outcome.text == texts.STOPPED_EARLY
    assert (outcome.turn.status, outcome.turn.answer) == ("stopped", "")
    assert bench.model.closed == 1


async def test_a_stop_while_a_file_is_fetched(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    ended = asyncio.Event()

    async def endless(_: Attachment, into: Path, allowance: SizeLimits) -> None:
        bench.watcher.stop.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    outcome = await bench.ask(
        "What is it?", RequestedFile(Attachment("1.jpg"), ANNA, 5.0, "m1", endless)
    )
    assert (outcome.text, outcome.photos) == (texts.STOPPED_EARLY, ())
    assert ended.is_set()
    assert bench.model.requests == []


async def test_hints_stand_below_the_answer(tmp_path: Path) -> None:
    outcome = await Bench(tmp_path).ask("What is it?", hints=("A hint.", "Another."))
    assert outcome.text == "A red car.\n\nA hint.\n\nAnother."
    assert outcome.turn.answer == "A red car."


async def test_only_links_that_people_gave_stay_links(tmp_path: Path) -> None:
    said = "See [this](https://example.org/a) and [that](https://evil.example/b)."
    bench = Bench(tmp_path, said)
    earlier = Stored("0", 1.0, "Anna", "What is https://example.org/a ?", "A page.")
    outcome = await bench.ask("Well?", past=ThreadHistory(turns=(earlier,)))
    assert "[this](https://example.org/a)" in outcome.text
    assert "](https://evil.example/b)" not in outcome.text


async def test_authors_are_named_where_several_write(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.ask("What is it?", is_shared=True)
    assert bench.last == ["[Written by: Anna]\nWhat is it?"]


async def test_the_family_of_a_model_is_learnt_from_its_answer(tmp_path: Path) -> None:
    """Pictures of an unknown family are planned dearly, so few of them travel again."""
    bench = Bench(tmp_path, max_prompt_tokens=2_300, recent_pictures=4)
    large = [picture(n, encode_image(corners_image(2000 + n, 1500))) for n in range(1, 3)]
    first = await bench.ask("What are they?", *large)
    past = ThreadHistory(photos=first.photos)
    counts = []
    for name in ("gpt-test", "gpt-4o-2024-11-20", "gpt-4o-2024-11-20"):
        bench.model.name = name
        bench.model.requests.clear()
        await bench.ask("And now?", past=past)
        counts.append(len(sent(bench.request)))
    assert counts[:2] == [0, 0]
    assert counts[2] > 0


async def test_what_nobody_foresaw_is_raised_for_another_attempt(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.model.problem = ZeroDivisionError("nobody foresaw this")
    with pytest.raises(ZeroDivisionError):
        await bench.ask("What is it?")
    assert bench.model.closed == 1
