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
from tests.servers.slack import CUT, HTML, LOST, THROTTLED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.slack_workspace import SlackWorkspace, SlackWorkspaces

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIECES = ("A bowl of fruit. ", "Three apples, ", "and a pear.")
WHOLE = "".join(PIECES)


@pytest_asyncio.fixture(loop_scope="session")
async def office(offices: SlackWorkspaces, brisk: None) -> SlackWorkspace:
    return await offices.get("troubles")


async def asked(office: SlackWorkspace) -> str:
    """Ask for an answer in three pieces, each given when the one before is shown."""
    gates = [asyncio.Event() for _ in PIECES[1:]]
    held = [step for gate, piece in zip(gates, PIECES[1:], strict=True) for step in (gate, piece)]
    office.bot.model.then(say(PIECES[0], *held))
    thread = await office.say("What is this?", office.slack.file(CAR))
    shown = ""
    for gate, piece in zip(gates, PIECES, strict=False):
        shown += piece
        await seen(office, shown.strip())
        gate.set()
    await office.answered(thread)
    return thread


async def seen(office: SlackWorkspace, words: str) -> None:
    """Wait until a message says so."""
    await office.slack.until(lambda: any(words in one.text for one in office.slack.messages))


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("fault", [f"{THROTTLED}1", CUT, LOST, HTML, "internal_error"])
async def test_a_stream_that_meets_trouble_shows_the_whole_answer_once(
    office: SlackWorkspace, method: str, fault: str
) -> None:
    office.bot.model.then(say(*PIECES))
    office.slack.errors[method] = [fault]
    thread = await office.say("What is this?", office.slack.file(CAR))
    await seen(office, WHOLE)
    await office.bot.settled()
    answers = [one.text for one in office.slack.shown(thread) if one.text]
    assert answers == [WHOLE]


@pytest.mark.parametrize("fault", [f"{THROTTLED}1", LOST, HTML, "service_unavailable"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_edits_that_meet_trouble_show_the_whole_answer_once(
    office: SlackWorkspace, method: str, fault: str
) -> None:
    office.slack.agent = False
    office.bot.model.then(say(*PIECES))
    office.slack.errors[method] = [fault]
    thread = await office.say("What is this?", office.slack.file(CAR))
    await seen(office, WHOLE)
    await office.bot.settled()
    answers = [one.text for one in office.slack.shown(thread)]
    assert [text for text in answers if "fruit" in text] == [WHOLE]


async def test_when_slack_ends_a_stream_the_same_message_goes_on_by_edits(
    office: SlackWorkspace,
) -> None:
    gate = asyncio.Event()
    office.bot.model.then(say(PIECES[0], gate, *PIECES[1:]))
    thread = await office.say("What is this?", office.slack.file(CAR))
    await seen(office, PIECES[0].strip())
    (answer,) = office.slack.messages
    answer.streaming = False
    gate.set()
    await seen(office, WHOLE)
    await office.bot.settled()
    assert [one.text for one in office.slack.shown(thread)] == [WHOLE]
    assert "chat.update" in office.slack.calls
    assert answer.blocks[-1]["type"] == "context_actions"


async def test_words_of_which_nobody_knows_whether_they_arrived_come_once(
    office: SlackWorkspace,
) -> None:
    office.slack.errors["chat.appendStream"] = ["", CUT]
    thread = await asked(office)
    assert [one.text for one in office.slack.shown(thread)] == [WHOLE]


async def test_slack_is_left_alone_for_as_long_as_it_asks(office: SlackWorkspace) -> None:
    office.slack.agent = False
    office.slack.errors["chat.postMessage"] = [f"{THROTTLED}2"]
    began = time.monotonic()
    assert await office.ask("What is this?")
    assert time.monotonic() - began >= 2
    assert office.slack.calls.count("chat.postMessage") == 2


async def test_a_busy_day_keeps_to_slacks_rates(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as office:
        office.slack.rates.strict = True
        threads = [await office.say(f"Question {n}") for n in range(12)]
        for thread in threads:
            await office.answered(thread)
        assert office.slack.rates.refused == []
        assert len(office.slack.messages) == len(threads)


async def test_an_upload_that_is_refused_for_the_rate_is_repeated(office: SlackWorkspace) -> None:
    office.slack.errors["files.getUploadURLExternal"] = [f"{THROTTLED}1"]
    office.slack.errors["files.completeUploadExternal"] = [f"{THROTTLED}1"]
    office.bot.model.then(say("word " * 3_000))
    thread = await office.say("Tell me a lot.")
    await office.answered(thread, 2)
    assert await office.ask("!json", thread_ts=thread) == texts.JSON_AS_FILE
    assert [name for _, name, _ in office.slack.shared] == ["transcript.json"]


async def test_where_no_file_can_be_uploaded_the_transcript_comes_in_messages(
    office: SlackWorkspace,
) -> None:
    office.bot.model.then(say("word " * 3_000))
    thread = await office.say("Tell me a lot.")
    await office.answered(thread, 2)
    office.slack.errors["files.getUploadURLExternal"] = ["storage_limit_reached"]
    await office.say("!json", thread_ts=thread)
    await office.bot.settled()
    told = [one.text for one in office.slack.shown(thread)[2:]]
    assert told[:2] == [texts.JSON_AS_FILE, texts.NO_FILE_HERE]
    roles = [part["role"] for block in told[2:] for part in parse_transcript(block)]
    assert list(dict.fromkeys(roles)) == ["system", "user", "assistant"]


async def test_who_is_signed_out_of_slack_reads_what_to_do(office: SlackWorkspace) -> None:
    office.slack.signed_out = True
    answer = await office.ask("What is this?", office.slack.file(CAR))
    assert "`car.jpg` could not be used" in answer


async def test_when_the_token_is_revoked_the_work_ends(office: SlackWorkspace) -> None:
    hold = asyncio.Event()
    office.bot.model.then(say(PIECES[0], hold, *PIECES[1:]))
    await office.say("What is this?")
    await seen(office, PIECES[0].strip())
    for method in ("chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage"):
        office.slack.errors[method] = ["token_revoked"] * 50
    hold.set()
    await office.bot.settled()


async def test_a_channel_that_loupe_was_removed_from_ends_the_work(office: SlackWorkspace) -> None:
    for method in ("chat.startStream", "chat.postMessage"):
        office.slack.errors[method] = ["not_in_channel"] * 50
    await office.say("What is this?")
    await office.bot.settled()
    assert office.slack.messages == []


async def test_what_is_delivered_again_while_it_is_answered_is_one_question(
    office: SlackWorkspace,
) -> None:
    hold = asyncio.Event()
    office.bot.model.then(say(PIECES[0], hold, *PIECES[1:]))
    payload = event_callback(message_event("What is this?", channel="D1", ts=office.slack.stamp()))
    assert await office.deliver(payload) == 200
    await seen(office, PIECES[0].strip())
    for attempt in ("1", "2", "3"):
        again = {"X-Slack-Retry-Num": attempt, "X-Slack-Retry-Reason": "http_timeout"}
        assert await office.deliver(payload, **again) == 200
    hold.set()
    await seen(office, WHOLE)
    await office.bot.settled()
    assert len(office.bot.model.requests) == len(office.slack.messages) == 1


async def test_deliveries_are_taken_however_much_is_being_answered(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with open_workspace(tmp_path) as office:
        office.bot.model.then(*[say("Well, ", hold, "yes.") for _ in range(32)])
        for number in range(32):
            await office.say(f"Held {number}")
        await office.bot.model.until_asked(8, 30)
        connections = asyncio.Semaphore(16)

        async def late(number: int) -> None:
            payload = event_callback(
                message_event(f"Late {number}", channel="D2", ts=office.slack.stamp())
            )
            async with connections:
                while await office.deliver(payload) != 200:
                    """A store that is slow has Slack deliver it again."""

        await asyncio.gather(*(late(number) for number in range(200)))
        assert all("yes" not in shown.text for shown in office.slack.messages)
        hold.set()
