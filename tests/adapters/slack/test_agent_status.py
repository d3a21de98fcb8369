"""Whether Loupe is at work, as Slack shows it: never a reason to fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.slack import agent_status as sessions_module
from adapters.slack.agent_status import METHOD, NO_AGENT, AgentStatus
from adapters.slack.errors import SlackError
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from tests.helpers.slack_recorder import CallRecorder
from tests.helpers.slack_wire_server import (
    CUT,
    HANG,
    PAGE_502,
    TOKEN,
    Answer,
    address,
    refusal,
    slack_clients,
    throttling,
)


def sessions_of(calls: CallRecorder) -> AgentStatus:
    api: Any = calls
    return AgentStatus(api)


async def test_slack_is_told_what_is_done_in_a_thread() -> None:
    calls = CallRecorder()
    sessions = sessions_of(calls)
    await sessions.working(address())
    await sessions.idle(address())
    where = {"channel_id": "C1", "thread_ts": "1.0000"}
    told = [{**where, "status": "processing"}, {**where, "status": "active"}]
    assert calls.of(METHOD) == told
    assert calls.brief == [METHOD, METHOD]


async def test_at_the_top_of_a_place_there_is_no_session() -> None:
    calls = CallRecorder()
    await sessions_of(calls).working(address(thread=""))
    assert calls.made == []


@pytest.mark.parametrize("error", sorted(NO_AGENT))
async def test_where_loupe_is_no_agent_slack_is_not_asked_again(error: str) -> None:
    calls = CallRecorder()
    sessions = sessions_of(calls)
    calls.then(METHOD, SlackError(200, error))
    await sessions.working(address())
    await sessions.idle(address())
    await sessions.working(address(thread="2.0"))
    assert calls.methods == [METHOD]


@pytest.mark.parametrize(
    "problem",
    [
        SlackError(200, "channel_not_found"),
        SlackError(429, "ratelimited"),
        SlackError(0, "no_room"),
        DeliveryRefused("not yet"),
        ConversationGone("token_revoked"),
        DeliveryUnknown("cut"),
        DeliveryUnknown(),
    ],
)
async def test_what_fails_once_is_tried_the_next_time(problem: Exception) -> None:
    calls = CallRecorder()
    sessions = sessions_of(calls)
    calls.then(METHOD, problem)
    with capture_logs() as logs:
        await sessions.working(address())
    assert [line["event"] for line in logs] == ["session_not_shown"]
    assert logs[0]["why"]
    await sessions.working(address())
    assert calls.methods == [METHOD, METHOD]


@pytest.mark.parametrize(
    "fault", [CUT, PAGE_502, throttling("9"), refusal("internal_error"), Answer("", 500)]
)
async def test_a_slack_that_fails_holds_no_answer_up(fault: Answer) -> None:
    async with slack_clients() as wires:
        wires.server.then(METHOD, fault)
        await AgentStatus(wires.api).working(address())
        assert wires.clock.waits == []
    [call] = wires.server.calls
    assert (call.form["status"], call.authorization) == ("processing", f"Bearer {TOKEN}")


async def test_a_slack_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "SECONDS", 0.1)
    async with slack_clients() as wires:
        wires.server.then(METHOD, HANG)
        with capture_logs() as logs:
            async with asyncio.timeout(5):
                await AgentStatus(wires.api).working(address())
    assert [(line["event"], line["why"]) for line in logs] == [
        ("session_not_shown", "TimeoutError")
    ]
