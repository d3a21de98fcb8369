"""JSON to botbuilder's schema."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botbuilder.schema import Activity

from adapters.http.request_body import MalformedBody
from adapters.teams.schema import MAX_ITEMS, activity_from
from tests.payloads import NAMES, payload

FIELDS = [
    "type",
    "id",
    "timestamp",
    "service_url",
    "channel_id",
    "from_property",
    "recipient",
    "conversation",
    "text",
    "text_format",
    "locale",
    "attachments",
    "entities",
    "members_added",
    "name",
    "action",
    "delivery_mode",
    "channel_data",
    "value",
]


def plain(value: Any) -> Any:
    """Return a schema object as a dict, without empty fields."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not hasattr(value, "_attribute_map"):
        return value
    return {key: plain(one) for key, one in vars(value).items() if one not in (None, [], {})}


@pytest.mark.parametrize("name", NAMES)
def test_activities_read_as_botbuilder_reads_them(name: str) -> None:
    ours = activity_from(payload(name))
    theirs = Activity().deserialize(payload(name))
    for field in FIELDS:
        our_value, their_value = getattr(ours, field), getattr(theirs, field)
        if isinstance(our_value, list) and their_value is None:
            their_value = []
        assert plain(our_value) == plain(their_value), field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", 5),
        ("text", {"a": 1}),
        ("id", ["x"]),
        ("timestamp", "soon"),
        ("timestamp", 1795373765508),
        ("from", "me"),
        ("from", {"id": 7}),
        ("recipient", []),
        ("conversation", "here"),
        ("conversation", {"id": {}}),
        ("conversation", {"id": "x", "isGroup": "yes"}),
        ("attachments", {"a": 1}),
        ("attachments", ["x"]),
        ("attachments", [{"contentUrl": 1}]),
        ("entities", "x"),
        ("entities", [None]),
        ("membersAdded", [[]]),
    ],
)
def test_a_field_of_the_wrong_type_is_malformed(field: str, value: Any) -> None:
    with pytest.raises(MalformedBody):
        activity_from(payload("teams_personal_text", **{field: value}))


def test_nothing_at_all_is_an_empty_activity() -> None:
    activity = activity_from({})
    assert activity.type is None
    assert activity.attachments == activity.entities == activity.members_added == []


def test_a_time_without_an_offset_is_utc() -> None:
    timestamp = activity_from({"timestamp": "2026-11-22T18:54:54.6912345"}).timestamp
    assert timestamp == datetime(2026, 11, 22, 18, 54, 54, 691234, UTC)


def test_endless_lists_are_cut() -> None:
    assert len(activity_from({"entities": [{}] * 5 * MAX_ITEMS}).entities) == MAX_ITEMS
