"""Calls of Slack's Web API: with whose token, how often, and what the answers mean."""

from __future__ import annotations

import json
import logging

import pytest
from aiohttp import ClientSession

from adapters.slack.errors import (
    POSTS,
    MessageTooLong,
    SlackError,
    StillStreaming,
    StreamExpired,
    StreamUnavailable,
)
from adapters.slack.settings import SlackLimits
from adapters.slack.web_api import RATES, SlackApi, bucket_of
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from tests.helpers.fakes import FakeClock
from tests.helpers.slack_wire_server import (
    CUT,
    HANG,
    PAGE_502,
    TOKEN,
    Answer,
    OneTeam,
    SlackApiServer,
    SlackClients,
    refusal,
    slack_clients,
    throttling,
)

POST, EDIT = "chat.postMessage", "chat.update"
PASSING = [
    PAGE_502,
    CUT,
    Answer("", 500),
    Answer("Slow down", 503, content_type="text/plain"),
    Answer("{", 200),
    Answer("", 200),
    Answer("ok", 200, content_type="text/plain"),
    Answer([], 200),
    Answer({"ok": False}),
    refusal("internal_error"),
    refusal("fatal_error"),
    refusal("request_timeout"),
    refusal("service_unavailable"),
]
TRIES = 3


async def post(clients: SlackClients, channel: str = "C1") -> dict[str, object]:
    return await clients.api.call("T1", POST, channel=channel, text="Hello")


async def edit(clients: SlackClients, *, brief: bool = False) -> dict[str, object]:
    return await clients.api.call(
        "T1", EDIT, repeatable=True, brief=brief, channel="C1", ts="1.1", text="Bye"
    )


async def test_a_call_is_a_form_with_the_workspace_s_token() -> None:
    async with slack_clients() as clients:
        clients.server.then(POST, Answer({"ok": True, "ts": "1.1"}))
        blocks = [{"type": "markdown", "text": "Grüße <x>"}]
        answer = await clients.api.call(
            "T1", POST, channel="C1", text="a&b=ü\ud800", blocks=blocks, unfurl=False, ts=None
        )
    assert answer["ts"] == "1.1"
    [call] = clients.server.calls
    assert (call.name, call.authorization) == (POST, f"Bearer {TOKEN}")
    assert json.loads(call.form.pop("blocks")) == blocks
    assert call.form == {"channel": "C1", "text": "a&b=ü?", "unfurl": "false"}


@pytest.mark.parametrize(("team", "problem"), [("T2", ConversationGone), ("T0", DeliveryRefused)])
async def test_nothing_is_said_in_a_workspace_that_is_not_known(
    team: str, problem: type[Exception]
) -> None:
    async with slack_clients() as clients:
        with pytest.raises(problem):
            await clients.api.call(team, POST, channel="C1", text="Hello")
    assert clients.server.calls == []


@pytest.mark.parametrize("answer", [throttling("3"), refusal("ratelimited")])
async def test_a_post_that_came_too_soon_is_repeated(answer: Answer) -> None:
    async with slack_clients() as clients:
        clients.server.then(POST, answer, answer)
        assert (await post(clients))["ok"]
    assert clients.server.methods() == [POST] * 3


async def test_retry_after_is_honoured() -> None:
    async with slack_clients() as clients:
        clients.server.then(POST, throttling("7"))
        await post(clients)
        assert clients.clock.now() - 1000 == 7


async def test_what_slack_holds_back_holds_back_all_of_that_line_and_no_other() -> None:
    async with slack_clients(send_tries=1) as clients:
        clients.server.then(EDIT, throttling("9"))
        with pytest.raises(SlackError) as failure:
            await edit(clients)
        assert (failure.value.status, failure.value.error) == (429, "ratelimited")
        await post(clients)
        assert clients.clock.now() == 1000
        await edit(clients)
        assert clients.clock.now() == 1009


async def test_throttling_ends_in_a_refusal_when_patience_does() -> None:
    async with slack_clients(send_seconds=20) as clients:
        clients.server.then(POST, *[throttling("8")] * 9)
        with pytest.raises(SlackError, match="429 ratelimited"):
            await post(clients)
    assert clients.server.methods() == [POST] * 3


@pytest.mark.parametrize("answer", PASSING)
async def test_a_post_that_may_have_arrived_is_not_repeated(answer: Answer) -> None:
    async with slack_clients() as clients:
        clients.server.then(POST, answer)
        with pytest.raises(DeliveryUnknown):
            await post(clients)
    assert clients.server.methods() == [POST]


@pytest.mark.parametrize("answer", PASSING)
async def test_what_can_be_done_twice_is_repeated(answer: Answer) -> None:
    async with slack_clients() as clients:
        clients.server.then(EDIT, answer, answer)
        assert (await edit(clients))["ok"]
    assert clients.server.methods() == [EDIT] * 3


async def test_an_edit_that_never_gets_through_is_unclear_after_all_tries() -> None:
    async with slack_clients(send_tries=TRIES) as clients:
        clients.server.then(EDIT, *[PAGE_502] * 9)
        with pytest.raises(DeliveryUnknown, match="502"):
            await edit(clients)
    assert len(clients.server.calls) == TRIES


async def test_a_slack_that_says_nothing_is_unclear() -> None:
    async with slack_clients(request_seconds=0.2) as clients:
        clients.server.then(POST, HANG)
        with pytest.raises(DeliveryUnknown, match="TimeoutError"):
            await post(clients)
    assert clients.server.methods() == [POST]


async def test_without_a_connection_a_post_is_repeated_and_then_surely_not_sent() -> None:
    async with SlackApiServer() as server:
        closed_url = server.api_url
    clock = FakeClock()
    async with ClientSession() as session:
        api = SlackApi(session, OneTeam(), SlackLimits(send_tries=TRIES), closed_url, clock)
        with pytest.raises(SlackError) as failure:
            await api.call("T1", POST, channel="C1", text="Hello")
    assert failure.value.status == 0
    assert len(clock.waits) >= TRIES - 1


@pytest.mark.parametrize(
    ("method", "error", "problem"),
    [
        (POST, "channel_not_found", ConversationGone),
        (POST, "is_archived", ConversationGone),
        (POST, "token_revoked", ConversationGone),
        (EDIT, "channel_not_found", SlackError),
        (EDIT, "account_inactive", ConversationGone),
        (EDIT, "message_not_found", SlackError),
        (EDIT, "streaming_state_conflict", StillStreaming),
        (POST, "msg_blocks_too_long", MessageTooLong),
        (POST, "invalid_blocks", SlackError),
        ("chat.startStream", "missing_recipient_user_id", StreamUnavailable),
        ("chat.appendStream", "message_not_in_streaming_state", StreamExpired),
    ],
)
async def test_what_slack_refuses_is_named_and_not_repeated(
    method: str, error: str, problem: type[Exception]
) -> None:
    async with slack_clients() as clients:
        clients.server.then(method, refusal(error))
        with pytest.raises(problem) as failure:
            await clients.api.call("T1", method, repeatable=True, channel="C1")
    assert type(failure.value) is problem
    assert clients.server.methods() == [method]


async def test_posts_in_one_channel_keep_their_pace_and_other_channels_do_not_wait() -> None:
    async with slack_clients() as clients:
        for channel in ("C1", "C2", "C3"):
            await post(clients, channel)
        assert clients.clock.now() == 1000
        await post(clients)
        assert clients.clock.now() == 1001


async def test_a_brief_call_never_waits_for_its_rate() -> None:
    async with slack_clients() as clients:
        for _ in range(50):
            await edit(clients, brief=True)
        with pytest.raises(SlackError, match="no_room"):
            await edit(clients, brief=True)
        assert len(clients.server.calls) == 50
        assert clients.clock.now() == 1000
        await edit(clients)
        assert clients.clock.now() > 1000
    assert len(clients.server.calls) == 51


async def test_a_brief_call_that_came_too_soon_is_left_to_the_next_one() -> None:
    async with slack_clients() as clients:
        clients.server.then(EDIT, throttling("2"))
        with pytest.raises(SlackError, match="429"):
            await edit(clients, brief=True)
        with pytest.raises(SlackError, match="no_room"):
            await edit(clients, brief=True)
        assert len(clients.server.calls) == 1
        clients.clock.time += 2
        await edit(clients, brief=True)


async def test_a_brief_call_gives_up_soon() -> None:
    async with slack_clients() as clients:
        clients.server.then(EDIT, *[PAGE_502] * 9)
        with pytest.raises(DeliveryUnknown):
            await edit(clients, brief=True)
    assert len(clients.server.calls) == 2


async def test_what_is_logged_holds_no_token_and_no_text(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with slack_clients(send_tries=1) as clients:
        clients.server.then(POST, PAGE_502, refusal("invalid_blocks"), Answer("{secret"))
        for _ in range(3):
            with pytest.raises((DeliveryUnknown, DeliveryRefused)):
                await clients.api.call("T1", POST, channel="C1", text="what a person said")
    output = caplog.text + "".join(capfd.readouterr())
    assert "slack_failed" in output
    for secret in (TOKEN, "what a person said", "Bad Gateway", "{secret"):
        assert secret not in output


async def test_slack_is_left_alone_for_longer_than_anybody_waits() -> None:
    async with slack_clients() as clients:
        clients.server.then(EDIT, throttling("120"))
        with pytest.raises(SlackError) as failure:
            await clients.api.call("T1", EDIT, repeatable=True, channel="C1")
        assert failure.value.after == 120
        with pytest.raises(SlackError, match="held") as failure:
            await clients.api.call("T1", EDIT, repeatable=True, channel="C1")
        assert failure.value.after == pytest.approx(120)
        assert len(clients.server.calls) == 1
        clients.clock.time += 121
        await clients.api.call("T1", EDIT, repeatable=True, channel="C1")
    assert len(clients.server.calls) == 2


def test_posts_are_counted_in_each_channel() -> None:
    assert RATES["chat.postMessage"] == ((1, 1.0),)
    buckets = {bucket_of("T1", "chat.postMessage", channel) for channel in ("C1", "C2")}
    assert len(buckets) == 2


@pytest.mark.parametrize("method", sorted(set(RATES) - {"chat.postMessage"}))
def test_all_else_is_counted_in_the_workspace(method: str) -> None:
    assert bucket_of("T1", method, "C1") == bucket_of("T1", method, "C2")
    assert bucket_of("T1", method, "C1") != bucket_of("T2", method, "C1")
    assert RATES[method] in {((20, 60.0),), ((50, 60.0),), ((100, 60.0),)}


def test_each_method_has_a_bucket_of_its_own() -> None:
    assert len({bucket_of("T1", method, "C1") for method in RATES}) == len(RATES)


def test_every_way_to_post_has_a_rate() -> None:
    assert set(RATES) >= POSTS
