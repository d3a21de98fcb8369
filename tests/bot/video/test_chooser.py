"""Frames are chosen by the best means at hand, and engines that fail cost their means only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.domain.frame_ids import frame_number, seconds_of
from bot.domain.sightings import Sighting, TextLine
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason
from bot.limits import TurnLimits
from bot.video.candidates import FrameRequest
from bot.video.chooser import CHANGES, EMBEDDING, MAX_SIGHTINGS, WORDS, Chooser
from tests.helpers.fakes import FakeVision
from tests.helpers.frame_candidates import candidate, each, survey

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.files import ChosenFrame
    from bot.ports.embedding import Embedding, Vector
    from bot.video.candidates import Survey

PLACE = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2))
BUSY = VisionProblem(VisionReason.BUSY)


class Space:
    """Embeds pictures by their bytes (the time, see `candidate`); near `at` they fit all words."""

    def __init__(self, at: float) -> None:
        self._at = at
        self.pictures: list[float] = []
        self.questions: list[str] = []
        self.problem: Exception | None = None
        self.deaf: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.broken: set[float] = set()

    async def picture(self, jpeg: bytes) -> Vector:
        self.pictures.append(float(jpeg))
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None and len(self.pictures) > 2:
            raise self.problem
        if float(jpeg) in self.broken:
            raise FileProblem(Reason.DAMAGED)
        return (1.0, abs(float(jpeg) - self._at))

    async def words(self, text: str) -> Vector:
        self.questions.append(text)
        if self.deaf is not None:
            raise self.deaf
        return (1.0, 0.0)

    async def close(self) -> None:
        pass


class Eyes(FakeVision):
    """Reads a sign in the frame of one time, and can see nothing while it is `blind`."""

    def __init__(self, at: float = -1.0) -> None:
        super().__init__()
        self._at = at
        self.blind: set[float] = set()

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        nothing = await super().look(jpeg, original, upright=upright)
        assert upright
        if float(jpeg) in self.blind:
            raise FileProblem(Reason.DAMAGED)
        there = (TextLine("KIOSK", PLACE, 0.9),) if float(jpeg) == self._at else ()
        return Sighting(there, engine="fake") if there else nothing


class Bench:
    """A chooser with its engines, and the progress that it told."""

    def __init__(
        self,
        vision: FakeVision | None = None,
        embedding: Embedding | None = None,
        seconds: float = 9,
    ) -> None:
        self.vision = vision or Eyes()
        limits = TurnLimits(_env_file=None, sight_seconds=seconds)
        self.chooser = Chooser(self.vision, embedding, limits)
        self.progress: list[tuple[int, int]] = []

    async def choose(
        self, video_survey: Survey, words: str = "Where is the kiosk?", count: int = 4, **wish: bool
    ) -> tuple[tuple[ChosenFrame, ...], Survey]:
        return await self.chooser.choose(
            1,
            video_survey,
            FrameRequest(words, count, **wish),
            lambda *progress: self.progress.append(progress),
        )


def times(choice: tuple[ChosenFrame, ...]) -> list[float]:
    assert [one.frame for one in choice] == sorted(one.frame for one in choice)
    return [seconds_of(one.frame) for one in choice]


def told(choice: tuple[ChosenFrame, ...]) -> dict[float, tuple[str, float, str]]:
    return {seconds_of(one.frame): (one.why, one.score, one.means) for one in choice}


# by vectors


async def test_vectors_come_first_where_there_are_any() -> None:
    space = Space(at=17)
    bench = Bench(embedding=space)
    choice, survey_after = await bench.choose(survey(each(20)))
    assert told(choice)[17] == ("question", 1.0, EMBEDDING)
    assert {one.means for one in choice} == {EMBEDDING}
    assert (len(choice), bench.vision.looks) == (4, [])
    assert survey_after.vectors[17] == (1.0, 0.0)
    assert sorted(bench.progress) == [(count, 20) for count in range(1, 21)]


async def test_a_video_is_embedded_once() -> None:
    space = Space(at=17)
    bench = Bench(embedding=space)
    _, survey_after = await bench.choose(survey(each(20)))
    choice, again = await bench.choose(survey_after, "And the dog?", count=2)
    assert again is survey_after
    assert sorted(space.pictures) == [float(place) for place in range(20)]
    assert space.questions == ["Where is the kiosk?", "And the dog?"]
    assert 17 in times(choice)


@pytest.mark.parametrize("problem", [BUSY, FileProblem(Reason.DAMAGED)])
@pytest.mark.parametrize("fails", ["problem", "deaf"])
async def test_where_embedding_fails_words_decide(fails: str, problem: Exception) -> None:
    space = Space(at=3)
    setattr(space, fails, problem)
    bench = Bench(Eyes(at=12), space)
    choice, survey_after = await bench.choose(survey(each(20)))
    assert told(choice)[12] == ("question", 1.0, WORDS)
    assert survey_after.vectors == ()
    assert bool(space.pictures) == (fails == "problem")


async def test_what_fails_for_some_frames_costs_these_and_is_tried_again() -> None:
    space = Space(at=17)
    space.broken = {4.0, 11.0}
    bench = Bench(embedding=space)
    choice, survey_after = await bench.choose(survey(each(20)))
    assert told(choice)[17] == ("question", 1.0, EMBEDDING)
    assert [place for place, one in enumerate(survey_after.vectors) if one is None] == [4, 11]
    space.broken.clear()
    _, again = await bench.choose(survey_after)
    assert None not in again.vectors
    assert sorted(space.pictures[20:]) == [4.0, 11.0]


async def test_vectors_that_are_late_are_not_waited_for() -> None:
    space = Space(at=3)
    space.gate = asyncio.Event()
    bench = Bench(Eyes(at=12), space, seconds=0.05)
    choice, survey_after = await bench.choose(survey(each(20)))
    assert (told(choice)[12][2], survey_after.vectors) == (WORDS, ())


# by words


async def test_without_vectors_candidates_are_looked_at() -> None:
    bench = Bench(Eyes(at=12))
    choice, survey_after = await bench.choose(survey(each(20)))
    assert told(choice)[12] == ("question", 1.0, WORDS)
    assert [one for one in survey_after.sightings if one and one.lines] == [
        survey_after.sightings[12]
    ]
    assert (len(survey_after.sightings), len(bench.vision.looks)) == (20, 20)
    assert bench.progress[-1] == (20, 20)


async def test_a_video_is_looked_at_once() -> None:
    bench = Bench(Eyes(at=12))
    _, survey_after = await bench.choose(survey(each(20)))
    choice, again = await bench.choose(survey_after, "What is written there?")
    assert (again, len(bench.vision.looks)) == (survey_after, 20)
    assert told(choice)[12][0] == "question"


async def test_of_many_candidates_some_are_looked_at_those_with_changes_first() -> None:
    frames = each(60)
    frames[31] = candidate(31.0, "red", "blue", change=0.9)
    bench = Bench()
    _, survey_after = await bench.choose(survey(frames))
    numbers = [place for place, one in enumerate(survey_after.sightings) if one is not None]
    assert len(bench.vision.looks) == len(numbers) == MAX_SIGHTINGS
    assert 31 in numbers
    assert min(numbers) <= 3
    assert max(numbers) >= 56


async def test_what_fails_in_one_picture_costs_that_only() -> None:
    eyes = Eyes(at=12)
    eyes.blind = {3.0, 4.0}
    choice, survey_after = await Bench(eyes).choose(survey(each(20)))
    assert 12 in times(choice)
    assert [place for place, one in enumerate(survey_after.sightings) if one is None] == [3, 4]


@pytest.mark.parametrize("late", [False, True])
async def test_where_nothing_could_be_looked_at_changes_decide(late: bool) -> None:
    eyes = Eyes(at=12)
    eyes.problem = BUSY
    eyes.gate = asyncio.Event() if late else None
    frames = each(20)
    frames[7] = candidate(7.0, "red", "blue", change=0.9)
    first = survey(frames)
    choice, survey_after = await Bench(eyes, seconds=0.05).choose(first)
    assert told(choice)[7] == ("change", 0.0, CHANGES)
    assert survey_after is first


async def test_no_more_looks_are_under_way_after_the_time() -> None:
    eyes = Eyes()
    eyes.gate = asyncio.Event()
    await Bench(eyes, seconds=0.02).choose(survey(each(20)))
    looks = len(eyes.looks)
    eyes.gate.set()
    await asyncio.sleep(0.02)
    assert len(eyes.looks) == looks < 20


async def test_an_unforeseen_error_is_not_hidden() -> None:
    eyes = Eyes()
    eyes.problem = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await Bench(eyes).choose(survey(each(3)))


# by changes


@pytest.mark.parametrize("wish", [{"uses_engines": False}, {"leads": True}])
async def test_with_vision_off_or_a_leading_model_nothing_is_looked_at(
    wish: dict[str, bool],
) -> None:
    frames = each(20)
    frames[7] = candidate(7.0, "red", "blue", change=0.9)
    bench = Bench(Eyes(at=12))
    choice, _ = await bench.choose(survey(frames), **wish)
    assert told(choice)[7] == ("change", 0.0, CHANGES)
    assert {why for why, _, _ in told(choice).values()} == {"change", "spread"}
    assert (bench.vision.looks, bench.progress) == ([], [])


async def test_with_vision_off_nothing_is_embedded() -> None:
    space = Space(at=3)
    await Bench(embedding=space).choose(survey(each(5)), uses_engines=False)
    assert (space.pictures, space.questions) == ([], [])


async def test_a_leading_model_has_frames_chosen_by_vectors() -> None:
    choice, _ = await Bench(embedding=Space(at=3)).choose(survey(each(9)), leads=True)
    assert told(choice)[3][2] == EMBEDDING


async def test_with_vision_off_what_was_seen_before_is_not_used() -> None:
    bench = Bench(Eyes(at=12))
    _, survey_after = await bench.choose(survey(each(20)))
    choice, _ = await bench.choose(survey_after, uses_engines=False)
    assert {means for _, _, means in told(choice).values()} == {CHANGES}


# times that are named


async def test_times_that_a_question_names_come_first() -> None:
    choice, _ = await Bench(Eyes(at=12)).choose(survey(each(20)), "What happens at 0:05.5?")
    assert told(choice)[5.5] == ("asked", 1.0, "")
    assert len(choice) == 4


async def test_no_more_frames_are_chosen_than_wanted_whatever_is_named() -> None:
    words = "What about 0:01, 0:02, 0:02, 0:03 and 0:04?"
    choice, _ = await Bench().choose(survey(each(20)), words, count=3)
    assert times(choice) == [1, 2, 3]


async def test_a_frame_that_is_named_and_chosen_goes_once() -> None:
    choice, _ = await Bench(Eyes(at=5)).choose(survey(each(6)), "the kiosk at 0:05", count=6)
    assert times(choice) == [0, 1, 2, 3, 4, 5]
    assert told(choice)[5][0] == "asked"


async def test_times_outside_of_what_was_surveyed_are_left_out() -> None:
    survey_after = survey(each(20), end=20)
    choice, _ = await Bench().choose(survey_after, "at 0:20 or 9:59", count=2)
    assert all(one.why != "asked" for one in choice)


async def test_a_survey_without_candidates_has_the_named_frames_alone() -> None:
    for embedding in (None, Space(at=1)):
        bench = Bench(embedding=embedding)
        assert await bench.choose(survey(())) == ((), survey(()))
        choice, _ = await bench.choose(survey(()), "at 0:05?")
        assert [one.frame for one in choice] == [frame_number(1, 5.0)]
