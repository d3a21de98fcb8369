"""Answers without a model: exact on known facts, and nothing beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.models.offline import OfflineAnalyst
from adapters.models.offline_sentences import codes
from bot import strings as texts
from bot.domain.files import PhotoFacts
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.ports.model import ChatMessage, Delta, Finished, Picture, Request, TextPart

if TYPE_CHECKING:
    from bot.ports.model import Part

HARBOUR = PhotoFacts(
    format="JPEG",
    width=4032,
    height=3024,
    size=3_145_728,
    taken="2025-03-14T09:30:12+01:00",
    latitude=50.87897,
    longitude=-4.7011,
    camera="NOKIA Lumia 820",
)
BARE = PhotoFacts(format="PNG", width=157, height=81, size=11_080)
CORNER = ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1))


def line(text: str, confidence: float = 0.99) -> TextLine:
    return TextLine(text, CORNER, confidence)


class Bench:
    """The analyst, and what vision saw before it is asked: lines by picture, and things."""

    def __init__(self) -> None:
        self.lines: dict[bytes, tuple[TextLine, ...] | None] = {}
        self.things: tuple[DetectedObject, ...] = ()
        self.model = OfflineAnalyst()

    def seen(self, said: ChatMessage) -> ChatMessage:
        return replace(said, parts=tuple(map(self._seen, said.parts)))

    def _seen(self, part: Part) -> Part:
        if isinstance(part, TextPart) or len(part.numbers) > 1:
            return part
        lines = self.lines.get(part.jpeg, ())
        known = None if lines is None else Sighting(lines, self.things, engine="fake")
        return replace(part, sighting=known)


@pytest.fixture
def analyst() -> Bench:
    return Bench()


def picture(number: int, facts: PhotoFacts = HARBOUR, name: str = "a.jpg") -> Picture:
    label = f"P{number} {name}"
    return Picture(label, "", label.encode(), 8, 8, (number,), (facts,))


def user(words: str, *pictures: Picture) -> ChatMessage:
    return ChatMessage("user", (*pictures, TextPart(words)))


async def pieces_of(analyst: Bench, *messages: ChatMessage, vision: bool = True) -> list[Any]:
    system = ChatMessage("system", (TextPart("You are a pirate."),))
    seen = map(analyst.seen, messages) if vision else messages
    request = Request("offline", (system, *seen), vision=vision)
    return [piece async for piece in analyst.model.answer(request)]


async def answer(analyst: Bench, *messages: ChatMessage, vision: bool = True) -> str:
    pieces = await pieces_of(analyst, *messages, vision=vision)
    assert isinstance(pieces[-1], Finished)
    assert (pieces[-1].model, pieces[-1].finish) == ("offline", "stop")
    text = "".join(piece.text for piece in pieces if isinstance(piece, Delta))
    assert text.endswith("\n\n" + texts.OFFLINE_HINT)
    return text.removesuffix("\n\n" + texts.OFFLINE_HINT)


async def test_a_description_tells_all_that_is_known(analyst: Bench) -> None:
    analyst.lines[b"P1 a.jpg"] = (line("NOTICE"), line("KRW 301", 0.914))
    assert await answer(analyst, user(texts.DESCRIBE, picture(1))) == (
        "**P1** `a.jpg`\n"
        "\n"
        "- File: JPEG, 4032 × 3024 pixels (12.2 megapixels), 3 MB\n"
        "- Taken: 2025-03-14 09:30:12+01:00\n"
        "- Place: 50.87897° N, 4.70110° W (position in the file)\n"
        "- Camera: `NOKIA Lumia 820`\n"
        "- Seen: nothing that I can name\n"
        "- Text: `NOTICE` · `KRW 301` (91 % confidence, please check)"
    )


async def test_a_description_tells_what_is_not_known(analyst: Bench) -> None:
    assert await answer(analyst, user(texts.DESCRIBE, picture(2, BARE, "p.png"))) == (
        "**P2** `p.png`\n"
        "\n"
        "- File: PNG, 157 × 81 pixels, 11 KB\n"
        "- Taken: not recorded in the file\n"
        "- Place: not recorded in the file\n"
        "- Camera: not recorded in the file\n"
        "- Seen: nothing that I can name\n"
        "- Text: none found"
    )


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("When was this?", "- Taken: 2025-03-14 09:30:12+01:00"),
        ("Where was it taken?", "- Place: 50.87897° N, 4.70110° W (position in the file)"),
        ("Which camera is it?", "- Camera: `NOKIA Lumia 820`"),
        ("How big is this photo?", "- File: JPEG, 4032 × 3024 pixels (12.2 megapixels), 3 MB"),
    ],
)
async def test_a_question_for_one_fact_gets_that_fact_without_reading(
    analyst: Bench, question: str, fact: str
) -> None:
    assert await answer(analyst, user(question, picture(1))) == f"**P1** `a.jpg`\n\n{fact}"


@pytest.mark.parametrize(
    "question", ["What does the sign say?", "Read the licence plate", "Is anything written there?"]
)
async def test_a_question_for_text_gets_the_text_only(analyst: Bench, question: str) -> None:
    analyst.lines[b"P1 a.jpg"] = (line("Passat"),)
    told = await answer(analyst, user(question, picture(1)))
    assert told == "**P1** `a.jpg`\n\n- Text: `Passat`"


async def test_a_question_beyond_the_facts_is_not_answered_but_they_are_told(
    analyst: Bench,
) -> None:
    told = await answer(analyst, user("Is she happy?", picture(1)))
    assert told.startswith(texts.OFFLINE_BEYOND + "\n\n**P1** `a.jpg`\n\n- File: JPEG")
    assert told.endswith("- Text: none found")


async def test_pictures_are_counted(analyst: Bench) -> None:
    told = await answer(analyst, user("How many photos are here?", picture(3), picture(4)))
    assert told == "2 pictures: P3, P4."


async def test_without_a_picture_it_asks_for_one(analyst: Bench) -> None:
    assert await answer(analyst, user("Hello?")) == texts.OFFLINE_NO_PICTURE


async def test_a_follow_up_is_about_the_latest_pictures(analyst: Bench) -> None:
    told = await answer(
        analyst,
        user("When?", picture(1)),
        ChatMessage("assistant", (TextPart("…"),)),
        user("When?", picture(2)),
        ChatMessage("assistant", (TextPart("…"),)),
        user("And where?"),
    )
    assert "**P2**" in told
    assert "**P1**" not in told


async def test_a_picture_named_by_its_number_is_meant(analyst: Bench) -> None:
    messages = (user("When?", picture(1), picture(2)), user("Where was p1?", picture(3)))
    told = await answer(analyst, *messages)
    assert "**P1**" in told
    assert "**P2**" not in told
    assert "**P3**" not in told


async def test_the_frame_around_a_question_is_no_question(analyst: Bench) -> None:
    framed = "[Written by: When Where]\n[Shown then, not now: P9 sign.jpg]\nWhich camera?"
    told = await answer(analyst, user(framed, picture(1)))
    assert told == "**P1** `a.jpg`\n\n- Camera: `NOKIA Lumia 820`"


async def test_a_contact_sheet_tells_each_photo_and_is_not_read(analyst: Bench) -> None:
    sheet = Picture("P9–P10", "", b"", 8, 8, (9, 10), (HARBOUR, BARE))
    told = await answer(analyst, user("When, and what does it say?", sheet))
    assert told == (
        "**P9**\n\n- Taken: 2025-03-14 09:30:12+01:00\n\n"
        f"**P10**\n\n- Taken: not recorded in the file\n{texts.OFFLINE_SHEET}"
    )


async def test_a_picture_that_cannot_be_read_costs_its_text_only(analyst: Bench) -> None:
    analyst.lines[b"P1 a.jpg"] = None
    analyst.lines[b"P2 a.jpg"] = (line("EXIT"),)
    told = await answer(analyst, user("Any text?", picture(1), picture(2)))
    assert texts.OFFLINE_UNREADABLE in told
    assert told.endswith("- Text: `EXIT`")


async def test_a_cut_file_is_named(analyst: Bench) -> None:
    facts = PhotoFacts("JPEG", 10, 10, 99, incomplete=True)
    assert texts.OFFLINE_CUT in await answer(analyst, user("When?", picture(1, facts)))


async def test_words_in_pictures_and_files_are_shown_as_they_are(analyst: Bench) -> None:
    analyst.lines[b"P1 _x_ [a](http://b).jpg"] = (line("`@all` [x](http://evil.example)\n# y"),)
    told = await answer(analyst, user("Read it", picture(1, name="_x_ [a](http://b).jpg")))
    assert told == (
        "**P1** `_x_ [a](http://b).jpg`\n\n- Text: `'@all' [x](http://evil.example) # y`"
    )


async def test_a_long_text_is_bounded(analyst: Bench) -> None:
    analyst.lines[b"P1 a.jpg"] = tuple(line(f"line of {n}") for n in range(100))
    told = await answer(analyst, user("Read it", picture(1)))
    assert told.endswith("· `line of 79` · and 20 more lines")


def test_a_time_without_a_zone_is_the_camera_s() -> None:
    facts = PhotoFacts("JPEG", 1, 1, 1, taken="2025-03-14T09:30:12")
    assert texts.offline_taken(facts) == "- Taken: 2025-03-14 09:30:12 by the camera's clock"


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("KRW 301", True),
        ("B-MW 1234", True),
        ("SN:4711-08-15", True),
        ("NOTICE", False),
        ("Passat", False),
        ("24 h", False),
        ("3rd floor", False),
    ],
)
def test_plates_and_codes_are_told_from_words(text: str, is_code: bool) -> None:
    assert codes([line(text)]) == ({text} if is_code else set())


def thing(label: str, left: float, width: float = 0.1, confidence: float = 0.8) -> DetectedObject:
    corners = ((left, 0.2), (left + width, 0.2), (left + width, 0.6), (left, 0.6))
    return DetectedObject(label, corners, confidence)


STREET = (thing("car", 0.02), thing("car", 0.45), thing("person", 0.8))


async def test_what_is_seen_is_counted_and_placed(analyst: Bench) -> None:
    analyst.things = STREET
    told = await answer(analyst, user("What do you see?", picture(1)))
    assert "\n- Seen: 2 cars, left and centre; a person, right\n- Text: none found" in told


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many cars are there?", "- You asked about “car”: 2 cars, left and centre."),
        ("Are there any people?", "- You asked about “people”: a person, right."),
        (
            "Is there a dog?",
            "- You asked about “dog”: I found none, but I may have missed it.",
        ),
        ("Count the vehicles", "- You asked about “vehicle”: 2 cars, left and centre."),
        ("List the objects", "- Seen: 2 cars, left and centre; a person, right"),
    ],
)
async def test_questions_for_things_are_answered_from_what_was_seen(
    analyst: Bench, question: str, told: str
) -> None:
    analyst.things = STREET
    assert await answer(analyst, user(question, picture(1))) == f"**P1** `a.jpg`\n\n{told}"


async def test_a_thing_that_has_no_common_name_can_be_asked_for_where_it_was_seen(
    analyst: Bench,
) -> None:
    analyst.things = (thing("forklift", 0.5),)
    told = await answer(analyst, user("Things? And how many forklifts?", picture(1)))
    assert told.endswith("- You asked about “forklift”: a forklift, centre.")


async def test_many_things_are_only_counted(analyst: Bench) -> None:
    analyst.things = tuple(thing("bus", place / 10) for place in range(5))
    told = await answer(analyst, user("How many buses?", picture(1)))
    assert told.endswith("- You asked about “bus”: 5 buses.")


async def test_a_plate_is_told_with_what_it_stands_on(analyst: Bench) -> None:
    analyst.things = (thing("car", 0.0, 0.9), thing("car", 0.4), thing("chair", 0.4))
    on_car = TextLine("AB 12 CDE", ((0.42, 0.3), (0.48, 0.3), (0.48, 0.4), (0.42, 0.4)), 0.94)
    analyst.lines[b"P1 a.jpg"] = (on_car,)
    told = await answer(analyst, user("Read the plate", picture(1)))
    assert told.endswith("- Text: `AB 12 CDE` (on the car, 94 % confidence, please check)")


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("1M8GDM9AXKP042788", "VIN, its check digit is right"),
        ("1M8GDM9A1KP042788", "VIN, its check digit is wrong"),
    ],
)
async def test_a_vin_is_told_with_its_check(analyst: Bench, number: str, verdict: str) -> None:
    analyst.lines[b"P1 a.jpg"] = (line(number, 0.87),)
    told = await answer(analyst, user("What is the VIN?", picture(1)))
    assert told.endswith(f"- Text: `{number}` ({verdict}, 87 % confidence, please check)")


async def test_words_point_at_what_they_tell_of(analyst: Bench) -> None:
    analyst.things = STREET
    analyst.lines["P2 é🚗.jpg".encode()] = (line("NOTICE"), line("KRW 301"))
    pieces = await pieces_of(analyst, user("What do you see?", picture(2, name="é🚗.jpg")))
    text = "".join(piece.text for piece in pieces[:-1])
    spans = pieces[-1].grounding
    assert [text[span.offset : span.offset + span.length] for span in spans] == [
        "2 cars",
        "2 cars",
        "a person",
        "`NOTICE`",
        "`KRW 301`",
    ]
    assert [span.polygon for span in spans] == [*(seen.polygon for seen in STREET), CORNER, CORNER]
    assert {span.photo for span in spans} == {2}
    assert [span.text for span in spans] == [
        "2 cars",
        "2 cars",
        "a person",
        "`NOTICE`",
        "`KRW 301`",
    ]


async def test_of_many_lines_only_codes_are_pointed_at(analyst: Bench) -> None:
    words = ["".join(("word", letter)) for letter in "abcdefghi"]
    analyst.lines[b"P1 a.jpg"] = (*map(line, words), line("KRW 301"))
    pieces = await pieces_of(analyst, user("What does it say?", picture(1)))
    assert [span.text for span in pieces[-1].grounding] == ["`KRW 301`"]


async def test_with_vision_off_nothing_is_looked_at(analyst: Bench) -> None:
    told = await answer(analyst, user("What do you see?", picture(1)), vision=False)
    assert told.endswith(texts.OFFLINE_VISION_OFF)


async def test_there_is_nothing_that_can_fail(analyst: Bench) -> None:
    assert "offline" in await analyst.model.check()
