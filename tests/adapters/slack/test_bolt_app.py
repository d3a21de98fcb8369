"""What the bot makes of deliveries that are surely Slack's."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.http.request_body import MalformedBody
from adapters.slack.addresses import TOP, BackgroundTask, thread_of
from bot import strings as texts
from tests.helpers.slack_payloads import (
    ALEX,
    BOT,
    CHANNEL,
    DIRECT,
    TEAM,
    SlackReceiver,
    button,
    event_callback,
    message_event,
    shortcut,
    slash,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TS = "1700000000.000100"
EVERY: list[dict[str, Any]] = [
    event_callback(message_event()),
    dict(slash("model")),
    button(),
    shortcut(),
]


@pytest.fixture
async def receiver() -> AsyncIterator[SlackReceiver]:
    receiver = SlackReceiver()
    yield receiver
    await receiver.close()


@pytest.mark.parametrize("payload", EVERY)
async def test_what_is_for_loupe_is_accepted_and_acknowledged(
    receiver: SlackReceiver, payload: dict[str, Any]
) -> None:
    response = await receiver.bot.dispatch(payload)
    assert (response.status, response.body) == (200, "")
    assert receiver.inbox.message.thread.tenant == TEAM


@pytest.mark.parametrize("payload", EVERY)
async def test_the_answer_waits_until_it_is_stored(
    receiver: SlackReceiver, payload: dict[str, Any]
) -> None:
    receiver.inbox.gate = asyncio.Event()
    dispatched = asyncio.create_task(receiver.bot.dispatch(payload))
    await asyncio.wait_for(receiver.inbox.arrival.wait(), 5)
    await asyncio.sleep(0.01)
    assert not dispatched.done()
    receiver.inbox.gate.set()
    assert (await dispatched).status == 200


@pytest.mark.parametrize("payload", EVERY)
async def test_when_the_store_is_down_it_has_to_come_again(
    receiver: SlackReceiver, payload: dict[str, Any]
) -> None:
    receiver.inbox.down = True
    assert (await receiver.bot.dispatch(payload)).status == 503
    receiver.inbox.down = False
    assert (await receiver.bot.dispatch(payload)).status == 200
    assert receiver.inbox.message.id


@pytest.mark.parametrize("payload", EVERY)
async def test_before_slack_told_who_we_are_it_has_to_come_again(
    receiver: SlackReceiver, payload: dict[str, Any]
) -> None:
    receiver.workspaces.workspace = None
    assert (await receiver.bot.dispatch(payload)).status == 503
    assert receiver.inbox.messages == []


@pytest.mark.parametrize(
    "payload",
    [
        event_callback(message_event(), team_id="T2", authorizations=[{"team_id": "T2"}]),
        event_callback({"type": "app_uninstalled"}, team_id="T2", authorizations=None),
        slash("model", team_id="T2"),
        button(team={"id": "T2"}),
        shortcut(team={"id": "T2"}),
    ],
)
async def test_another_workspace_is_not_served(
    receiver: SlackReceiver, payload: dict[str, Any]
) -> None:
    with capture_logs() as logs:
        assert (await receiver.bot.dispatch(payload)).status == 200
    assert [line["event"] for line in logs] == ["slack_team_unknown"]
    assert receiver.inbox.messages == []


async def test_of_a_shared_channel_our_own_workspace_counts(receiver: SlackReceiver) -> None:
    await receiver.bot.dispatch(
        event_callback(message_event(team="T9"), team_id="T9", is_ext_shared_channel=True)
    )
    assert receiver.inbox.message.thread.tenant == TEAM


@pytest.mark.parametrize(
    "event",
    [
        message_event(user=BOT),
        message_event(bot_id="B1", user=None),
        {"type": "reaction_added", "user": BOT, "reaction": "mag", "item": {}},
        {"type": "channel_rename", "channel": {"id": "C1"}},
    ],
)
async def test_what_loupe_did_itself_and_what_it_does_not_know_is_left(
    receiver: SlackReceiver, event: dict[str, Any]
) -> None:
    assert (await receiver.bot.dispatch(event_callback(event))).status == 200
    assert receiver.inbox.messages == []


async def test_that_loupe_joined_is_no_act_of_its_own(receiver: SlackReceiver) -> None:
    join_event = {"type": "member_joined_channel", "user": BOT, "channel": CHANNEL}
    await receiver.bot.dispatch(event_callback(join_event))
    assert receiver.inbox.message.kind == "installed"


async def test_an_uninstalled_app_is_still_heard(receiver: SlackReceiver) -> None:
    await receiver.bot.dispatch(event_callback({"type": "app_uninstalled"}))
    assert receiver.inbox.message.address.task == BackgroundTask("uninstalled")


async def test_only_the_set_reaction_asks() -> None:
    item = {"type": "message", "channel": CHANNEL, "ts": TS}
    reaction = {"type": "reaction_added", "user": ALEX, "reaction": "eyes", "item": item}
    for name, count in (("eyes", 1), ("mag", 0), ("", 0)):
        receiver = SlackReceiver(name)
        await receiver.bot.dispatch(event_callback(reaction))
        assert len(receiver.inbox.messages) == count
        await receiver.close()


async def test_slack_asks_whether_the_address_is_ours(receiver: SlackReceiver) -> None:
    receiver.workspaces.workspace = None
    response = await receiver.bot.dispatch({"type": "url_verification", "challenge": "abc"})
    assert (response.status, response.body) == (200, '{"challenge": "abc"}')


async def test_the_caller_of_an_order_is_known_from_what_was_kept(receiver: SlackReceiver) -> None:
    await receiver.bot.dispatch(event_callback(message_event()))
    await receiver.bot.dispatch(dict(slash("json")))
    assert receiver.inbox.messages[-1].thread.root == TS
    await receiver.bot.dispatch(dict(slash("json", channel_id=DIRECT)))
    assert len(receiver.inbox.messages) == 2


async def test_what_was_not_for_loupe_is_not_noted(receiver: SlackReceiver) -> None:
    receiver.inbox.keeps = False
    await receiver.bot.dispatch(event_callback(message_event("just saying")))
    assert len(receiver.inbox.messages) == 1
    assert await receiver.index.threads(TEAM) == []


@pytest.mark.parametrize(
    ("text", "answer"),
    [("json", texts.SLASH_NO_THREAD), ("reset", texts.SLASH_NEEDS_THREAD)],
)
async def test_what_is_not_accepted_is_answered_privately_at_once(
    receiver: SlackReceiver, text: str, answer: str
) -> None:
    response = await receiver.bot.dispatch(dict(slash(text)))
    assert (response.status, response.body) == (200, answer)
    assert receiver.inbox.messages == []


async def test_a_lost_note_is_no_reason_to_deliver_again(receiver: SlackReceiver) -> None:
    receiver.break_index()
    with capture_logs() as logs:
        assert (await receiver.bot.dispatch(event_callback(message_event()))).status == 200
    assert receiver.inbox.message.id == TS
    assert [line["event"] for line in logs] == ["slack_note_lost"]


async def test_an_order_about_a_thread_needs_the_index(receiver: SlackReceiver) -> None:
    receiver.break_index()
    assert (await receiver.bot.dispatch(dict(slash("json")))).status == 503


async def test_feedback_is_logged_and_accepted_as_nothing(receiver: SlackReceiver) -> None:
    action = {"type": "feedback_buttons", "action_id": "feedback", "value": "good"}
    with capture_logs() as logs:
        response = await receiver.bot.dispatch(button(actions=[action]))
    assert (response.status, receiver.inbox.messages) == (200, [])
    key = thread_of(TEAM, CHANNEL, TS).key[:8]
    rating = {"event": "feedback", "value": "good", "thread": key, "post": "1700000001.000200"}
    assert logs == [{**rating, "log_level": "info"}]


@pytest.mark.parametrize("kind", ["view_submission", "shortcut", "app_rate_limited", "ssl_check"])
async def test_what_loupe_never_asked_for_does_not_reach_bolt(
    receiver: SlackReceiver, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    payload = {"type": kind, "secret": "hush"}
    with capture_logs() as logs:
        assert (await receiver.bot.dispatch(payload)).status == 200
    assert [(line["event"], line["kind"]) for line in logs] == [("slack_delivery_ignored", kind)]
    assert caplog.records == []


async def test_a_listener_that_breaks_is_an_error_of_ours(
    receiver: SlackReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Any) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(receiver.bot, "_accept", broken)
    with capture_logs() as logs:
        assert (await receiver.bot.dispatch(event_callback(message_event()))).status == 500
    assert [line["event"] for line in logs] == ["slack_delivery_failed"]


async def test_tokens_of_the_environment_change_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_VERIFICATION_TOKEN"):
        monkeypatch.setenv(name, "xoxb-of-the-environment")
    receiver = SlackReceiver()
    assert (await receiver.bot.dispatch(event_callback(message_event()))).status == 200
    assert receiver.inbox.message.id == TS
    assert caplog.records == []
    await receiver.close()


async def test_bolt_logs_no_words_and_no_tokens(
    receiver: SlackReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)
    for payload in EVERY:
        await receiver.bot.dispatch(payload)
        receiver.inbox.down = not receiver.inbox.down
    assert caplog.records == []


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": ""},
        {"type": 5},
        {"type": "event_callback"},
        {"type": "event_callback", "event": None},
        event_callback({}),
        event_callback({"type": ["message"]}),
        event_callback(message_event(), event_id=None),
        event_callback(message_event(), event_id="x" * 5000),
        event_callback(message_event(), authorizations=[5]),
        event_callback(message_event(), authorizations={"a": 1}),
        event_callback(message_event(user=5)),
        {"command": "/loupe"},
        dict(slash(trigger_id="")),
        button(event=None),
        button(actions=None),
        button(actions=[]),
        button(actions=["x"]),
        button(actions=[{"action_id": 5}]),
        button(user="U1"),
        shortcut(channel=None),
        shortcut(callback_id=None),
        {"type": "url_verification"},
    ],
)
async def test_what_slack_never_sends_is_malformed(
    receiver: SlackReceiver, payload: dict[str, Any]
) -> None:
    with pytest.raises(MalformedBody):
        await receiver.bot.dispatch(payload)
    assert receiver.inbox.messages == []


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "U1", "T1", "C1", "message"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "type", "team_id", "user", "channel", "response_url", "bot_id"]),
            inner,
        )
    ),
    max_leaves=6,
)
KEYS = [
    "authorizations",
    "channel",
    "container",
    "enterprise",
    "event",
    "function_data",
    "is_enterprise_install",
    "is_ext_shared_channel",
    "item",
    "message",
    "previous_message",
    "response_url",
    "response_urls",
    "subtype",
    "team",
    "team_id",
    "thread_ts",
    "ts",
    "type",
    "user",
    "view",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(payload=st.sampled_from(EVERY), key=st.sampled_from(KEYS), value=odd, inside=st.booleans())
async def test_no_field_of_the_wrong_type_breaks_anything(
    receiver: SlackReceiver, payload: dict[str, Any], key: str, value: Any, inside: bool
) -> None:
    inside = inside and "event" in payload
    odd = (
        {**payload, "event": {**payload["event"], key: value}}
        if inside
        else {**payload, key: value}
    )
    with suppress(MalformedBody):
        assert (await receiver.bot.dispatch(odd)).status == 200


async def test_orders_at_the_top_wait_there(receiver: SlackReceiver) -> None:
    await receiver.bot.dispatch(dict(slash("system Answer in French")))
    message = receiver.inbox.message
    assert (message.text, message.thread.root) == ("/system Answer in French", TOP)
    assert await receiver.index.threads(TEAM) == [(CHANNEL, TOP)]


async def test_slack_is_answered_in_time_however_slow_the_index_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("adapters.slack.bolt_app.INDEX_TIMEOUT", 0.05)
    receiver = SlackReceiver()
    monkeypatch.setattr(receiver.redis, "get", hang)
    monkeypatch.setattr("redis.asyncio.client.Pipeline.execute", hang)
    async with asyncio.timeout(2):
        assert (await receiver.bot.dispatch(event_callback(message_event()))).status == 200
        assert (await receiver.bot.dispatch(dict(slash("json")))).status == 503
    assert len(receiver.inbox.messages) == 1
    await receiver.close()
