"""Which frames an answer cites by their times."""

from __future__ import annotations

import pytest

from bot.domain.frame_ids import frame_number
from bot.grounding.time_citations import cited_frames


def frames(video: int, *times: float) -> list[int]:
    return [frame_number(video, at) for at in times]


ONE = frames(1, 0.0, 5.04, 12.36, 13.0, 75.5, 3723.0)


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        ("Nothing happens.", []),
        ("At 0:12.4 a car comes.", [12.36]),
        ("It comes at **0:12.4**, (0:05.0) and [1:15.5].", [5.04, 12.36, 75.5]),
        ("Between 0:05.0 and 0:13.0", [5.04, 13.0]),
        ("0:05.0–0:13.0", [5.04, 13.0]),
        ("First 0:13.0, then 0:00.0", [0.0, 13.0]),
        ("0:12.4, again 0:12.4", [12.36]),
        ("at 1:02:03.0", [3723.0]),
        ("at 0:13", [13.0]),
        ("at 0:12", [12.36]),
        ("at 0:12.6", []),
        ("at 0:07", []),
        ("At 12:34 o'clock on 2026-11-23T00:05:00", []),
        ("| time | what |\n|---|---|\n| 0:05.0 | a car |", [5.04]),
    ],
)
def test_times_stand_for_frames_that_were_shown(answer: str, times: list[float]) -> None:
    assert sorted(cited_frames(answer, ONE)) == frames(1, *times)


@pytest.mark.parametrize(
    "answer",
    ["`0:12.4`", "```\n0:12.4\n```", "```\nlog 0:12.4", "Use `ffmpeg -ss 0:12.4 -i a.mp4` for it."],
)
def test_times_in_code_are_not_cited(answer: str) -> None:
    assert cited_frames(answer, ONE) == ()


def test_without_frames_nothing_is_cited() -> None:
    assert cited_frames("At 0:12.4", ()) == ()


BOTH = [*frames(1, 1.0, 12.4), *frames(2, 2.0, 12.4)]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("V1 0:12.4 and V2 0:12.4", [(1, 12.4), (2, 12.4)]),
        ("In V2 a car comes at 0:12.4, and goes at 0:02.0.", [(2, 2.0), (2, 12.4)]),
        ("V1 shows it at 0:12.4. V2 does not.", [(1, 12.4)]),
        ("In V1 at 0:02.0", []),
        ("It comes at 0:02.0.", [(2, 2.0)]),
        ("It comes at 0:12.4.", [(1, 12.4)]),
        ("V2 shows a car with a V8 engine at 0:12.4.", [(2, 12.4)]),
        ("`V1` and V2: 0:12.4", [(2, 12.4)]),
        ("V2 `V1` 0:12.4", [(2, 12.4)]),
    ],
)
def test_of_several_videos_the_one_named_last_is_meant(
    answer: str, found: list[tuple[int, float]]
) -> None:
    assert sorted(cited_frames(answer, BOTH)) == [frame_number(*each) for each in found]
