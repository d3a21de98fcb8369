"""The videos of a request: which go, how many frames each gets, and what was seen in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from bot import strings as texts
from bot.attachments.collected_files import CollectedFiles
from bot.attachments.store import AttachmentStore
from bot.domain.files import (
    ChosenFrame,
    Photo,
    PhotoFacts,
    SpokenPassage,
    Video,
    VideoFacts,
    VisionRecord,
)
from bot.domain.frame_ids import frame_number, label
from bot.domain.history import ThreadHistory
from bot.domain.messages import Attachment, Author
from bot.domain.preferences import EffectiveSettings
from bot.domain.question import Question, RequestedFile
from bot.domain.sightings import Sighting, TextLine
from bot.domain.threads import Thread
from bot.domain.token_costs import picture_tokens, text_tokens
from bot.domain.turn_record import TurnRecord, turn_of
from bot.errors import VisionProblem, VisionReason
from bot.ports.model import Picture, TextPart, VideoIntroduction
from bot.prompt.video_part import VideoPart
from bot.prompt.vision_context import VisionContext
from bot.turn.preparation import SMALL
from bot.video.prepared_video import PreparedVideo
from tests.helpers.fakes import FakeVision, InProcessSandbox
from tests.helpers.images import corners_image, encode_image
from tests.helpers.limits import limits_of
from tests.helpers.turn_parts import TurnParts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.turn.stages import ComposedRequest
    from bot.video.candidates import FrameRequest

THREAD = Thread("fake", "t", "c")
ON = EffectiveSettings("Be brief.", "gpt-4o", vision=True)
OFF = replace(ON, vision=False)
FACTS = VideoFacts("MP4 video", "h264", 640, 480, 9, 20.0, 25.0, sound=True)
PLACE = ((0.1, 0.6), (0.3, 0.6), (0.3, 0.65), (0.1, 0.65))
FILE = RequestedFile(Attachment("a.mp4"), Author("a", "Anna"), 5.0, "m1", None)  # type: ignore[arg-type]
JPEG = encode_image(corners_image())


def video(number: int, **facts: Any) -> Video:
    facts_of = replace(FACTS, **facts)
    return Video(number, f"{number:064x}", f"{number}.mp4", facts_of, "Anna", 5.0)


def read(words: str) -> Sighting:
    return Sighting((TextLine(words, PLACE, 0.9),), engine="fake")


def photos(count: int) -> CollectedFiles:
    """So many photos that were posted."""
    facts = PhotoFacts("JPEG", 96, 64, 9)
    made = [Photo(n, f"{n:064x}", f"{n}.jpg", facts, "Anna", 5.0) for n in range(1, count + 1)]
    pictures = [Picture(p.label, p.sha256, JPEG, 96, 64, (p.number,), (facts,)) for p in made]
    return CollectedFiles(tuple(made), tuple(pictures))


class Projector:
    """Brings a frame a second of each video; `small` is what was seen in copies of them."""

    def __init__(self) -> None:
        self.wishes: dict[int, FrameRequest] = {}
        self.small: dict[int, Sighting] = {}
        self.side = 640

    async def prepare(
        self,
        thread: Thread,
        video: Video,
        wish: FrameRequest,
        past: ThreadHistory,
        say: Callable[[str], None],
    ) -> PreparedVideo:
        self.wishes[video.number] = wish
        say(f"V{video.number}…")
        numbers = [frame_number(video.number, float(at)) for at in range(wish.count)]
        frames = tuple(Picture(label(n), f"{n:064x}", JPEG, self.side, 480, (n,)) for n in numbers)
        name = f"V{video.number} overview"
        sheet = Picture(name, "0" * 64, JPEG, 2048, 1536, tuple(numbers)) if wish.overview else None
        return PreparedVideo(
            video,
            VideoPart(
                VideoIntroduction(f"[{video.label}]", video.label, "", FACTS), "", sheet, frames
            ),
            tuple(ChosenFrame(n, "change") for n in numbers),
            (SpokenPassage(video.number, 0.0, 21.0),),
            (f"note {video.number}",),
            (f"tail {video.number}",),
            self.small,
        )


class Bench:
    """A composer with a projector, and eyes that read a sign in every picture."""

    def __init__(self, spool: Path, **limits: Any) -> None:
        children: Any = InProcessSandbox()
        self.limits = limits_of(**limits)
        gallery = AttachmentStore(children, BlobStore(MemoryStore()), self.limits.files, spool)
        self.vision = FakeVision()
        self.vision.always = read("LARGE")
        self.films: Any = Projector()
        self.parts = TurnParts(gallery, self.vision, self.films, self.limits)
        self.progress: list[str] = []

    async def compose(
        self,
        *videos: Video,
        beside: int = 0,
        past: ThreadHistory | None = None,
        force: EffectiveSettings = ON,
        leads: bool = False,
        words: str = "What happens?",
    ) -> ComposedRequest:
        """Ask about videos that were posted, beside so many photos."""
        files = (FILE,) if videos or beside else ()
        return await self.parts.compose(
            Question("1", THREAD, words, "Anna", 5.0, files),
            replace(photos(beside), videos=videos),
            past or ThreadHistory(),
            force,
            self.progress.append,
            leads=leads,
        )

    @property
    def counts(self) -> dict[int, int]:
        """How many frames were wanted of each video."""
        return {number: wish.count for number, wish in self.films.wishes.items()}


def pictures(composed: ComposedRequest) -> list[Picture]:
    parts = composed.request.messages[-1].parts
    return [part for part in parts if isinstance(part, Picture)]


def words(composed: ComposedRequest) -> list[str]:
    return [part.text for part in composed.request.messages[-1].parts if isinstance(part, TextPart)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# shares


async def test_a_video_has_all_places(bench: Bench) -> None:
    composed = await bench.compose(video(1))
    assert bench.counts == {1: 10}
    assert len(pictures(composed)) == 10
    assert not bench.films.wishes[1].overview
    assert bench.progress[0] == "V1…"


async def test_a_leading_model_has_half_of_them_and_an_overview(bench: Bench) -> None:
    composed = await bench.compose(video(1), leads=True)
    wish = bench.films.wishes[1]
    assert (wish.count, wish.overview, wish.leads, wish.uses_engines) == (4, True, True, True)
    assert [picture.name for picture in pictures(composed)][:2] == ["V1 overview", "V1 0:00.0"]
    assert composed.overviews == tuple(frame_number(1, float(at)) for at in range(4))


async def test_with_vision_off_no_model_leads(bench: Bench) -> None:
    await bench.compose(video(1), force=OFF, leads=True)
    wish = bench.films.wishes[1]
    assert (wish.count, wish.overview, wish.leads, wish.uses_engines) == (10, False, False, False)


@pytest.mark.parametrize(
    ("count", "leads", "each"), [(3, False, 3), (3, True, 1), (10, False, 1), (10, True, 1)]
)
async def test_several_videos_have_equal_shares(
    bench: Bench, count: int, leads: bool, each: int
) -> None:
    composed = await bench.compose(*(video(n) for n in range(1, count + 1)), leads=leads)
    assert bench.counts == dict.fromkeys(range(1, count + 1), each)
    assert len(pictures(composed)) <= 10
    overviews = [wish.overview for wish in bench.films.wishes.values()]
    assert overviews == [leads and count < 10] * count


async def test_videos_for_which_there_is_no_room_are_named(bench: Bench) -> None:
    composed = await bench.compose(*(video(n) for n in range(1, 13)))
    assert set(bench.counts) == set(range(1, 11))
    assert composed.notes[0] == (
        "I cannot look at so many videos at once and left out `V11 11.mp4`, `V12 12.mp4`. "
        "Please ask about them one at a time."
    )


@pytest.mark.parametrize(
    ("beside", "videos", "each", "singles"),
    [(1, 1, 9, 1), (5, 1, 5, 5), (8, 1, 2, 8), (20, 1, 2, 0), (9, 3, 2, 0)],
)
async def test_photos_and_videos_share_the_places(
    bench: Bench, beside: int, videos: int, each: int, singles: int
) -> None:
    composed = await bench.compose(*(video(n) for n in range(1, videos + 1)), beside=beside)
    assert set(bench.counts.values()) == {each}
    assert len(pictures(composed)) <= 10
    assert {*composed.singles, *composed.sheets} == set(range(1, beside + 1))
    assert len(composed.singles) >= singles


async def test_a_small_budget_leaves_room_for_few_frames(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_prompt_tokens=8_000, sight_tokens=0, speech_tokens=500)
    composed = await bench.compose(video(1))
    assert 2 <= bench.counts[1] < 10
    parts = [part for said in composed.request.messages for part in said.parts]
    cost = sum(text_tokens(part.text) for part in parts if isinstance(part, TextPart))
    cost += sum(picture_tokens("gpt-4o", p.width, p.height) for p in pictures(composed))
    assert cost <= 8_000


# which videos


async def test_a_question_without_files_is_about_the_last_video(bench: Bench) -> None:
    past = ThreadHistory(
        (turn_of(TurnRecord("1", 5.0, "Anna", "What?", "That.", videos=(2,))),), videos=(video(2),)
    )
    await bench.compose(past=past)
    assert set(bench.counts) == {2}


async def test_an_earlier_video_that_is_named_goes_before_a_new_one(bench: Bench) -> None:
    past = ThreadHistory(videos=(video(1), video(2)))
    composed = await bench.compose(video(2), video(3), past=past, words="Is it the same as V1?")
    assert list(bench.counts) == [1, 2, 3]
    assert words(composed)[0] == "[V1 1.mp4]"


async def test_without_videos_nothing_is_brought(bench: Bench) -> None:
    composed = await bench.compose(beside=1)
    assert (bench.counts, composed.frames, composed.overviews) == ({}, (), ())


# notes


async def test_notes_and_what_was_heard_come_with_the_request(bench: Bench) -> None:
    composed = await bench.compose(video(1), video(2))
    assert composed.notes == ("note 1", "note 2")
    assert composed.tail == ("tail 1", "tail 2")
    assert composed.passages == (SpokenPassage(1, 0.0, 21.0), SpokenPassage(2, 0.0, 21.0))
    assert [label(one.frame) for one in composed.frames][::5] == ["V1 0:00.0", "V2 0:00.0"]


# sightings

FIRST = frame_number(1, 0.0)


async def test_frames_are_looked_at_and_told(bench: Bench) -> None:
    composed = await bench.compose(video(1))
    assert len(bench.vision.looks) == 10
    assert composed.fresh[0] == VisionRecord(FIRST, read("LARGE"))
    assert composed.sightings[FIRST] == read("LARGE")
    assert VisionContext({FIRST: read("LARGE")}, 1_200, 300).of(FIRST) in words(composed)
    assert pictures(composed)[0].sighting == read("LARGE")


async def test_what_was_seen_in_a_small_copy_is_enough_for_a_small_frame(bench: Bench) -> None:
    bench.films.small = {FIRST: read("SMALL"), frame_number(1, 99.0): read("ELSEWHERE")}
    composed = await bench.compose(video(1))
    assert len(bench.vision.looks) == 9
    assert composed.fresh[0] == VisionRecord(FIRST, read("SMALL"))
    assert len(composed.fresh) == 10


@pytest.mark.parametrize("fails", [False, True])
async def test_a_large_frame_is_looked_at_itself_where_that_works(
    bench: Bench, fails: bool
) -> None:
    bench.films.small = {FIRST: read("SMALL")}
    bench.films.side = int(SMALL) + 1
    bench.vision.problem = VisionProblem(VisionReason.BUSY) if fails else None
    composed = await bench.compose(video(1))
    assert bench.vision.looks
    assert composed.sightings[FIRST] == read("SMALL" if fails else "LARGE")


async def test_frames_that_could_not_be_looked_at_are_named(bench: Bench) -> None:
    bench.films.small = {frame_number(1, float(at)): read("SMALL") for at in range(9)}
    bench.films.side = int(SMALL) + 1
    problem = bench.vision.problem = VisionProblem(VisionReason.BUSY)
    composed = await bench.compose(video(1))
    assert composed.tail[0] == texts.without_vision(problem, (frame_number(1, 9.0),))
    assert "V1 0:09.0" in composed.tail[0]


async def test_with_vision_off_no_frame_is_looked_at(bench: Bench) -> None:
    bench.films.small = {FIRST: read("SMALL")}
    composed = await bench.compose(video(1), force=OFF)
    assert (bench.vision.looks, composed.fresh, composed.sightings) == ([], (), {})
    assert not any("SMALL" in each for each in words(composed))
    assert not composed.request.vision
