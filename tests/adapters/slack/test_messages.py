"""Messages that are posted whole and edited: quietly, in their thread, and once."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from adapters.slack.errors import (
    NEVER_EDITABLE,
    MessageTooLong,
    SlackError,
    StillStreaming,
    StreamExpired,
)
from adapters.slack.messages import SlackMessages
from adapters.slack.settings import SlackLimits
from adapters.slack.streaming import STATUS_METHOD, AgentStatus
from bot.ports.channel import (
    Button,
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    Post,
    Stage,
)
from tests.helpers.fakes import FakeClock
from tests.helpers.slack_recorder import CallRecorder
from tests.helpers.slack_wire_server import (
    CUT,
    PAGE_502,
    Answer,
    SlackApiServer,
    address,
    refusal,
    slack_clients,
    throttling,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

POST, UPDATE, STOP = "chat.postMessage", "chat.update", "chat.stopStream"
OPENING = Post("Looking…", Stage.OPENING, live=True)
GROWING = Post("A red", Stage.GROWING, live=True)
FINAL = Post("A red car.", live=True, is_generated=True)
CONFLICT = refusal("streaming_state_conflict")
ADDRESS = address()


def messages_of(calls: CallRecorder, **limits: Any) -> SlackMessages:
    api: Any = calls
    return SlackMessages(api, AgentStatus(api), SlackLimits(**limits))


@dataclass
class MessagesSetup:
    messages: SlackMessages
    server: SlackApiServer
    clock: FakeClock

    def forms(self, method: str) -> list[dict[str, str]]:
        return [call.form for call in self.server.calls if call.name == method]


@asynccontextmanager
async def messages_setup(**limits: Any) -> AsyncIterator[MessagesSetup]:
    """Messages that are sent over HTTP."""
    async with slack_clients(**limits) as clients:
        messages = SlackMessages(clients.api, AgentStatus(clients.api), clients.limits)
        yield MessagesSetup(messages, clients.server, clients.clock)


def posted(ts: str = "7.0001") -> Answer:
    return Answer({"ok": True, "ts": ts})


async def test_a_message_is_said_in_its_thread_and_stirs_nothing_up() -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, posted())
        post = Post("See <https://x.test> and <!channel>", buttons=(Button("Go", "/go"),))
        assert await parts.messages.say(ADDRESS, post) == "7.0001"
    [form] = parts.forms(POST)
    assert (form["channel"], form["thread_ts"]) == ("C1", "1.0000")
    assert (form["unfurl_links"], form["unfurl_media"], form["parse"]) == ("false", "false", "none")
    assert "<!channel" not in form["text"]
    blocks = json.loads(form["blocks"])
    assert [block["type"] for block in blocks] == ["markdown", "actions"]
    assert blocks[0]["text"] == form["text"]


async def test_at_the_top_of_a_place_there_is_no_thread() -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, posted())
        await parts.messages.say(address(thread=""), OPENING)
    assert "thread_ts" not in parts.forms(POST)[0]
    assert parts.server.methods() == [POST]


@pytest.mark.parametrize("ts", [None, "", 7, ["1"]])
async def test_a_message_that_slack_does_not_name_is_known_by_no_id(ts: Any) -> None:
    """Then its end is posted anew instead of edited."""
    async with messages_setup() as parts:
        parts.server.then(POST, Answer({"ok": True, "ts": ts}), Answer({"ok": True}))
        assert await parts.messages.say(ADDRESS, FINAL) == ""
        assert await parts.messages.say(ADDRESS, FINAL) == ""


async def test_what_came_too_soon_is_said_when_slack_asks_for_it() -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, throttling("4"), throttling("2"), posted())
        assert await parts.messages.say(ADDRESS, FINAL) == "7.0001"
        assert parts.clock.waits == [4.0, 2.0]
    assert len(parts.forms(POST)) == 3


@pytest.mark.parametrize("fault", [CUT, PAGE_502, refusal("internal_error"), Answer("gibberish")])
async def test_what_may_have_been_said_is_not_said_again(fault: Answer) -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, fault)
        with pytest.raises(DeliveryUnknown):
            await parts.messages.say(ADDRESS, FINAL)
    assert len(parts.forms(POST)) == 1


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("channel_not_found", ConversationGone),
        ("is_archived", ConversationGone),
        ("token_revoked", ConversationGone),
        ("invalid_blocks", SlackError),
        ("not_heard_of", SlackError),
    ],
)
async def test_a_refusal_says_what_it_means(error: str, problem: type[Exception]) -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, refusal(error))
        with pytest.raises(problem, match=error) as failure:
            await parts.messages.say(ADDRESS, FINAL)
    assert type(failure.value) is problem
    assert len(parts.forms(POST)) == 1


async def test_an_edit_holds_the_whole_text_and_its_blocks() -> None:
    async with messages_setup() as parts:
        await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    [form] = parts.forms(UPDATE)
    assert (form["ts"], form["text"], form["parse"]) == ("7.0001", "A red car.", "none")
    types = [block["type"] for block in json.loads(form["blocks"])]
    assert types == ["markdown", "context", "context_actions"]


@pytest.mark.parametrize("fault", [CUT, PAGE_502, throttling("3"), refusal("fatal_error")])
async def test_the_end_is_edited_until_it_stands(fault: Answer) -> None:
    async with messages_setup() as parts:
        parts.server.then(UPDATE, fault, fault)
        await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    assert len(parts.forms(UPDATE)) == 3


async def test_a_brief_edit_is_given_up_soon() -> None:
    async with messages_setup() as parts:
        parts.server.then(UPDATE, throttling("3"), throttling("3"))
        with pytest.raises(DeliveryRefused):
            await parts.messages.change(ADDRESS, "7.0001", GROWING, brief=True)
        assert parts.clock.waits == []
    assert len(parts.forms(UPDATE)) == 1


@pytest.mark.parametrize("brief", [False, True])
async def test_a_message_that_still_streams_is_ended_and_then_edited(brief: bool) -> None:
    async with messages_setup() as parts:
        parts.server.then(UPDATE, CONFLICT)
        await parts.messages.change(ADDRESS, "7.0001", GROWING, brief=brief)
    assert parts.server.methods() == [UPDATE, STOP, UPDATE]
    assert parts.forms(STOP) == [{"channel": "C1", "ts": "7.0001"}]


@pytest.mark.parametrize("fault", [CUT, PAGE_502, throttling()])
async def test_the_end_of_a_stream_is_asked_for_until_it_is_there(fault: Answer) -> None:
    async with messages_setup() as parts:
        parts.server.then(UPDATE, CONFLICT)
        parts.server.then(STOP, fault)
        await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    assert parts.server.methods()[:4] == [UPDATE, STOP, STOP, UPDATE]


async def test_a_stream_that_ended_meanwhile_is_as_good_as_one_that_was_ended() -> None:
    """A stop whose answer was lost has ended it too."""
    async with messages_setup() as parts:
        parts.server.then(UPDATE, CONFLICT)
        parts.server.then(STOP, CUT, refusal("message_not_in_streaming_state"))
        await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    assert len(parts.forms(UPDATE)) == 2


async def test_progress_does_not_wait_for_the_end_of_a_stream() -> None:
    calls = CallRecorder()
    calls.then(UPDATE, StillStreaming(200, "streaming_state_conflict"))
    await messages_of(calls).change(ADDRESS, "7.0001", GROWING, brief=True)
    assert calls.brief == [UPDATE, STOP, UPDATE]


async def test_a_message_that_streams_in_spite_of_all_is_refused() -> None:
    async with messages_setup() as parts:
        parts.server.then(UPDATE, CONFLICT, CONFLICT)
        with pytest.raises(StillStreaming):
            await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    assert parts.server.methods() == [UPDATE, STOP, UPDATE]


@pytest.mark.parametrize("error", ["msg_too_long", "msg_blocks_too_long"])
async def test_what_is_too_long_in_blocks_is_said_as_bare_text(error: str) -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, refusal(error), posted())
        parts.server.then(UPDATE, refusal(error))
        assert await parts.messages.say(ADDRESS, FINAL) == "7.0001"
        await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    for method in (POST, UPDATE):
        first, second = parts.forms(method)
        assert second == {key: value for key, value in first.items() if key != "blocks"}


async def test_what_is_too_long_in_any_form_is_refused() -> None:
    async with messages_setup() as parts:
        parts.server.then(POST, *[refusal("msg_too_long")] * 2)
        with pytest.raises(MessageTooLong):
            await parts.messages.say(ADDRESS, FINAL)


@pytest.mark.parametrize("error", sorted(NEVER_EDITABLE))
async def test_a_message_that_can_never_be_edited_is_lost(error: str) -> None:
    async with messages_setup() as parts:
        parts.server.then(UPDATE, refusal(error))
        with pytest.raises(SlackError) as failure:
            await parts.messages.change(ADDRESS, "7.0001", FINAL, brief=False)
    assert parts.messages.lost(failure.value)


@pytest.mark.parametrize(
    "refusal",
    [
        DeliveryRefused("x"),
        SlackError(429, "ratelimited"),
        StreamExpired(200, "x"),
        MessageTooLong(200, "msg_too_long"),
    ],
)
def test_other_refusals_may_pass(refusal: DeliveryRefused) -> None:
    assert not messages_of(CallRecorder()).lost(refusal)


async def test_where_a_placeholder_stands_slack_shows_that_loupe_is_at_work() -> None:
    calls = CallRecorder()
    messages = messages_of(calls)
    message_id = await messages.say(ADDRESS, OPENING)
    await messages.change(ADDRESS, message_id, GROWING, brief=True)
    await messages.change(ADDRESS, message_id, FINAL, brief=False)
    assert calls.methods == [STATUS_METHOD, POST, UPDATE, UPDATE, STATUS_METHOD]
    assert [call["status"] for call in calls.of(STATUS_METHOD)] == ["processing", "active"]


async def test_an_end_that_is_posted_anew_ends_the_work_too() -> None:
    calls = CallRecorder()
    messages = messages_of(calls)
    await messages.say(ADDRESS, OPENING)
    await messages.say(ADDRESS, FINAL)
    assert [call["status"] for call in calls.of(STATUS_METHOD)] == ["processing", "active"]


@pytest.mark.parametrize("post", [Post("Done."), Post("Waiting: 1 message…", Stage.OPENING)])
async def test_what_is_no_answer_says_nothing_of_the_work(post: Post) -> None:
    calls = CallRecorder()
    await messages_of(calls).say(ADDRESS, post)
    assert calls.methods == [POST]


@pytest.mark.parametrize(
    ("changes", "channels", "streams"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"channel": "D1"}, False, True),
        ({"thread": ""}, True, False),
        ({"user": ""}, True, False),
        ({"private": True}, True, False),
    ],
)
def test_streams_are_for_somebody_in_a_thread(
    changes: dict[str, Any], channels: bool, streams: bool
) -> None:
    messages = messages_of(
        CallRecorder(), stream_channels=channels, edit_pace=2.0, stream_pace=1.25
    )
    where = address(**changes)
    assert messages.streams(where) is streams
    assert messages.behind(where) == (0.75 if streams else 0.0)
    assert messages.edits(where) is not bool(changes.get("private"))
