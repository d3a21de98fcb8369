"""The video parts of a request: what introduces a video, what stands for one that does not go."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.budget import Budget
from bot.domain.files import ChosenFrame, Photo, PhotoFacts, Phrase, Video, VideoFacts
from bot.domain.frame_ids import frame_number, label
from bot.domain.history import ThreadHistory, Turn
from bot.domain.sightings import Sighting, TextLine
from bot.domain.token_costs import picture_tokens, text_tokens
from bot.domain.turn_record import TurnRecord, turn_of
from bot.ports.model import ChatMessage, Picture, TextPart, VideoIntroduction
from bot.prompt.messages import RULES, VIDEO_RULES, AskedQuestion, build
from bot.prompt.video_part import VideoPart
from bot.prompt.vision_context import HEARD_RULES, VisionContext, sighting_text, transcript_text
from bot.prompt.vision_context import RULES as EVIDENCE_RULES

BUDGET = Budget(pictures=10, tokens=60_000, family="gpt-5.1")
FACTS = VideoFacts("MP4 video", "h264", 640, 480, 9, 20.0, 25.0)
PLACE = ((0.1, 0.6), (0.3, 0.6), (0.3, 0.65), (0.1, 0.65))
KIOSK = Sighting((TextLine("KIOSK", PLACE, 0.9),))
HELLO = transcript_text(1, (Phrase("Hello", 1.0, 1.5),), 1_000)


def video(number: int) -> Video:
    return Video(number, f"{number:064x}", f"{number}.mp4", FACTS, "Anna", 1.0)


def photo(number: int) -> Photo:
    return Photo(number, "ab", f"{number}.jpg", PhotoFacts("JPEG", 4, 3, 9), "Anna", 1.0)


def picture(number: int) -> Picture:
    name = f"P{number} {number}.jpg"
    return Picture(name, f"{number:064x}", b"jpeg", 1024, 1024, (number,))


def frame(video: int, at: float) -> Picture:
    number = frame_number(video, at)
    return Picture(label(number), "", b"jpeg", 640, 480, (number,))


def overview(video: int, *times: float) -> Picture:
    numbers = tuple(frame_number(video, at) for at in times)
    return Picture(f"V{video} overview", "", b"jpeg", 2048, 1536, numbers)


def film(number: int, *times: float, **more: Any) -> VideoPart:
    told = video(number)
    clip = VideoIntroduction(f"[{told.label}: a video.]", told.label, told.sha256, FACTS)
    return VideoPart(clip, frames=tuple(frame(number, at) for at in times), **more)


def turn(number: int, photos: tuple[int, ...] = (), **more: Any) -> Turn:
    return turn_of(TurnRecord(str(number), 1.0, "Anna", f"question {number}", f"answer {number}",
                photos=photos, **more))  # fmt: skip


def chosen(*frames: tuple[int, float]) -> tuple[ChosenFrame, ...]:
    return tuple(ChosenFrame(frame_number(*each), "change") for each in frames)


def told(said: ChatMessage) -> list[str]:
    """The words of a message, and its pictures by name."""
    return [part.text if isinstance(part, TextPart) else f"<{part.name}>" for part in said.parts]


def test_a_video_is_introduced_then_heard_then_seen() -> None:
    shown = film(1, 2.0, 7.5, transcript=HELLO, overview=overview(1, 1.0, 2.0, 7.5))
    said = build("s", ThreadHistory(), AskedQuestion("What?"), (), {}, BUDGET, videos=[shown])
    assert told(said[-1]) == [
        "[V1 1.mp4: a video.]",
        HELLO,
        *("[V1 overview (contact sheet)]", "<V1 overview>"),
        *("[Frame at 0:02.0 of V1]", "<V1 0:02.0>"),
        *("[Frame at 0:07.5 of V1]", "<V1 0:07.5>"),
        "What?",
    ]
    assert isinstance(said[-1].parts[0], VideoIntroduction)


def test_photos_stand_before_videos() -> None:
    films = [film(1, 2.0), film(2, 3.0)]
    said = build(
        "s", ThreadHistory(), AskedQuestion("What?"), (picture(1),), {}, BUDGET, videos=films
    )
    assert [line for line in told(said[-1]) if line.startswith("<")] == [
        *("<P1 1.jpg>", "<V1 0:02.0>", "<V2 0:03.0>"),
    ]


def test_what_was_seen_stands_below_its_frame_and_not_below_the_overview() -> None:
    evidence = VisionContext({frame_number(1, 2.0): KIOSK}, 1_000, 250)
    shown = film(1, 2.0, overview=overview(1, 1.0, 2.0))
    said = build("s", ThreadHistory(), AskedQuestion("What?"), (), {}, BUDGET, evidence, [shown])
    assert told(said[-1])[-3:] == [
        "<V1 0:02.0>",
        sighting_text(frame_number(1, 2.0), KIOSK, 1_000),
        "What?",
    ]
    assert sum("KIOSK" in line for line in told(said[-1])) == 1


@pytest.mark.parametrize(
    ("past", "films", "evidence", "rules"),
    [
        (ThreadHistory(), [], None, [RULES]),
        (ThreadHistory(), [film(1, 2.0)], None, [RULES, VIDEO_RULES]),
        (ThreadHistory(videos=(video(1),)), [], None, [RULES, VIDEO_RULES]),
        (ThreadHistory(), [film(1, 2.0)], VisionContext(), [RULES, VIDEO_RULES, EVIDENCE_RULES]),
        (
            ThreadHistory(),
            [film(2, 2.0), film(1, 2.0, transcript=HELLO)],
            VisionContext(),
            [RULES, VIDEO_RULES, EVIDENCE_RULES, HEARD_RULES],
        ),
        (ThreadHistory(), [film(1, transcript=HELLO)], None, [RULES, VIDEO_RULES, HEARD_RULES]),
    ],
)
def test_there_are_rules_for_what_there_is(
    past: ThreadHistory, films: list[VideoPart], evidence: VisionContext | None, rules: list[str]
) -> None:
    said = build("Be brief.", past, AskedQuestion("What?"), (), {}, BUDGET, evidence, films)
    assert told(said[0]) == ["Be brief.\n\n" + " ".join(rules)]


def test_of_an_earlier_video_its_name_stands_with_its_turn() -> None:
    past = ThreadHistory(
        (turn(1, (1,), videos=(1,), frames=chosen((1, 2.0), (1, 3.0))), turn(2)),
        (photo(1),),
        videos=(video(1),),
    )
    said = build("s", past, AskedQuestion("now"), (), {}, BUDGET)
    assert told(said[1]) == ["[Shown then, not now: P1 1.jpg, V1 1.mp4]\nquestion 1"]
    assert told(said[3]) == ["question 2"]


def test_a_later_turn_that_showed_frames_of_a_video_names_it() -> None:
    past = ThreadHistory((turn(1), turn(2, frames=chosen((1, 2.0)))), videos=(video(1),))
    said = build("s", past, AskedQuestion("now"), (), {}, BUDGET)
    assert told(said[3]) == ["[Shown then, not now: V1 1.mp4]\nquestion 2"]


def test_a_video_that_goes_again_is_not_absent() -> None:
    past = ThreadHistory((turn(1, videos=(1, 2)),), videos=(video(1), video(2)))
    said = build("s", past, AskedQuestion("now"), (), {}, BUDGET, videos=[film(1, 2.0)])
    assert told(said[1]) == ["[Shown then, not now: V2 2.mp4]\nquestion 1"]


def test_what_was_seen_in_earlier_frames_is_told_in_short_once() -> None:
    number = frame_number(1, 2.0)
    turns = tuple(turn(n, videos=(1,), frames=chosen((1, 2.0))) for n in (1, 2))
    evidence = VisionContext({number: KIOSK}, 1_000, 250)
    said = build(
        "s",
        ThreadHistory(turns, videos=(video(1),)),
        AskedQuestion("now"),
        (),
        {},
        BUDGET,
        evidence,
    )
    brief = sighting_text(number, KIOSK, 250, brief=True)
    assert told(said[1]) == ["[Shown then, not now: V1 1.mp4]\nquestion 1"]
    assert told(said[3]) == [f"[Shown then, not now: V1 1.mp4]\n{brief}\nquestion 2"]


def test_a_video_that_is_kept_no_longer_is_not_named() -> None:
    past = ThreadHistory((turn(1, videos=(1,), frames=chosen((1, 2.0))),))
    said = build("s", past, AskedQuestion("now"), (), {}, BUDGET, VisionContext())
    assert told(said[1]) == ["question 1"]


def test_frames_take_the_places_of_recent_photos() -> None:
    past = ThreadHistory((turn(1, (1, 2)),), (photo(1), photo(2)))
    recent = {1: picture(1), 2: picture(2)}
    films = [film(1, 1.0, 2.0, overview=overview(1, 1.0, 2.0))]
    said = build("s", past, AskedQuestion("now"), (), recent, Budget(4, 60_000), videos=films)
    assert told(said[1]) == [
        *("[P2 2.jpg]", "<P2 2.jpg>", "[Shown then, not now: P1 1.jpg]\nquestion 1"),
    ]


def test_frames_and_words_take_the_room_of_earlier_turns() -> None:
    past = ThreadHistory(tuple(turn(number) for number in range(1, 400)))
    long = transcript_text(
        1, tuple(Phrase("word " * 40, float(n), n + 1.0) for n in range(40)), 2_000
    )
    films = [film(1, *map(float, range(4)), transcript=long)]
    budget = Budget(10, 9_000, "gpt-5.1")
    alone = build("s", past, AskedQuestion("now"), (), {}, budget)
    beside = build("s", past, AskedQuestion("now"), (), {}, budget, videos=films)
    assert len(beside) < len(alone)
    assert _estimate(beside) <= budget.tokens


def _estimate(said: tuple[ChatMessage, ...]) -> int:
    parts = [part for message in said for part in message.parts]
    words = sum(text_tokens(part.text) for part in parts if isinstance(part, TextPart))
    pictures = [part for part in parts if isinstance(part, Picture)]
    return words + sum(picture_tokens("gpt-5.1", each.width, each.height) for each in pictures)
