"""What `loupe doctor` tries of Slack, and how it says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from pydantic import SecretStr

from adapters.manifests import build_slack
from adapters.slack.doctor import SCOPES, check_slack, check_socket
from adapters.slack.settings import SlackSettings
from bot.commands.registry import GRAMMAR
from tests.helpers.slack_wire_server import (
    APP_TOKEN,
    PAGE_502,
    TOKEN,
    Answer,
    SlackApiServer,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Check = Callable[[SlackSettings], Awaitable[str]]

BOT = {"ok": True, "user": "loupe", "team": "Acme"}
CHECKS = [(check_slack, "auth.test"), (check_socket, "apps.connections.open")]


def settings(api_url: str) -> SlackSettings:
    return SlackSettings(
        bot_token=SecretStr(TOKEN), app_token=SecretStr(APP_TOKEN), api_url=api_url
    )


async def test_the_bot_is_known() -> None:
    async with SlackApiServer() as server:
        server.then("auth.test", Answer(BOT, headers={"x-oauth-scopes": ",".join(SCOPES)}))
        assert (
            await check_slack(settings(server.api_url)) == "Slack knows the bot as loupe in Acme."
        )
    assert [call.authorization for call in server.calls] == [f"Bearer {TOKEN}"]


async def test_scopes_that_are_missing_are_named() -> None:
    has = SCOPES - {"files:write", "files:read"} | {"team:read"}
    async with SlackApiServer() as server:
        server.then("auth.test", Answer(BOT, headers={"X-OAuth-Scopes": ", ".join(has)}))
        with pytest.raises(OSError, match=r"lacks the scopes files:read, files:write$"):
            await check_slack(settings(server.api_url))


def test_the_manifest_asks_for_what_is_needed() -> None:
    manifest = yaml.safe_load(build_slack(GRAMMAR.specs, "bot.example.com"))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES


async def test_a_socket_is_opened_with_the_app_token() -> None:
    async with SlackApiServer() as server:
        sentence = await check_socket(settings(server.api_url))
    assert sentence == "Slack opens a socket to the app."
    assert [call.authorization for call in server.calls] == [f"Bearer {APP_TOKEN}"]


@pytest.mark.parametrize(("check", "method"), CHECKS)
@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (refusal("invalid_auth"), "invalid_auth"),
        (PAGE_502, "502"),
        (Answer("{"), "no JSON"),
        (Answer("ok", content_type="text/plain"), "AttributeError"),
    ],
)
async def test_what_slack_says_is_told(
    check: Check, method: str, answer: Answer, word: str
) -> None:
    async with SlackApiServer() as server:
        server.then(method, answer)
        with pytest.raises(OSError, match=word) as failure:
            await check(settings(server.api_url))
    assert method in str(failure.value)
    assert "xoxb" not in str(failure.value)


@pytest.mark.parametrize(("check", "method"), CHECKS)
async def test_a_slack_that_is_not_there_is_told(check: Check, method: str) -> None:
    async with SlackApiServer() as server:
        closed_url = server.api_url
    with pytest.raises(OSError, match=f"{method} cannot be asked: ClientConnectorError"):
        await check(settings(closed_url))
