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

GET_URL, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"
PASSING = [PAGE_502, CUT]


def place(clients: SlackClients, url: str = "") -> Answer:
    url = url or f"{clients.server.url}/upload/v1/signed"
    return Answer({"ok": True, "upload_url": url, "file_id": "F1"})


async def share(clients: SlackClients, **changes: Any) -> None:
    await clients.uploads.share(
        address(**changes), "P1.jpg", b"jpeg", alt="A car", title="P1 IMG_1.heic"
    )


async def test_a_file_is_shared_in_its_thread() -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, place(clients))
        await share(clients)
    url_call, completion = clients.server.calls
    assert url_call.form == {"filename": "P1.jpg", "length": "4", "alt_txt": "A car"}
    assert json.loads(completion.form.pop("files")) == [{"id": "F1", "title": "P1 IMG_1.heic"}]
    assert completion.form == {"channel_id": "C1", "thread_ts": "1.0000"}
    assert {url_call.authorization, completion.authorization} == {f"Bearer {TOKEN}"}
    [upload] = clients.server.uploads
    assert (upload.name, upload.body, upload.authorization) == ("/upload/v1/signed", b"jpeg", "")


@pytest.mark.parametrize("thread", [TOP, ""])
async def test_without_a_thread_it_stands_at_the_top(thread: str) -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, place(clients))
        await clients.uploads.share(address(thread=thread), "transcript.json", b"[]")
    url_call, completion = clients.server.calls
    assert "alt_txt" not in url_call.form
    assert json.loads(completion.form["files"]) == [{"id": "F1", "title": "transcript.json"}]
    assert "thread_ts" not in completion.form


@pytest.mark.parametrize("fault", PASSING)
async def test_what_nobody_sees_is_repeated(fault: Answer) -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, fault, place(clients))
        clients.server.then("upload", fault, fault)
        await share(clients)
    assert clients.server.methods() == [GET_URL, GET_URL, COMPLETE]
    assert [upload.body for upload in clients.server.uploads] == [b"jpeg"] * 3


@pytest.mark.parametrize("fault", [*PASSING, refusal("internal_error")])
async def test_what_may_have_been_shown_is_not_repeated(fault: Answer) -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, place(clients))
        clients.server.then(COMPLETE, fault)
        with pytest.raises(DeliveryUnknown):
            await share(clients)
    assert clients.server.methods() == [GET_URL, COMPLETE]


async def test_what_came_too_soon_surely_was_not_shown() -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, throttling(), place(clients))
        clients.server.then("upload", throttling("5"))
        clients.server.then(COMPLETE, throttling())
        await share(clients)
        assert clients.clock.now() - 1000 == 3 + 5 + 3
    assert clients.server.methods() == [GET_URL, GET_URL, COMPLETE, COMPLETE]


@pytest.mark.parametrize(
    "url", ["https://evil.example/upload/v1/x", "http://127.0.0.1:1/upload", "upload", None, 7]
)
async def test_bytes_go_nowhere_but_to_slack(url: Any) -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, Answer({"ok": True, "upload_url": url, "file_id": "F1"}))
        with pytest.raises(DeliveryRefused, match="not Slack's"):
            await share(clients)
    assert clients.server.methods() == [GET_URL]
    assert clients.server.uploads == []


@pytest.mark.parametrize(("answer", "attempts"), [(Answer("", 400), 1), (PAGE_502, 2)])
async def test_bytes_that_are_not_taken_are_not_shown(answer: Answer, attempts: int) -> None:
    async with slack_clients(send_tries=2) as clients:
        clients.server.then(GET_URL, place(clients))
        clients.server.then("upload", *[answer] * 3)
        with pytest.raises(SlackError) as failure:
            await share(clients)
    assert failure.value.status == answer.status
    assert clients.server.methods() == [GET_URL]
    assert len(clients.server.uploads) == attempts


@pytest.mark.parametrize("error", ["channel_not_found", "not_in_channel", "token_revoked"])
async def test_a_conversation_that_is_gone_takes_no_file(error: str) -> None:
    async with slack_clients() as clients:
        clients.server.then(GET_URL, place(clients))
        clients.server.then(COMPLETE, refusal(error))
        with pytest.raises(ConversationGone):
            await share(clients)
