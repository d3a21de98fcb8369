"""Files of ours in a thread: three steps, of which only the last is not repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.slack.addresses import TOP
from adapters.slack.errors import SlackError
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from tests.helpers.slack_wire_server import (
    CUT,
    PAGE_502,
    TOKEN,
    Answer,
    SlackClients,
    address,
    refusal,
    slack_clients,
    throttling,
)

WHERE, DONE = "files.getUploadURLExternal", "files.completeUploadExternal"
PASSING = [PAGE_502, CUT]


def place(wires: SlackClients, url: str = "") -> Answer:
    url = url or f"{wires.server.url}/upload/v1/signed"
    return Answer({"ok": True, "upload_url": url, "file_id": "F1"})


async def share(wires: SlackClients, **changes: Any) -> None:
    await wires.uploads.share(
        address(**changes), "P1.jpg", b"jpeg", alt="A car", title="P1 IMG_1.heic"
    )


async def test_a_file_is_shared_in_its_thread() -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, place(wires))
        await share(wires)
    where, done = wires.server.calls
    assert where.form == {"filename": "P1.jpg", "length": "4", "alt_txt": "A car"}
    assert json.loads(done.form.pop("files")) == [{"id": "F1", "title": "P1 IMG_1.heic"}]
    assert done.form == {"channel_id": "C1", "thread_ts": "1.0000"}
    assert {where.authorization, done.authorization} == {f"Bearer {TOKEN}"}
    [sent] = wires.server.uploads
    assert (sent.name, sent.body, sent.authorization) == ("/upload/v1/signed", b"jpeg", "")


@pytest.mark.parametrize("thread", [TOP, ""])
async def test_without_a_thread_it_stands_at_the_top(thread: str) -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, place(wires))
        await wires.uploads.share(address(thread=thread), "transcript.json", b"[]")
    where, done = wires.server.calls
    assert "alt_txt" not in where.form
    assert json.loads(done.form["files"]) == [{"id": "F1", "title": "transcript.json"}]
    assert "thread_ts" not in done.form


@pytest.mark.parametrize("fault", PASSING)
async def test_what_nobody_sees_is_repeated(fault: Answer) -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, fault, place(wires))
        wires.server.then("upload", fault, fault)
        await share(wires)
    assert wires.server.methods() == [WHERE, WHERE, DONE]
    assert [sent.body for sent in wires.server.uploads] == [b"jpeg"] * 3


@pytest.mark.parametrize("fault", [*PASSING, refusal("internal_error")])
async def test_what_may_have_been_shown_is_not_repeated(fault: Answer) -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, place(wires))
        wires.server.then(DONE, fault)
        with pytest.raises(DeliveryUnknown):
            await share(wires)
    assert wires.server.methods() == [WHERE, DONE]


async def test_what_came_too_soon_surely_was_not_shown() -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, throttling(), place(wires))
        wires.server.then("upload", throttling("5"))
        wires.server.then(DONE, throttling())
        await share(wires)
        assert wires.clock.now() - 1000 == 3 + 5 + 3
    assert wires.server.methods() == [WHERE, WHERE, DONE, DONE]


@pytest.mark.parametrize(
    "url", ["https://evil.example/upload/v1/x", "http://127.0.0.1:1/upload", "upload", None, 7]
)
async def test_bytes_go_nowhere_but_to_slack(url: Any) -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, Answer({"ok": True, "upload_url": url, "file_id": "F1"}))
        with pytest.raises(DeliveryRefused, match="not Slack's"):
            await share(wires)
    assert wires.server.methods() == [WHERE]
    assert wires.server.uploads == []


@pytest.mark.parametrize(("answer", "sent"), [(Answer("", 400), 1), (PAGE_502, 2)])
async def test_bytes_that_are_not_taken_are_not_shown(answer: Answer, sent: int) -> None:
    async with slack_clients(send_tries=2) as wires:
        wires.server.then(WHERE, place(wires))
        wires.server.then("upload", *[answer] * 3)
        with pytest.raises(SlackError) as told:
            await share(wires)
    assert told.value.status == answer.status
    assert wires.server.methods() == [WHERE]
    assert len(wires.server.uploads) == sent


@pytest.mark.parametrize("error", ["channel_not_found", "not_in_channel", "token_revoked"])
async def test_a_conversation_that_is_gone_takes_no_file(error: str) -> None:
    async with slack_clients() as wires:
        wires.server.then(WHERE, place(wires))
        wires.server.then(DONE, refusal(error))
        with pytest.raises(ConversationGone):
            await share(wires)
