"""Frames that a model asks for, and what it is told where it asks for none that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.frame_ids import frame_number, label, seconds_of
from bot.errors import FileProblem, Reason
from bot.ports.model import Picture, TextPart
from bot.tools.video_frames import AT_ONCE, FRAMES, UnknownFrame, VideoFramesTool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SEEN = (frame_number(1, 2.0), frame_number(1, 12.36), frame_number(2, 5.0))


class Projector:
    """Shows 25 frames a second, as long as it has no problem."""

    def __init__(self) -> None:
        self.wanted: list[tuple[int, list[float]]] = []
        self.problem: FileProblem | None = None
        self.empty = False

    async def __call__(self, video: int, times: Sequence[float]) -> Mapping[int, Picture]:
        self.wanted.append((video, list(times)))
        if self.problem is not None:
            raise self.problem
        numbers = sorted({frame_number(video, int(at * 25) / 25) for at in times})
        pictures = {n: Picture(label(n), "", b"", 64, 48, (n,)) for n in numbers}
        return {} if self.empty else pictures


@pytest.fixture
def projector() -> Projector:
    return Projector()


@pytest.fixture
def reels(projector: Projector) -> VideoFramesTool:
    return VideoFramesTool({1: 20.0, 2: 3700.0}, projector, SEEN)


def call(**arguments: object) -> dict[str, Any]:
    return {"video": "V1", "from": "0:05.0", "to": "0:10.0", "count": 2} | arguments


async def times(reels: VideoFramesTool, projector: Projector, **arguments: object) -> list[float]:
    """Which times a call leads to."""
    await reels.bring(call(**arguments))
    return projector.wanted[-1][1]


async def refused(reels: VideoFramesTool, arguments: Mapping[str, object]) -> str:
    """What a model is told where its call cannot be followed."""
    with pytest.raises(UnknownFrame) as told:
        await reels.bring(arguments)
    return str(told.value)


async def test_frames_are_named_and_shown(reels: VideoFramesTool) -> None:
    words, parts = await reels.bring(call(count=3))
    assert words == "V1 0:05.0, V1 0:07.5, V1 0:10.0: shown in the message after these results."
    assert [part.text if isinstance(part, TextPart) else part.name for part in parts] == [
        *("[Frame at 0:05.0 of V1]", "V1 0:05.0"),
        *("[Frame at 0:07.5 of V1]", "V1 0:07.5"),
        *("[Frame at 0:10.0 of V1]", "V1 0:10.0"),
    ]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [7.5]),
        (2, [5.0, 10.0]),
        (6, [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]),
        ("3", [5.0, 7.5, 10.0]),
        (" 3 ", [5.0, 7.5, 10.0]),
        (3.7, [5.0, 7.5, 10.0]),
        (True, [7.5]),
        (0, [7.5]),
        (-4, [7.5]),
        (None, [7.5]),
        ("many", [7.5]),
        ([3], [7.5]),
        (float("inf"), [7.5]),
        (float("nan"), [7.5]),
    ],
)
async def test_frames_are_evenly_spread(
    reels: VideoFramesTool, projector: Projector, count: object, expected: list[float]
) -> None:
    assert await times(reels, projector, count=count) == pytest.approx(expected)


async def test_no_more_frames_are_brought_than_one_call_may(
    reels: VideoFramesTool, projector: Projector
) -> None:
    assert len(await times(reels, projector, count=99)) == AT_ONCE


@pytest.mark.parametrize(
    "time",
    [
        *("0:12.4", "00:12.4", "0:00:12.4", " 0:12.4 ", "0:12.40", "0:12.4s"),
        *("12.4", "12.4s", "12.4 s", 12.4, "1.24e1"),
        *("V1 0:12.4", "[Frame at 0:12.4 of V1]"),
    ],
)
async def test_a_time_may_be_written_as_models_do(
    reels: VideoFramesTool, projector: Projector, time: object
) -> None:
    assert await times(reels, projector, **{"from": time, "to": time}) == pytest.approx([12.4])


async def test_times_may_stand_the_wrong_way_round(
    reels: VideoFramesTool, projector: Projector
) -> None:
    assert await times(reels, projector, **{"from": 10, "to": 5}) == [5.0, 10.0]


async def test_times_over_an_hour_are_read(reels: VideoFramesTool, projector: Projector) -> None:
    wanted = call(video="V2", to="1:01:00.0", count=1, **{"from": "1:00:00"})
    await reels.bring(wanted)
    assert projector.wanted == [(2, [3630.0])]


async def test_the_end_that_is_told_may_be_a_little_late(
    reels: VideoFramesTool, projector: Projector
) -> None:
    assert await times(reels, projector, to="0:20.4") == [5.0, 20.4]


@pytest.mark.parametrize(
    "time",
    [
        *("0:20.6", 21, "-1", -0.1, "99:99:99", "1e9", "nan", "inf", "-inf"),
        *("", "soon", "0:3", None, True, [1.0], {"at": 1}, "12 seconds"),
    ],
)
@pytest.mark.parametrize("name", ["from", "to"])
async def test_a_time_that_there_is_not_is_refused(
    reels: VideoFramesTool, projector: Projector, name: str, time: object
) -> None:
    told = await refused(reels, call(**{name: time}))
    assert told == "Times are written as 0:12.4, from 0:00.0 to 0:20.0."
    assert (projector.wanted, reels.requested_frames) == ([], ())


@pytest.mark.parametrize("name", ["from", "to"])
async def test_a_time_that_is_missing_is_refused(reels: VideoFramesTool, name: str) -> None:
    arguments = call()
    del arguments[name]
    assert "Times are written as" in await refused(reels, arguments)


@pytest.mark.parametrize("video", ["V1", "v1", " V1 ", "1", 1, 1.0, "V1 crash.mp4", "V01"])
async def test_a_video_may_be_named_as_models_do(
    reels: VideoFramesTool, projector: Projector, video: object
) -> None:
    await reels.bring(call(video=video))
    assert projector.wanted[0][0] == 1


@pytest.mark.parametrize(
    "video", ["V3", "0", "P1", "", None, "crash.mp4", -1, [], "V1234567", "V1x"]
)
async def test_a_video_that_there_is_not_is_refused(reels: VideoFramesTool, video: object) -> None:
    assert await refused(reels, call(video=video)) == "There is no such video; there are V1, V2."
    assert (await refused(reels, {})).startswith("There is no such video")


async def test_a_video_that_is_gone_is_told(reels: VideoFramesTool, projector: Projector) -> None:
    projector.problem = FileProblem(Reason.GONE)
    assert await refused(reels, call()) == (
        "V1 cannot be looked at now: its file is gone or unreadable."
    )


async def test_where_the_file_holds_no_frame_that_is_told(
    reels: VideoFramesTool, projector: Projector
) -> None:
    projector.empty = True
    assert "could be decoded there" in await refused(reels, call())
    assert reels.requested_frames == ()


async def test_what_was_brought_is_remembered_once_in_order(reels: VideoFramesTool) -> None:
    for start in ("0:08.0", "0:04.0", "0:08.0"):
        await reels.bring(call(to=start, count=1, **{"from": start}))
    assert [seconds_of(number) for number in reels.requested_frames] == [8.0, 4.0]
    assert [label(number) for number in reels.shown_frames] == [
        *("V1 0:02.0", "V1 0:04.0", "V1 0:08.0", "V1 0:12.4", "V2 0:05.0"),
    ]


@pytest.mark.parametrize(
    ("words", "frame"),
    [
        ("V1 0:12.4", "V1 0:12.4"),
        ("v1 0:12.4", "V1 0:12.4"),
        ("V1 at 0:12.4", "V1 0:12.4"),
        ("V1, 0:12.36", "V1 0:12.4"),
        ("Frame V1 0:02.0", "V1 0:02.0"),
        ("[Frame at 0:05.0 of V2]", "V2 0:05.0"),
        ("V1 (0:02)", "V1 0:02.0"),
    ],
)
def test_a_frame_that_was_seen_is_found_by_its_name(
    reels: VideoFramesTool, words: str, frame: str
) -> None:
    assert label(reels.find(words)) == frame


@pytest.mark.parametrize("words", ["P1", "1", "", "None", "V1", "0:12.4", "V1 crash.mp4"])
def test_other_words_name_no_frame(reels: VideoFramesTool, words: str) -> None:
    assert reels.find(words) == 0


@pytest.mark.parametrize("words", ["V1 0:12.2", "V2 0:12.4", "V3 0:12.4", "V1 1:00:12.4"])
def test_a_frame_that_was_not_seen_yet_has_to_be_asked_for(
    reels: VideoFramesTool, words: str
) -> None:
    with pytest.raises(UnknownFrame, match="ask for it with frames first"):
        reels.find(words)


async def test_a_frame_that_was_brought_is_seen(reels: VideoFramesTool) -> None:
    await reels.bring(call(count=1, to="0:05.0"))
    assert label(reels.find("V1 0:05.0")) == "V1 0:05.0"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(["video", "from", "to", "count"]), json_values))
async def test_whatever_a_model_writes_it_is_answered(arguments: dict[str, Any]) -> None:
    projector = Projector()
    reels = VideoFramesTool({1: 20.0}, projector, ())
    try:
        await reels.bring({"video": "V1"} | arguments)
    except UnknownFrame as told:
        assert str(told)  # noqa: PT017 (either is right)
        return
    ((_, wanted),) = projector.wanted
    assert 1 <= len(wanted) <= AT_ONCE
    assert all(0 <= at <= 20.5 for at in wanted)


def test_the_schema_is_strict() -> None:
    schema = FRAMES.parameters
    assert schema["required"] == list(schema["properties"]) == ["video", "from", "to", "count"]
    assert schema["additionalProperties"] is False
