"""Streams in Slack: a step first, then words that are only ever appended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.chat.streaming import Streams
from adapters.slack import streaming
from adapters.slack.addresses import SlackAddress
from adapters.slack.errors import SlackError, StreamExpired, StreamUnavailable
from adapters.slack.streaming import NO_AGENT, STATUS_METHOD, AgentStatus, SlackStreamTransport
from bot import strings as texts
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Post, Stage
from tests.helpers.slack_recorder import CallRecorder
from tests.helpers.slack_wire_server import (
    CUT,
    HANG,
    PAGE_502,
    TOKEN,
    Answer,
    address,
    refusal,
    slack_clients,
    throttling,
)

ADDRESS = SlackAddress("T1", "C1", "1.0", "U1")
OPENING = Post("Looking at 2 photos…", Stage.OPENING, live=True)


def growing(text: str) -> Post:
    return Post(text, Stage.GROWING, live=True)


def final(text: str, **how: Any) -> Post:
    return Post(text, live=True, **how)


class StreamSetup:
    def __init__(self, seconds: float = 240) -> None:
        self.calls = CallRecorder()
        wire: Any = SlackStreamTransport(self.calls)  # type: ignore[arg-type]
        self.streams = Streams(wire, seconds, Clock())

    async def open(self) -> str:
        return await self.streams.open(ADDRESS, OPENING)

    async def show(self, post: Post) -> bool:
        return await self.streams.show(ADDRESS, "7.0001", post)

    @property
    def final_words(self) -> str:
        """All words that a person reads at last."""
        chunks = [
            chunk
            for method in ("chat.appendStream", "chat.stopStream")
            for call in self.calls.of(method)
            for chunk in call.get("chunks", ())
        ]
        return "".join(c["text"] for c in chunks if c["type"] == "markdown_text")


@pytest.fixture
def setup() -> StreamSetup:
    return StreamSetup()


async def test_a_stream_begins_with_a_step_for_the_one_who_asked(setup: StreamSetup) -> None:
    assert await setup.open() == "7.0001"
    assert setup.calls.requests == [
        (
            "chat.startStream",
            {
                "channel": "C1",
                "thread_ts": "1.0",
                "recipient_team_id": "T1",
                "recipient_user_id": "U1",
                "chunks": [
                    {
                        "type": "task_update",
                        "id": "look",
                        "title": "Looking at 2 photos…",
                        "status": "in_progress",
                    }
                ],
            },
        )
    ]


async def test_a_stream_that_slack_does_not_name_has_no_id(setup: StreamSetup) -> None:
    setup.calls.then("chat.startStream", {"ok": True})
    assert await setup.open() == ""


async def test_progress_takes_the_place_of_the_step(setup: StreamSetup) -> None:
    await setup.open()
    assert await setup.show(Post("Reading…", Stage.PROGRESS, live=True))
    (call,) = setup.calls.of("chat.appendStream")
    assert [(c["id"], c["title"], c["status"]) for c in call["chunks"]] == [
        ("look", "Reading…", "in_progress")
    ]
    assert setup.calls.brief == ["chat.startStream", "chat.appendStream"]


async def test_each_piece_holds_only_what_is_new(setup: StreamSetup) -> None:
    await setup.open()
    for text in ("A red", "A red car <", "A red car <with"):
        assert await setup.show(growing(text))
    assert await setup.show(final("A red car <with a dent.", is_generated=True))
    assert setup.final_words.replace("\u2060", "") == "A red car <with a dent."
    first = setup.calls.of("chat.appendStream")[0]["chunks"]
    assert first[0] == {
        "type": "task_update",
        "id": "look",
        "title": texts.SLACK_LOOKED,
        "status": "complete",
    }
    (stop,) = setup.calls.of("chat.stopStream")
    assert stop["session_status"] == "active"
    assert [block["type"] for block in stop["blocks"]] == ["context", "context_actions"]


async def test_an_answer_that_comes_at_once_ends_the_step_too(setup: StreamSetup) -> None:
    await setup.open()
    assert await setup.show(final("A car."))
    (stop,) = setup.calls.of("chat.stopStream")
    assert [chunk["type"] for chunk in stop["chunks"]] == ["task_update", "markdown_text"]
    assert "blocks" not in stop


async def test_text_that_does_not_go_on_as_it_began_is_edited(setup: StreamSetup) -> None:
    await setup.open()
    await setup.show(growing("A red car"))
    assert not await setup.show(final("No, a blue one."))
    (stop,) = setup.calls.of("chat.stopStream")
    assert "chunks" not in stop


async def test_a_piece_that_is_refused_comes_with_the_next(setup: StreamSetup) -> None:
    await setup.open()
    setup.calls.then("chat.appendStream", DeliveryRefused("no room"))
    await setup.show(growing("A red"))
    await setup.show(growing("A red car"))
    await setup.show(final("A red car."))
    pieces = [call["chunks"][-1]["text"] for call in setup.calls.of("chat.appendStream")]
    assert pieces == ["A red", "A red car"]
    assert setup.calls.of("chat.stopStream")[0]["chunks"][-1]["text"] == "."


async def test_after_words_that_may_be_missing_edits_go_on(setup: StreamSetup) -> None:
    await setup.open()
    setup.calls.then("chat.appendStream", DeliveryUnknown("cut"))
    assert await setup.show(growing("A red"))
    assert not await setup.show(growing("A red car"))
    assert not await setup.show(final("A red car."))
    assert len(setup.calls.of("chat.appendStream")) == 1


async def test_words_that_may_be_missing_at_the_end_are_edited(setup: StreamSetup) -> None:
    await setup.open()
    setup.calls.then("chat.appendStream", DeliveryUnknown("cut"))
    assert await setup.show(growing("A red"))
    assert not await setup.show(final("A red car."))
    assert setup.calls.of("chat.stopStream") == []


async def test_a_stream_that_slack_ended_goes_on_by_edits(setup: StreamSetup) -> None:
    await setup.open()
    over = StreamExpired(200, "message_not_in_streaming_state")
    setup.calls.then("chat.appendStream", over)
    assert not await setup.show(growing("A red"))
    assert not await setup.show(final("A red car."))


async def test_a_stream_is_closed_before_slack_ends_it() -> None:
    setup = StreamSetup(seconds=-1)
    await setup.open()
    assert not await setup.show(growing("A red car"))
    assert len(setup.calls.of("chat.stopStream")) == 1
    assert not await setup.show(final("A red car."))
    assert len(setup.calls.of("chat.stopStream")) == 1


@pytest.mark.parametrize(
    "problem",
    [StreamUnavailable(200, "x"), ConversationGone("channel_not_found"), DeliveryUnknown("")],
)
async def test_where_there_is_no_stream_that_is_told(
    setup: StreamSetup, problem: Exception
) -> None:
    setup.calls.then("chat.startStream", problem)
    with pytest.raises(type(problem)):
        await setup.open()
    assert setup.streams.free(ADDRESS)


async def test_many_streams_may_be_open_in_a_thread(setup: StreamSetup) -> None:
    await setup.open()
    assert setup.streams.free(ADDRESS)


async def test_a_stream_for_which_the_rate_has_no_room_is_not_waited_for() -> None:
    opening = Post("Looking at 1 photo…", Stage.OPENING, live=True)
    async with slack_clients() as clients:
        clients.server.then("chat.startStream", *[Answer({"ok": True, "ts": "7.1"})] * 20)
        streams = Streams(SlackStreamTransport(clients.api), 240, clients.clock)
        for _ in range(20):
            await streams.open(ADDRESS, opening)
        with pytest.raises(DeliveryRefused, match="no_room"):
            await streams.open(ADDRESS, opening)
        assert clients.clock.now() == 1000


def sessions_of(calls: CallRecorder) -> AgentStatus:
    api: Any = calls
    return AgentStatus(api)


async def test_slack_is_told_what_is_done_in_a_thread() -> None:
    calls = CallRecorder()
    sessions = sessions_of(calls)
    await sessions.working(address())
    await sessions.idle(address())
    where = {"channel_id": "C1", "thread_ts": "1.0000"}
    statuses = [{**where, "status": "processing"}, {**where, "status": "active"}]
    assert calls.of(STATUS_METHOD) == statuses
    assert calls.brief == [STATUS_METHOD, STATUS_METHOD]


async def test_at_the_top_of_a_place_there_is_no_session() -> None:
    calls = CallRecorder()
    await sessions_of(calls).working(address(thread=""))
    assert calls.requests == []


@pytest.mark.parametrize("error", sorted(NO_AGENT))
async def test_where_loupe_is_no_agent_slack_is_not_asked_again(error: str) -> None:
    calls = CallRecorder()
    sessions = sessions_of(calls)
    calls.then(STATUS_METHOD, SlackError(200, error))
    await sessions.working(address())
    await sessions.idle(address())
    await sessions.working(address(thread="2.0"))
    assert calls.methods == [STATUS_METHOD]


@pytest.mark.parametrize(
    "problem",
    [
        SlackError(200, "channel_not_found"),
        SlackError(429, "ratelimited"),
        SlackError(0, "no_room"),
        DeliveryRefused("not yet"),
        ConversationGone("token_revoked"),
        DeliveryUnknown("cut"),
        DeliveryUnknown(),
    ],
)
async def test_what_fails_once_is_tried_the_next_time(problem: Exception) -> None:
    calls = CallRecorder()
    sessions = sessions_of(calls)
    calls.then(STATUS_METHOD, problem)
    with capture_logs() as logs:
        await sessions.working(address())
    assert [line["event"] for line in logs] == ["session_not_shown"]
    assert logs[0]["why"]
    await sessions.working(address())
    assert calls.methods == [STATUS_METHOD, STATUS_METHOD]


@pytest.mark.parametrize(
    "fault", [CUT, PAGE_502, throttling("9"), refusal("internal_error"), Answer("", 500)]
)
async def test_a_slack_that_fails_holds_no_answer_up(fault: Answer) -> None:
    async with slack_clients() as clients:
        clients.server.then(STATUS_METHOD, fault)
        await AgentStatus(clients.api).working(address())
        assert clients.clock.waits == []
    [call] = clients.server.calls
    assert (call.form["status"], call.authorization) == ("processing", f"Bearer {TOKEN}")


async def test_a_slack_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "STATUS_SECONDS", 0.1)
    async with slack_clients() as clients:
        clients.server.then(STATUS_METHOD, HANG)
        with capture_logs() as logs:
            async with asyncio.timeout(5):
                await AgentStatus(clients.api).working(address())
    assert [(line["event"], line["why"]) for line in logs] == [
        ("session_not_shown", "TimeoutError")
    ]
