"""Limits of what is sent."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from adapters.chat.send_settings import SendLimits
from bot.retry import RetryPolicy
from bot.settings_reader import load


class ParrotLimits(SendLimits):
    """Those of some platform."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_PARROT_")


def test_what_has_to_arrive_is_tried_as_long_as_is_set() -> None:
    assert ParrotLimits(send_tries=3, send_seconds=20).retry_policy == RetryPolicy(3, 20)


@pytest.mark.parametrize(("send_seconds", "seconds"), [(45, 5), (2, 2)])
def test_what_the_next_edit_carries_is_tried_for_moments(
    send_seconds: float, seconds: float
) -> None:
    assert ParrotLimits(send_seconds=send_seconds).brief_policy == RetryPolicy(2, seconds)


def test_each_platform_has_names_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_PARROT_EDIT_PACE", "7")
    monkeypatch.setenv("LOUPE_TEAMS_EDIT_PACE", "9")
    assert load(ParrotLimits).edit_pace == 7


@pytest.mark.parametrize(
    "limit",
    [
        {"send_tries": 0},
        {"send_seconds": 0},
        {"request_seconds": 0},
        {"edit_pace": -0.1},
        {"stream_pace": -0.1},
        {"stream_seconds": 0},
    ],
)
def test_what_cannot_work_is_refused(limit: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ParrotLimits(**limit)
