"""Vehicle identification numbers and their check digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.vin import CHECK_PLACE, VALUES, Vin, check_digit, passes, read_vin

NUMBER = "1M8GDM9AXKP042788"


def test_the_check_digit_is_that_of_the_rule() -> None:
    assert check_digit(NUMBER) == "X"
    assert check_digit("1" * 17) == "1"
    assert passes(NUMBER)


@given(st.text(sorted(VALUES), min_size=17, max_size=17), st.integers(0, 16), st.data())
def test_one_wrong_character_of_another_value_fails(
    number: str, place: int, data: st.DataObject
) -> None:
    right = number[:CHECK_PLACE] + check_digit(number) + number[CHECK_PLACE + 1 :]
    assert passes(right)
    others = [sign for sign, value in VALUES.items() if value != VALUES[right[place]]]
    wrong = data.draw(st.sampled_from(sorted(others)))
    if place == CHECK_PLACE:
        assert not passes(right[:place] + wrong + right[place + 1 :]) or wrong == right[place]
    else:
        assert not passes(right[:place] + wrong + right[place + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        NUMBER.lower(),
        "*1M8GDM9AXKP042788*",
        "1M8 GDM9AX KP 042788",
        "VIN: 1M8GDM9AXKP042788",
        "VIN No. 1M8GDM9AXKP042788",
        "1M8GDM9AXKPO42788",
        "IM8GDM9AXKP042788",
    ],
)
def test_a_number_is_read_however_it_is_written(text: str) -> None:
    assert read_vin(text) == Vin(NUMBER, passes=True)


def test_a_number_whose_check_digit_does_not_fit_is_one_all_the_same() -> None:
    assert read_vin("WVWZZZ1JZXW000001") == Vin("WVWZZZ1JZXW000001", passes=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1M8GDM9AXKP04278",
        NUMBER + "8",
        "12345678901234567",
        "CONFERENCE CENTRES",
        "1M8GDM9AXKP04278B",
    ],
)
def test_other_text_is_none(text: str) -> None:
    assert read_vin(text) is None
