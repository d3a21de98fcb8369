"""Settings in the store: what 0.4.0 wrote is read, and what is written can be read back."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.redis.stored_settings import decode, encode
from bot.domain.preferences import PendingSystemMessage, SettingChanges, ThreadSettings

if TYPE_CHECKING:
    from typing import Any

PENDING = '{"author": "29:anna", "text": "Count \\u00e4pples.", "until": 1796100600.25}'
SETTLED = '{"by": "ab12:7", "author": "29:anna", "text": "Count cars.", "until": 1796100600.25}'


@pytest.mark.parametrize(
    ("stored", "settings"),
    [
        ({}, ThreadSettings()),
        ({"system": "Count\ncars."}, ThreadSettings(system="Count\ncars.")),
        ({"vision": "on", "model": "gpt-4o"}, ThreadSettings(vision=True, model="gpt-4o")),
        ({"vision": "off"}, ThreadSettings(vision=False)),
        ({"watch": "photos", "taught": "m1"}, ThreadSettings(watch="photos", hint_message="m1")),
        ({"watch": "all"}, ThreadSettings(watch="all")),
        ({"watch": "off"}, ThreadSettings(watch="off")),
        (
            {"pending": PENDING},
            ThreadSettings(pending=PendingSystemMessage("29:anna", "Count äpples.", 1796100600.25)),
        ),
        (
            {"system": "Count cars.", "pending": SETTLED},
            ThreadSettings(
                system="Count cars.",
                pending=PendingSystemMessage("29:anna", "Count cars.", 1796100600.25, "ab12:7"),
            ),
        ),
    ],
)
def test_what_version_0_4_0_stored_is_read_and_written_alike(
    stored: dict[str, str], settings: ThreadSettings
) -> None:
    assert decode(stored) == settings
    assert encode(changes_to(settings))[0] == stored


def test_what_is_none_is_removed_and_what_is_not_named_stays() -> None:
    assert encode({"system": None, "pending": None}) == ({}, ["system", "pending"])
    assert encode({"watch": "off", "hint_message": None}) == ({"watch": "off"}, ["taught"])
    assert encode({}) == ({}, [])


def test_every_setting_can_be_changed() -> None:
    names = {field.name for field in fields(ThreadSettings)}
    assert set(get_type_hints(SettingChanges)) == names
    every: Any = dict.fromkeys(names)
    assert len(encode(every)[1]) == len(names)


@given(st.from_type(ThreadSettings))
def test_what_is_written_is_read_back(settings: ThreadSettings) -> None:
    values, removed = encode(changes_to(settings))
    assert decode(values) == settings
    assert not set(values) & set(removed)


def changes_to(settings: ThreadSettings) -> SettingChanges:
    """Return the changes that make these settings of none."""
    return {
        "system": settings.system,
        "vision": settings.vision,
        "model": settings.model,
        "watch": settings.watch,
        "pending": settings.pending,
        "hint_message": settings.hint_message,
    }
