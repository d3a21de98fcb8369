"""Videos as they go to the model: surveyed, chosen from, listened to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.domain.files import ChosenFrame, Phrase, SpokenPassage, Video, VideoFacts
from bot.domain.frame_ids import clock, frame_number, label, seconds_of
from bot.domain.history import ThreadHistory
from bot.domain.sightings import Sighting
from bot.domain.threads import Thread
from bot.errors import FileProblem, ModelProblem, ModelReason, Reason
from bot.ports.model import Picture
from bot.prompt.vision_context import transcript_text
from bot.video.candidates import FrameRequest, Survey
from bot.video.context import VideoContexts
from bot.video.transcription import Transcript
from tests.helpers.frame_candidates import candidate, each
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.limits import Limits
    from bot.video.candidates import Span
    from bot.video.prepared_video import PreparedVideo

THREAD = Thread("fake", "t", "c")
LIMITS = limits_of(max_video_seconds=180)
FACTS = VideoFacts("MP4 video", "h264", 640, 480, 9, 20.0, 25.0, sound=True)
VIDEO = Video(1, "a" * 64, "crash.mp4", FACTS, "Anna", 5.0)
LONG = replace(VIDEO, facts=replace(FACTS, seconds=600.0))
WISH = FrameRequest("What happens?", 4)
HELLO = Phrase("Hello", 1.0, 1.5)


class Projector:
    """Footage that was never shot: a candidate a second, of 25 frames a second."""

    def __init__(self) -> None:
        self.candidates = each(20)
        self.partial = False
        self.problem: FileProblem | None = None
        self.undecodable: FileProblem | None = None
        self.unprintable: FileProblem | None = None
        self.gate: asyncio.Event | None = None
        self.kept: list[Survey] = []
        self.overviews = 0
        self.missing: set[float] = set()

    async def survey(
        self, thread: Thread, video: Video, spans: Sequence[Span], decoded: Callable[[float], None]
    ) -> Survey:
        await asyncio.sleep(0)
        if self.problem is not None:
            raise self.problem
        for until in (0.0, 12.0, 6.0, 25.0):
            decoded(until)
        if self.gate is not None:
            await self.gate.wait()
        return Survey(tuple(spans), tuple(self.candidates), partial=self.partial)

    async def keep(self, thread: Thread, video: Video, survey: Survey) -> None:
        self.kept.append(survey)

    async def frames(
        self, thread: Thread, video: Video, times: Iterable[float]
    ) -> dict[int, Picture]:
        if self.undecodable is not None:
            raise self.undecodable
        frame_times = {int(at * 25) / 25 for at in times if at not in self.missing}
        numbers = sorted(frame_number(video.number, at) for at in frame_times)
        return {n: Picture(label(n), "", b"", 640, 480, (n,)) for n in numbers}

    async def overview(self, video: Video, survey: Survey) -> Picture:
        self.overviews += 1
        if self.unprintable is not None:
            raise self.unprintable
        numbers = tuple(frame_number(video.number, one.at) for one in survey.candidates)
        return Picture(f"V{video.number} overview", "", b"", 2048, 1536, numbers)


class Choice:
    """Chooses frames at these times, and `sees` something in all candidates meanwhile."""

    def __init__(self, *times: float) -> None:
        self.times = times
        self.chosen: tuple[ChosenFrame, ...] = ()
        self.sees: Sighting | None = None
        self.wishes: list[FrameRequest] = []

    async def choose(
        self, video: int, survey: Survey, wish: FrameRequest, progress: Callable[[int, int], None]
    ) -> tuple[tuple[ChosenFrame, ...], Survey]:
        self.wishes.append(wish)
        chosen = self.chosen or tuple(
            ChosenFrame(frame_number(video, at), "change", 0.5) for at in self.times
        )
        if self.sees is None:
            return chosen, survey
        progress(1, 20)
        return chosen, replace(survey, sightings=(self.sees,) * len(survey.candidates))


class Ear:
    """Hears the same in each stretch."""

    def __init__(self) -> None:
        self.phrases: tuple[Phrase, ...] | None = None
        self.problem: ModelProblem | None = None
        self.gate: asyncio.Event | None = None
        self.spans: tuple[Span, ...] = ()
        self.ended = False

    async def transcribe(
        self, thread: Thread, video: Video, spans: Sequence[Span], past: ThreadHistory
    ) -> Transcript:
        self.spans = tuple(spans)
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.ended = True
        if self.phrases is None:
            return Transcript(problem=self.problem)
        passages = (SpokenPassage(video.number, *spans[0], self.phrases),)
        return Transcript(passages, passages, self.problem)


class Bench:
    """Films of footage, a choice and an ear, and the progress that they told."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.footage, self.chooser, self.hearing = Projector(), Choice(2.0, 7.0), Ear()
        parts: Any = (self.footage, self.chooser, self.hearing)
        self.films = VideoContexts(*parts, limits.files, limits.videos, limits.requests)
        self.said: list[str] = []

    async def bring(self, video: Video = VIDEO, wish: FrameRequest = WISH) -> PreparedVideo:
        return await self.films.prepare(THREAD, video, wish, ThreadHistory(), self.said.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def times(prepared_video: PreparedVideo) -> list[str]:
    """The times of the frames that go, which are the same wherever they are told."""
    numbers = [number for picture in prepared_video.part.frames for number in picture.numbers]
    assert (
        numbers
        == [one.frame for one in prepared_video.frames]
        == list(prepared_video.part.clip.frames)
    )
    return [clock(seconds_of(number)) for number in numbers]


async def test_a_video_brings_its_chosen_frames(bench: Bench) -> None:
    result = await bench.bring()
    assert times(result) == ["0:02.0", "0:07.0"]
    assert result.part.clip.text == (
        "[V1 crash.mp4: video, 0:20.0 long, 640 x 480 pixels, 25 frames a second; "
        "its sound was not listened to.]"
    )
    assert (result.part.overview, result.part.transcript) == (None, "")
    assert (result.notes, result.tail) == ((), ())
    assert (bench.footage.kept, result.passages, result.sightings) == ([], (), {})


async def test_its_introduction_tells_what_is_known(bench: Bench) -> None:
    bench.footage.candidates[3] = candidate(3.0, "red", change=0.5)
    facts = replace(FACTS, sound=False, rate=0.0, taken="2026-05-01T10:00:00")
    clip = (await bench.bring(replace(VIDEO, facts=facts))).part.clip
    assert clip.text == (
        "[V1 crash.mp4: video, 0:20.0 long, 640 x 480 pixels, taken 2026-05-01T10:00:00; "
        "no sound track; it changes most at 0:03.0.]"
    )
    assert (clip.name, clip.sha256, clip.facts) == (VIDEO.label, VIDEO.sha256, facts)
    assert clip.changes == (3.0,)


async def test_progress_is_told_in_order_and_never_goes_back(bench: Bench) -> None:
    bench.chooser.sees = Sighting(engine="fake")
    bench.hearing.gate = asyncio.Event()
    bringing = asyncio.create_task(bench.bring())
    async with asyncio.timeout(5):
        while texts.listening_progress(VIDEO.label) not in bench.said:
            await asyncio.sleep(0)
        bench.hearing.gate.set()
        await bringing
    assert bench.said == [
        "Decoding V1 crash.mp4: 0:00 of 0:20…",
        "Decoding V1 crash.mp4: 0:12 of 0:20…",
        "Decoding V1 crash.mp4: 0:12 of 0:20…",
        "Decoding V1 crash.mp4: 0:20 of 0:20…",
        "Choosing frames from V1 crash.mp4…",
        "Choosing frames from V1 crash.mp4… (1 of 20)",
        "Listening to V1 crash.mp4…",
    ]


async def test_what_was_found_out_is_kept_for_later_questions(bench: Bench) -> None:
    bench.chooser.sees = Sighting(engine="fake")
    result = await bench.bring()
    (survey,) = bench.footage.kept
    assert set(survey.sightings) == {bench.chooser.sees}
    assert result.sightings[frame_number(1, 19.0)] == bench.chooser.sees


@pytest.mark.parametrize(
    ("times_chosen", "wanted", "overviews"),
    [((2.0, 7.0), True, 1), ((2.0, 7.0), False, 0), (tuple(map(float, range(20))), True, 0)],
)
async def test_an_overview_goes_where_it_shows_more_than_the_frames(
    bench: Bench, times_chosen: tuple[float, ...], wanted: bool, overviews: int
) -> None:
    bench.chooser.times = times_chosen
    result = await bench.bring(wish=replace(WISH, overview=wanted))
    assert bench.footage.overviews == overviews
    assert (result.part.overview is not None) == bool(overviews)
    assert result.part.pictures[overviews:] == result.part.frames


async def test_an_overview_that_cannot_be_made_costs_itself_only(bench: Bench) -> None:
    bench.footage.unprintable = FileProblem(Reason.CRASHED)
    result = await bench.bring(wish=replace(WISH, overview=True))
    assert result.part.overview is None
    assert (times(result), result.notes) == (["0:02.0", "0:07.0"], ())


async def test_a_time_that_was_named_is_that_of_the_frame_shown_then(bench: Bench) -> None:
    bench.chooser.times = (2.0, 5.03)
    assert times(await bench.bring()) == ["0:02.0", "0:05.0"]


async def test_a_frame_that_was_asked_for_says_so_though_it_is_a_candidate_too(
    bench: Bench,
) -> None:
    bench.chooser.chosen = (
        ChosenFrame(frame_number(1, 5.0), "change", 0.5),
        ChosenFrame(frame_number(1, 5.03), "asked", 1.0),
    )
    result = await bench.bring()
    assert result.frames == (ChosenFrame(frame_number(1, 5.0), "asked", 1.0),)


async def test_a_frame_that_cannot_be_decoded_is_left_out(bench: Bench) -> None:
    bench.chooser.times = (2.0, 7.0, 9.0)
    bench.footage.missing = {7.0}
    assert times(await bench.bring()) == ["0:02.0", "0:09.0"]


# words


async def test_what_is_spoken_goes_with_the_video(bench: Bench) -> None:
    bench.hearing.phrases = (HELLO,)
    result = await bench.bring()
    assert "its words follow" in result.part.clip.text
    assert result.part.transcript == transcript_text(1, (HELLO,), LIMITS.requests.speech_tokens)
    assert (result.part.clip.phrases, result.passages) == (
        (HELLO,),
        (SpokenPassage(1, 0, 21, (HELLO,)),),
    )
    assert bench.hearing.spans == ((0.0, 21.0),)


async def test_words_for_which_there_is_no_room_are_not_promised() -> None:
    bench = Bench(limits_of(max_video_seconds=180, speech_tokens=0))
    bench.hearing.phrases = (HELLO,)
    result = await bench.bring()
    assert "there is no room for its words" in result.part.clip.text
    assert result.part.transcript == ""


async def test_what_was_heard_before_a_model_failed_goes_with_the_video(bench: Bench) -> None:
    bench.hearing.phrases = (HELLO,)
    bench.hearing.problem = ModelProblem(ModelReason.BUSY)
    result = await bench.bring()
    assert "its words follow" in result.part.clip.text
    assert len(result.tail) == 1


async def test_silence_is_told(bench: Bench) -> None:
    bench.hearing.phrases = ()
    result = await bench.bring()
    assert "no words were heard in its sound" in result.part.clip.text
    assert (result.part.transcript, result.passages) == ("", (SpokenPassage(1, 0, 21),))


async def test_a_model_that_cannot_hear_costs_one_sentence(bench: Bench) -> None:
    bench.hearing.problem = ModelProblem(ModelReason.BUSY)
    result = await bench.bring()
    assert result.tail == (
        "I could not transcribe what is said in `V1 crash.mp4`: the AI service is busy. "
        "Please ask again in a minute.",
    )
    assert "its sound was not listened to" in result.part.clip.text
    assert (times(result), result.notes) == (["0:02.0", "0:07.0"], ())


# parts


async def test_of_a_long_video_the_first_and_the_last_part_are_looked_at(bench: Bench) -> None:
    result = await bench.bring(LONG)
    assert bench.hearing.spans == ((0.0, 90.0), (510.0, 601.0))
    assert result.notes == (
        "`V1 crash.mp4` is 10:00 long; I looked at 0:00–1:30 and 8:30–10:00. "
        'To have me look at another part, name it, for example "from 1:10 to 2:00".',
    )
    assert "only 0:00.0 to 1:30.0, 8:30.0 to 10:00.0 was looked at" in result.part.clip.text


async def test_the_part_that_a_question_names_is_looked_at(bench: Bench) -> None:
    result = await bench.bring(LONG, replace(WISH, words="What happens from 4:00 to 5:00?"))
    assert bench.hearing.spans == ((240.0, 300.0),)
    assert result.notes == ()
    assert "only 4:00.0 to 5:00.0 was looked at" in result.part.clip.text


async def test_the_part_around_a_time_is_looked_at_and_told(bench: Bench) -> None:
    result = await bench.bring(LONG, replace(WISH, words="What happens at 5:00?"))
    assert bench.hearing.spans == ((210.0, 390.0),)
    assert [note.partition(" To ")[0] for note in result.notes] == [
        "`V1 crash.mp4` is 10:00 long; I looked at 3:30–6:30."
    ]


async def test_a_part_that_is_too_long_is_told_as_well(bench: Bench) -> None:
    result = await bench.bring(LONG, replace(WISH, words="from 1:00 to 9:00"))
    assert "I looked at 1:00–2:30 and 7:30–9:00." in result.notes[0]


async def test_what_is_missing_of_a_video_is_told_first(bench: Bench) -> None:
    bench.footage.partial = True
    cut = replace(LONG, facts=replace(LONG.facts, incomplete=True))
    result = await bench.bring(cut)
    assert result.notes[:2] == (
        texts.video_cut(VIDEO.label, 600.0),
        texts.video_partial(VIDEO.label),
    )
    assert len(result.notes) == 3


# what fails


@pytest.mark.parametrize("part", ["problem", "undecodable"])
async def test_a_video_that_is_gone_costs_itself_only(bench: Bench, part: str) -> None:
    setattr(bench.footage, part, FileProblem(Reason.GONE))
    bench.hearing.gate = asyncio.Event()
    result = await bench.bring()
    assert result.notes == (
        "`V1 crash.mp4` could not be used: it is no longer kept. Please send it again.",
    )
    assert "none of its frames could be had" in result.part.clip.text
    assert (result.part.pictures, result.frames, result.passages) == ((), (), ())
    assert bench.hearing.ended


async def test_where_nothing_was_chosen_that_is_told(bench: Bench) -> None:
    bench.chooser.times = ()
    result = await bench.bring()
    assert "none of its frames could be had" in result.part.clip.text
    assert result.frames == ()


async def test_cancelling_ends_the_listening(bench: Bench) -> None:
    bench.footage.gate, bench.hearing.gate = asyncio.Event(), asyncio.Event()
    bringing = asyncio.create_task(bench.bring())
    async with asyncio.timeout(5):
        while not (bench.hearing.spans and bench.said):
            await asyncio.sleep(0)
    assert not bench.hearing.ended
    bringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bringing
    assert bench.hearing.ended
