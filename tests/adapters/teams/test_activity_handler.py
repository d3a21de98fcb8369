"""Which kinds of activities are accepted as messages, and the responses to invokes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.teams.settings import TeamsSettings
from bot import strings as texts
from tests.helpers.teams_endpoint import Endpoint, serve_endpoint
from tests.payloads import payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def playground() -> AsyncIterator[Endpoint]:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        yield endpoint


@pytest.mark.parametrize("name", ["teams_personal_text", "teams_personal_installation_add"])
async def test_what_needs_an_answer_is_accepted(playground: Endpoint, name: str) -> None:
    with capture_logs() as logs:
        assert await playground.post(payload(name)) == (202, "")
    assert len(playground.inbox.messages) == 1
    assert logs == []


async def test_a_pressed_button_is_answered_at_once(playground: Endpoint) -> None:
    value = {"action": {"type": "Action.Execute", "data": {"loupe": "/system continue"}}}
    status, body = await playground.post(payload("teams_personal_card_action", value=value))
    assert status == 200
    assert json.loads(body) == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": texts.BUTTON_PRESSED,
    }
    [message] = playground.inbox.messages
    assert message.text == "/system continue"


async def test_a_consent_is_accepted_and_answered(playground: Endpoint) -> None:
    assert await playground.post(payload("teams_personal_file_consent")) == (200, "{}")
    [message] = playground.inbox.messages
    assert (message.kind, message.address.invoke["action"]) == ("channel", "accept")


async def test_feedback_is_thanked_for(playground: Endpoint) -> None:
    body = payload("teams_personal_card_action", name="message/submitAction", value={"a": 1})
    assert await playground.post(body) == (200, "{}")
    assert playground.inbox.messages == []


@pytest.mark.parametrize(
    "name", ["composeExtension/query", "task/fetch", "signin/verifyState", "x", None]
)
async def test_other_invokes_are_not_implemented(playground: Endpoint, name: str | None) -> None:
    with capture_logs() as logs:
        status, _ = await playground.post(payload("teams_personal_card_action", name=name))
    assert status == 501
    assert [line["event"] for line in logs] == ["activity_ignored"]


@pytest.mark.parametrize(
    "kind",
    [
        "messageUpdate",
        "messageDelete",
        "messageReaction",
        "conversationUpdate",
        "event",
        "typing",
        "endOfConversation",
        "trace",
        "somethingNew",
    ],
)
async def test_other_activities_are_taken_and_left_with_a_line_in_the_log(
    playground: Endpoint, kind: str
) -> None:
    odd = {"eventType": ["x"], "tenant": "x", "team": 5}
    body = payload(
        "teams_personal_text",
        type=kind,
        channelData=odd,
        value="x",
        name="x",
        membersAdded=[{"id": "29:x"}],
    )
    with capture_logs() as logs:
        assert await playground.post(body) == (202, "")
    assert playground.inbox.messages == []
    assert logs == [{"event": "activity_ignored", "kind": kind, "log_level": "info"}]
