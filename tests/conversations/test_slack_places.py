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
async def office(offices: SlackWorkspaces, brisk: None) -> SlackWorkspace:
    return await offices.get("http")


async def test_whoever_invites_loupe_is_greeted_with_what_can_be_said_there(
    office: SlackWorkspace,
) -> None:
    joined = {"type": "member_joined_channel", "user": BOT, "channel": "C1", "inviter": "UALEX"}
    assert await office.event({**joined, "event_ts": office.slack.stamp()}) == 200
    await office.slack.until(lambda: office.slack.messages)
    (greeting,) = office.slack.messages
    assert greeting.text == texts.with_prefix(texts.greeting(shared=True), "!")
    assert (greeting.channel, greeting.thread) == ("C1", "")
    assert await office.event({**joined, "user": "USAM"}) == 200
    await office.bot.settled()
    assert len(office.slack.messages) == 1


async def test_who_opens_the_chat_gets_suggestions(office: SlackWorkspace) -> None:
    home = {"type": "app_home_opened", "user": "UALEX", "channel": "D1", "tab": "messages"}
    assert await office.event({**home, "event_ts": office.slack.stamp()}) == 200
    await office.slack.until(lambda: "assistant.threads.setSuggestedPrompts" in office.slack.calls)
    await office.bot.settled()
    assert office.slack.messages == []


async def test_a_channel_that_was_left_is_no_place_to_answer_in(office: SlackWorkspace) -> None:
    thread = await office.say(f"{MENTION} what is it?", office.slack.file(CAR), channel="C1")
    await office.answered(thread)
    assert await office.event({"type": "channel_left", "channel": "C1"}) == 200
    await office.bot.settled()
    told = await office.deliver(
        {
            "command": "/loupe",
            "text": "photos",
            "team_id": TEAM,
            "channel_id": "C1",
            "user_id": "UALEX",
            "trigger_id": "1.2.x",
        }
    )
    assert told == 200
    await office.bot.settled()
    assert office.private == []


async def test_somebody_of_another_company_is_answered_and_sees_the_answer_grow(
    office: SlackWorkspace,
) -> None:
    ts = office.slack.stamp()
    foreign = {"user": "UGUEST", "user_team": "T9", "team": "T9", "source_team": "T9"}
    post = message_event(f"{MENTION} what is it?", channel="C1", ts=ts, **foreign)
    payload = event_callback(post, is_ext_shared_channel=True)
    assert await office.deliver(payload) == 200
    (answer,) = await office.answered(ts)
    assert answer.streamed
    assert answer.readers == ("T9", "UGUEST")


async def test_what_programs_write_is_not_answered(office: SlackWorkspace) -> None:
    for post in (
        message_event(f"{MENTION} hello", channel="C1", bot_id="B9", ts=office.slack.stamp()),
        message_event("hello", channel="D1", subtype="bot_message", ts=office.slack.stamp()),
        message_event(f"{MENTION} hello", channel="C1", user=BOT, ts=office.slack.stamp()),
        message_event("joined", channel="C1", subtype="channel_join", ts=office.slack.stamp()),
    ):
        assert await office.event(post) == 200
    await office.bot.settled()
    assert office.bot.model.requests == []
    assert office.slack.messages == []


async def test_two_people_in_one_thread_are_told_apart(office: SlackWorkspace) -> None:
    thread = await office.say(f"{MENTION} what is it?", office.slack.file(CAR), channel="C1")
    await office.answered(thread)
    await office.ask(f"{MENTION} are you sure?", channel="C1", thread_ts=thread, user="USAM")
    asked = str(office.bot.model.requests[1].body["messages"])
    assert "Alex" in asked
    assert "Sam" in asked


async def test_people_who_are_named_in_a_question_have_names(office: SlackWorkspace) -> None:
    await office.ask(f"{MENTION} is that <@USAM>'s car?", office.slack.file(CAR), channel="C1")
    (request,) = office.bot.model.requests
    assert "is that @Sam's car?" in str(request.body)
    assert "USAM" not in str(request.body)


async def test_many_threads_are_answered_side_by_side(office: SlackWorkspace) -> None:
    threads = await asyncio.gather(*(office.say(f"Question {n}") for n in range(12)))
    for thread in threads:
        assert len(await office.answered(thread)) == 1
