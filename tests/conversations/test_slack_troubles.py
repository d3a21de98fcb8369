"""Slack as it is on bad days: busy, slow, cut off, taking back what it began."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.slack_payloads import event_callback, message_event
from tests.helpers.slack_workspace import CAR, open_workspace
from tests.helpers.transcripts import parse_transcript
from tests.servers.openai import say
from tests.servers.slack import CUT, DROP, HTML, THROTTLED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.slack_workspace import SlackWorkspace, SlackWorkspaces

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIECES = ("A bowl of fruit. ", "Three apples, ", "and a pear.")
WHOLE = "".join(PIECES)


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(workspaces: SlackWorkspaces, fast_rates: None) -> SlackWorkspace:
    return await workspaces.get("troubles")


async def asked(workspace: SlackWorkspace) -> str:
    """Ask for an answer in three pieces, each given when the one before is shown."""
    gates = [asyncio.Event() for _ in PIECES[1:]]
    steps = [step for gate, piece in zip(gates, PIECES[1:], strict=True) for step in (gate, piece)]
    workspace.bot.model.then(say(PIECES[0], *steps))
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    text = ""
    for gate, piece in zip(gates, PIECES, strict=False):
        text += piece
        await seen(workspace, text.strip())
        gate.set()
    await workspace.answered(thread)
    return thread


async def seen(workspace: SlackWorkspace, words: str) -> None:
    """Wait until a message says so."""
    await workspace.slack.until(lambda: any(words in one.text for one in workspace.slack.messages))


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("fault", [f"{THROTTLED}1", CUT, DROP, HTML, "internal_error"])
async def test_a_stream_that_meets_trouble_shows_the_whole_answer_once(
    workspace: SlackWorkspace, method: str, fault: str
) -> None:
    workspace.bot.model.then(say(*PIECES))
    workspace.slack.errors[method] = [fault]
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await seen(workspace, WHOLE)
    await workspace.bot.settled()
    answers = [one.text for one in workspace.slack.shown(thread) if one.text]
    assert answers == [WHOLE]


@pytest.mark.parametrize("fault", [f"{THROTTLED}1", DROP, HTML, "service_unavailable"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_edits_that_meet_trouble_show_the_whole_answer_once(
    workspace: SlackWorkspace, method: str, fault: str
) -> None:
    workspace.slack.agent = False
    workspace.bot.model.then(say(*PIECES))
    workspace.slack.errors[method] = [fault]
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await seen(workspace, WHOLE)
    await workspace.bot.settled()
    answers = [one.text for one in workspace.slack.shown(thread)]
    assert [text for text in answers if "fruit" in text] == [WHOLE]


async def test_when_slack_ends_a_stream_the_same_message_goes_on_by_edits(
    workspace: SlackWorkspace,
) -> None:
    gate = asyncio.Event()
    workspace.bot.model.then(say(PIECES[0], gate, *PIECES[1:]))
    thread = await workspace.say("What is this?", workspace.slack.file(CAR))
    await seen(workspace, PIECES[0].strip())
    (answer,) = workspace.slack.messages
    answer.streaming = False
    gate.set()
    await seen(workspace, WHOLE)
    await workspace.bot.settled()
    assert [one.text for one in workspace.slack.shown(thread)] == [WHOLE]
    assert "chat.update" in workspace.slack.calls
    assert answer.blocks[-1]["type"] == "context_actions"


async def test_words_of_which_nobody_knows_whether_they_arrived_come_once(
    workspace: SlackWorkspace,
) -> None:
    workspace.slack.errors["chat.appendStream"] = ["", CUT]
    thread = await asked(workspace)
    assert [one.text for one in workspace.slack.shown(thread)] == [WHOLE]


async def test_slack_is_left_alone_for_as_long_as_it_asks(workspace: SlackWorkspace) -> None:
    workspace.slack.agent = False
    workspace.slack.errors["chat.postMessage"] = [f"{THROTTLED}2"]
    began = time.monotonic()
    assert await workspace.ask("What is this?")
    assert time.monotonic() - began >= 2
    assert workspace.slack.calls.count("chat.postMessage") == 2


async def test_a_busy_day_keeps_to_slacks_rates(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        workspace.slack.rates.strict = True
        threads = [await workspace.say(f"Question {n}") for n in range(12)]
        for thread in threads:
            await workspace.answered(thread)
        assert workspace.slack.rates.refusals == []
        assert len(workspace.slack.messages) == len(threads)


async def test_an_upload_that_is_refused_for_the_rate_is_repeated(
    workspace: SlackWorkspace,
) -> None:
    workspace.slack.errors["files.getUploadURLExternal"] = [f"{THROTTLED}1"]
    workspace.slack.errors["files.completeUploadExternal"] = [f"{THROTTLED}1"]
    workspace.bot.model.then(say("word " * 3_000))
    thread = await workspace.say("Tell me a lot.")
    await workspace.answered(thread, 2)
    assert await workspace.ask("!json", thread_ts=thread) == texts.JSON_AS_FILE
    assert [name for _, name, _ in workspace.slack.uploads] == ["transcript.json"]


async def test_where_no_file_can_be_uploaded_the_transcript_comes_in_messages(
    workspace: SlackWorkspace,
) -> None:
    workspace.bot.model.then(say("word " * 3_000))
    thread = await workspace.say("Tell me a lot.")
    await workspace.answered(thread, 2)
    workspace.slack.errors["files.getUploadURLExternal"] = ["storage_limit_reached"]
    await workspace.say("!json", thread_ts=thread)
    await workspace.bot.settled()
    message_texts = [one.text for one in workspace.slack.shown(thread)[2:]]
    assert message_texts[:2] == [texts.JSON_AS_FILE, texts.NO_FILE_HERE]
    roles = [part["role"] for block in message_texts[2:] for part in parse_transcript(block)]
    assert list(dict.fromkeys(roles)) == ["system", "user", "assistant"]


async def test_who_is_signed_out_of_slack_reads_what_to_do(workspace: SlackWorkspace) -> None:
    workspace.slack.signed_out = True
    answer = await workspace.ask("What is this?", workspace.slack.file(CAR))
    assert "`car.jpg` could not be used" in answer


async def test_when_the_token_is_revoked_the_work_ends(workspace: SlackWorkspace) -> None:
    hold = asyncio.Event()
    workspace.bot.model.then(say(PIECES[0], hold, *PIECES[1:]))
    await workspace.say("What is this?")
    await seen(workspace, PIECES[0].strip())
    for method in ("chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage"):
        workspace.slack.errors[method] = ["token_revoked"] * 50
    hold.set()
    await workspace.bot.settled()


async def test_a_channel_that_loupe_was_removed_from_ends_the_work(
    workspace: SlackWorkspace,
) -> None:
    for method in ("chat.startStream", "chat.postMessage"):
        workspace.slack.errors[method] = ["not_in_channel"] * 50
    await workspace.say("What is this?")
    await workspace.bot.settled()
    assert workspace.slack.messages == []


async def test_what_is_delivered_again_while_it_is_answered_is_one_question(
    workspace: SlackWorkspace,
) -> None:
    hold = asyncio.Event()
    workspace.bot.model.then(say(PIECES[0], hold, *PIECES[1:]))
    payload = event_callback(
        message_event("What is this?", channel="D1", ts=workspace.slack.stamp())
    )
    assert await workspace.deliver(payload) == 200
    await seen(workspace, PIECES[0].strip())
    for attempt in ("1", "2", "3"):
        again = {"X-Slack-Retry-Num": attempt, "X-Slack-Retry-Reason": "http_timeout"}
        assert await workspace.deliver(payload, **again) == 200
    hold.set()
    await seen(workspace, WHOLE)
    await workspace.bot.settled()
    assert len(workspace.bot.model.requests) == len(workspace.slack.messages) == 1


async def test_deliveries_are_taken_however_much_is_being_answered(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with open_workspace(tmp_path) as workspace:
        workspace.bot.model.then(*[say("Well, ", hold, "yes.") for _ in range(32)])
        for number in range(32):
            await workspace.say(f"Held {number}")
        await workspace.bot.model.until_asked(8, 30)
        connections = asyncio.Semaphore(16)

        async def late(number: int) -> None:
            payload = event_callback(
                message_event(f"Late {number}", channel="D2", ts=workspace.slack.stamp())
            )
            async with connections:
                while await workspace.deliver(payload) != 200:
                    """A store that is slow has Slack deliver it again."""

        await asyncio.gather(*(late(number) for number in range(200)))
        assert all("yes" not in message.text for message in workspace.slack.messages)
        hold.set()
