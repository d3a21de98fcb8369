"""Conversations in Slack, with the whole bot and a workspace that behaves like Slack's."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.running_bot import question_words
from tests.helpers.slack_payloads import (
    MENTION,
    event_callback,
    message_changed,
    message_deleted,
    message_event,
    slash,
)
from tests.helpers.slack_workspace import CAR
from tests.servers.openai import call_tools, say

if TYPE_CHECKING:
    from tests.helpers.slack_workspace import SlackWorkspace, SlackWorkspaces

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session", params=["http", "socket"])
async def workspace(
    request: pytest.FixtureRequest, workspaces: SlackWorkspaces, fast_rates: None
) -> SlackWorkspace:
    return await workspaces.get(request.param)


async def test_a_photo_is_answered_in_its_thread_by_a_stream(workspace: SlackWorkspace) -> None:
    workspace.bot.model.then(say("A bowl of ", "fruit."))
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    (answer,) = await workspace.answered(thread)
    assert answer.text == "A bowl of fruit."
    assert answer.was_streamed
    assert answer.steps[0] == texts.placeholder(1, 0)
    assert [block["type"] for block in answer.blocks] == ["context", "context_actions"]
    (request,) = workspace.bot.model.requests
    assert len(request.pictures) == 1


async def test_a_thread_is_remembered_and_others_are_not(workspace: SlackWorkspace) -> None:
    workspace.bot.model.then(say("A bowl of fruit."), say("Three apples."), say("Nothing."))
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.answered(thread)
    assert await workspace.ask("How many apples?", thread_ts=thread) == "Three apples."
    assert "A bowl of fruit." in str(workspace.bot.model.requests[1].body)
    await workspace.ask("What do you know?")
    assert "fruit" not in str(workspace.bot.model.requests[2].body)


async def test_in_a_channel_loupe_answers_who_mentions_it(workspace: SlackWorkspace) -> None:
    assert await workspace.say("Nice weather", channel="C1")
    answer = await workspace.ask(
        f"{MENTION} what is this?", workspace.slack.file(CAR), channel="C1"
    )
    assert answer
    (request,) = workspace.bot.model.requests
    assert "Alex" in str(request.body)
    assert question_words(request).endswith("what is this?")
    assert len(workspace.slack.messages) == 1


async def test_a_post_that_comes_as_two_events_and_again_is_one(workspace: SlackWorkspace) -> None:
    ts = workspace.slack.stamp()
    post = message_event(f"{MENTION} hello?", channel="C1", ts=ts)
    mention = {**post, "type": "app_mention"}
    retry = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    statuses = [await workspace.event(post), await workspace.event(mention)]
    statuses.append(await workspace.event(post, **retry))
    assert statuses == [200, 200, 200]
    await workspace.answered(ts)
    assert len(workspace.bot.model.requests) == 1
    assert len(workspace.slack.messages) == 1


async def test_the_first_mention_in_a_thread_brings_its_pictures(workspace: SlackWorkspace) -> None:
    root = workspace.slack.stamp()
    first = message_event(
        "the dent", channel="C1", ts=root, user="USAM", files=[workspace.slack.file(CAR)]
    )
    workspace.slack.posts.append(first)
    answer = await workspace.ask(f"{MENTION} what is it?", channel="C1", thread_ts=root)
    assert texts.EARLIER_POSTS not in answer
    (request,) = workspace.bot.model.requests
    assert len(request.pictures) == 1
    assert "Sam" in await workspace.ask(f"{MENTION} /photos", channel="C1", thread_ts=root)


async def test_where_there_are_no_streams_answers_are_posted_and_edited(
    workspace: SlackWorkspace,
) -> None:
    workspace.slack.agent = False
    workspace.bot.model.then(say("A bowl of fruit."))
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.slack.until(lambda: [m for m in workspace.slack.messages if "fruit" in m.text])
    await workspace.bot.settled()
    (answer,) = workspace.slack.shown(thread)
    assert not answer.was_streamed
    assert answer.texts[0] == texts.placeholder(1, 0)
    assert answer.text == "A bowl of fruit."
    assert answer.blocks[-1]["type"] == "context_actions"


async def test_a_command_is_obeyed_in_each_way_that_slack_allows(workspace: SlackWorkspace) -> None:
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.answered(thread)
    assert "P1" in await workspace.ask("!photos", thread_ts=thread)
    assert "P1" in await workspace.ask("/photos", thread_ts=thread)
    form = slash("photos", channel_id="D1", trigger_id="9.9.x")
    assert await workspace.deliver(form) == 200
    await workspace.slack.until(lambda: workspace.slack.messages[-1].only_for)
    private = workspace.slack.messages[-1]
    assert private.only_for == "UALEX"
    assert "P1" in private.text


async def test_the_transcript_is_a_file_in_the_thread(workspace: SlackWorkspace) -> None:
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.answered(thread)
    await workspace.say("!json", thread_ts=thread)
    await workspace.slack.until(
        lambda: workspace.slack.uploads or len(workspace.slack.messages) > 1
    )
    await workspace.bot.settled()
    files = [
        json.loads(data) for _, name, data in workspace.slack.uploads if name.endswith(".json")
    ]
    told = [one.text for one in workspace.slack.shown(thread)[1:]]
    assert files or "```json" in told[0]


async def test_the_native_stop_ends_an_answer(workspace: SlackWorkspace) -> None:
    hold = asyncio.Event()
    workspace.bot.model.then(call_tools("It is a ", hold))
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.slack.until(
        lambda: any("It is a" in one.text for one in workspace.slack.messages)
    )
    (answer,) = workspace.slack.messages
    answer.streaming = False  # Slack has ended the stream when it tells.
    stop = {
        "type": "agent_session_stopped",
        "channel": "D1",
        "thread_ts": thread,
        "user": "UALEX",
        "streaming_message_ts": [answer.ts],
    }
    assert await workspace.event(stop) == 200
    await workspace.slack.until(lambda: texts.STOPPED_HERE in answer.text)
    await workspace.bot.settled()
    assert workspace.slack.messages == [answer]


async def test_nothing_that_is_said_becomes_a_mention(workspace: SlackWorkspace) -> None:
    workspace.bot.model.then(say("Ask <!channel> or <@U1>: <https://x.test|here>."))
    answer = await workspace.ask("Whom do I ask, <!here>?", channel="D1")
    assert "channel" in answer
    assert workspace.slack.alarms == []


async def test_files_that_cannot_be_had_are_named(workspace: SlackWorkspace) -> None:
    missing = workspace.slack.file(CAR, "gone.jpg")
    del workspace.slack.files[missing["id"]]
    hidden = {"id": "F90", "name": "old.jpg", "mimetype": "image/jpeg", "mode": "hidden_by_limit"}
    other = {"id": "F91", "name": "cloud.jpg", "mode": "external", "is_external": True}
    answer = await workspace.ask("What are these?", missing, hidden, other)
    for name in ("gone.jpg", "old.jpg", "cloud.jpg"):
        assert name in answer


async def test_a_file_of_another_organisation_is_asked_for(workspace: SlackWorkspace) -> None:
    whole = workspace.slack.file(CAR)
    stub = {"id": whole["id"], "mode": "file_access", "file_access": "check_file_info"}
    assert await workspace.ask("What is this?", stub)
    (request,) = workspace.bot.model.requests
    assert len(request.pictures) == 1


async def test_a_post_is_looked_at_when_somebody_marks_it(workspace: SlackWorkspace) -> None:
    ts = workspace.slack.stamp()
    post = message_event("the dent", channel="C1", ts=ts, files=[workspace.slack.file(CAR)])
    workspace.slack.posts.append(post)
    marked = {
        "type": "reaction_added",
        "user": "USAM",
        "reaction": "mag",
        "item": {"type": "message", "channel": "C1", "ts": ts},
        "event_ts": workspace.slack.stamp(),
    }
    assert await workspace.event(marked) == 200
    await workspace.answered(ts)
    assert len(workspace.bot.model.requests[0].pictures) == 1


async def test_when_the_app_is_uninstalled_all_is_erased(workspace: SlackWorkspace) -> None:
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.answered(thread)
    await workspace.ask("!vision off", thread_ts=thread)
    assert workspace.bot.files()
    assert await workspace.event({"type": "app_uninstalled"}) == 200
    async with asyncio.timeout(10):
        while workspace.bot.files():
            await asyncio.sleep(0.02)
    await workspace.bot.settled()
    kept = [key for key in await workspace.bot.stored() if ":turns" in key or ":settings" in key]
    assert kept == []


async def test_what_is_not_signed_is_refused(workspace: SlackWorkspace) -> None:
    payload = event_callback(message_event("hello", channel="D1"))
    forged = {"X-Slack-Signature": "v0=" + "0" * 64}
    session, origin = workspace.bot.session, workspace.bot.origin
    # Where events come through a socket, nothing is taken by HTTP at all.
    status = await workspace.slack.deliver(session, origin, payload, **forged)
    assert status in {401, 404}
    assert workspace.slack.messages == []


async def test_an_edited_question_takes_the_place_of_the_old_one(workspace: SlackWorkspace) -> None:
    workspace.bot.model.then(say("An apple."), say("A pear."), say("Both."))
    ts = workspace.slack.stamp()
    post = message_event("How many apples?", channel="D1", ts=ts)
    assert await workspace.event(post) == 200
    await workspace.answered(ts)
    after = {**post, "text": "How many pears?", "edited": {"user": "UALEX", "ts": "9.1"}}
    assert await workspace.event(message_changed(after, post)) == 200
    await workspace.answered(ts, 2)
    await workspace.ask("And in all?", thread_ts=ts)
    told = str(workspace.bot.model.requests[2].body)
    assert "How many pears?" in told
    assert "apples" not in told


async def test_a_post_that_is_deleted_is_forgotten_with_its_pictures(
    workspace: SlackWorkspace,
) -> None:
    workspace.bot.model.then(say("A dent."), say("Nothing."))
    thread = await workspace.say("What is this dent?", workspace.slack.file(CAR))
    await workspace.answered(thread)
    assert workspace.bot.files()
    assert await workspace.event(message_deleted(channel="D1", ts=thread)) == 200
    await workspace.bot.settled()
    assert workspace.bot.files() == []
    await workspace.ask("What was it?", thread_ts=thread)
    assert "dent" not in str(workspace.bot.model.requests[1].body)


async def test_an_edit_ends_the_answer_that_is_running(workspace: SlackWorkspace) -> None:
    hold = asyncio.Event()
    workspace.bot.model.then(say("Three ", hold), say("A pear."))
    ts = workspace.slack.stamp()
    post = message_event("How many apples?", channel="D1", ts=ts)
    assert await workspace.event(post) == 200
    await workspace.slack.until(
        lambda: any("Three" in one.text for one in workspace.slack.messages)
    )
    after = {**post, "text": "How many pears?", "edited": {"user": "UALEX", "ts": "9.1"}}
    assert await workspace.event(message_changed(after, post)) == 200
    first, second = await workspace.answered(ts, 2)
    assert first.text == f"Three\n\n{texts.STOPPED_HERE}"
    assert second.text == "A pear."


async def test_a_question_that_is_deleted_while_it_waits_gets_no_answer(
    workspace: SlackWorkspace,
) -> None:
    hold = asyncio.Event()
    workspace.bot.model.then(say("Three ", hold))
    thread = await workspace.say("How many apples?")
    await workspace.slack.until(
        lambda: any("Three" in one.text for one in workspace.slack.messages)
    )
    waiting = message_event(
        "And pears?", channel="D1", ts=workspace.slack.stamp(), thread_ts=thread
    )
    assert await workspace.event(waiting) == 200
    assert (
        await workspace.event(message_deleted(channel="D1", ts=waiting["ts"], thread_ts=thread))
        == 200
    )
    hold.set()
    await workspace.bot.settled()
    assert len(workspace.bot.model.requests) == 1


@pytest.mark.parametrize("command", ["!reset", "!forget"])
async def test_what_was_to_be_forgotten_is_not_read_anew(
    workspace: SlackWorkspace, command: str
) -> None:
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await workspace.answered(thread)
    await workspace.ask(command, thread_ts=thread)
    await workspace.ask("What was it?", thread_ts=thread)
    assert [len(request.pictures) for request in workspace.bot.model.requests] == [1, 0]
    assert workspace.bot.files() == []


async def test_a_mention_alone_has_the_pictures_of_its_thread_looked_at(
    workspace: SlackWorkspace,
) -> None:
    root = workspace.slack.stamp()
    first = message_event(
        "the dent", channel="C1", ts=root, user="USAM", files=[workspace.slack.file(CAR)]
    )
    workspace.slack.posts.append(first)
    answer = await workspace.ask(MENTION, channel="C1", thread_ts=root)
    (request,) = workspace.bot.model.requests
    assert len(request.pictures) == 1
    assert texts.EARLIER_POSTS not in answer


async def test_a_mention_alone_in_a_thread_without_pictures_is_told_what_to_do(
    workspace: SlackWorkspace,
) -> None:
    root = workspace.slack.stamp()
    workspace.slack.posts.append(message_event("Lunch?", channel="C1", ts=root, user="USAM"))
    assert await workspace.ask(MENTION, channel="C1", thread_ts=root) == texts.with_prefix(
        texts.NOTHING_ASKED, "!"
    )
