"""Which earlier photos and videos a question is about."""

from __future__ import annotations

from typing import Any

import pytest

from bot.attachments.references import named_numbers, photos_about, videos_about
from bot.domain.files import ChosenFrame, Photo, PhotoFacts, Video, VideoFacts
from bot.domain.frame_ids import frame_number
from bot.domain.history import ThreadHistory, Turn
from bot.domain.turn_record import TurnRecord, turn_of


def photo(number: int, message: str = "") -> Photo:
    facts = PhotoFacts("JPEG", 4, 3, 9)
    return Photo(number, f"{number:064x}", f"{number}.jpg", facts, "Anna", 1.0, message)


def video(number: int, message: str = "") -> Video:
    facts = VideoFacts("MP4 video", "h264", 64, 48, 9, 10.0, 25.0)
    return Video(number, f"{number:064x}", f"{number}.mp4", facts, "Anna", 1.0, message)


def turn(number: int, photos: tuple[int, ...] = (), **more: Any) -> Turn:
    return turn_of(TurnRecord(str(number), 1.0, "Anna", "What?", "That.", photos=photos, **more))


def frame(number: int) -> ChosenFrame:
    return ChosenFrame(frame_number(number, 1.0), "change")


PAST = ThreadHistory(
    turns=(
        turn(1, videos=(1,), messages=("m1",), sent=("b1",)),
        turn(2, (1,), videos=(2, 3), messages=("m2",), sent=("b2",)),
        turn(3, frames=(frame(1),), messages=("m3",), sent=("b3",)),
    ),
    photos=(photo(1, "m2"),),
    videos=(video(1, "m1"), video(2, "m2"), video(3, "m2")),
)


def about(
    words: str = "What?", quoted: str = "", past: ThreadHistory = PAST, **more: bool
) -> list[int]:
    """The videos that a question is about."""
    return [one.number for one in videos_about(past, words, quoted, **more)]


def test_photos_are_named_by_number() -> None:
    assert named_numbers("compare P1 with p12, not P123456 or XP3") == {1, 12}


def test_a_quoted_message_selects_its_photos() -> None:
    past = ThreadHistory(
        turns=(turn(1, (1,), sent=("b1",)), turn(2, (2,), messages=("m2",))),
        photos=(photo(1, "m1"), photo(2, "m2"), photo(3, "m3")),
    )
    chosen = {
        quoted: [p.number for p in photos_about(past, "", quoted)]
        for quoted in ("m1", "b1", "m2", "m3", "unknown", "")
    }
    assert chosen == {"m1": [1], "b1": [1], "m2": [2], "m3": [3], "unknown": [], "": []}
    assert [p.number for p in photos_about(past, "and P3?", "m1")] == [1, 3]


@pytest.mark.parametrize(
    ("words", "videos"),
    [
        ("And in V1?", [1]),
        ("Compare v1 with V3.", [1, 3]),
        ("V1 0:12.4", [1]),
        ("V1 and P1", [1]),
        ("What is on P1?", []),
    ],
)
def test_a_question_names_videos(words: str, videos: list[int]) -> None:
    assert about(words) == videos


def test_else_it_is_about_those_that_were_posted_last() -> None:
    assert about() == [2, 3]


@pytest.mark.parametrize("words", ["Is that a V8?", "A P51, or a V12345678?", "V4 or P2?"])
def test_what_is_called_like_a_file_that_there_is_not_names_none(words: str) -> None:
    assert about(words) == [2, 3]


def test_photos_posted_after_a_video_end_its_turn() -> None:
    later = ThreadHistory(
        (*PAST.turns, turn(4, (2,))), (*PAST.photos, photo(2)), videos=PAST.videos
    )
    assert about(past=later) == []
    assert about("And V2?", past=later) == [2]


def test_files_posted_with_a_question_are_what_it_is_about() -> None:
    assert about(fresh=True) == []
    assert about("Compare it with V1", fresh=True) == [1]


@pytest.mark.parametrize(
    ("quoted", "videos"),
    [("m1", [1]), ("b1", [1]), ("m2", [2, 3]), ("b2", [2, 3]), ("b3", [1]), ("m3", [1])],
)
def test_a_quoted_message_selects_its_videos(quoted: str, videos: list[int]) -> None:
    assert about(quoted=quoted) == videos


def test_a_quotation_of_something_else_selects_none() -> None:
    assert about(quoted="unknown") == []
    assert about("And V1?", quoted="b2") == [1, 2, 3]


def test_a_video_that_is_kept_no_longer_is_none() -> None:
    assert about(past=ThreadHistory(PAST.turns, videos=(video(3),))) == [3]
    assert about(past=ThreadHistory()) == []
