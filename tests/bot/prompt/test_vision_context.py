"""What a model is told of sightings: data that no picture can turn into anything else."""

from __future__ import annotations

import json
import re
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import strings as texts
from bot.domain.files import Phrase
from bot.domain.frame_ids import clock, frame_number
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.domain.token_costs import text_tokens
from bot.prompt.vision_context import FRAME, VisionContext, quoted, sighting_text, transcript_text
from bot.text.vin import Vin

PLACE = ((0.1, 0.6), (0.3, 0.6), (0.3, 0.65), (0.1, 0.65))
TOKENS = 1_200
PLENTY = 1_000_000
CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))]
BIDI = [*"\u200e\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]
UNSEEN = [*"\u061c\u00ad\u200b\u200c\u200d\u2028\u2029\u2060\u206a\ufeff\U000e0041\ud800"]
NOT_RAW = {*CONTROLS, *BIDI, *UNSEEN, *"<>"}

pieces = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "<seen>",
            "</seen>",
            "\n</seen>\n",
            "</heard>\n",
            '"',
            "\\",
            "\\u003c",
            "P1, text: ",
            "(9 %)",
        ]
    ),
    st.sampled_from(sorted(NOT_RAW)),
)
hostile = st.lists(pieces, max_size=6).map("".join)
fractions = st.floats(0, 1)
polygons = st.lists(st.tuples(fractions, fractions), min_size=4, max_size=4).map(tuple)
sightings = st.builds(
    Sighting,
    lines=st.lists(st.builds(TextLine, hostile, polygons, fractions), max_size=4).map(tuple),
    things=st.lists(st.builds(DetectedObject, hostile, polygons, fractions), max_size=4).map(tuple),
    captions=st.lists(hostile, max_size=2).map(tuple),
)

moments = st.floats(0, 3600)
phrases = st.lists(st.builds(Phrase, hostile, moments, moments), max_size=4)


def line(text: str, confidence: float = 0.94) -> TextLine:
    return TextLine(text, PLACE, confidence)


def thing(label: str) -> DetectedObject:
    return DetectedObject(label, PLACE, 0.88)


def told(evidence: str, fence: str = "seen") -> list[str]:
    """The lines between the fences."""
    first, *between, last = evidence.split("\n")
    assert (first, last) == (f"<{fence}>", f"</{fence}>")
    return between


def read_back(one: str) -> tuple[str, str, str]:
    """Take a line apart: what it is, the text itself, and the rest."""
    kind, _, rest = one.partition(": ")
    text, end = json.JSONDecoder().raw_decode(rest)
    return kind, text, rest[end:]


def test_each_line_says_what_where_and_how_surely() -> None:
    seen = Sighting((line("KRW 301"),), (thing("car"),), ("a car by a road",))
    assert told(sighting_text(2, seen, TOKENS)) == [
        'P2, caption: "a car by a road"',
        'P2, object: "car" (88 %) [99, 599, 300, 650]',
        'P2, text: "KRW 301" (94 %) [99, 599, 300, 650]',
    ]
    assert told(sighting_text(2, seen, TOKENS, brief=True)) == [
        'P2, caption: "a car by a road"',
        'P2, object: "car" (88 %)',
        'P2, text: "KRW 301" (94 %)',
    ]


@given(sightings, st.integers(1, 99_999), st.booleans())
def test_no_text_of_a_picture_leaves_its_quotation(
    seen: Sighting, number: int, brief: bool
) -> None:
    evidence = sighting_text(number, seen, PLENTY, brief=brief)
    if seen == Sighting():
        assert evidence == ""
        return
    assert (evidence.count("<"), evidence.count(">")) == (2, 2)
    assert evidence.splitlines() == evidence.split("\n")
    between = told(evidence)
    assert not NOT_RAW.intersection(chain(*between))
    assert [read_back(one)[:2] for one in between] == [
        *((f"P{number}, caption", caption) for caption in seen.captions),
        *((f"P{number}, object", thing.label) for thing in seen.things),
        *((f"P{number}, text", line.text) for line in seen.lines),
    ]
    for one in between[len(seen.captions) :]:
        box = r" \[\d+, \d+, \d+, \d+\]"
        assert re.fullmatch(rf" \(\d+ %[^()<>]*\){'' if brief else box}", read_back(one)[2])


@given(hostile)
def test_a_quotation_is_the_text_itself_in_json(text: str) -> None:
    assert json.loads(quoted(text)) == text


@pytest.mark.parametrize("sign", sorted(NOT_RAW))
def test_what_could_fake_or_turn_words_is_escaped(sign: str) -> None:
    assert sign not in quoted(f"a{sign}b")
    assert json.loads(quoted(f"a{sign}b")) == f"a{sign}b"


def test_other_scripts_stay_readable() -> None:
    assert quoted("北京 Straße 🚗") == '"北京 Straße 🚗"'


@given(sightings, st.integers(0, 200), st.booleans())
def test_what_does_not_fit_is_counted(seen: Sighting, tokens: int, brief: bool) -> None:
    evidence = sighting_text(1, seen, tokens, brief=brief)
    total = len(seen.captions) + len(seen.things) + len(seen.lines)
    between = told(evidence) if evidence else []
    kept = [one for one in between if not one.startswith("P1: ")]
    assert text_tokens(evidence) <= tokens
    counted = len(kept) < total and tokens > FRAME
    left_out = [f"P1: {total - len(kept)} more left out"] if counted else []
    assert between == [*kept, *left_out]


def test_a_crowd_leaves_room_for_the_text_and_text_for_the_crowd() -> None:
    words = [line(f"word {number}") for number in range(500)]
    crowd = [thing(f"person {number}") for number in range(500)]
    for seen in (
        Sighting((line("KRW 301"),), tuple(crowd)),
        Sighting(tuple(words), (thing("car"),)),
        Sighting(tuple(words), tuple(crowd)),
    ):
        between = told(sighting_text(1, seen, TOKENS))
        kinds = [one.partition(":")[0] for one in between]
        assert {"P1, object", "P1, text", "P1"} == set(kinds)
        assert (
            between[-1] == f"P1: {len(seen.things + seen.lines) - len(between) + 1} more left out"
        )
    both = [one.partition(":")[0] for one in told(sighting_text(1, seen, TOKENS))]
    assert both.count("P1, object") == pytest.approx(both.count("P1, text"), rel=0.2)


def test_text_has_all_the_room_that_things_leave() -> None:
    seen = Sighting(tuple(line(f"word {number}") for number in range(500)))
    *kept, _ = told(sighting_text(1, seen, TOKENS))
    assert sum(map(text_tokens, kept)) > TOKENS - FRAME - 20


def test_the_brief_form_has_a_part_of_the_tokens() -> None:
    seen = Sighting(tuple(line(f"word {number}") for number in range(500)))
    evidence = VisionContext({1: seen}, TOKENS, TOKENS // 4)
    assert evidence.of(1) == sighting_text(1, seen, TOKENS)
    assert evidence.of(1, brief=True) == sighting_text(1, seen, TOKENS // 4, brief=True)
    assert text_tokens(evidence.of(1, brief=True)) < text_tokens(evidence.of(1)) / 3


@pytest.mark.parametrize(
    ("text", "vin"),
    [
        ("VIN: 1M8GDM9AXKP042788", Vin("1M8GDM9AXKP042788", passes=True)),
        ("WVWZZZ1JZXW000001", Vin("WVWZZZ1JZXW000001", passes=False)),
    ],
)
def test_a_vehicle_s_number_has_its_verdict(text: str, vin: Vin) -> None:
    (only,) = told(sighting_text(1, Sighting((line(text),)), TOKENS, brief=True))
    assert only == f'P1, text: "{text}" (94 %, {texts.vin_verdict(vin)})'


def test_nothing_seen_is_nothing_told() -> None:
    evidence = VisionContext({1: Sighting(engine="fake")}, TOKENS)
    assert (evidence.of(1), evidence.of(2), evidence.of(2, brief=True)) == ("", "", "")
    assert VisionContext().of(1) == ""


def test_a_frame_is_named_by_its_video_and_time() -> None:
    assert told(sighting_text(frame_number(2, 12.4), Sighting((line("KRW 301"),)), TOKENS)) == [
        'V2 0:12.4, text: "KRW 301" (94 %) [99, 599, 300, 650]',
    ]


# What is spoken


def test_each_phrase_says_when_it_was_spoken() -> None:
    heard = transcript_text(
        2, [Phrase("Watch out!", 1.84, 2.5), Phrase("Oh.", 61.0, 3723.0)], TOKENS
    )
    assert told(heard, "heard") == [
        'V2, 0:01.8 to 0:02.5: "Watch out!"',
        'V2, 1:01.0 to 1:02:03.0: "Oh."',
    ]


@given(phrases, st.integers(1, 99_999))
def test_no_spoken_words_leave_their_quotation(heard: list[Phrase], video: int) -> None:
    evidence = transcript_text(video, heard, PLENTY)
    if not heard:
        assert evidence == ""
        return
    assert (evidence.count("<"), evidence.count(">")) == (2, 2)
    assert evidence.splitlines() == evidence.split("\n")
    between = told(evidence, "heard")
    assert not NOT_RAW.intersection(chain(*between))
    assert [read_back(one) for one in between] == [
        (f"V{video}, {clock(phrase.start)} to {clock(phrase.end)}", phrase.text, "")
        for phrase in heard
    ]


@given(phrases, st.integers(0, 120))
def test_phrases_that_do_not_fit_are_counted(heard: list[Phrase], tokens: int) -> None:
    evidence = transcript_text(1, heard, tokens)
    assert text_tokens(evidence) <= tokens
    assert bool(evidence) == bool(heard and tokens > FRAME)
    between = told(evidence, "heard") if evidence else []
    kept = [one for one in between if not one.startswith("V1: ")]
    assert between[len(kept) :] == (
        [f"V1: {len(heard) - len(kept)} more left out"]
        if evidence and len(kept) < len(heard)
        else []
    )
