"""The videos of a thread: surveyed once, frames brought exactly, faults that cost a part only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from bot.attachments.store import AttachmentStore, blob_key
from bot.domain.boxes import Box
from bot.domain.files import Video
from bot.domain.frame_ids import frame_number
from bot.domain.outlines import Outline
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.video_frames import decode_frames
from bot.media.video_probe import frame_times, probe
from bot.media.video_sampler import sample
from bot.ports.mailbox import CitedFrames
from bot.sandbox import ChildProcesses, import_module
from bot.video.candidates import Survey
from bot.video.footage import CELLS, FrameStore
from bot.video.sampling import plan_frames
from bot.video.survey import load_survey
from tests.helpers import child_calls
from tests.helpers.fakes import InProcessSandbox
from tests.helpers.limits import limits_of
from tests.helpers.video_clips import animation, clip, number_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

THREAD = Thread("fake", "t", "c")
WHOLE = ((0.0, 100.0),)


class Recorded:
    """Children that note what they are asked for, and fail where they are told to.

    `fault` gives for a call the function that is called in its place, and how long it may take.
    """

    def __init__(self, children: Any) -> None:
        self.children = children
        self.calls: list[Any] = []
        self.fault: Callable[[Any, Any], tuple[Any, ...] | None] = lambda function, args: None

    async def run(self, function: Any, *args: Any, seconds: float | None = None) -> Any:
        self.calls.append(function)
        fault = self.fault(function, args)
        if fault is None:
            return await self.children.run(function, *args, seconds=seconds)
        other, *its, limit = fault
        return await self.children.run(other, *its, seconds=limit)


class Room:
    """Footage with an empty blob store, and videos put into it."""

    def __init__(self, tmp_path: Path, children: Any = None, **limits: Any) -> None:
        self.tmp_path = tmp_path
        self.limits = limits_of(**limits)
        self.blobs = BlobStore(MemoryStore())
        self.children = Recorded(children or InProcessSandbox())
        self.told: list[float] = []
        taken: Any = self.children
        gallery = AttachmentStore(taken, self.blobs, self.limits.files, tmp_path)
        self.footage = FrameStore(taken, self.blobs, gallery, self.limits.files, self.limits.videos)

    async def video(self, path: Path, number: int = 1) -> Video:
        result = probe(path, self.limits.files)
        assert result is not None
        await self.blobs.put(blob_key(THREAD, result.sha256), path)
        return Video(number, result.sha256, path.name, result.facts, "Anna", 7.0)

    async def clip(self, number: int = 1, **how: Any) -> Video:
        return await self.video(clip(self.tmp_path / "a.mp4", **how), number)

    async def survey(self, video: Video, spans: Any = WHOLE) -> Survey:
        return await self.footage.survey(THREAD, video, spans, self.told.append)

    async def lose(self, video: Video, *but: str) -> None:
        """Erase the blobs of a video, but for those whose keys end so."""
        key = blob_key(THREAD, video.sha256)
        blobs = {end: await self.blobs.get(key + end) for end in but}
        await self.blobs.erase(THREAD.key)
        for end, data in blobs.items():
            assert data is not None
            await self.blobs.put(key + end, data)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Where single frames are decoded, as of long videos."""
    return Room(tmp_path, video_watched=0)


def numbers(survey: Survey) -> list[int]:
    return [number_of(one.jpeg) for one in survey.candidates]


async def test_a_survey_holds_small_frames_of_known_times(room: Room) -> None:
    video = await room.clip(frames=100, gop=25, size=(960, 540))
    survey = await room.survey(video)
    assert [one.at for one in survey.candidates] == [n / 25 for n in numbers(survey)]
    assert {0, 25, 50, 75} <= set(numbers(survey))
    assert {(one.width, one.height) for one in survey.candidates} == {(768, 432)}
    assert not survey.partial
    assert room.told[0] == 0.0
    assert max(room.told) == pytest.approx(survey.candidates[-1].at, abs=0.3)


async def test_a_short_video_is_watched_from_start_to_end(tmp_path: Path) -> None:
    room = Room(tmp_path)
    survey = await room.survey(await room.clip(frames=400, gop=25, size=(960, 540)))
    assert sample in room.children.calls
    assert decode_frames not in room.children.calls
    assert [one.at for one in survey.candidates] == [n / 25 for n in numbers(survey)]
    assert {(one.width, one.height) for one in survey.candidates} == {(768, 432)}
    assert max(room.told) == pytest.approx(100.0)


@pytest.mark.parametrize(("frames", "watched"), [(100, True), (101, False)])
async def test_what_is_short_counts_pixels(tmp_path: Path, frames: int, watched: bool) -> None:
    room = Room(tmp_path, video_watched=100 * 320 * 240)
    await room.survey(await room.clip(frames=frames, size=(320, 240)))
    assert (sample in room.children.calls) is watched


async def test_a_survey_is_made_once(room: Room) -> None:
    video = await room.clip()
    survey = await room.survey(video)
    room.children.calls.clear()
    assert await room.survey(video) == survey
    assert room.children.calls == []


async def test_each_choice_of_stretches_has_a_survey_of_its_own(room: Room) -> None:
    video = await room.clip(frames=200, gop=25)
    part = await room.survey(video, ((2.0, 4.0), (6.0, 7.0)))
    assert part.spans == ((2.0, 4.0), (6.0, 7.0))
    assert all(2 <= one.at < 4 or 6 <= one.at < 7 for one in part.candidates)
    assert {50, 75, 150} <= set(numbers(part))
    assert len((await room.survey(video)).candidates) > len(part.candidates)
    assert await room.survey(video, ((2.0, 4.0), (6.0, 7.0))) == part


async def test_what_engines_made_of_a_survey_is_kept_with_it(room: Room) -> None:
    video = await room.clip()
    survey = await room.survey(video)
    vectors = tuple((float(i), 1.0) for i in range(len(survey.candidates)))
    more = Survey(survey.spans, survey.candidates, vectors=vectors)
    await room.footage.keep(THREAD, video, more)
    assert await room.survey(video) == more


async def test_what_another_version_kept_is_made_anew(room: Room) -> None:
    video = await room.clip()
    survey = await room.survey(video)
    key = f"{blob_key(THREAD, video.sha256)}.0-100000.{room.limits.videos.video_candidates}.survey"
    blob = await room.blobs.get(key)
    assert blob is not None
    assert load_survey(blob) == survey
    await room.blobs.put(key, b"{}")
    assert await room.survey(video) == survey


async def test_a_stretch_without_frames_has_its_reason(room: Room) -> None:
    with pytest.raises(FileProblem) as error:
        await room.survey(await room.clip(), ((50.0, 60.0),))
    assert error.value.reason is Reason.DAMAGED


async def test_one_frame_is_a_survey(room: Room) -> None:
    survey = await room.survey(await room.clip(frames=1), ((0.0, 1.0),))
    assert numbers(survey) == [0]


async def test_frames_are_those_of_their_times_at_full_size(room: Room) -> None:
    video = await room.clip(2, frames=100, rate=30, gop=40, size=(960, 540))
    frames = await room.footage.frames(THREAD, video, [2.7, 1.0, 1 / 3, 1.0])
    assert list(frames) == [2_000_000_333, 2_000_001_000, 2_000_002_700]
    assert [number_of(picture.jpeg) for picture in frames.values()] == [10, 30, 81]
    assert {(one.width, one.height) for one in frames.values()} == {(960, 540)}
    assert [picture.name for picture in frames.values()] == ["V2 0:00.3", "V2 0:01.0", "V2 0:02.7"]
    assert [picture.numbers for picture in frames.values()] == [(number,) for number in frames]
    assert len({picture.sha256 for picture in frames.values()}) == 3


async def test_what_was_dear_to_decode_is_not_decoded_twice(room: Room) -> None:
    video = await room.clip(frames=200, gop=100, size=(960, 540))
    survey = await room.survey(video)
    dear = [one.at for one in survey.candidates]
    room.children.calls.clear()
    frames = await room.footage.frames(THREAD, video, dear)
    assert room.children.calls == []
    assert [number_of(picture.jpeg) for picture in frames.values()] == [
        round(at * 25) for at in dear
    ]
    assert {(one.width, one.height) for one in frames.values()} == {(960, 540)}


async def test_a_time_within_a_frame_gives_that_frame_under_its_own_time(room: Room) -> None:
    video = await room.clip(rate=10, frames=20)
    frames = await room.footage.frames(THREAD, video, [0.55, 77.0])
    assert list(frames) == [frame_number(1, 0.5), frame_number(1, 1.9)]
    assert [number_of(picture.jpeg) for picture in frames.values()] == [5, 19]


async def test_frames_are_kept_and_outlive_the_original(room: Room) -> None:
    video = await room.clip(size=(2600, 260), frames=30)
    first = await room.footage.frames(THREAD, video, [0.4, 0.8])
    room.children.calls.clear()
    assert await room.footage.frames(THREAD, video, [0.8, 0.4]) == first
    assert room.children.calls == []
    await room.lose(video, ".400.2048.jpg", ".800.2048.jpg")
    assert await room.footage.frames(THREAD, video, [0.4, 0.8]) == first
    with pytest.raises(FileProblem) as error:
        await room.footage.frames(THREAD, video, [0.4, 1.0])
    assert error.value.reason is Reason.GONE


async def test_without_the_original_there_is_nothing_to_be_had(room: Room) -> None:
    video = await room.clip()
    await room.lose(video)
    for work in (
        room.survey(video),
        room.footage.frames(THREAD, video, [0.4]),
        room.footage.crop(THREAD, video, frame_number(1, 0.4), Box(0, 0, 500, 500)),
        room.footage.contact_sheet(THREAD, CitedFrames(video, (frame_number(1, 0.4),)), ()),
    ):
        with pytest.raises(FileProblem) as error:
            await work
        assert error.value.reason is Reason.GONE


async def test_a_part_of_a_frame_comes_at_full_resolution(tmp_path: Path) -> None:
    room = Room(tmp_path, photo_side=512)
    video = await room.clip(size=(1280, 720), frames=40)
    number = frame_number(1, 1.4)
    whole = (await room.footage.frames(THREAD, video, [1.4]))[number]
    assert (whole.width, whole.height) == (512, 288)
    part = await room.footage.crop(THREAD, video, number, Box(0, 0, 250, 999))
    assert (part.width, part.height, part.numbers) == (228, 512, (number,))
    assert part.name.startswith("V1 0:01.4 ")
    near = await room.footage.crop(THREAD, video, number, Box(0, 0, 249, 250))
    assert near.width >= 319


async def test_an_overview_shows_small_frames_in_order(room: Room) -> None:
    video = await room.clip(3, frames=200, gop=5)
    survey = await room.survey(video)
    sheet = await room.footage.overview(video, survey)
    assert len(sheet.numbers) == min(CELLS, len(survey.candidates))
    assert list(sheet.numbers) == sorted(sheet.numbers)
    assert set(sheet.numbers) <= {frame_number(3, one.at) for one in survey.candidates}
    assert sheet.name == "V3 overview"
    assert max(sheet.width, sheet.height) <= room.limits.files.photo_side


async def test_cited_frames_are_shown_with_their_outlines(room: Room) -> None:
    video = await room.clip()
    cited = frame_number(1, 0.4), frame_number(1, 1.2)
    corners = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))
    outline = Outline(1, cited[1], "car", corners)
    sheet = await room.footage.contact_sheet(THREAD, CitedFrames(video, cited), [outline])
    assert [frame.name for frame in sheet.frames] == ["V1 0:00.4", "V1 0:01.2"]
    assert [frame.outlines for frame in sheet.frames] == [(), (outline,)]
    assert [number_of(frame.jpeg) for frame in sheet.frames] == [10, 30]
    assert sheet.name == video.label


async def test_the_frames_of_an_animation_are_brought(room: Room) -> None:
    video = await room.video(animation(room.tmp_path / "a.gif"))
    survey = await room.survey(video)
    assert numbers(survey) == list(range(12))
    frames = await room.footage.frames(THREAD, video, [0.3, 0.57])
    assert [number_of(picture.jpeg) for picture in frames.values()] == [6, 11]


@pytest.fixture
async def processes() -> AsyncIterator[ChildProcesses]:
    children = ChildProcesses(ChildLimits(), FileLimits())
    both = (children.run(import_module, "bot.media.video_probe") for _ in range(2))
    await asyncio.gather(*both)
    yield children
    await children.close()


@pytest.fixture
def real(tmp_path: Path, processes: ChildProcesses) -> Room:
    return Room(tmp_path, processes, survey_seconds=3, video_watched=0)


async def long_video(room: Room) -> Video:
    """A video whose survey is decoded in several parts."""
    video = await room.clip(frames=500, gop=50)
    path = room.tmp_path / "a.mp4"
    plan = plan_frames(
        frame_times(path, room.limits.files), WHOLE, room.limits.videos.video_candidates, 1000
    )
    assert len(plan) > 10
    return video


def among(args: Any, start: float, end: float) -> bool:
    """Whether a call is for frames of some time."""
    return any(start <= one.at < end for one in args[2])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ((child_calls.crash, None), Reason.CRASHED),
        ((child_calls.pid_after, 60, 0.3), Reason.TOO_SLOW),
        ((child_calls.allocate, 1 << 40, None), Reason.CRASHED),
    ],
)
async def test_a_child_that_is_lost_costs_its_part_only(
    real: Room, fault: tuple[Any, ...], reason: Reason
) -> None:
    video = await long_video(real)

    def early(function: Any, args: Any) -> tuple[Any, ...] | None:
        return fault if function is decode_frames and among(args, 0.0, 4.0) else None

    real.children.fault = early
    survey = await real.survey(video)
    assert survey.partial
    assert survey.candidates
    assert [one.at for one in survey.candidates] == [n / 25 for n in numbers(survey)]
    assert min(numbers(survey)) >= 50
    assert max(numbers(survey)) > 400
    real.children.fault = lambda function, args: fault if function is decode_frames else None
    with pytest.raises(FileProblem) as error:
        await real.survey(video, ((0.0, 99.0),))
    assert error.value.reason is reason


async def test_a_child_that_is_lost_costs_its_stretch_only(
    tmp_path: Path, processes: ChildProcesses
) -> None:
    real = Room(tmp_path, processes)
    video = await real.clip(frames=500, gop=50)

    def early(function: Any, args: Any) -> tuple[Any, ...] | None:
        return (child_calls.crash, None) if function is sample and args[2] < 4 else None

    real.children.fault = early
    survey = await real.survey(video)
    assert survey.partial
    assert [one.at for one in survey.candidates] == [n / 25 for n in numbers(survey)]
    assert min(numbers(survey)) >= 100
    assert max(numbers(survey)) > 400


async def test_a_stretch_that_a_child_has_no_time_for_is_missing(
    tmp_path: Path, processes: ChildProcesses
) -> None:
    real = Room(tmp_path, processes)
    video = await real.clip(frames=500, gop=50)

    def early(function: Any, args: Any) -> tuple[Any, ...] | None:
        hasty = args[1].model_copy(update={"child_seconds": 1e-9}) if function is sample else None
        return (sample, args[0], hasty, *args[2:], None) if hasty and args[2] < 4 else None

    real.children.fault = early
    survey = await real.survey(video)
    assert survey.partial
    assert min(numbers(survey)) >= 100


async def test_when_time_is_up_what_was_decoded_is_taken(real: Room) -> None:
    video = await long_video(real)
    hang = asyncio.Event()

    def late(function: Any, args: Any) -> tuple[Any, ...] | None:
        if function is decode_frames and among(args, 16.0, 20.0):
            hang.set()
            return child_calls.pid_after, 60, None
        return None

    real.children.fault = late
    survey = await real.survey(video)
    assert hang.is_set()
    assert survey.partial
    assert 0 < max(numbers(survey)) < 450
    real.children.fault = lambda function, args: None
    assert (await real.survey(video, ((0.0, 99.0),))).partial is False


async def test_where_an_animation_changes_is_told(room: Room) -> None:
    video = await room.video(animation(room.tmp_path / "a.gif"))
    assert (await room.survey(video)).changes
