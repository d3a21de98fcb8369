"""The request of a question: which pictures go, and what was seen in these and in others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from bot import strings as texts
from bot.attachments.store import AttachmentStore
from bot.domain.history import ThreadHistory
from bot.domain.messages import Attachment, Author
from bot.domain.preferences import EffectiveSettings
from bot.domain.question import Question, RequestedFile
from bot.domain.sightings import Sighting, TextLine
from bot.domain.threads import Thread
from bot.domain.token_costs import picture_tokens, text_tokens
from bot.domain.turn_record import TurnRecord, turn_of
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason
from bot.ports.model import ChatMessage, Picture, TextPart
from bot.prompt.vision_context import RULES, VisionContext
from tests.helpers.fakes import FakeVision, InProcessSandbox, build_video_parts
from tests.helpers.images import corners_image, encode_image, open_jpeg
from tests.helpers.limits import limits_of
from tests.helpers.turn_parts import TurnParts

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.size_limits import SizeLimits
    from bot.turn.stages import ComposedRequest

THREAD = Thread("fake", "t", "c")
ANNA = Author("a", "Anna")
ON = EffectiveSettings("Be brief.", "gpt-4o", vision=True)
OFF = replace(ON, vision=False)
PLACE = ((0.1, 0.6), (0.3, 0.6), (0.3, 0.65), (0.1, 0.65))
PAGE = Sighting(tuple(TextLine(f"Serial No. {number}", PLACE, 0.9) for number in range(150)))
WIDTH = 64
TIMED_OUT = VisionProblem(VisionReason.TIMED_OUT)


class Reader(FakeVision):
    """Sees what it is told in the picture of each number (see `photo`), and is `blind` to some."""

    def __init__(self, seen: dict[int, Sighting]) -> None:
        super().__init__()
        self.seen = seen
        self.blind: set[int] = set()

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        nothing = await super().look(jpeg, original, upright=upright)
        number = open_jpeg(jpeg).width - WIDTH
        if number in self.blind:
            raise TIMED_OUT
        return self.seen.get(number, nothing)


class Bench:
    """A composer with a gallery in memory, and what a thread remembers of earlier questions."""

    def __init__(self, spool: Path, *words: str, **limits: Any) -> None:
        children: Any = InProcessSandbox()
        self.limits = limits_of(**limits)
        blobs = BlobStore(MemoryStore())
        self.gallery = AttachmentStore(children, blobs, self.limits.files, spool)
        self.vision = Reader({number: seen(each) for number, each in enumerate(words, start=1)})
        _, films = build_video_parts(children, blobs, self.gallery, self.limits, self.vision)
        self.parts = TurnParts(self.gallery, self.vision, films, self.limits)
        self.past = ThreadHistory()
        self.progress: list[str] = []

    async def compose(
        self, words: str, *files: RequestedFile, force: EffectiveSettings = ON
    ) -> ComposedRequest:
        """Compose a request, and remember the question as answered."""
        collected = await self.gallery.collect(THREAD, files, self.past, lambda *_: None)
        composed = await self.parts.compose(
            Question("1", THREAD, words, "Anna", 5.0, files),
            collected,
            self.past,
            force,
            self.progress.append,
        )
        numbers = tuple(photo.number for photo in collected.photos)
        turn = turn_of(
            TurnRecord("1", 5.0, "Anna", words, "Well.", photos=numbers, sightings=composed.fresh)
        )
        photos = {photo.number: photo for photo in (*self.past.photos, *collected.photos)}
        self.past = ThreadHistory((*self.past.turns, turn), tuple(photos.values()))
        return composed


def photo(number: int) -> RequestedFile:
    """A picture of its own for each number."""

    async def fetch(_: Attachment, into: Path, allowance: SizeLimits) -> bool:
        into.write_bytes(encode_image(corners_image(WIDTH + number, 48)))
        return True

    return RequestedFile(Attachment(f"{number}.jpg"), ANNA, 5.0, "m1", fetch)


def seen(words: str) -> Sighting:
    return Sighting((TextLine(words, PLACE, 0.94),), engine="fake")


def evidence(words: str, number: int, *, brief: bool = False) -> str:
    return VisionContext({number: seen(words)}, 1_200, 300).of(number, brief=brief)


def told(said: ChatMessage) -> list[str]:
    """The words of a message, and its pictures by name."""
    return [part.text if isinstance(part, TextPart) else f"<{part.name}>" for part in said.parts]


def pictures(composed: ComposedRequest) -> list[Picture]:
    parts = (part for said in composed.request.messages for part in said.parts)
    return [part for part in parts if isinstance(part, Picture)]


def whole(composed: ComposedRequest) -> str:
    """All words of a request."""
    return "\n".join(line for said in composed.request.messages for line in told(said))


async def test_what_was_seen_joins_the_message_with_its_picture(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "KRW 301", "STOP")
    composed = await bench.compose("What are they?", photo(1), photo(2))
    assert told(composed.request.messages[-1]) == [
        "[P1 1.jpg]",
        "<P1 1.jpg>",
        evidence("KRW 301", 1),
        "[P2 2.jpg]",
        "<P2 2.jpg>",
        evidence("STOP", 2),
        "What are they?",
    ]
    assert RULES in told(composed.request.messages[0])[0]
    assert [one.sighting for one in pictures(composed)] == [seen("KRW 301"), seen("STOP")]
    assert composed.sightings == {1: seen("KRW 301"), 2: seen("STOP")}
    assert [(entry.photo, entry.sighting) for entry in composed.fresh] == [
        (1, seen("KRW 301")),
        (2, seen("STOP")),
    ]
    assert (composed.singles, composed.sheets, composed.tail) == ((1, 2), (), ())
    assert composed.request.vision
    assert bench.progress == [texts.reading_progress(1, 2), texts.reading_progress(2, 2)]


async def test_a_photo_in_which_nothing_was_seen_goes_without_words(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    composed = await bench.compose("What is it?", photo(1))
    assert told(composed.request.messages[-1]) == ["[P1 1.jpg]", "<P1 1.jpg>", "What is it?"]
    assert composed.sightings == {1: Sighting(engine="fake")}


@pytest.mark.parametrize("again", [True, False])
async def test_what_was_seen_earlier_is_not_looked_at_again(tmp_path: Path, again: bool) -> None:
    bench = Bench(tmp_path, "KRW 301", "STOP")
    await bench.compose("What is it?", photo(1))
    composed = await bench.compose("And P1 beside this?", *([photo(1)] if again else []), photo(2))
    assert len(bench.vision.looks) == 2
    assert bench.progress == [texts.reading_progress(1, 1), texts.reading_progress(1, 1)]
    assert [entry.photo for entry in composed.fresh] == [2]
    assert composed.sightings == {1: seen("KRW 301"), 2: seen("STOP")}
    assert evidence("KRW 301", 1) in told(composed.request.messages[-1])


async def test_an_earlier_photo_that_nobody_looked_at_is_looked_at_when_it_is_named(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, "KRW 301")
    assert (await bench.compose("What is it?", photo(1), force=OFF)).fresh == ()
    composed = await bench.compose("What does P1 say?")
    assert [entry.photo for entry in composed.fresh] == [1]
    assert evidence("KRW 301", 1) in told(composed.request.messages[-1])


async def test_a_recent_photo_is_told_in_full_where_it_stands(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "KRW 301")
    await bench.compose("What is it?", photo(1))
    composed = await bench.compose("Are you sure?")
    assert told(composed.request.messages[1]) == [
        "[P1 1.jpg]",
        "<P1 1.jpg>",
        evidence("KRW 301", 1),
        "What is it?",
    ]
    assert pictures(composed)[0].sighting == seen("KRW 301")
    assert composed.sightings == {1: seen("KRW 301")}
    assert (composed.fresh, len(bench.vision.looks)) == ((), 1)


async def test_an_earlier_photo_that_is_not_sent_is_told_briefly(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "KRW 301", recent_pictures=0)
    await bench.compose("What is it?", photo(1))
    composed = await bench.compose("Are you sure?")
    brief = evidence("KRW 301", 1, brief=True)
    assert told(composed.request.messages[1]) == [
        f"[Shown then, not now: P1 1.jpg]\n{brief}\nWhat is it?"
    ]
    assert pictures(composed) == []


async def test_with_vision_off_nothing_is_looked_at_and_nothing_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "KRW 301", "STOP", recent_pictures=1)
    await bench.compose("What are they?", photo(1), photo(2))
    bench.vision.looks.clear()
    composed = await bench.compose("And P2 beside this?", photo(3), force=OFF)
    assert bench.vision.looks == []
    assert "<seen>" not in whole(composed)
    assert RULES not in whole(composed)
    assert [one.sighting for one in pictures(composed)] == [None] * 3
    assert (composed.sightings, composed.fresh, composed.tail) == ({}, (), ())
    assert not composed.request.vision


@pytest.mark.parametrize("problem", [TIMED_OUT, FileProblem(Reason.DAMAGED)])
async def test_an_engine_that_fails_is_told_once_below_the_answer(
    tmp_path: Path, problem: VisionProblem | FileProblem
) -> None:
    bench = Bench(tmp_path)
    bench.vision.problem = problem
    composed = await bench.compose("What are they?", photo(1), photo(2))
    assert composed.tail == (texts.without_vision(problem),)
    assert (composed.notes, composed.sightings, composed.fresh) == ((), {}, ())
    assert told(composed.request.messages[-1])[1::2] == ["<P1 1.jpg>", "<P2 2.jpg>"]


async def test_photos_that_were_not_seen_beside_others_are_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "KRW 301", "STOP", "EXIT")
    await bench.compose("What is it?", photo(1))
    bench.vision.blind = {2}
    composed = await bench.compose("And P1 beside these?", photo(2), photo(3))
    assert composed.tail == (texts.without_vision(TIMED_OUT, [2]),)
    assert sorted(composed.sightings) == [1, 3]


async def test_an_engine_that_fails_is_asked_again_the_next_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.vision.problem = TIMED_OUT
    await bench.compose("What is it?", photo(1))
    bench.vision.problem = None
    composed = await bench.compose("And P1 now?")
    assert (len(composed.fresh), composed.tail) == (1, ())


async def test_a_sheet_has_a_brief_account_of_each_of_its_photos(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *(f"PLATE {number}" for number in range(1, 6)), max_pictures=3)
    composed = await bench.compose("What are they?", *map(photo, range(1, 6)))
    assert (composed.singles, composed.sheets) == ((1, 2), (3, 4, 5))
    *_, name, sheet, accounts, words = told(composed.request.messages[-1])
    assert (name, sheet, words) == ("[P3–P5 (contact sheet)]", "<P3–P5>", "What are they?")
    assert accounts == "\n".join(evidence(f"PLATE {n}", n, brief=True) for n in (3, 4, 5))
    assert evidence("PLATE 2", 2) in told(composed.request.messages[-1])
    assert sorted(composed.sightings) == [1, 2, 3, 4, 5]
    assert composed.tail == (texts.overview_sheets((1, 2), (3, 4, 5)),)


async def test_photos_that_all_go_on_sheets_are_told_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_pictures=2)
    composed = await bench.compose("What are they?", *map(photo, range(1, 15)))
    assert (composed.singles, len(composed.sheets)) == ((), 14)
    assert composed.tail[0].startswith("I looked at P1–P14 on overview sheets.")


async def test_how_photos_were_seen_is_told_before_what_is_missing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_pictures=2)
    bench.vision.problem = TIMED_OUT
    composed = await bench.compose("What are they?", *map(photo, range(1, 4)))
    assert composed.tail == (texts.overview_sheets((1,), (2, 3)), texts.without_vision(TIMED_OUT))


async def test_no_account_is_longer_than_the_setting(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sight_tokens=100)
    bench.vision.seen[1] = PAGE
    composed = await bench.compose("What is it?", photo(1))
    assert VisionContext({1: PAGE}, 100).of(1) in told(composed.request.messages[-1])
    assert composed.sightings == {1: PAGE}


@pytest.mark.parametrize("tokens", [8_000, 16_000])
@pytest.mark.parametrize("count", [1, 5, 14])
async def test_pages_of_text_stay_within_the_budget(
    tmp_path: Path, tokens: int, count: int
) -> None:
    bench = Bench(tmp_path, max_prompt_tokens=tokens)
    bench.vision.seen = dict.fromkeys(range(1, 20), PAGE)
    for first in (1, 1 + count):
        files = map(photo, range(first, first + count))
        composed = await bench.compose("Which numbers are on them?", *files)
        assert sorted(composed.sightings) == list(range(first, first + count))
        assert estimate(composed) <= tokens
        accounts = [each for each in told(composed.request.messages[-1]) if "<seen>" in each]
        frames = 20 * count
        assert sum(map(text_tokens, accounts)) <= tokens // 4 + frames
    assert len((*composed.singles, *composed.sheets)) == count


def estimate(composed: ComposedRequest) -> int:
    """What a request costs, by the estimates for its model."""
    shown = sum(picture_tokens("gpt-4o", one.width, one.height) for one in pictures(composed))
    return shown + text_tokens(whole(composed))


async def test_a_family_is_learned_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    force = replace(ON, model="vision-prod")
    large = replace(photo(1), fetch=_large)
    assert (await bench.compose("?", large, photo(2), force=force)).sheets == ()
    bench.parts.budgets.learn("vision-prod", "nobody knows")
    bench.parts.budgets.learn("vision-prod", "gpt-4o-mini-2024-07-18")
    bench.parts.budgets.learn("vision-prod", "gpt-4o-2024-11-20")
    more = [photo(number) for number in range(3, 5)]
    assert (await bench.compose("?", large, *more, force=force)).sheets != ()


async def _large(_: Attachment, into: Path, allowance: SizeLimits) -> bool:
    into.write_bytes(encode_image(corners_image(2048, 1536)))
    return True
