"""What questions are about."""

from __future__ import annotations

import pytest

from adapters.models.offline_topics import COUNT, Topic, named_things, topics


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What phone number is on the sign?", {"text"}),
        ("When and where?", {"taken", "place"}),
        ("What is the signal?", set()),
        ("How tall is he?", set()),
        ("Provide details", {"file", "taken", "place", "camera", "things", "text"}),
        ("", {"file", "taken", "place", "camera", "things", "text"}),
        ("How many cars are parked here?", {"things"}),
        ("Where is the dog?", {"place", "things"}),
        ("What is the mileage?", {"text"}),
        ("How long is this clip?", {"file"}),
        ("How long is the truck?", {"things"}),
        ("Is there a stop sign?", {"things"}),
        ("Outline the things", {"things"}),
    ],
)
def test_questions_are_told_apart(question: str, found: set[str]) -> None:
    assert topics(question) == {Topic(topic) for topic in found}


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("two cars", {"car"}),
        ("a scar and a carpet", set()),
        ("benches and buses", {"bench", "bus"}),
        ("Is anybody there?", {"anybody"}),
        ("how many bikes", {"bike"}),
        ("traffic lights", {"traffic light"}),
    ],
)
def test_things_are_named_in_singular_and_plural(question: str, names: set[str]) -> None:
    assert set(named_things(question)) == names


def test_a_name_may_have_several_labels() -> None:
    assert {"car", "truck"} <= set(named_things("which vehicles?")["vehicle"])


def test_what_was_seen_can_be_named() -> None:
    assert named_things("pastries", ["pastry"]) == {"pastry": ("pastry",)}


def test_pictures_are_counted_apart_from_what_is_in_them() -> None:
    assert COUNT.search("How many photos?")
    assert not COUNT.search("How many cars?")
