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
async def office(offices: SlackWorkspaces, brisk: None) -> SlackWorkspace:
    return await offices.get("http")


async def asked(office: SlackWorkspace, channel: str = "C1") -> str:
    """Have a photo answered in a channel; returns its thread."""
    office.bot.model.then(say("A bowl of fruit."))
    thread = await office.say(f"{MENTION} what is it?", office.slack.file(CAR), channel=channel)
    await office.answered(thread)
    return thread


@pytest.mark.parametrize("written", [f"{MENTION} /photos", f"{MENTION} !photos", "!photos"])
async def test_a_command_in_a_channel_needs_no_mention(
    office: SlackWorkspace, written: str
) -> None:
    thread = await asked(office)
    told = await office.ask(written, channel="C1", thread_ts=thread)
    assert told.startswith("- **P1**")


async def test_the_help_is_what_can_be_written_in_slack(office: SlackWorkspace) -> None:
    thread = await asked(office)
    told = await office.ask(f"{MENTION} help!", channel="C1", thread_ts=thread)
    told = await office.ask("!help", channel="C1", thread_ts=thread)
    assert "`!json [full]`" in told
    assert "`/json" not in told
    await office.press(thread, texts.SHOW_PHOTOS, "C1")
    await office.answered(thread, 4)
    assert office.slack.shown(thread)[-1].text.startswith("- **P1**")


async def test_slash_commands_about_a_thread_are_about_the_latest_of_their_caller(
    office: SlackWorkspace,
) -> None:
    thread = await asked(office)
    seen = len(office.slack.messages)
    for command, told in (("photos", "**P1**"), ("usage", "1 answer"), ("json", "```json")):
        answer = await office.slash(command, channel_id="C1")
        link = f"https://acme.slack.com/archives/C1/p{thread.replace('.', '')}"
        assert answer.startswith(texts.slack_about(link))
        assert told in answer
    assert len(office.private) == len(office.slack.messages) - seen == 3


async def test_a_setting_by_slash_holds_in_the_channel_and_is_told_in_private(
    office: SlackWorkspace,
) -> None:
    told = await office.slash("vision off", channel_id="C1")
    assert told == texts.vision_set(False, texts.IN_THIS_CHANNEL)
    thread = await asked(office)
    told = await office.ask("!vision", channel="C1", thread_ts=thread)
    assert told == texts.vision_shown(False)
    elsewhere = await asked(office, "C2")
    told = await office.ask("!vision", channel="C2", thread_ts=elsewhere)
    assert told == texts.vision_shown(True)


async def test_a_system_message_by_slash_waits_for_its_authors_continue(
    office: SlackWorkspace,
) -> None:
    told = await office.slash("system Answer in French.", channel_id="C1")
    assert "/loupe system continue" in told
    (block,) = [block for block in office.private[0].blocks if block["type"] == "actions"]
    pressed = block["elements"][0]
    where = {"message_ts": office.private[0].ts, "channel_id": "C1", "is_ephemeral": True}
    again = button(
        pressed["value"],
        channel={"id": "C1"},
        container={"type": "message", **where},
        message={},
        trigger_id="5.5.c",
    )
    assert await office.deliver(again) == 200
    await office.slack.until(lambda: len(office.private) == 2)
    assert office.private[1].text == texts.system_changed(texts.IN_THIS_CHANNEL)
    await asked(office)
    assert "Answer in French." in str(office.bot.model.requests[-1].body["messages"][0])


async def test_help_by_slash_tells_how_it_is_written_there(office: SlackWorkspace) -> None:
    told = await office.slash("")
    assert "`/loupe json [full]`" in told
    assert "`/loupe photos`" in await office.slash("fotos")


@pytest.mark.parametrize("how", ["!stop", "slash"])
async def test_a_stop_ends_the_answer(office: SlackWorkspace, how: str) -> None:
    hold = asyncio.Event()
    office.bot.model.then(say("Three ", hold))
    thread = await office.say(f"{MENTION} how many apples?", channel="C1")
    await office.slack.until(lambda: any("Three" in one.text for one in office.slack.messages))
    if how == "slash":
        told = await office.slash("stop", channel_id="C1")
    else:
        await office.say(how, channel="C1", thread_ts=thread)
        told = (await office.answered(thread, 2))[1].text
    assert told.endswith(texts.STOPPING)
    assert office.slack.shown(thread)[0].text == f"Three\n\n{texts.STOPPED_HERE}"


async def test_reset_and_forget_act_in_the_thread(office: SlackWorkspace) -> None:
    thread = await asked(office)
    told = await office.ask("!reset", channel="C1", thread_ts=thread)
    assert told == texts.history_reset(1)
    await asked(office)
    assert office.bot.files()
    other = await asked(office)
    told = await office.ask(f"{MENTION} /forget", channel="C1", thread_ts=other)
    assert told == texts.forget_receipt(1, 1, 0, 0)


async def test_the_shortcut_looks_at_a_post_that_mentions_nobody(office: SlackWorkspace) -> None:
    ts = office.slack.stamp()
    post = message_event(
        "the dent", channel="C1", ts=ts, user="USAM", files=[office.slack.file(CAR)]
    )
    office.slack.posts.append(post)
    assert await office.event(post) == 200
    office.bot.model.then(say("A dent."), say("Still a dent."))
    asking = shortcut(post, channel={"id": "C1"}, trigger_id="1.1.a")
    assert await office.deliver(asking) == 200
    assert (await office.answered(ts))[0].text == "A dent."
    assert len(office.bot.model.requests[0].pictures) == 1
    again = shortcut(post, channel={"id": "C1"}, trigger_id="1.1.b")
    assert [await office.deliver(again) for _ in range(2)] == [200, 200]
    assert [one.text for one in await office.answered(ts, 2)] == ["A dent.", "Still a dent."]


async def test_a_watched_channel_has_its_photos_looked_at(office: SlackWorkspace) -> None:
    told = await office.ask(f"{MENTION} /watch photos", channel="C1")
    assert told == texts.watch_set("photos", "Alex")
    assert await office.say("Nice weather", channel="C1")
    thread = await office.say("", office.slack.file(CAR), channel="C1", user="USAM")
    (answer,) = await office.answered(thread)
    assert answer.text.endswith(texts.ASK_ON)
    assert len(office.bot.model.requests) == 1
    told = await office.slash("watch off", channel_id="C1")
    announced, private = office.slack.messages[-2:]
    assert told == announced.text == private.text == texts.watch_set("off", "Alex")
    assert (announced.only_for, private.only_for) == ("", "UALEX")
    await office.say("", office.slack.file(CAR), channel="C1", user="USAM")
    await office.bot.settled()
    assert len(office.bot.model.requests) == 1


async def test_in_a_group_of_people_loupe_waits_for_its_mention(office: SlackWorkspace) -> None:
    await office.say("Hello all", channel=GROUP, channel_type="mpim")
    answer = await office.ask(
        f"{MENTION} what is it?", office.slack.file(CAR), channel=GROUP, channel_type="mpim"
    )
    assert answer
    assert len(office.slack.messages) == 1


async def test_a_long_transcript_is_a_file_whose_json_is_whole(office: SlackWorkspace) -> None:
    long = "word " * 3_000
    office.bot.model.then(say(long))
    thread = await office.say("Tell me a lot.")
    await office.answered(thread, 2)
    assert await office.ask("!json", thread_ts=thread) == texts.JSON_AS_FILE
    ((where, name, data),) = office.slack.shared
    assert (where, name) == (thread, "transcript.json")
    roles = [told["role"] for told in json.loads(data)]
    assert roles == ["system", "user", "assistant"]
    assert "".join(json.loads(data)[2]["content"]).strip() == long.strip()


async def test_a_shortcut_where_loupe_is_no_member_is_told_so(office: SlackWorkspace) -> None:
    for method in ("chat.startStream", "chat.postMessage"):
        office.slack.errors[method] = ["not_in_channel"] * 4
    post = message_event("the dent", channel="C9", user="USAM", files=[office.slack.file(CAR)])
    hook = f"{office.slack.url}/hook"
    asked = shortcut(post, channel={"id": "C9"}, response_url=hook)
    assert await office.deliver(asked) == 200
    await office.slack.until(lambda: office.slack.hooked)
    assert office.slack.hooked[0]["text"] == texts.SLACK_INVITE_ME
    assert office.slack.hooked[0]["response_type"] == "ephemeral"


async def test_a_shortcut_obeys_no_command_of_others_and_needs_a_picture(
    office: SlackWorkspace,
) -> None:
    for number, text in enumerate(("!vision off", "Lunch?", "")):
        post = message_event(text, channel="C1", ts=office.slack.stamp(), user="USAM")
        assert await office.deliver(shortcut(post, trigger_id=f"{number}.1")) == 200
    await office.slack.until(lambda: len(office.slack.messages) == 3)
    assert {shown.text for shown in office.slack.messages} == {
        texts.with_prefix(texts.NOTHING_ASKED, "/loupe ")
    }
    assert {shown.only_for for shown in office.slack.messages} == {"UALEX"}
    assert office.bot.model.requests == []
