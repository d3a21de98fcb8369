"""Streams in Slack: a step first, then words that are only ever appended."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.chat.streaming import Streams
from adapters.slack.addresses import SlackAddress
from adapters.slack.errors import StreamExpired, StreamUnavailable
from adapters.slack.streaming import SlackStreamTransport
from bot import strings as texts
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Post, Stage
from tests.helpers.slack_recorder import CallRecorder
from tests.helpers.slack_wire_server import Answer, slack_clients

ADDRESS = SlackAddress("T1", "C1", "1.0", "U1")
OPENING = Post("Looking at 2 photos…", Stage.OPENING, live=True)


def growing(text: str) -> Post:
    return Post(text, Stage.GROWING, live=True)


def final(text: str, **how: Any) -> Post:
    return Post(text, live=True, **how)


class Bench:
    def __init__(self, seconds: float = 240) -> None:
        self.calls = CallRecorder()
        wire: Any = SlackStreamTransport(self.calls)  # type: ignore[arg-type]
        self.streams = Streams(wire, seconds, Clock())

    async def open(self) -> str:
        return await self.streams.open(ADDRESS, OPENING)

    async def show(self, post: Post) -> bool:
        return await self.streams.show(ADDRESS, "7.0001", post)

    @property
    def appended(self) -> str:
        """All words that a person reads at last."""
        chunks = [
            chunk
            for method in ("chat.appendStream", "chat.stopStream")
            for call in self.calls.of(method)
            for chunk in call.get("chunks", ())
        ]
        return "".join(c["text"] for c in chunks if c["type"] == "markdown_text")


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_stream_begins_with_a_step_for_the_one_who_asked(bench: Bench) -> None:
    assert await bench.open() == "7.0001"
    assert bench.calls.made == [
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


async def test_a_stream_that_slack_does_not_name_has_no_id(bench: Bench) -> None:
    bench.calls.then("chat.startStream", {"ok": True})
    assert await bench.open() == ""


async def test_progress_takes_the_place_of_the_step(bench: Bench) -> None:
    await bench.open()
    assert await bench.show(Post("Reading…", Stage.PROGRESS, live=True))
    (call,) = bench.calls.of("chat.appendStream")
    assert [(c["id"], c["title"], c["status"]) for c in call["chunks"]] == [
        ("look", "Reading…", "in_progress")
    ]
    assert bench.calls.brief == ["chat.startStream", "chat.appendStream"]


async def test_each_piece_holds_only_what_is_new(bench: Bench) -> None:
    await bench.open()
    for text in ("A red", "A red car <", "A red car <with"):
        assert await bench.show(growing(text))
    assert await bench.show(final("A red car <with a dent.", generated=True))
    assert bench.appended.replace("\u2060", "") == "A red car <with a dent."
    first = bench.calls.of("chat.appendStream")[0]["chunks"]
    assert first[0] == {
        "type": "task_update",
        "id": "look",
        "title": texts.SLACK_LOOKED,
        "status": "complete",
    }
    (stop,) = bench.calls.of("chat.stopStream")
    assert stop["session_status"] == "active"
    assert [block["type"] for block in stop["blocks"]] == ["context", "context_actions"]


async def test_an_answer_that_comes_at_once_ends_the_step_too(bench: Bench) -> None:
    await bench.open()
    assert await bench.show(final("A car."))
    (stop,) = bench.calls.of("chat.stopStream")
    assert [chunk["type"] for chunk in stop["chunks"]] == ["task_update", "markdown_text"]
    assert "blocks" not in stop


async def test_text_that_does_not_go_on_as_it_began_is_edited(bench: Bench) -> None:
    await bench.open()
    await bench.show(growing("A red car"))
    assert not await bench.show(final("No, a blue one."))
    (stop,) = bench.calls.of("chat.stopStream")
    assert "chunks" not in stop


async def test_a_piece_that_is_refused_comes_with_the_next(bench: Bench) -> None:
    await bench.open()
    bench.calls.then("chat.appendStream", DeliveryRefused("no room"))
    await bench.show(growing("A red"))
    await bench.show(growing("A red car"))
    await bench.show(final("A red car."))
    pieces = [call["chunks"][-1]["text"] for call in bench.calls.of("chat.appendStream")]
    assert pieces == ["A red", "A red car"]
    assert bench.calls.of("chat.stopStream")[0]["chunks"][-1]["text"] == "."


async def test_after_words_that_may_be_missing_edits_go_on(bench: Bench) -> None:
    await bench.open()
    bench.calls.then("chat.appendStream", DeliveryUnknown("cut"))
    assert await bench.show(growing("A red"))
    assert not await bench.show(growing("A red car"))
    assert not await bench.show(final("A red car."))
    assert len(bench.calls.of("chat.appendStream")) == 1


async def test_words_that_may_be_missing_at_the_end_are_edited(bench: Bench) -> None:
    await bench.open()
    bench.calls.then("chat.appendStream", DeliveryUnknown("cut"))
    assert await bench.show(growing("A red"))
    assert not await bench.show(final("A red car."))
    assert bench.calls.of("chat.stopStream") == []


async def test_a_stream_that_slack_ended_goes_on_by_edits(bench: Bench) -> None:
    await bench.open()
    over = StreamExpired(200, "message_not_in_streaming_state")
    bench.calls.then("chat.appendStream", over)
    assert not await bench.show(growing("A red"))
    assert not await bench.show(final("A red car."))


async def test_a_stream_is_closed_before_slack_ends_it() -> None:
    bench = Bench(seconds=-1)
    await bench.open()
    assert not await bench.show(growing("A red car"))
    assert len(bench.calls.of("chat.stopStream")) == 1
    assert not await bench.show(final("A red car."))
    assert len(bench.calls.of("chat.stopStream")) == 1


@pytest.mark.parametrize(
    "problem",
    [StreamUnavailable(200, "x"), ConversationGone("channel_not_found"), DeliveryUnknown("")],
)
async def test_where_there_is_no_stream_that_is_told(bench: Bench, problem: Exception) -> None:
    bench.calls.then("chat.startStream", problem)
    with pytest.raises(type(problem)):
        await bench.open()
    assert bench.streams.free(ADDRESS)


async def test_many_streams_may_be_open_in_a_thread(bench: Bench) -> None:
    await bench.open()
    assert bench.streams.free(ADDRESS)


async def test_a_stream_for_which_the_rate_has_no_room_is_not_waited_for() -> None:
    opening = Post("Looking at 1 photo…", Stage.OPENING, live=True)
    async with slack_clients() as wires:
        wires.server.then("chat.startStream", *[Answer({"ok": True, "ts": "7.1"})] * 20)
        streams = Streams(SlackStreamTransport(wires.api), 240, wires.clock)
        for _ in range(20):
            await streams.open(ADDRESS, opening)
        with pytest.raises(DeliveryRefused, match="no_room"):
            await streams.open(ADDRESS, opening)
        assert wires.clock.now() == 1000
