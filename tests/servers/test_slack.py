"""The Slack of the tests refuses what Slack refuses, so that other tests prove something."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError, ClientSession, WSMsgType

from tests.helpers.slack_payloads import event_callback, message_event
from tests.servers.slack import APP_TOKEN, CUT, DROP, HTML, THROTTLED, TOKEN, SlackServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WORDS = {"type": "markdown", "text": "Hello"}
THREAD = {"channel": "C1", "thread_ts": "1.0"}
HUMAN = {"recipient_user_id": "UALEX", "recipient_team_id": "T1"}


def chunk(text: str) -> list[dict[str, str]]:
    return [{"type": "markdown_text", "text": text}]


def button(number: int, title: str = "Go", value: str = "/go") -> dict[str, Any]:
    words = {"type": "plain_text", "text": title}
    return {"type": "button", "action_id": f"a:{number}", "text": words, "value": value}


def actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


class Client:
    """Calls the Web API as an app does."""

    def __init__(self, server: SlackServer, session: ClientSession) -> None:
        self.server = server
        self.session = session

    async def call(self, method: str, token: str = TOKEN, **form: Any) -> dict[str, Any]:
        data = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in form.items()
        }
        async with self.session.post(
            f"{self.server.api_url}/{method}",
            data=data,
            headers={"Authorization": f"Bearer {token}"},
        ) as response:
            return dict(await response.json()) | {"status": response.status}

    async def error(self, method: str, **form: Any) -> str:
        return str((await self.call(method, **form)).get("error", ""))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with SlackServer() as server, ClientSession() as session:
        yield Client(server, session)


async def test_without_the_right_token_nothing_is_done(client: Client) -> None:
    assert (await client.call("auth.test", token="xoxb-another"))["error"] == "invalid_auth"
    assert (await client.call("apps.connections.open"))["error"] == "invalid_auth"
    assert (await client.call("apps.connections.open", token=APP_TOKEN))["ok"]
    assert await client.error("chat.unheardOf") == "unknown_method"


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([], "no_text"),
        ([WORDS] * 51, "invalid_blocks"),
        ([{"type": "carousel"}], "invalid_blocks"),
        ([{"type": "markdown", "text": "x" * 12_001}], "msg_blocks_too_long"),
        ([{"type": "markdown", "text": "x" * 7_000}] * 2, "msg_blocks_too_long"),
        ([actions(button(1), button(1))], "invalid_blocks"),
        ([actions(*map(button, range(26)))], "invalid_blocks"),
        ([actions(button(1, title="x" * 76))], "invalid_blocks"),
        ([actions(button(1, title=""))], "invalid_blocks"),
        ([actions(button(1, value="x" * 2_001))], "invalid_blocks"),
        ([WORDS, actions(button(1), button(2))], ""),
    ],
)
async def test_a_message_that_slack_would_not_show_is_refused(
    client: Client, blocks: list[dict[str, Any]], error: str
) -> None:
    assert await client.error("chat.postMessage", channel="C1", blocks=blocks) == error


async def test_a_text_has_its_limit(client: Client) -> None:
    assert await client.error("chat.postMessage", channel="C1", text="x" * 40_001) == "msg_too_long"


async def test_what_would_call_people_raises_the_alarm(client: Client) -> None:
    for text in ("Hello <!channel>", "Hello <@U1>", "See <https://x.test>"):
        await client.call("chat.postMessage", channel="C1", text=text)
    await client.call("chat.postMessage", channel="C1", text="1 < 2, <b>")
    assert len(client.server.alarms) == 3


async def test_only_a_known_message_is_edited(client: Client) -> None:
    change = {"channel": "C1", "blocks": [WORDS], "ts": "9.9"}
    assert await client.error("chat.update", **change) == "message_not_found"
    response = await client.call("chat.postMessage", channel="C1", blocks=[WORDS])
    assert await client.error("chat.update", **{**change, "ts": response["ts"]}) == ""


async def test_a_stream_needs_its_reader_and_is_edited_only_when_it_ended(client: Client) -> None:
    error = await client.error("chat.startStream", **THREAD, chunks=chunk("A"))
    assert error == "missing_recipient_user_id"
    stream = {
        "channel": "C1",
        "ts": (await client.call("chat.startStream", **THREAD, **HUMAN))["ts"],
    }
    assert await client.error("chat.appendStream", **stream, chunks=chunk("One ")) == ""
    assert await client.error("chat.update", **stream, blocks=[WORDS]) == "streaming_state_conflict"
    long = chunk("x" * 12_001)
    assert await client.error("chat.appendStream", **stream, chunks=long) == "msg_too_long"
    assert await client.error("chat.stopStream", **stream, chunks=chunk("two.")) == ""
    (message,) = client.server.messages
    assert message.text == "One two."
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await client.error(method, **stream) == "message_not_in_streaming_state"
    client.server.agent = False
    assert await client.error("chat.startStream", **THREAD, **HUMAN) == "not_authorized"


async def test_an_upload_has_the_length_that_was_stated(client: Client) -> None:
    for length, error in ((3, ""), (4, "file_update_failed")):
        response = await client.call("files.getUploadURLExternal", filename="a", length=str(length))
        await client.session.post(response["upload_url"], data=b"abc")
        files = [{"id": response["file_id"]}]
        assert await client.error("files.completeUploadExternal", files=files) == error


async def test_without_the_token_a_file_is_a_page_to_sign_in(client: Client) -> None:
    url = client.server.file(b"bytes")["url_private"]
    async with client.session.get(url) as response:
        assert response.content_type == "text/html"
    async with client.session.get(url, headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        assert await response.read() == b"bytes"


async def test_faults_come_as_they_are_ordered(client: Client) -> None:
    post = {"channel": "C1", "blocks": [WORDS]}
    faults = [f"{THROTTLED}7", "is_archived", CUT, DROP, HTML]
    client.server.errors["chat.postMessage"] = list(faults)
    throttled = await client.call("chat.postMessage", **post)
    assert (throttled["status"], throttled["error"]) == (429, THROTTLED)
    assert await client.error("chat.postMessage", **post) == "is_archived"
    for count in (1, 1):
        with pytest.raises(ClientError):
            await client.call("chat.postMessage", **post)
        assert len(client.server.messages) == count
    with pytest.raises(ClientError):
        await client.call("chat.postMessage", **post)
    assert (await client.call("chat.postMessage", **post))["ok"]


async def test_a_strict_slack_counts_posts_by_channel_and_methods_by_tier(client: Client) -> None:
    client.server.rates.strict = True
    post = {"blocks": [WORDS]}
    assert await client.error("chat.postMessage", channel="C1", **post) == ""
    assert await client.error("chat.postMessage", channel="C2", **post) == ""
    assert await client.error("chat.postMessage", channel="C1", **post) == "ratelimited"
    errors = [await client.error("chat.startStream", **THREAD, **HUMAN) for _ in range(21)]
    assert errors == [""] * 20 + ["ratelimited"]
    assert client.server.rates.refusals == ["chat.postMessage", "chat.startStream"]


async def test_an_envelope_that_is_not_acknowledged_may_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.servers.slack_socket.ACK_SECONDS", 0.05)
    response = await client.call("apps.connections.open", token=APP_TOKEN)
    async with client.session.ws_connect(response["url"]) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        payload = event_callback(message_event("hello"))
        assert not await client.server.send(payload)
        sending = asyncio.create_task(client.server.send(payload, retry=1))
        first, second = [await socket.receive_json() for _ in range(2)]
        await socket.send_json({"envelope_id": second["envelope_id"]})
        assert await sending
        assert first["payload"] == second["payload"]
        assert (first["type"], second["retry_attempt"]) == ("events_api", 1)
        await client.server.sockets.refresh()
        assert (await socket.receive_json())["type"] == "disconnect"
        assert (await socket.receive()).type is WSMsgType.CLOSE
