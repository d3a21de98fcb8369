"""Answers for one person alone: by Slack's API, else by the web hook that came with the command."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from adapters.slack import blocks
from adapters.slack.errors import SlackError
from adapters.slack.messages import EphemeralMessages
from bot import strings as texts
from bot.ports.channel import Button, ConversationGone, DeliveryRefused, DeliveryUnknown, Post
from tests.helpers.slack_wire_server import (
    CUT,
    HANG,
    PAGE_502,
    Answer,
    SlackApiServer,
    refusal,
    slack_clients,
    throttling,
)
from tests.helpers.slack_wire_server import address as slack_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.domain.messages import Address

EPHEMERAL = "chat.postEphemeral"
POST = Post("P1 car.jpg", buttons=(Button("Help", "/help"),))
OUTSIDE = refusal("not_in_channel")
LINK = "https://acme.slack.com/archives/C1/p1"


@dataclass
class EphemeralSetup:
    private: EphemeralMessages
    server: SlackApiServer

    def address(self, **changes: Any) -> Address:
        """Where `/loupe` was written, and its web hook."""
        hook = f"{self.server.url}/hooks/commands/T1/1/secret"
        return slack_address(thread="", private=True, **{"response": hook, **changes})

    async def say(self, post: Post = POST, **changes: Any) -> None:
        await self.private.say(self.address(**changes), post)

    async def hook(self, *answers: Answer, **changes: Any) -> None:
        """Post where Loupe is not a member; the response URL answers as scripted."""
        self.server.then(EPHEMERAL, OUTSIDE)
        self.server.then("hook", *answers)
        await self.say(**changes)


@asynccontextmanager
async def ephemeral_setup(**limits: Any) -> AsyncIterator[EphemeralSetup]:
    async with slack_clients(**limits) as clients:
        yield EphemeralSetup(
            EphemeralMessages(clients.api, clients.guard, clients.hosts, clients.limits),
            clients.server,
        )


async def test_only_the_one_who_asked_is_told() -> None:
    async with ephemeral_setup() as parts:
        await parts.say()
    [call] = parts.server.calls
    assert call.name == EPHEMERAL
    assert (call.form["channel"], call.form["user"]) == ("C1", "U1")
    assert call.form["text"] == "P1 car.jpg"
    assert [block["type"] for block in json.loads(call.form["blocks"])] == ["markdown", "actions"]
    assert parts.server.hooks == []


async def test_an_answer_about_a_thread_says_about_which() -> None:
    async with ephemeral_setup() as parts:
        await parts.say(about=LINK)
        await parts.hook(about=LINK)
    [form, _] = [call.form for call in parts.server.calls]
    body = json.loads(parts.server.hooks[0].body)
    for text in (form["text"], body["text"]):
        assert text.startswith(texts.slack_about(LINK))
        assert text.endswith("P1 car.jpg")
    markdown = [block for block in body["blocks"] if block["type"] == "markdown"]
    assert "\n\n".join(block["text"] for block in markdown) == body["text"]


async def test_a_long_answer_about_a_thread_is_no_longer_than_slack_takes() -> None:
    async with ephemeral_setup() as parts:
        await parts.say(Post("<a line>\n" * 2_000), about=LINK)
    [call] = parts.server.calls
    markdown = [block for block in json.loads(call.form["blocks"]) if block["type"] == "markdown"]
    assert sum(len(block["text"]) for block in markdown) <= blocks.MAX_TEXT
    assert call.form["text"].startswith(texts.slack_about(LINK))
    assert call.form["text"].endswith(texts.CUT)


@pytest.mark.parametrize(
    "error",
    ["not_in_channel", "channel_not_found", "user_not_in_channel", "is_archived", "token_revoked"],
)
async def test_where_loupe_is_no_member_the_web_hook_says_it(error: str) -> None:
    async with ephemeral_setup() as parts:
        parts.server.then(EPHEMERAL, refusal(error))
        await parts.say()
    [hook] = parts.server.hooks
    assert (hook.name, hook.authorization) == ("/hooks/commands/T1/1/secret", "")
    body = json.loads(hook.body)
    assert (body["response_type"], body["replace_original"]) == ("ephemeral", False)
    assert body["text"] == "P1 car.jpg"
    assert [block["type"] for block in body["blocks"]] == ["markdown", "actions"]


async def test_what_came_too_soon_is_said_later_in_the_same_way() -> None:
    async with ephemeral_setup() as parts:
        parts.server.then(EPHEMERAL, throttling(), throttling())
        await parts.say()
    assert parts.server.methods() == [EPHEMERAL] * 3
    assert parts.server.hooks == []


@pytest.mark.parametrize("fault", [CUT, PAGE_502, refusal("internal_error")])
async def test_what_may_have_been_told_is_not_told_by_the_web_hook_too(fault: Answer) -> None:
    async with ephemeral_setup() as parts:
        parts.server.then(EPHEMERAL, fault)
        with pytest.raises(DeliveryUnknown):
            await parts.say()
    assert parts.server.methods() == [EPHEMERAL]
    assert parts.server.hooks == []


@pytest.mark.parametrize("team", ["T0", "T9"])
async def test_a_workspace_that_is_not_known_is_told_nothing_by_slack(team: str) -> None:
    async with ephemeral_setup() as parts:
        with pytest.raises((DeliveryRefused, ConversationGone)):
            await parts.say(team=team, response="")
    assert parts.server.calls == []


@pytest.mark.parametrize(
    ("error", "problem"),
    [("not_in_channel", ConversationGone), ("user_not_in_channel", SlackError)],
)
async def test_without_a_web_hook_the_refusal_is_told(error: str, problem: type[Exception]) -> None:
    async with ephemeral_setup() as parts:
        parts.server.then(EPHEMERAL, refusal(error))
        with pytest.raises(problem, match=error):
            await parts.say(response="")


@pytest.mark.parametrize(
    "hook",
    [
        "https://evil.example/commands/T1/1/x",
        "https://hooks.slack.com.evil.example/x",
        "http://hooks.slack.com/commands/x",
        "https://hooks.slack.com:8443/x",
        "https://user:pass@hooks.slack.com/x",
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "commands/T1",
    ],
)
async def test_an_answer_goes_to_no_host_but_slack_s(hook: str) -> None:
    async with ephemeral_setup() as parts:
        with pytest.raises(ConversationGone):
            await parts.hook(response=hook)
    assert parts.server.hooks == []


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_a_web_hook_that_is_used_up_can_say_nothing_more(status: int) -> None:
    async with ephemeral_setup() as parts:
        with pytest.raises(ConversationGone, match=str(status)):
            await parts.hook(Answer("expired_url", status))
    assert len(parts.server.hooks) == 1


async def test_a_web_hook_that_leads_elsewhere_is_not_followed() -> None:
    async with ephemeral_setup() as parts:
        elsewhere = {"Location": f"{parts.server.url}/hooks/elsewhere"}
        with pytest.raises(ConversationGone):
            await parts.hook(Answer("", 307, elsewhere))
    assert len(parts.server.hooks) == 1


async def test_a_web_hook_that_is_asked_too_soon_surely_said_nothing() -> None:
    async with ephemeral_setup() as parts:
        with pytest.raises(DeliveryRefused, match="429"):
            await parts.hook(throttling())
    assert len(parts.server.hooks) == 1


@pytest.mark.parametrize("fault", [PAGE_502, Answer("", 500), CUT])
async def test_what_a_web_hook_may_have_said_is_not_repeated(fault: Answer) -> None:
    async with ephemeral_setup() as parts:
        with pytest.raises(DeliveryUnknown):
            await parts.hook(fault)
    assert len(parts.server.hooks) == 1


async def test_a_web_hook_that_never_answers_is_left() -> None:
    async with ephemeral_setup(request_seconds=0.2) as parts:
        with pytest.raises(DeliveryUnknown):
            await parts.hook(HANG)
    assert len(parts.server.hooks) == 1


async def test_no_problem_tells_the_address_of_a_web_hook() -> None:
    async with ephemeral_setup() as parts:
        for fault in (Answer("", 404), PAGE_502, CUT):
            with pytest.raises((ConversationGone, DeliveryUnknown)) as failure:
                await parts.hook(fault)
            assert "secret" not in str(failure.value)
        hook = "https://evil.example/commands/secret"
        with pytest.raises(ConversationGone) as refusal:
            await parts.hook(response=hook)
    assert "secret" not in str(refusal.value)
