"""How well frames fit questions: by what was read and seen in them, and by how they look."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.text.vocabulary import stem
from bot.video.relevance import by_vectors, by_words, scale, terms
from tests.helpers.frame_candidates import candidate

PLACE = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2))
NIGHT, DAY = "black", "white"


def read(*lines: str, confidence: float = 0.9) -> Sighting:
    return Sighting(tuple(TextLine(line, PLACE, confidence) for line in lines))


def seen(*labels: str, confidence: float = 0.8) -> Sighting:
    return Sighting(things=tuple(DetectedObject(label, PLACE, confidence) for label in labels))


def told(caption: str) -> Sighting:
    return Sighting(captions=(caption,))


def scores(question: str, *sightings: Sighting | None) -> list[float]:
    """Score frames that differ by what was seen in them only."""
    frames = [candidate(float(place)) for place in range(len(sightings))]
    return by_words(question, frames, sightings)


def looks(question: str, *colours: str) -> list[float]:
    """Score frames that differ by their colours only."""
    return by_words(question, [candidate(float(i), *c.split()) for i, c in enumerate(colours)], ())


@pytest.mark.parametrize(
    "words",
    [
        ("crash", "crashes", "crashed", "crashing"),
        ("collide", "collides", "collided", "colliding"),
        ("hit", "hits", "hitting"),
        ("change", "changes", "changed", "changing"),
        ("plate", "plates"),
        ("bus", "buses"),
        ("lorry", "lorries"),
        ("glass", "glasses"),
        ("stop", "stops", "stopped", "stopping"),
        ("fall", "falls", "falling"),
        ("carry", "carries", "carried", "carrying"),
    ],
)
def test_forms_of_a_word_have_one_stem(words: tuple[str, ...]) -> None:
    assert len(set(map(stem, words))) == 1


@pytest.mark.parametrize("word", ["1100", "krw300", "red", "see", "was", "as", ""])
def test_short_words_and_numbers_stay_as_they_are(word: str) -> None:
    assert stem(word) == word


def test_small_words_do_not_tell_frames_apart() -> None:
    assert terms("What does this video show? Please describe it to us!") == frozenset()
    assert terms("Where is the dog's 2nd ball?") == {"dog", "2nd", "bal"}


def test_words_that_are_read_count_most() -> None:
    question = "Where is the kiosk?"
    assert scores(question, read("Kiosk 24"), told("a kiosk"), read("Bakery"), None) == (
        pytest.approx([1.0, 0.7 / (1.5 * 0.9), 0.0, 0.0])
    )


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("Who is there?", "person"),
        ("the children", "person"),
        ("a cyclist", "bicycle"),
        ("a cyclist", "person"),
        ("the lorries", "truck"),
        ("Did a taxi come?", "car"),
        ("vehicles", "motorcycle"),
        ("the traffic signals", "traffic light"),
        ("Is a light red?", "traffic light"),
        ("phones", "cell phone"),
        ("pets", "cat"),
        ("DOGS", "Dog"),
    ],
)
def test_things_are_found_by_what_else_people_call_them(question: str, label: str) -> None:
    assert scores(question, seen("bench"), seen(label)) == [0.0, 1.0]


def test_the_surest_sighting_counts() -> None:
    unsure, sure = seen("dog", confidence=0.4), seen("dog", "dog", confidence=0.8)
    assert scores("dog", unsure, sure) == [0.5, 1.0]


def test_rare_words_weigh_more() -> None:
    crowd = [seen("car")] * 7
    dog, *cars = scores("the car with the dog", seen("dog"), *crowd)
    assert dog == 1.0
    assert max(cars) < 0.5
    both, dog, car, *_ = scores("the car with the dog", seen("dog", "car"), seen("dog"), *crowd)
    assert both == 1.0 > dog > car


def test_a_question_for_a_plate_finds_codes() -> None:
    likeness = scores("What is the number plate?", read("BAKERY"), read("KRW 301"), read("2024"))
    assert likeness[1] == 1.0
    assert likeness[0] == likeness[2] < 0.6  # Writing, as a number may be.
    assert scores("What is the licence?", read("BAKERY"), read("KRW 301")) == [0.0, 1.0]


def test_a_question_for_writing_finds_any() -> None:
    assert scores("What is written there?", seen("car"), read("BAKERY"), None) == [0.0, 1.0, 0.0]
    assert scores("What does the sign say?", None, read("BAKERY")) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("question", "colour"),
    [
        ("the red car", "red"),
        ("Something orange?", "darkorange"),
        ("yellow", "yellow"),
        ("GREEN", "green"),
        ("blue", "blue"),
        ("purple things", "blueviolet"),
        ("the pink one", "deeppink"),
    ],
)
def test_colours_are_found(question: str, colour: str) -> None:
    assert looks(question, "grey", f"grey grey {colour}", "grey", "beige") == [0, 1, 0, 0]


def test_a_colour_that_is_always_there_tells_nothing() -> None:
    assert looks("the green car", "green", "green", "green", "green") == [0, 0, 0, 0]
    few, more, *_ = looks("green", "green grey", "green", "green grey", "green grey")
    assert (few, more) == (0.0, 1.0)


def test_pale_and_dark_colours_are_none() -> None:
    assert looks("red", "grey", "mistyrose", "#300000") == [0, 0, 0]


@pytest.mark.parametrize("question", ["What colour is it?", "Which colors are there?"])
def test_a_question_for_colour_finds_any(question: str) -> None:
    assert looks(question, "grey", "grey blue", "grey", "grey") == [0, 1, 0, 0]


@pytest.mark.parametrize("question", ["a flash", "Is there fire?", "lightning", "explosions"])
def test_a_flash_is_found_by_its_light(question: str) -> None:
    assert looks(question, "grey", "grey", "white", "black") == [0, 0, 1, 0]


@pytest.mark.parametrize("question", ["When is it dark?", "shadows", "at night"])
def test_darkness_is_found(question: str) -> None:
    assert looks(question, "grey", "grey", "white", "black") == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "question", ["Provide details from this car accident video", "When do they collide?", "crashes"]
)
def test_a_question_for_what_happens_finds_changes(question: str) -> None:
    frames = [candidate(0), candidate(1, change=0.8), candidate(2, change=0.2)]
    assert by_words(question, frames, ()) == pytest.approx([0, 1, 0.25])


@pytest.mark.parametrize(
    "question", ["Was passiert hier?", "何が起きましたか", "Что происходит?", "", "?!", "🚗"]
)
def test_a_question_of_unknown_words_fits_none(question: str) -> None:
    assert scores(question, seen("car"), read("KRW 301"), told("a street"), None) == [0, 0, 0, 0]


def test_words_of_any_script_are_found_where_they_are_read() -> None:
    assert scores("Wo steht Bäckerei?", read("BÄCKEREI Müller"), read("Café")) == [1.0, 0.0]


def test_without_frames_there_are_no_scores() -> None:
    assert by_words("the red car crashes in a flash", (), ()) == []


@given(st.text(max_size=60))
def test_scores_are_from_0_to_1(question: str) -> None:
    sightings = [read(question), seen("car", question), told(question), None]
    assert all(0 <= score <= 1 for score in scores(question, *sightings))


# vectors


def test_the_nearest_vector_fits_best_and_the_farthest_not_at_all() -> None:
    likeness = by_vectors((1.0, 0.0), [(0.0, 5.0), (3.0, 0.0), (2.0, 2.0)])
    assert likeness == pytest.approx([0.0, 1.0, 0.7071], abs=1e-4)


def test_a_frame_without_a_vector_fits_least() -> None:
    likeness = by_vectors((1.0, 0.0), [(0.0, 5.0), None, (3.0, 0.0)])
    assert likeness == pytest.approx([0.0, 0.0, 1.0])


def test_vectors_that_are_all_alike_fit_nothing() -> None:
    assert by_vectors((1.0, 0.0), [(1.0, 1.0)] * 3) == [0, 0, 0]
    assert by_vectors((0.0, 0.0), [(1.0, 1.0), (0.0, 0.0)]) == [0, 0]
    assert by_vectors((1.0, 0.0), []) == []


def test_values_are_scaled_to_their_largest() -> None:
    assert scale([1.0, 4.0, 0.0]) == [0.25, 1.0, 0.0]
    assert scale([0.0, 0.0]) == [0.0, 0.0]
