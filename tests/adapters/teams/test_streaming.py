"""Streams to a connector that enforces the rules of Teams."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from adapters.teams.streaming import GAP
from bot.clock import Clock
from bot.ports.channel import Button, DeliveryRefused, DeliveryUnknown, Post, Stage, StoppedByUser
from tests.helpers.teams_connector import FakeClock, connector_settings, teams_clients
from tests.servers.teams import PERSONAL, TeamsServer

OPENING = Post("Looking at 2 photos…", Stage.OPENING, live=True)


def growing(text):
    return Post(text, Stage.GROWING, live=True, is_generated=True)


def final(text, **how):
    return Post(text, live=True, is_generated=True, **how)


@asynccontextmanager
async def streaming(teams, clock=None, **limits):
    """Yield the channel with a stream open: `show` edits its message."""
    async with teams_clients(connector_settings(teams), clock or FakeClock(), **limits) as parts:
        address = teams.address()
        message_id = await parts.channel.post(address, OPENING)

        async def show(post):
            await parts.channel.edit(address, message_id, post)

        yield show


def infos(teams):
    """Return type, sequence and whether there was a stream id for each request."""
    chunks = []
    for request in teams.requests:
        entities = request.activity.get("entities", [])
        info = next((one for one in entities if one["type"] == "streaminfo"), {})
        chunks.append((info.get("streamType"), info.get("streamSequence"), "streamId" in info))
    return chunks


async def test_a_stream_from_the_first_word_to_the_last():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(Post("Looking at 2 photos… (1 of 2)", Stage.PROGRESS, live=True))
        await show(growing("A red"))
        await show(growing("A red car"))
        await show(final("A red car."))
    [message] = teams.messages()
    assert message.informative == ["Looking at 2 photos…", "Looking at 2 photos… (1 of 2)"]
    assert message.texts == ["A red", "A red car", "A red car."]
    assert message.has_ai_label
    assert not message.streaming
    assert infos(teams) == [
        ("informative", 1, False),
        ("informative", 2, True),
        ("streaming", 3, True),
        ("streaming", 4, True),
        ("final", None, True),
    ]
    assert {request.method for request in teams.requests} == {"POST"}


async def test_the_label_comes_with_the_end_only():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A"))
        assert not teams.messages()[0].has_ai_label
        await show(final("A car"))
        assert teams.messages()[0].has_ai_label


async def test_requests_keep_their_distance():
    async with TeamsServer(strict_rate=True) as teams, streaming(teams, Clock()) as show:
        await show(growing("A"))
        await show(final("A car"))
    times = [request.at for request in teams.requests]
    assert [request.status for request in teams.requests] == [201, 202, 202]
    assert all(b - a >= 1 for a, b in pairwise(times))


async def test_slow_streams_do_not_wait():
    clock = FakeClock()
    async with TeamsServer() as teams, streaming(teams, clock) as show:
        for text in ("A", "A b", "A b c"):
            clock.time += GAP
            await show(growing(text))
    assert clock.waits == []


async def test_an_end_without_growth_may_be_anything():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(final("It failed. Please ask again."))
    assert teams.texts() == ["It failed. Please ask again."]
    assert len(teams.requests) == 2


async def test_an_end_that_is_no_growth_is_shown_by_an_edit():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red"))
        await show(final("Something else"))
    [message] = teams.messages()
    assert message.texts == ["A red", "A red", "Something else"]
    assert message.has_ai_label


async def test_text_that_does_not_grow_is_not_sent():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red car"))
        await show(growing("A red car"))
        await show(growing("A blue car"))
        await show(Post("Looking…", Stage.PROGRESS, live=True))
    assert teams.messages()[0].texts == ["A red car"]
    assert len(teams.requests) == 2


async def test_headings_and_images_grow_too():
    source = (
        "# Title\n\nA ![cat](https://a.example/b) | c\n\n| a | b |\n|--|--|\n| 1 | 2 |\n<at>x</at>"
    )
    async with TeamsServer() as teams, streaming(teams) as show:
        for end in range(1, len(source) + 1, 3):
            await show(growing(source[:end]))
        await show(final(source))
    [message] = teams.messages()
    assert {request.status for request in teams.requests} == {201, 202}
    assert message.text == "**Title**\n\n\nA cat | c\n\n- a · b\n- 1 · 2\n&lt;at>x&lt;/at>"
    assert all(b.startswith(a) for a, b in pairwise(message.texts))


async def test_the_users_stop_is_noticed_at_the_next_chunk():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red"))
        teams.stop()
        with pytest.raises(StoppedByUser):
            await show(growing("A red car"))
        await show(final("A red\n\n*Stopped.*", is_stopped=True))
    assert teams.texts() == ["A red"]
    assert len(teams.requests) == 3


async def test_the_users_stop_is_noticed_at_the_end():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red"))
        teams.stop()
        with pytest.raises(StoppedByUser):
            await show(final("A red car"))
    assert teams.texts() == ["A red"]


async def test_a_stopped_end_meets_the_users_stop():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red"))
        teams.stop()
        await show(final("A red\n\n*Stopped.*", is_stopped=True))
    assert teams.texts() == ["A red"]


async def test_a_stream_whose_time_is_over_goes_on_by_edits():
    async with TeamsServer(stream_seconds=0) as teams, streaming(teams) as show:
        await show(growing("A red"))
        await show(growing("A red car"))
        await show(final("A red car."))
    [message] = teams.messages()
    assert message.texts == ["A red", "A red car", "A red car."]
    assert message.has_ai_label
    assert [request.method for request in teams.requests] == ["POST", "POST", "PUT", "PUT", "PUT"]
    assert infos(teams)[2:] == [(None, None, False)] * 3


async def test_a_stream_is_closed_before_its_time_is_over():
    clock = FakeClock()
    async with TeamsServer() as teams, streaming(teams, clock) as show:
        await show(growing("A red"))
        clock.time += 111
        await show(growing("A red car"))
        await show(final("A red car."))
    assert teams.messages()[0].texts == ["A red", "A red", "A red car", "A red car."]
    assert [kind for kind, *_ in infos(teams)] == ["informative", "streaming", "final", None, None]
    assert {request.status for request in teams.requests} == {201, 202, 200}


async def test_a_stream_without_text_is_closed_before_its_time_is_over():
    clock = FakeClock()
    async with TeamsServer() as teams, streaming(teams, clock) as show:
        clock.time += 111
        await show(Post("Still looking…", Stage.PROGRESS, live=True))
        await show(final("A red car."))
    assert teams.texts() == ["A red car."]
    assert 403 not in {request.status for request in teams.requests}


@pytest.mark.parametrize(
    "message",
    [
        "Content stream is not allowed",
        "Content stream is not allowed on an already completed streamed message",
        "Message size too large",
    ],
)
async def test_other_refusals_go_on_by_edits(message):
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red"))
        teams.refuse(403, "ContentStreamNotAllowed", message, times=9, method="POST")
        await show(growing("A red car"))
        await show(final("A red car."))
    assert teams.messages()[0].texts[-1] == "A red car."
    assert teams.requests[-1].method == "PUT"
    assert len(teams.messages()) == 1


async def test_a_chunk_that_was_overtaken_is_forgotten():
    async with TeamsServer() as teams, streaming(teams) as show:
        teams.refuse(202, "ContentStreamSequenceOrderPreConditionFailed")
        await show(growing("A red"))
        await show(growing("A red car"))
        await show(final("A red car."))
    assert teams.messages()[0].texts == ["A red car", "A red car."]


@pytest.mark.parametrize("fault", ["fail", "cut", "hang"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_chunk_is_carried_by_the_next(fault, after):
    async with TeamsServer() as teams, streaming(teams, request_seconds=0.2) as show:
        getattr(teams, fault)(after=after)
        await show(growing("A red"))
        await show(growing("A red car"))
        await show(final("A red car."))
    assert teams.messages()[0].texts[-2:] == ["A red car", "A red car."]
    assert len(teams.requests) == 4


async def test_a_throttled_chunk_is_sent_again():
    async with TeamsServer() as teams, streaming(teams) as show:
        teams.throttle(retry_after="1")
        await show(growing("A red"))
    assert teams.texts() == ["A red"]


@pytest.mark.parametrize("fault", ["fail", "cut", "hang", "throttle"])
@pytest.mark.parametrize("after", [False, True])
async def test_the_end_arrives_whatever_happens_and_once(fault, after):
    async with TeamsServer() as teams, streaming(teams, request_seconds=0.2) as show:
        await show(growing("A red"))
        getattr(teams, fault)(after=after, times=2)
        await show(final("A red car."))
    [message] = teams.messages()
    assert message.text == "A red car."
    assert message.has_ai_label
    assert not message.streaming


async def test_a_stream_that_nobody_remembers_is_edited():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("A red"))
        [message] = teams.messages()
        async with teams_clients(connector_settings(teams)) as successor:
            await successor.channel.edit(teams.address(), message.id, final("A red car."))
    assert teams.texts() == ["A red car."]
    assert teams.requests[-1].method == "PUT"


async def test_a_chat_has_one_stream_at_a_time():
    async with TeamsServer() as teams, teams_clients(connector_settings(teams)) as parts:
        address = teams.address()
        first = await parts.channel.post(address, OPENING)
        second = await parts.channel.post(address, OPENING)
        await parts.channel.edit(address, second, growing("B"))
        await parts.channel.edit(address, first, growing("A"))
        assert teams.texts() == ["A", "B"]
        await parts.channel.edit(address, first, final("A."))
        third = await parts.channel.post(address, OPENING)
        await parts.channel.edit(address, second, final("B."))
        await parts.channel.edit(address, third, final("C."))
    assert teams.texts() == ["A.", "B.", "C."]
    assert [message.stream is not None for message in teams.messages()] == [True, False, True]
    assert {request.status for request in teams.requests} == {200, 201, 202}


async def test_openings_at_the_same_moment_share_the_rule():
    async with TeamsServer() as teams, teams_clients(connector_settings(teams)) as parts:
        address = teams.address()
        await asyncio.gather(*(parts.channel.post(address, OPENING) for _ in range(3)))
    assert sorted(message.stream is not None for message in teams.messages()) == [
        False,
        False,
        True,
    ]
    assert {request.status for request in teams.requests} == {201}


async def test_chats_and_tenants_with_equal_ids_stream_apart():
    async with TeamsServer() as teams, teams_clients(connector_settings(teams)) as parts:
        mine, theirs = teams.address(), teams.address(tenant="another")
        message_id = await parts.channel.post(mine, OPENING)
        assert not parts.streams.free(mine)
        assert parts.streams.free(theirs)
        assert not await parts.streams.show(theirs, message_id, growing("A"))


async def test_a_stream_that_was_left_open_gives_the_chat_free():
    clock = FakeClock()
    async with TeamsServer() as teams, teams_clients(connector_settings(teams), clock) as parts:
        await parts.channel.post(teams.address(), OPENING)
        clock.time += 120
        assert parts.streams.free(teams.address())
        clock.time += 3600
        teams.chats.messages[PERSONAL].clear()
        await parts.channel.post(teams.address(), OPENING)
        assert len(parts.streams._by_id) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "BadArgument"), (403, "ContentStreamNotAllowed"), (405, "BadArgument"), (403, "Other")],
)
async def test_where_there_is_no_streaming_an_ordinary_message_stands(status, code):
    async with TeamsServer() as teams, teams_clients(connector_settings(teams)) as parts:
        teams.refuse(status, code)
        message_id = await parts.channel.post(teams.address(), OPENING)
        await parts.channel.edit(teams.address(), message_id, final("A red car."))
        assert parts.streams.free(teams.address())
    assert teams.messages()[0].texts == ["Looking at 2 photos…", "A red car."]


async def test_an_opening_that_may_have_arrived_is_unclear():
    async with TeamsServer() as teams, teams_clients(connector_settings(teams)) as parts:
        teams.cut(after=True)
        with pytest.raises(DeliveryUnknown):
            await parts.channel.post(teams.address(), OPENING)
        assert parts.streams.free(teams.address())
    assert len(teams.messages()) == 1


async def test_a_long_placeholder_is_cut():
    async with TeamsServer() as teams, teams_clients(connector_settings(teams)) as parts:
        post = Post("x" * 3000, Stage.OPENING, live=True)
        await parts.channel.post(teams.address(), post)
    assert len(teams.messages()[0].text) == 1000


async def test_an_end_with_buttons_becomes_a_card():
    async with TeamsServer() as teams, streaming(teams) as show:
        await show(growing("Old and new"))
        await show(Post("Really?", buttons=(Button("Yes", "/yes"),)))
    [message] = teams.messages()
    assert [card["contentType"] for card in message.cards] == [
        "application/vnd.microsoft.card.adaptive"
    ]


async def test_a_refused_token_does_not_lose_the_end():
    async with TeamsServer(authorize=True) as teams, streaming(teams) as show:
        teams.refuse(401, "Unauthorized", times=4)
        with pytest.raises(DeliveryRefused):
            await show(final("A red car."))
        await show(final("A red car."))
    assert teams.texts() == ["A red car."]
