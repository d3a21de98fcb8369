"""Turns as 0.4.0 stored them are read, and written the same, so that a roll-back reads them too.

`answered_turn_0.4.0.json` was written by version 0.4.0, with a value in every field of the turn.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from adapters.redis.stored_turns import answer_fields, answer_json, read_answer, read_turn
from bot.commands.json_blocks import dumps
from bot.commands.transcript import full
from bot.domain.files import ChosenFrame, Phrase, SpokenPassage, VisionRecord
from bot.domain.history import (
    ModelResponse,
    ThreadHistory,
    Turn,
    TurnEvidence,
    TurnPictures,
    TurnPosts,
    Usage,
)
from bot.domain.outlines import Grounding, Outline, Span
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, record_of, turn_of

STORED = (Path(__file__).parent / "answered_turn_0.4.0.json").read_text("utf-8").strip()
POLYGON = ((0.1, 0.2), (0.4, 0.2), (0.4, 0.3), (0.1, 0.3))
SIGHTING = Sighting(
    lines=(TextLine("B-MW 1234", POLYGON, 0.93),),
    things=(DetectedObject("car", POLYGON, 0.81),),
    captions=("a red car",),
    engine="test engine",
)
TURN = Turn(
    id="7",
    at=1790000000.5,
    author="Anna",
    question="What is it?",
    answer="A red car [1] at 0:02.",
    status="stopped",
    pictures=TurnPictures(
        photos=(1, 2),
        singles=(1,),
        sheets=(2,),
        videos=(1,),
        frames=(ChosenFrame(1_000_002_000, "asked", 0.5, "tool"),),
    ),
    response=ModelResponse(
        deployment="vision",
        model="gpt-5.1-2025-11-13",
        usage=Usage(1200, 80, 1024),
        finish="stop",
        refusal="refusal",
        problem="timed_out",
        first=1.25,
        seconds=4.5,
    ),
    evidence=TurnEvidence(
        sightings=(VisionRecord(1, SIGHTING),),
        passages=(SpokenPassage(1, 0.0, 60.0, (Phrase("Hello", 1.0, 1.5),)),),
    ),
    grounding=Grounding(
        outlines=(Outline(1, 1, "car", POLYGON),),
        spans=(Span("red car", 2, 7, POLYGON, 1, 1),),
    ),
    posts=TurnPosts(questions=("m1", "m2"), answers=("s1",)),
)


def test_a_turn_of_0_4_0_is_read() -> None:
    assert read_turn(json.dumps(json.loads(STORED)["turn"])) == TURN


def test_a_turn_of_0_4_0_that_waits_for_its_last_edit_is_read() -> None:
    answer = read_answer(STORED)
    assert answer.turn == TURN
    assert answer.parts == ("A red car [1] at 0:02.",)
    assert answer.request == ({"role": "user", "content": ["What is it?"]},)
    assert [photo.label for photo in answer.photos] == ["P1 car.jpg"]
    assert answer.outlined_photos == answer.photos


def test_a_turn_is_written_as_0_4_0_wrote_it() -> None:
    assert answer_json(read_answer(STORED)).decode() == STORED
    assert answer_fields(read_answer(STORED)) == json.loads(STORED)


def test_every_field_of_the_stored_turn_has_a_value() -> None:
    stored = json.loads(STORED)["turn"]
    assert list(stored) == [field.name for field in fields(TurnRecord)]
    assert all(stored.values())


def test_the_transcript_writes_the_fields_of_the_record() -> None:
    thread = Thread("msteams", "tenant", "19:abc", "1")
    [turn] = json.loads(dumps(full(thread, "S", ThreadHistory(turns=(TURN,)))))["turns"]
    stored = json.loads(STORED)["turn"]
    assert list(turn) == list(stored)
    files = {"photos", "videos", "frames", "sightings"}
    assert {k: v for k, v in turn.items() if k not in files} == {
        k: v for k, v in stored.items() if k not in files
    }


@pytest.mark.parametrize("turn", [TURN, Turn("1", 1.0, "Anna", "What?", "That.")])
def test_a_record_holds_all_of_a_turn(turn: Turn) -> None:
    assert turn_of(record_of(turn)) == turn
