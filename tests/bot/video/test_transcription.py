"""What is spoken in videos: transcribed once, remembered, and never made up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from bot.attachments.store import AttachmentStore, blob_key
from bot.domain.files import Phrase, SpokenPassage, Video, VideoFacts
from bot.domain.history import ThreadHistory
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, turn_of
from bot.errors import FileProblem, ModelProblem, ModelReason, Reason
from bot.media.audio import extract_sound
from bot.video.transcription import Transcriber, Transcript
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.video.candidates import Span

THREAD = Thread("fake", "t", "c")
FACTS = VideoFacts("MP4 video", "h264", 64, 48, 9, 600.0, 25.0, sound=True)
VIDEO = Video(1, "a" * 64, "talk.mp4", FACTS, "Anna", 5.0)
WHOLE: Span = (0.0, 180.0)
NOTHING = Transcript()


class Ears:
    """Hears a word a second after the start of each sound, and one that runs on over its end."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.heard: list[bytes] = []
        self.problem: ModelProblem | None = None
        self.fails_after: int | None = None

    async def hear(self, wav: bytes) -> tuple[Phrase, ...]:
        if self.fails_after is not None and len(self.heard) >= self.fails_after:
            raise ModelProblem(ModelReason.BUSY)
        self.heard.append(wav)
        if self.problem is not None:
            raise self.problem
        return tuple(Phrase(word, 1.0 + i, 1.5 + i) for i, word in enumerate(self.words))

    async def check(self) -> str:
        return "It stands well."

    async def close(self) -> None:
        pass


LIMITS = limits_of()


class Deck:
    """Plays no sound but tells which was wanted; `problems` are those of stretches, by start."""

    def __init__(self) -> None:
        self.silent = False
        self.problems: dict[float, FileProblem] = {}

    async def run(
        self, function: Any, path: Path, limits: FileLimits, *span: float
    ) -> bytes | None:
        assert function is extract_sound
        assert path.read_bytes() == b"video"
        if span[0] in self.problems:
            raise self.problems[span[0]]
        return None if self.silent else f"{span[0]:g} to {span[1]:g}".encode()


class Bench:
    """A thread whose video is kept, with ears to hear it."""

    def __init__(self, spool: Path, *words: str) -> None:
        self.ears, self.deck = Ears(*words), Deck()
        self.blobs = BlobStore(MemoryStore())
        limits, children = LIMITS, self.deck
        self.gallery = AttachmentStore(children, self.blobs, limits.files, spool)  # type: ignore[arg-type]
        self.hearing = Transcriber(self.ears, children, self.gallery, limits.files, limits.videos)  # type: ignore[arg-type]
        self.past = ThreadHistory()

    async def keep(self) -> Bench:
        await self.blobs.put(blob_key(THREAD, VIDEO.sha256), b"video")
        return self

    async def hear(self, *spans: Span, video: Video = VIDEO) -> Transcript:
        """Hear stretches, and remember them with a turn."""
        listened = await self.hearing.transcribe(THREAD, video, spans, self.past)
        turn = turn_of(TurnRecord("1", 5.0, "Anna", "What?", "That.", heard=listened.new_passages))
        self.past = replace(self.past, turns=(*self.past.turns, turn))
        return listened


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    return await Bench(tmp_path, "Hello", "world").keep()


def words(listened: Transcript) -> list[tuple[str, float, float]]:
    return [(p.text, p.start, p.end) for passage in listened.passages for p in passage.phrases]


async def test_words_have_the_times_of_the_video(bench: Bench) -> None:
    listened = await bench.hear((60.0, 120.0))
    assert bench.ears.heard == [b"60 to 120"]
    phrases = (Phrase("Hello", 61.0, 61.5), Phrase("world", 62.0, 62.5))
    assert listened.passages == listened.new_passages == (SpokenPassage(1, 60.0, 120.0, phrases),)


async def test_two_stretches_are_heard_in_order(bench: Bench) -> None:
    listened = await bench.hear((0.0, 90.0), (510.0, 601.0))
    assert bench.ears.heard == [b"0 to 90", b"510 to 601"]
    assert [start for _, start, _ in words(listened)] == [1.0, 2.0, 511.0, 512.0]


async def test_a_stretch_is_transcribed_once_for_all_turns(bench: Bench) -> None:
    first = await bench.hear(WHOLE)
    again = await bench.hear(WHOLE)
    assert (again.passages, again.new_passages) == (first.passages, ())
    assert len(bench.ears.heard) == 1


async def test_a_part_of_what_was_heard_is_remembered(bench: Bench) -> None:
    await bench.hear(WHOLE)
    part = await bench.hear((1.6, 60.0))
    assert words(part) == [("world", 2.0, 2.5)]
    assert (part.passages[0].start, part.passages[0].end, part.new_passages) == (1.6, 60.0, ())
    assert words(await bench.hear((1.2, 1.4))) == [("Hello", 1.0, 1.5)]
    assert len(bench.ears.heard) == 1


async def test_a_stretch_that_goes_beyond_is_transcribed(bench: Bench) -> None:
    await bench.hear(WHOLE)
    listened = await bench.hear((100.0, 280.0), WHOLE)
    assert bench.ears.heard == [b"0 to 180", b"100 to 280"]
    assert [passage.start for passage in listened.passages] == [100.0, 0.0]
    assert [passage.start for passage in listened.new_passages] == [100.0]


async def test_each_video_has_words_of_its_own(bench: Bench) -> None:
    await bench.hear(WHOLE)
    listened = await bench.hear(WHOLE, video=replace(VIDEO, number=2))
    assert [passage.video for passage in listened.new_passages] == [2]
    assert len(bench.ears.heard) == 2


async def test_silence_is_remembered(tmp_path: Path) -> None:
    bench = await Bench(tmp_path).keep()
    assert (await bench.hear(WHOLE)).new_passages == (SpokenPassage(1, 0.0, 180.0),)
    assert (await bench.hear(WHOLE)).passages == (SpokenPassage(1, 0.0, 180.0),)
    assert len(bench.ears.heard) == 1


async def test_a_stretch_without_sound_is_not_sent(bench: Bench) -> None:
    bench.deck.silent = True
    assert (await bench.hear(WHOLE)).passages == (SpokenPassage(1, 0.0, 180.0),)
    assert bench.ears.heard == []


async def test_a_stretch_that_cannot_be_read_is_left_out_and_tried_again(bench: Bench) -> None:
    bench.deck.problems = {0.0: FileProblem(Reason.CRASHED)}
    listened = await bench.hear((0.0, 90.0), (510.0, 601.0))
    assert [passage.start for passage in listened.passages] == [510.0]
    bench.deck.problems = {}
    listened = await bench.hear((0.0, 90.0), (510.0, 601.0))
    assert [passage.start for passage in listened.passages] == [0.0, 510.0]
    assert bench.ears.heard == [b"510 to 601", b"0 to 90"]


async def test_a_model_that_fails_is_asked_again_the_next_time(bench: Bench) -> None:
    bench.ears.problem = ModelProblem(ModelReason.BUSY)
    first = await bench.hear(WHOLE)
    assert (first.passages, first.problem) == ((), bench.ears.problem)
    bench.ears.problem = None
    second = await bench.hear(WHOLE)
    assert (len(words(second)), second.problem) == (2, None)


async def test_a_model_that_fails_later_keeps_what_it_told_before(bench: Bench) -> None:
    bench.ears.fails_after = 1
    listened = await bench.hear((0.0, 90.0), (510.0, 601.0))
    assert [passage.start for passage in listened.passages] == [0.0]
    assert listened.problem is not None
    bench.ears.fails_after = None
    listened = await bench.hear((0.0, 90.0), (510.0, 601.0))
    assert [passage.start for passage in listened.new_passages] == [510.0]


async def test_a_video_that_is_gone_is_not_heard(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "Hello")
    assert (await bench.hear(WHOLE), bench.ears.heard) == (NOTHING, [])


async def test_no_more_is_decoded_than_one_question_looks_at(bench: Bench) -> None:
    await bench.hear((60.0, float("inf")))
    assert bench.ears.heard == [b"60 to 240"]


async def test_a_video_without_a_sound_track_is_not_opened(bench: Bench) -> None:
    silent = replace(VIDEO, facts=replace(FACTS, sound=False))
    assert (await bench.hear(WHOLE, video=silent), bench.ears.heard) == (NOTHING, [])


async def test_without_a_model_nothing_is_heard(bench: Bench) -> None:
    children: Any = bench.deck
    deaf = Transcriber(None, children, bench.gallery, LIMITS.files, LIMITS.videos)
    assert await deaf.transcribe(THREAD, VIDEO, (WHOLE,), bench.past) == NOTHING
