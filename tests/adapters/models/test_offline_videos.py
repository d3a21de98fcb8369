"""Answers about videos without a model: the file, the changes, the words, and what is seen when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.models.offline import OfflineAnalyst
from adapters.models.offline_videos import MOST_PHRASES
from bot import strings as texts
from bot.domain.files import PhotoFacts, Phrase, VideoFacts
from bot.domain.frame_ids import frame_number
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.ports.model import (
    ChatMessage,
    Delta,
    Finished,
    Part,
    Picture,
    Request,
    TextPart,
    VideoIntroduction,
)

CORNER = ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1))
FACTS = VideoFacts(
    format="MP4 video",
    codec="hevc",
    width=1920,
    height=1080,
    size=3_145_728,
    seconds=12.04,
    rate=29.97,
    sound=True,
    hdr=True,
    taken="2026-05-01T09:30:12+02:00",
    latitude=50.87897,
    longitude=-4.7011,
    camera="Dash 2",
)
FILE = (
    "- File: MP4 video, HEVC, high dynamic range, 0:12.0 long, 1920 × 1080 pixels, "
    "30 frames a second, 3 MB, with sound"
)
BARE = VideoFacts("WebM video", "vp9", 64, 48, 2048, 3.0, 0.0)
CAR, PLATE = DetectedObject("car", CORNER, 0.8), TextLine("KRW 301", CORNER, 0.914)
STREET = Sighting((PLATE,), (CAR, CAR, DetectedObject("person", CORNER, 0.7)), engine="fake")
NOTHING = Sighting(engine="fake")


def clip(
    *times: float, facts: VideoFacts = FACTS, number: int = 1, **more: Any
) -> VideoIntroduction:
    frames = tuple(frame_number(number, at) for at in times)
    return VideoIntroduction(f"[V{number}]", f"V{number} crash.mp4", "", facts, frames, **more)


def frame(at: float, sighting: Sighting | None = NOTHING, number: int = 1) -> Picture:
    name = f"V{number} {at}"
    return Picture(name, "", b"", 8, 8, (frame_number(number, at),), (), sighting)


def overview(*times: float) -> Picture:
    return Picture("V1 overview", "", b"", 8, 8, tuple(frame_number(1, at) for at in times))


async def pieces_of(question: str, *parts: Part, vision: bool = True) -> list[Delta | Finished]:
    said = ChatMessage("user", (*parts, TextPart(question)))
    request = Request(
        "offline", (ChatMessage("system", (TextPart("You are a pirate."),)), said), vision=vision
    )
    return [piece async for piece in OfflineAnalyst().answer(request)]  # type: ignore[misc]


async def answer(question: str, *parts: Part, vision: bool = True) -> str:
    pieces = await pieces_of(question, *parts, vision=vision)
    text = "".join(piece.text for piece in pieces if isinstance(piece, Delta))
    assert text.endswith("\n\n" + texts.OFFLINE_HINT)
    return text.removesuffix("\n\n" + texts.OFFLINE_HINT)


async def test_a_description_tells_all_that_is_known() -> None:
    told = clip(2.0, 7.5, changes=(2.0, 6.1), phrases=(Phrase("Watch out!", 1.84, 2.5),))
    parts = (told, overview(2.0, 4.0, 7.5), frame(2.0, STREET), frame(7.5))
    assert await answer(texts.DESCRIBE_VIDEO, *parts) == (
        "**V1** `crash.mp4`\n"
        "\n"
        f"{FILE}\n"
        "- Taken: 2026-05-01 09:30:12+02:00\n"
        "- Place: 50.87897° N, 4.70110° W (position in the file)\n"
        "- Camera: `Dash 2`\n"
        "- Biggest changes: 0:02.0, 0:06.1\n"
        "- Spoken at 0:01.8: `Watch out!`\n"
        "- At 0:02.0: 2 cars, left; a person, left; "
        "Text: `KRW 301` (on the car, 91 % confidence, please check)\n"
        "- At 0:07.5: nothing that I can name"
    )


async def test_a_description_tells_what_is_not_known() -> None:
    assert await answer(texts.DESCRIBE_VIDEO, clip(facts=BARE)) == (
        "**V1** `crash.mp4`\n"
        "\n"
        "- File: WebM video, VP9, 0:03.0 long, 64 × 48 pixels, 2 KB, without sound\n"
        "- Taken: not recorded in the file\n"
        "- Place: not recorded in the file\n"
        "- Camera: not recorded in the file\n"
        "- Biggest changes: none found\n"
        f"{texts.OFFLINE_NO_FRAMES}"
    )


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("When was this?", "- Taken: 2026-05-01 09:30:12+02:00"),
        ("Where was it?", "- Place: 50.87897° N, 4.70110° W (position in the file)"),
        ("Which camera is it?", "- Camera: `Dash 2`"),
        *((question, FILE) for question in ("How long is this video?", "Which codec?", "fps?")),
    ],
)
async def test_a_question_for_one_fact_gets_it_with_what_is_seen(question: str, fact: str) -> None:
    assert (await answer(question, clip(2.0), frame(2.0))).split("\n")[2:] == [
        fact,
        "- Biggest changes: none found",
        "- At 0:02.0: nothing that I can name",
    ]


async def test_only_the_things_that_are_asked_for_are_told_and_pointed_at() -> None:
    seen = replace(STREET, lines=())
    told = await answer("A person?", clip(2.0), frame(2.0, seen))
    assert told.endswith("- At 0:02.0: a person, left")
    pieces = await pieces_of("A person?", clip(2.0), frame(2.0, seen), frame(3.0))
    finished = pieces[-1]
    assert isinstance(finished, Finished)
    assert [(span.text, span.photo) for span in finished.grounding] == [
        ("a person", frame_number(1, 2.0))
    ]


async def test_what_is_pointed_at_stands_where_it_is_told() -> None:
    pieces = await pieces_of("Any plates?", clip(2.0, 7.5), frame(2.0, STREET), frame(7.5, STREET))
    *words, finished = pieces
    text = "".join(piece.text for piece in words if isinstance(piece, Delta))
    assert isinstance(finished, Finished)
    spans = finished.grounding
    assert [text[span.offset : span.offset + span.length] for span in spans] == ["`KRW 301`"] * 2
    assert [span.photo for span in spans] == [frame_number(1, 2.0), frame_number(1, 7.5)]
    assert spans[0].offset < spans[1].offset


async def test_a_frame_that_was_not_looked_at_is_not_said_to_be_empty() -> None:
    told = await answer("Who?", clip(2.0), frame(2.0, None))
    assert told.endswith("- At 0:02.0: I could not look at this frame this time")


async def test_with_vision_off_the_times_of_the_frames_are_told() -> None:
    told = await answer("Who?", clip(2.0, 7.5), frame(2.0), frame(7.5), vision=False)
    assert told.endswith(f"- Frames: 0:02.0, 0:07.5\n{texts.OFFLINE_VISION_OFF}")


async def test_a_question_beyond_the_facts_is_not_answered_but_they_are_told() -> None:
    told = await answer("Is she happy?", clip(2.0), frame(2.0))
    assert told.startswith(texts.OFFLINE_BEYOND + "\n\n**V1** `crash.mp4`\n\n- File: MP4 video")


async def test_each_video_is_told_with_its_own_frames_after_the_photos() -> None:
    photo = Picture("P1 a.jpg", "", b"", 8, 8, (1,), (PhotoFacts("PNG", 9, 9, 9),), NOTHING)
    videos = (clip(2.0), frame(2.0), clip(3.0, number=2), frame(3.0, number=2))
    told = await answer("What do you see?", photo, *videos)
    marks = ("**P1**", "**V1**", "At 0:02.0", "**V2**", "At 0:03.0")
    places = [told.index(mark) for mark in marks]
    assert places == sorted(places)
    assert told.count("- At") == 2


async def test_a_long_talk_is_bounded() -> None:
    phrases = tuple(Phrase(f"word {n}", float(n), n + 0.5) for n in range(MOST_PHRASES + 9))
    told = await answer("What is said?", clip(phrases=phrases))
    assert told.count("- Spoken at") == MOST_PHRASES


async def test_words_in_videos_and_files_are_shown_as_they_are() -> None:
    hostile = Phrase("`**bold**` [a](http://b.example)\n# not a heading", 1.0, 2.0)
    told = await answer("What is said?", clip(phrases=(hostile,)))
    assert "- Spoken at 0:01.0: `'**bold**' [a](http://b.example) # not a heading`" in told
