"""Settings and limits of Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.slack.settings import SlackLimits, SlackSettings
from bot.settings import SettingsError
from bot.settings_reader import lines, load

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = {
    "SLACK_BOT_TOKEN": "xoxb-1-hidden",
    "SLACK_SIGNING_SECRET": "signed-hidden",
    "SLACK_APP_TOKEN": "xapp-1-hidden",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    others = ["SLACK_API_URL", "LOUPE_SLACK_REACTION", "LOUPE_SLACK_TEXT_LIMIT"]
    for name in [*TOKENS, *others]:
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **names: str) -> SlackSettings:
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return load(SlackSettings)


def only(*names: str) -> dict[str, str]:
    return {name: TOKENS[name] for name in names}


def test_without_tokens_there_is_no_slack() -> None:
    settings = load(SlackSettings)
    assert not settings.configured
    assert not settings.socket
    assert settings.api_url == "https://slack.com/api"


def test_a_token_and_a_signing_secret_receive_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, **only("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"))
    assert settings.configured
    assert not settings.socket


@pytest.mark.parametrize("has_secret", [True, False])
def test_an_app_token_receives_by_socket(monkeypatch: pytest.MonkeyPatch, has_secret: bool) -> None:
    names = [
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        *(["SLACK_SIGNING_SECRET"] if has_secret else []),
    ]
    settings = given(monkeypatch, **only(*names))
    assert settings.configured
    assert settings.socket


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (["SLACK_BOT_TOKEN"], ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"]),
        (["SLACK_SIGNING_SECRET"], ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"]),
        (["SLACK_APP_TOKEN"], ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"]),
    ],
)
def test_what_is_incomplete_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, names: list[str], texts: list[str]
) -> None:
    with pytest.raises(SettingsError) as failure:
        given(monkeypatch, **only(*names))
    assert all(name in str(failure.value) for name in texts)
    assert str(failure.value).count(".") == 1


@pytest.mark.parametrize(
    ("name", "value", "prefix"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-of-a-user", "xoxb-"),
        ("SLACK_BOT_TOKEN", "xapp-1-swapped", "xoxb-"),
        ("SLACK_APP_TOKEN", "xoxb-1-swapped", "xapp-"),
    ],
)
def test_tokens_are_told_apart_without_showing_them(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, prefix: str
) -> None:
    with pytest.raises(SettingsError) as failure:
        given(monkeypatch, **{**TOKENS, name: value})
    assert str(failure.value) == f"{name} has the value (hidden): it must begin with {prefix}."


def test_no_secret_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {line.name: line.value for line in lines(given(monkeypatch, **TOKENS))}
    assert {values[name] for name in TOKENS} == {"set"}
    assert "hidden" not in repr(load(SlackSettings))


@pytest.mark.parametrize(
    ("value", "name"), [("eyes", "eyes"), (":eyes:", "eyes"), ("off", ""), ("", "mag")]
)
def test_the_emoji_that_asks(monkeypatch: pytest.MonkeyPatch, value: str, name: str) -> None:
    assert given(monkeypatch, LOUPE_SLACK_REACTION=value).reaction == name


def test_a_text_stays_below_what_slack_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(SlackLimits).text_limit == 8_000
    monkeypatch.setenv("LOUPE_SLACK_TEXT_LIMIT", "12000")
    with pytest.raises(SettingsError, match="LOUPE_SLACK_TEXT_LIMIT has the value '12000'"):
        load(SlackLimits)


def test_streams_end_before_slack_ends_them() -> None:
    limits = load(SlackLimits)
    assert (limits.stream_pace, limits.stream_seconds, limits.stream_channels) == (1.0, 240, True)
