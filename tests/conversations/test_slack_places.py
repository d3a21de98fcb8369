"""Where Loupe is met in Slack: greeted, opened, shared with other companies, left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.slack_payloads import BOT, MENTION, TEAM, event_callback, message_event
from tests.helpers.slack_workspace import CAR

if TYPE_CHECKING:
    from tests.helpers.slack_workspace import SlackWorkspace, SlackWorkspaces

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(workspaces: SlackWorkspaces, fast_rates: None) -> SlackWorkspace:
    return await workspaces.get("http")


async def test_whoever_invites_loupe_is_greeted_with_what_can_be_said_there(
    workspace: SlackWorkspace,
) -> None:
    invitation = {"type": "member_joined_channel", "user": BOT, "channel": "C1", "inviter": "UALEX"}
    assert await workspace.event({**invitation, "event_ts": workspace.slack.stamp()}) == 200
    await workspace.slack.until(lambda: workspace.slack.messages)
    (greeting,) = workspace.slack.messages
    assert greeting.text == texts.with_prefix(texts.greeting(is_shared=True), "!")
    assert (greeting.channel, greeting.thread) == ("C1", "")
    assert await workspace.event({**invitation, "user": "USAM"}) == 200
    await workspace.bot.settled()
    assert len(workspace.slack.messages) == 1


async def test_who_opens_the_chat_gets_suggestions(workspace: SlackWorkspace) -> None:
    home = {"type": "app_home_opened", "user": "UALEX", "channel": "D1", "tab": "messages"}
    assert await workspace.event({**home, "event_ts": workspace.slack.stamp()}) == 200
    await workspace.slack.until(
        lambda: "assistant.threads.setSuggestedPrompts" in workspace.slack.calls
    )
    await workspace.bot.settled()
    assert workspace.slack.messages == []


async def test_a_channel_that_was_left_is_no_place_to_answer_in(workspace: SlackWorkspace) -> None:
    thread = await workspace.say(f"{MENTION} what is it?", workspace.slack.file(CAR), channel="C1")
    await workspace.answered(thread)
    assert await workspace.event({"type": "channel_left", "channel": "C1"}) == 200
    await workspace.bot.settled()
    status = await workspace.deliver(
        {
            "command": "/loupe",
            "text": "photos",
            "team_id": TEAM,
            "channel_id": "C1",
            "user_id": "UALEX",
            "trigger_id": "1.2.x",
        }
    )
    assert status == 200
    await workspace.bot.settled()
    assert workspace.private == []


async def test_somebody_of_another_company_is_answered_and_sees_the_answer_grow(
    workspace: SlackWorkspace,
) -> None:
    ts = workspace.slack.stamp()
    foreign = {"user": "UGUEST", "user_team": "T9", "team": "T9", "source_team": "T9"}
    post = message_event(f"{MENTION} what is it?", channel="C1", ts=ts, **foreign)
    payload = event_callback(post, is_ext_shared_channel=True)
    assert await workspace.deliver(payload) == 200
    (answer,) = await workspace.answered(ts)
    assert answer.was_streamed
    assert answer.readers == ("T9", "UGUEST")


async def test_what_programs_write_is_not_answered(workspace: SlackWorkspace) -> None:
    for post in (
        message_event(f"{MENTION} hello", channel="C1", bot_id="B9", ts=workspace.slack.stamp()),
        message_event("hello", channel="D1", subtype="bot_message", ts=workspace.slack.stamp()),
        message_event(f"{MENTION} hello", channel="C1", user=BOT, ts=workspace.slack.stamp()),
        message_event("joined", channel="C1", subtype="channel_join", ts=workspace.slack.stamp()),
    ):
        assert await workspace.event(post) == 200
    await workspace.bot.settled()
    assert workspace.bot.model.requests == []
    assert workspace.slack.messages == []


async def test_two_people_in_one_thread_are_told_apart(workspace: SlackWorkspace) -> None:
    thread = await workspace.say(f"{MENTION} what is it?", workspace.slack.file(CAR), channel="C1")
    await workspace.answered(thread)
    await workspace.ask(f"{MENTION} are you sure?", channel="C1", thread_ts=thread, user="USAM")
    request_text = str(workspace.bot.model.requests[1].body["messages"])
    assert "Alex" in request_text
    assert "Sam" in request_text


async def test_people_who_are_named_in_a_question_have_names(workspace: SlackWorkspace) -> None:
    await workspace.ask(
        f"{MENTION} is that <@USAM>'s car?", workspace.slack.file(CAR), channel="C1"
    )
    (request,) = workspace.bot.model.requests
    assert "is that @Sam's car?" in str(request.body)
    assert "USAM" not in str(request.body)


async def test_many_threads_are_answered_side_by_side(workspace: SlackWorkspace) -> None:
    threads = await asyncio.gather(*(workspace.say(f"Question {n}") for n in range(12)))
    for thread in threads:
        assert len(await workspace.answered(thread)) == 1
