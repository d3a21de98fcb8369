"""Commands in Slack: after a mention, with `!`, as `/loupe`, by buttons and by the shortcut."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.slack_payloads import MENTION, button, message_event, shortcut
from tests.helpers.slack_workspace import CAR
from tests.servers.openai import say

if TYPE_CHECKING:
    from tests.helpers.slack_workspace import SlackWorkspace, SlackWorkspaces

pytestmark = pytest.mark.asyncio(loop_scope="session")

GROUP = "G1"


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(workspaces: SlackWorkspaces, fast_rates: None) -> SlackWorkspace:
    return await workspaces.get("http")


async def asked(workspace: SlackWorkspace, channel: str = "C1") -> str:
    """Have a photo answered in a channel; returns its thread."""
    workspace.bot.model.then(say("A bowl of fruit."))
    thread = await workspace.say(
        f"{MENTION} what is it?", workspace.slack.file(CAR), channel=channel
    )
    await workspace.answered(thread)
    return thread


@pytest.mark.parametrize("written", [f"{MENTION} /photos", f"{MENTION} !photos", "!photos"])
async def test_a_command_in_a_channel_needs_no_mention(
    workspace: SlackWorkspace, written: str
) -> None:
    thread = await asked(workspace)
    told = await workspace.ask(written, channel="C1", thread_ts=thread)
    assert told.startswith("- **P1**")


async def test_the_help_is_what_can_be_written_in_slack(workspace: SlackWorkspace) -> None:
    thread = await asked(workspace)
    told = await workspace.ask(f"{MENTION} help!", channel="C1", thread_ts=thread)
    told = await workspace.ask("!help", channel="C1", thread_ts=thread)
    assert "`!json [full]`" in told
    assert "`/json" not in told
    await workspace.press(thread, texts.SHOW_PHOTOS, "C1")
    await workspace.answered(thread, 4)
    assert workspace.slack.shown(thread)[-1].text.startswith("- **P1**")


async def test_slash_commands_about_a_thread_are_about_the_latest_of_their_caller(
    workspace: SlackWorkspace,
) -> None:
    thread = await asked(workspace)
    seen = len(workspace.slack.messages)
    for command, told in (("photos", "**P1**"), ("usage", "1 answer"), ("json", "```json")):
        answer = await workspace.slash(command, channel_id="C1")
        link = f"https://acme.slack.com/archives/C1/p{thread.replace('.', '')}"
        assert answer.startswith(texts.slack_about(link))
        assert told in answer
    assert len(workspace.private) == len(workspace.slack.messages) - seen == 3


async def test_a_setting_by_slash_holds_in_the_channel_and_is_told_in_private(
    workspace: SlackWorkspace,
) -> None:
    told = await workspace.slash("vision off", channel_id="C1")
    assert told == texts.vision_set(False, texts.IN_THIS_CHANNEL)
    thread = await asked(workspace)
    told = await workspace.ask("!vision", channel="C1", thread_ts=thread)
    assert told == texts.vision_shown(False)
    elsewhere = await asked(workspace, "C2")
    told = await workspace.ask("!vision", channel="C2", thread_ts=elsewhere)
    assert told == texts.vision_shown(True)


async def test_a_system_message_by_slash_waits_for_its_authors_continue(
    workspace: SlackWorkspace,
) -> None:
    told = await workspace.slash("system Answer in French.", channel_id="C1")
    assert "/loupe system continue" in told
    (block,) = [block for block in workspace.private[0].blocks if block["type"] == "actions"]
    pressed = block["elements"][0]
    where = {"message_ts": workspace.private[0].ts, "channel_id": "C1", "is_ephemeral": True}
    again = button(
        pressed["value"],
        channel={"id": "C1"},
        container={"type": "message", **where},
        message={},
        trigger_id="5.5.c",
    )
    assert await workspace.deliver(again) == 200
    await workspace.slack.until(lambda: len(workspace.private) == 2)
    assert workspace.private[1].text == texts.system_changed(texts.IN_THIS_CHANNEL)
    await asked(workspace)
    assert "Answer in French." in str(workspace.bot.model.requests[-1].body["messages"][0])


async def test_help_by_slash_tells_how_it_is_written_there(workspace: SlackWorkspace) -> None:
    told = await workspace.slash("")
    assert "`/loupe json [full]`" in told
    assert "`/loupe photos`" in await workspace.slash("fotos")


@pytest.mark.parametrize("how", ["!stop", "slash"])
async def test_a_stop_ends_the_answer(workspace: SlackWorkspace, how: str) -> None:
    hold = asyncio.Event()
    workspace.bot.model.then(say("Three ", hold))
    thread = await workspace.say(f"{MENTION} how many apples?", channel="C1")
    await workspace.slack.until(
        lambda: any("Three" in one.text for one in workspace.slack.messages)
    )
    if how == "slash":
        told = await workspace.slash("stop", channel_id="C1")
    else:
        await workspace.say(how, channel="C1", thread_ts=thread)
        told = (await workspace.answered(thread, 2))[1].text
    assert told.endswith(texts.STOPPING)
    assert workspace.slack.shown(thread)[0].text == f"Three\n\n{texts.STOPPED_HERE}"


async def test_reset_and_forget_act_in_the_thread(workspace: SlackWorkspace) -> None:
    thread = await asked(workspace)
    told = await workspace.ask("!reset", channel="C1", thread_ts=thread)
    assert told == texts.history_reset(1)
    await asked(workspace)
    assert workspace.bot.files()
    other = await asked(workspace)
    told = await workspace.ask(f"{MENTION} /forget", channel="C1", thread_ts=other)
    assert told == texts.forget_receipt(1, 1, 0, 0)


async def test_the_shortcut_looks_at_a_post_that_mentions_nobody(workspace: SlackWorkspace) -> None:
    ts = workspace.slack.stamp()
    post = message_event(
        "the dent", channel="C1", ts=ts, user="USAM", files=[workspace.slack.file(CAR)]
    )
    workspace.slack.posts.append(post)
    assert await workspace.event(post) == 200
    workspace.bot.model.then(say("A dent."), say("Still a dent."))
    asking = shortcut(post, channel={"id": "C1"}, trigger_id="1.1.a")
    assert await workspace.deliver(asking) == 200
    assert (await workspace.answered(ts))[0].text == "A dent."
    assert len(workspace.bot.model.requests[0].pictures) == 1
    again = shortcut(post, channel={"id": "C1"}, trigger_id="1.1.b")
    assert [await workspace.deliver(again) for _ in range(2)] == [200, 200]
    assert [one.text for one in await workspace.answered(ts, 2)] == ["A dent.", "Still a dent."]


async def test_a_watched_channel_has_its_photos_looked_at(workspace: SlackWorkspace) -> None:
    told = await workspace.ask(f"{MENTION} /watch photos", channel="C1")
    assert told == texts.watch_set("photos", "Alex")
    assert await workspace.say("Nice weather", channel="C1")
    thread = await workspace.say("", workspace.slack.file(CAR), channel="C1", user="USAM")
    (answer,) = await workspace.answered(thread)
    assert answer.text.endswith(texts.ASK_ON)
    assert len(workspace.bot.model.requests) == 1
    told = await workspace.slash("watch off", channel_id="C1")
    announced, private = workspace.slack.messages[-2:]
    assert told == announced.text == private.text == texts.watch_set("off", "Alex")
    assert (announced.only_for, private.only_for) == ("", "UALEX")
    await workspace.say("", workspace.slack.file(CAR), channel="C1", user="USAM")
    await workspace.bot.settled()
    assert len(workspace.bot.model.requests) == 1


async def test_in_a_group_of_people_loupe_waits_for_its_mention(workspace: SlackWorkspace) -> None:
    await workspace.say("Hello all", channel=GROUP, channel_type="mpim")
    answer = await workspace.ask(
        f"{MENTION} what is it?", workspace.slack.file(CAR), channel=GROUP, channel_type="mpim"
    )
    assert answer
    assert len(workspace.slack.messages) == 1


async def test_a_long_transcript_is_a_file_whose_json_is_whole(workspace: SlackWorkspace) -> None:
    long = "word " * 3_000
    workspace.bot.model.then(say(long))
    thread = await workspace.say("Tell me a lot.")
    await workspace.answered(thread, 2)
    assert await workspace.ask("!json", thread_ts=thread) == texts.JSON_AS_FILE
    ((where, name, data),) = workspace.slack.uploads
    assert (where, name) == (thread, "transcript.json")
    roles = [told["role"] for told in json.loads(data)]
    assert roles == ["system", "user", "assistant"]
    assert "".join(json.loads(data)[2]["content"]).strip() == long.strip()


async def test_a_shortcut_where_loupe_is_no_member_is_told_so(workspace: SlackWorkspace) -> None:
    for method in ("chat.startStream", "chat.postMessage"):
        workspace.slack.errors[method] = ["not_in_channel"] * 4
    post = message_event("the dent", channel="C9", user="USAM", files=[workspace.slack.file(CAR)])
    hook = f"{workspace.slack.url}/hook"
    asked = shortcut(post, channel={"id": "C9"}, response_url=hook)
    assert await workspace.deliver(asked) == 200
    await workspace.slack.until(lambda: workspace.slack.hook_posts)
    assert workspace.slack.hook_posts[0]["text"] == texts.SLACK_INVITE_ME
    assert workspace.slack.hook_posts[0]["response_type"] == "ephemeral"


async def test_a_shortcut_obeys_no_command_of_others_and_needs_a_picture(
    workspace: SlackWorkspace,
) -> None:
    for number, text in enumerate(("!vision off", "Lunch?", "")):
        post = message_event(text, channel="C1", ts=workspace.slack.stamp(), user="USAM")
        assert await workspace.deliver(shortcut(post, trigger_id=f"{number}.1")) == 200
    await workspace.slack.until(lambda: len(workspace.slack.messages) == 3)
    assert {shown.text for shown in workspace.slack.messages} == {
        texts.with_prefix(texts.NOTHING_ASKED, "/loupe ")
    }
    assert {shown.only_for for shown in workspace.slack.messages} == {"UALEX"}
    assert workspace.bot.model.requests == []
