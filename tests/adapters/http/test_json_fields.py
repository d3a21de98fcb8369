"""Fields of JSON that strangers wrote."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.http.json_fields import button_command, dig, identifier, name, objects, string


@pytest.mark.parametrize("value", [None, 5, True, ["x"], {"x": 1}])
def test_what_is_no_string_is_none(value: Any) -> None:
    assert string(value) == name(value) == identifier(value) == ""


def test_a_name_is_one_line_of_bounded_length() -> None:
    assert name("  Ann\r\n\x00B.\u202e ") == "Ann B."
    assert name("x" * 10_000) == "x" * 200
    assert name("\n" * 10_000) == ""


@pytest.mark.parametrize("value", ["Zo\u00eb", "\u0646\u200c\u0627", "\U0001f469\u200d\U0001f52c"])
def test_names_in_every_script_stay_as_they_are(value: str) -> None:
    assert name(value) == value


def test_an_id_is_kept_as_it_is() -> None:
    assert identifier(" a\tb ") == " a\tb "
    assert identifier("x" * 5000) == "x" * 1024


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ([{"a": 1}, 7, None, [{}], {}], [{"a": 1}, {}]),
        ([], []),
        ({"a": {}}, []),
        (7, []),
        ("x", []),
    ],
)
def test_of_a_list_only_the_objects_are_taken(value: Any, kept: list[dict[str, Any]]) -> None:
    assert objects(value) == kept


def test_digging_ends_where_the_way_ends() -> None:
    data = {"a": {"b": [1]}}
    assert dig(data, "a", "b") == [1]
    assert dig(data, "a", "b", "c") is None
    assert dig(data, "x", "b") is None
    assert dig(None, "a") is None
    assert dig(data) is data


@pytest.mark.parametrize(
    ("value", "command"),
    [
        ("/system continue", "/system continue"),
        (" /stop\n", "/stop"),
        ("/" + "x" * 199, "/" + "x" * 199),
        ("/" + "x" * 200, ""),
        ("stop", ""),
        ("", ""),
        (["/stop"], ""),
        (None, ""),
    ],
)
def test_only_a_short_command_can_be_pressed(value: Any, command: str) -> None:
    assert button_command(value) == command
