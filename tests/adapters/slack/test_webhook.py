"""The endpoint for Slack, driven over HTTP as Slack and as strangers would."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.slack.settings import SlackSettings
from adapters.slack.webhook import MOST_FIELDS, PATH, SIGNATURE_SECONDS, SlackWebhook
from bot import strings as texts
from tests.helpers.slack_payloads import (
    SECRET,
    SlackReceiver,
    button,
    event_callback,
    message_event,
    shortcut,
    signature,
    slash,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
NOW = 1_700_000_000


class Standing:
    """A clock that stands still."""

    def now(self) -> float:
        return NOW + 0.5


@dataclass
class Answer:
    status: int
    body: str
    retry: bool


@dataclass
class Endpoint:
    """The running endpoint, and what is behind it."""

    url: str
    session: ClientSession
    receiver: SlackReceiver

    async def send(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Deliver a body with headers as they are."""
        async with self.session.post(self.url, data=BytesIO(body), headers=headers) as response:
            retry = response.headers.get("X-Slack-No-Retry") != "1"
            return Answer(response.status, await response.text(), retry)

    async def post(self, body: bytes, kind: str = JSON, at: int = NOW, **headers: str) -> Answer:
        """Deliver a signed body."""
        right_signature = {"X-Slack-Signature": signature(body, str(at))}
        other_headers = {"X-Slack-Request-Timestamp": str(at), "Content-Type": kind}
        return await self.send(body, {**right_signature, **other_headers, **headers})

    async def event(self, payload: dict[str, Any], **headers: str) -> Answer:
        return await self.post(json.dumps(payload).encode(), **headers)

    async def form(self, fields: dict[str, str]) -> Answer:
        return await self.post(urlencode(fields).encode(), FORM)


@asynccontextmanager
async def serving() -> AsyncIterator[Endpoint]:
    receiver = SlackReceiver()
    settings = SlackSettings(bot_token=SecretStr("xoxb-1"), signing_secret=SecretStr(SECRET))
    webhook = SlackWebhook(settings, receiver.bot, Standing())
    application = web.Application()
    application.add_routes(webhook.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    async with ClientSession() as session:
        try:
            yield Endpoint(url, session, receiver)
        finally:
            await runner.cleanup()
            await receiver.close()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with serving() as endpoint:
        yield endpoint


EVENT = json.dumps(event_callback(message_event())).encode()
BUTTON = urlencode({"payload": json.dumps(button())}).encode()
SHORTCUT = urlencode({"payload": json.dumps(shortcut())}).encode()
SLASH = urlencode(slash("model")).encode()
GENUINE = [(EVENT, JSON), (BUTTON, FORM), (SHORTCUT, FORM), (SLASH, FORM)]


@pytest.mark.parametrize(("body", "kind"), GENUINE)
async def test_genuine_deliveries_are_accepted_before_they_are_acknowledged(
    endpoint: Endpoint, body: bytes, kind: str
) -> None:
    assert await endpoint.post(body, kind) == Answer(200, "", True)
    assert endpoint.receiver.inbox.message.addressed


@pytest.mark.parametrize(("body", "kind"), GENUINE)
async def test_there_is_no_answer_while_it_is_not_stored(
    endpoint: Endpoint, body: bytes, kind: str
) -> None:
    inbox = endpoint.receiver.inbox
    inbox.gate = asyncio.Event()
    posting = asyncio.create_task(endpoint.post(body, kind))
    await asyncio.wait_for(inbox.arrival.wait(), 5)
    await asyncio.sleep(0.05)
    assert not posting.done()
    inbox.gate.set()
    assert (await posting).status == 200


@pytest.mark.parametrize(("body", "kind"), GENUINE)
async def test_when_the_store_is_down_slack_delivers_again(
    endpoint: Endpoint, body: bytes, kind: str
) -> None:
    endpoint.receiver.inbox.down = True
    assert await endpoint.post(body, kind) == Answer(503, "", True)
    endpoint.receiver.inbox.down = False
    assert (await endpoint.post(body, kind)).status == 200


async def test_before_slack_told_who_we_are_slack_delivers_again(endpoint: Endpoint) -> None:
    endpoint.receiver.workspaces.workspace = None
    assert await endpoint.post(EVENT) == Answer(503, "", True)


async def test_another_workspace_is_told_nothing(endpoint: Endpoint) -> None:
    foreign = event_callback(message_event(), team_id="T2", authorizations=None)
    assert await endpoint.event(foreign) == Answer(200, "", True)
    assert endpoint.receiver.inbox.messages == []


async def test_slack_is_told_that_the_address_is_ours(endpoint: Endpoint) -> None:
    challenge = {"type": "url_verification", "token": "t", "challenge": "3eZbrw1a"}
    answer = await endpoint.event(challenge)
    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "3eZbrw1a"})
    assert (await endpoint.form({"ssl_check": "1", "token": "t"})).status == 200


async def test_a_slash_command_may_be_answered_at_once(endpoint: Endpoint) -> None:
    answer = await endpoint.form(slash("reset"))
    assert answer == Answer(200, texts.SLASH_NEEDS_THREAD, True)


async def test_letters_of_all_scripts_arrive(endpoint: Endpoint) -> None:
    await endpoint.form(slash("system Antworte höflich 🙂"))
    await endpoint.event(event_callback(message_event("写真 \U0001f642 \ud83d")))
    order, post = endpoint.receiver.inbox.messages
    assert order.text == "/system Antworte höflich 🙂"
    assert post.text == "写真 🙂 ?"


@pytest.mark.parametrize("off", [-SIGNATURE_SECONDS - 1, SIGNATURE_SECONDS + 2, -30 * 86400])
async def test_an_old_or_future_signature_is_refused(endpoint: Endpoint, off: int) -> None:
    assert await endpoint.post(EVENT, at=NOW + off) == Answer(401, "", False)
    assert endpoint.receiver.inbox.messages == []


@pytest.mark.parametrize("off", [-SIGNATURE_SECONDS + 1, 0, SIGNATURE_SECONDS])
async def test_a_signature_holds_five_minutes(endpoint: Endpoint, off: int) -> None:
    assert (await endpoint.post(EVENT, at=NOW + off)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": str(NOW)},
        {"X-Slack-Signature": signature(EVENT, str(NOW))},
        {"X-Slack-Request-Timestamp": "", "X-Slack-Signature": signature(EVENT, "")},
        {"X-Slack-Request-Timestamp": "now", "X-Slack-Signature": signature(EVENT, "now")},
        {"X-Slack-Request-Timestamp": "9" * 5000, "X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": "１７００００００００", "X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": f"{NOW}.5", "X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": f"-{NOW}", "X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": ""},
        {
            "X-Slack-Request-Timestamp": str(NOW),
            "X-Slack-Signature": signature(EVENT, str(NOW), "another-secret"),
        },
        {
            "X-Slack-Request-Timestamp": str(NOW + 1),
            "X-Slack-Signature": signature(EVENT, str(NOW)),
        },
    ],
)
async def test_strangers_are_refused_whatever_they_send(
    endpoint: Endpoint, headers: dict[str, str]
) -> None:
    all_headers = {"Content-Type": JSON, **headers}
    assert await endpoint.send(EVENT, all_headers) == Answer(401, "", False)
    assert endpoint.receiver.inbox.messages == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"ssl_check=1", b'{"event": null}'])
async def test_what_strangers_send_is_not_looked_at(endpoint: Endpoint, body: bytes) -> None:
    stamped = {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": "v0=" + "0" * 64}
    for kind in (JSON, FORM, "text/plain"):
        assert (await endpoint.send(body, {**stamped, "Content-Type": kind})).status == 401


async def test_a_changed_body_is_refused(endpoint: Endpoint) -> None:
    right_signature = signature(EVENT, str(NOW))
    other_body = EVENT.replace(b"what is it?", b"what is that?")
    assert (await endpoint.post(other_body, **{"X-Slack-Signature": right_signature})).status == 401


async def test_without_fresh_headers_the_body_is_not_even_read(endpoint: Endpoint) -> None:
    gate = asyncio.Event()

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await gate.wait()

    async with asyncio.timeout(5), endpoint.session.post(endpoint.url, data=never()) as response:
        assert response.status == 401
    gate.set()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b'{"type": NaN}', JSON),
        (b"{}", JSON),
        (b'{"event": null}', JSON),
        (b'{"type": "event_callback", "event_id": "Ev1", "event": [1]}', JSON),
        (b'{"type": "event_callback", "event_id": 1, "event": {"type": "message"}}', JSON),
        (b'{"a":' * 60 + b"1" + b"}" * 60, JSON),
        (b'{"type": "' + b"x" * 10, JSON),
        (b"", FORM),
        (b"payload=", FORM),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload=%7B%7D", FORM),
        (b"command=/loupe", FORM),
        (b"\xff=\xfe", FORM),
        (b"&".join(b"a%d=1" % number for number in range(MOST_FIELDS + 1)), FORM),
        (EVENT, "text/plain"),
        (SLASH, JSON),
        (EVENT, FORM),
    ],
)
async def test_signed_but_malformed(endpoint: Endpoint, body: bytes, kind: str) -> None:
    answer = await endpoint.post(body, kind)
    bytes_of_no_text = b"\xff" in body
    assert answer == Answer(401 if bytes_of_no_text else 400, "", False)
    assert endpoint.receiver.inbox.messages == []


async def test_too_large_a_body_is_refused(endpoint: Endpoint) -> None:
    assert await endpoint.post(b"x" * (1024 * 1024 + 1)) == Answer(413, "", False)


async def test_too_slow_a_body_is_given_up(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.webhook.BODY_SECONDS", 0.05)
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await gate.wait()

    stamped = {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": "v0=0"}
    posting = endpoint.session.post(endpoint.url, data=slow(), headers=stamped)
    async with asyncio.timeout(5), posting as response:
        assert response.status == 408
    gate.set()


async def test_only_posts_are_taken(endpoint: Endpoint) -> None:
    async with endpoint.session.get(endpoint.url) as response:
        assert response.status == 405


async def test_a_retry_is_taken_like_the_first(endpoint: Endpoint) -> None:
    retry = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    await endpoint.event(event_callback(message_event()))
    await endpoint.event(event_callback(message_event()), **retry)
    first, second = endpoint.receiver.inbox.messages
    assert first == second
    assert first.dedup


async def test_many_at_once_are_all_acknowledged_in_time(endpoint: Endpoint) -> None:
    began = time.perf_counter()
    deliveries = [event_callback(message_event(ts=f"17000000{n:02d}.000100")) for n in range(100)]
    answers = await asyncio.gather(*map(endpoint.event, deliveries))
    assert {answer.status for answer in answers} == {200}
    assert len({message.id for message in endpoint.receiver.inbox.messages}) == 100
    assert time.perf_counter() - began < 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(body=st.binary(max_size=60), kind=st.sampled_from([JSON, FORM, "", "a/b"]))
async def test_no_signed_bytes_are_an_error_of_ours(
    endpoint: Endpoint, body: bytes, kind: str
) -> None:
    assert (await endpoint.post(body, kind)).status in {400, 401}


def test_without_a_signing_secret_there_is_no_route() -> None:
    settings = SlackSettings(bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"))
    with pytest.raises(ValueError, match="signing secret"):
        SlackWebhook(settings, SlackReceiver().bot)
