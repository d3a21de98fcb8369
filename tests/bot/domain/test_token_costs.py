"""What pictures and words cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.token_costs import FAMILIES, INFLATED, family_of, picture_tokens, text_tokens

SQUARE = (1024, 1024)
PHONE = (4032, 3024)
sides = st.integers(1, 20_000)


@pytest.mark.parametrize(
    ("family", "square", "phone"),
    [
        ("gpt-4o", 765, 765),
        ("gpt-5.1", 630, 630),
        ("gpt-5.4-mini", 1659, 2353),
        ("gpt-5.4", 1024, 2451),
        ("gpt-5.2", 1024, 1452),
        ("gpt-5.4-nano", 2520, 3572),
        ("o3", 675, 675),
        ("o4-mini", 1762, 2498),
        ("gpt-4o-mini", 25501, 25501),
    ],
)
def test_a_picture_costs_what_its_family_asks(family: str, square: int, phone: int) -> None:
    assert picture_tokens(family, *SQUARE) == square
    assert picture_tokens(family, *PHONE) == phone


def test_a_small_picture_is_not_scaled_up() -> None:
    assert picture_tokens("gpt-4o", 300, 200) == 85 + 170
    assert picture_tokens("gpt-5.4", 64, 33) == 2 * 2


def test_a_long_strip_stays_within_the_budget() -> None:
    assert picture_tokens("gpt-5.2", 20_000, 10) <= 1536


@pytest.mark.parametrize("size", [SQUARE, PHONE, (1, 1), (2048, 768)])
def test_an_unknown_family_is_taken_for_the_dearest(size: tuple[int, int]) -> None:
    known = [picture_tokens(name, *size) for name in FAMILIES if name != INFLATED]
    assert picture_tokens("", *size) == picture_tokens("some-model", *size) == max(known)


@given(st.sampled_from([*FAMILIES, ""]), sides, sides)
def test_the_way_a_picture_is_held_does_not_matter(family: str, width: int, height: int) -> None:
    assert picture_tokens(family, width, height) == picture_tokens(family, height, width)


@given(sides, sides)
def test_no_picture_is_free_or_beyond_its_budget(width: int, height: int) -> None:
    assert 1 <= picture_tokens("gpt-5.4", width, height) <= 2500


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-5.1-2025-11-13", "gpt-5.1"),
        ("gpt-4o", "gpt-4o"),
        ("GPT-4o-2024-11-20", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-5-nano", "gpt-5-nano"),
        ("gpt-5.4-mini", "gpt-5.4-mini"),
        ("gpt-5.3-codex", "gpt-5.3"),
        ("gpt-4-turbo-2024-04-09", "gpt-4"),
        ("o4-mini-2025-04-16", "o4-mini"),
        ("o3-mini", ""),
        ("gpt-5.5-mini", ""),
        ("gpt-35-turbo", ""),
        ("gpt-4omega", ""),
        ("llava:13b", ""),
        ("", ""),
    ],
)
def test_the_family_is_learnt_from_the_name(model: str, family: str) -> None:
    assert family_of(model) == family


def test_every_family_is_the_family_of_its_own_name() -> None:
    assert [family_of(name) for name in FAMILIES] == list(FAMILIES)


def test_words_are_estimated_with_caution() -> None:
    assert text_tokens("") == 0
    assert text_tokens("The quick brown fox jumps over the lazy dog.") == 15
    assert text_tokens("照片") == 2
    assert text_tokens("\ud800") == 1
