import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.graphemes import boundary, well_formed


def test_halves_of_a_pair_are_joined_and_lone_ones_replaced() -> None:
    assert well_formed("a\ud83d\ude00b") == "a😀b"
    assert well_formed("\ude00 \ud83d") == "\ufffd \ufffd"
    assert well_formed("\ufeffa") == "\ufeffa"


@given(st.text(st.characters()))
def test_any_text_can_be_encoded(text: str) -> None:
    whole = well_formed(text)
    assert whole.encode().decode() == whole
    assert well_formed(whole) == whole


@pytest.mark.parametrize(
    "character",
    [
        "e\u0301",
        "👩\u200d👩\u200d👧",
        "👍🏽",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "@\u200b",
        "\u1112\u1161\u11ab",
    ],
)
def test_a_character_of_several_code_points_is_not_cut(character: str) -> None:
    text = f"ab{character}cd"
    for at in range(3, 2 + len(character)):
        assert boundary(text, at) == 2
    assert boundary(text, 2 + len(character)) == 2 + len(character)


def test_flags_are_cut_between_pairs() -> None:
    assert [boundary("🇩🇪🇫🇷", at) for at in range(5)] == [0, 0, 2, 2, 4]


def test_a_pile_of_marks_without_end_is_cut_all_the_same() -> None:
    assert boundary("e" + "\u0301" * 500, 300) == 300


@given(st.text(), st.integers(0, 50))
def test_the_place_is_never_after_the_wish(text: str, at: int) -> None:
    at = min(at, len(text))
    assert 0 <= boundary(text, at) <= at
