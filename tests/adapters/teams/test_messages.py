"""Text messages: how they are posted and edited, and what people see."""

from __future__ import annotations

import pytest

from adapters.teams.errors import ConnectorError
from bot import strings as texts
from bot.ports.channel import (
    Button,
    Channel,
    Citation,
    ConversationGone,
    DeliveryUnknown,
    Post,
    Stage,
)
from bot.ports.mailbox import NO_ID
from tests.helpers.fakes import FakeClock
from tests.helpers.teams_connector import connector_settings, teams_clients
from tests.servers.teams import CHANNEL, GROUP, TeamsServer

OPENING = Post("Looking…", Stage.OPENING, live=True)


def growing(text):
    return Post(text, Stage.GROWING, live=True, is_generated=True)


@pytest.fixture
async def teams():
    async with TeamsServer(authorize=True) as server:
        yield server


@pytest.fixture
async def channel(teams):
    async with teams_clients(connector_settings(teams), request_seconds=0.5) as parts:
        port: Channel = parts.channel
        yield port


@pytest.mark.parametrize("scope", ["groupChat", "channel"])
async def test_an_answer_in_company_is_one_message_that_is_edited(teams, channel, scope):
    address = teams.address(scope)
    message_id = await channel.post(address, OPENING)
    await channel.edit(address, message_id, Post("Looking… (1 of 2)", Stage.PROGRESS, live=True))
    await channel.edit(address, message_id, growing("A red"))
    await channel.edit(address, message_id, Post("A red car.", live=True, is_generated=True))
    [message] = teams.messages(address.conversation)
    assert message.texts == ["Looking…", "Looking… (1 of 2)", "A red", "A red car."]
    assert message.has_ai_label
    assert [request.method for request in teams.requests] == ["POST", "PUT", "PUT", "PUT"]


async def test_plain_edits_in_a_personal_chat_are_as_far_apart_as_elsewhere(teams):
    clock, address = FakeClock(), teams.address()
    async with teams_clients(
        connector_settings(teams), clock, edit_pace=3, stream_pace=1.25
    ) as parts:
        message_id = await parts.channel.post(address, Post("Waiting…", Stage.OPENING))
        await parts.channel.edit(address, message_id, growing("A red"))
        assert clock.waits == [3 - 1.25]
        await parts.channel.edit(address, message_id, Post("A red car."))
    assert clock.waits == [3 - 1.25]
    assert teams.messages()[0].texts == ["Waiting…", "A red", "A red car."]


async def test_edits_after_a_stream_are_as_far_apart_as_elsewhere(teams):
    clock, address = FakeClock(), teams.address()
    async with teams_clients(
        connector_settings(teams), clock, edit_pace=3, stream_pace=1.25
    ) as parts:
        message_id = await parts.channel.post(address, OPENING)
        clock.time += 111
        await parts.channel.edit(address, message_id, growing("A red"))
        await parts.channel.edit(address, message_id, growing("A red car"))
    assert clock.waits == [3 - 1.25] * 2


async def test_in_company_the_pace_is_that_of_edits_already(teams):
    clock, address = FakeClock(), teams.address("groupChat")
    async with teams_clients(connector_settings(teams), clock) as parts:
        message_id = await parts.channel.post(address, OPENING)
        await parts.channel.edit(address, message_id, growing("A red"))
    assert clock.waits == []


async def test_the_answer_goes_to_the_thread(teams, channel):
    await channel.post(teams.address("channel"), Post("Hello"))
    assert teams.texts(CHANNEL) == ["Hello"]
    assert teams.requests[0].conversation.endswith(";messageid=1795373765508")


async def test_a_short_answer_in_a_personal_chat_needs_no_stream(teams, channel):
    message_id = await channel.post(teams.address(), Post("Hello", is_generated=True))
    [message] = teams.messages()
    assert (message.id, message.text, message.stream, message.has_ai_label) == (
        message_id,
        "Hello",
        None,
        True,
    )


async def test_a_placeholder_that_will_not_grow_is_no_stream(teams, channel):
    message_id = await channel.post(teams.address(), Post("Waiting: 1 message…", Stage.OPENING))
    await channel.edit(teams.address(), message_id, Post("Done"))
    assert teams.messages()[0].stream is None
    assert teams.texts() == ["Done"]


async def test_where_nothing_can_be_edited_typing_stands_for_the_placeholder(teams, channel):
    address = teams.address("groupChat", channel="webchat", scope="")
    assert await channel.post(address, OPENING) == ""
    for message_id in ("", NO_ID, "1"):
        await channel.edit(address, message_id, growing("A red"))
    await channel.post(address, Post("A red car."))
    assert teams.texts(GROUP) == ["A red car."]
    assert teams.chats.typing[GROUP] == 1


@pytest.mark.parametrize("message_id", ["", NO_ID, "1"])
async def test_where_nothing_can_be_edited_the_end_is_posted(teams, channel, message_id):
    address = teams.address("groupChat", channel="webchat", scope="")
    await channel.edit(address, message_id, Post("A red car."))
    assert teams.texts(GROUP) == ["A red car."]


async def test_typing_that_is_lost_does_no_harm(teams, channel):
    address = teams.address("groupChat", channel="webchat", scope="")
    teams.fail(502)
    assert await channel.post(address, OPENING) == ""
    teams.refuse(403, "BotNotInConversationRoster")
    with pytest.raises(ConversationGone):
        await channel.post(address, OPENING)


@pytest.mark.parametrize(
    ("fault", "times"), [("fail", 2), ("cut", 4), ("hang", 2), ("throttle", 2)]
)
async def test_progress_that_is_lost_does_no_harm(teams, channel, fault, times):
    """aiohttp itself repeats an edit once when the connection is cut."""
    address = teams.address("groupChat")
    message_id = await channel.post(address, OPENING)
    getattr(teams, fault)(times=times)
    await channel.edit(address, message_id, growing("A red"))
    await channel.edit(address, message_id, Post("A red car."))
    assert teams.messages(GROUP)[0].texts == ["Looking…", "A red car."]


@pytest.mark.parametrize("fault", ["fail", "cut", "throttle"])
@pytest.mark.parametrize("after", [False, True])
async def test_the_end_is_repeated_until_it_is_there(teams, channel, fault, after):
    address = teams.address("groupChat")
    message_id = await channel.post(address, OPENING)
    getattr(teams, fault)(times=3, after=after)
    await channel.edit(address, message_id, Post("A red car."))
    assert teams.texts(GROUP) == ["A red car."]


async def test_nothing_is_sent_while_nothing_is_settled(teams, channel):
    address = teams.address("groupChat")
    message_id = await channel.post(address, OPENING)
    await channel.edit(address, message_id, growing("# Tit"))
    assert teams.texts(GROUP) == ["Looking…"]


async def test_a_post_that_may_have_arrived_is_unclear(teams, channel):
    teams.fail(504, after=True)
    with pytest.raises(DeliveryUnknown):
        await channel.post(teams.address("groupChat"), OPENING)
    assert teams.texts(GROUP) == ["Looking…"]


@pytest.mark.parametrize("code", ["BotNotInConversationRoster", "ConversationBlockedByUser"])
async def test_a_conversation_that_takes_no_posts_is_gone(teams, channel, code):
    address = teams.address("groupChat")
    message_id = await channel.post(address, OPENING)
    for act in (
        lambda: channel.post(address, Post("Hello")),
        lambda: channel.edit(address, message_id, Post("A")),
    ):
        teams.refuse(403, code, method="POST")
        teams.refuse(403, code, method="PUT")
        with pytest.raises(ConversationGone):
            await act()


@pytest.mark.parametrize("status", [403, 410])
async def test_the_end_of_a_message_that_may_not_be_edited_is_posted_anew(teams, channel, status):
    address = teams.address("groupChat")
    message_id = await channel.post(address, OPENING)
    teams.refuse(status, "Forbidden", times=2, method="PUT")
    await channel.edit(address, message_id, growing("A red"))
    await channel.edit(address, message_id, Post("A red car."))
    assert teams.texts(GROUP) == ["Looking…", "A red car."]


async def test_the_end_of_a_message_that_vanished_is_posted_anew(teams, channel):
    address = teams.address("groupChat")
    await channel.edit(address, "12345", growing("A red"))
    assert teams.messages(GROUP) == []
    await channel.edit(address, "12345", Post("A red car.", is_generated=True))
    [message] = teams.messages(GROUP)
    assert (message.text, message.has_ai_label) == ("A red car.", True)


async def test_a_throttled_end_is_not_posted_anew(teams, channel):
    address = teams.address("groupChat")
    message_id = await channel.post(address, OPENING)
    teams.throttle(times=20)
    with pytest.raises(ConnectorError):
        await channel.edit(address, message_id, Post("A red car."))
    assert teams.texts(GROUP) == ["Looking…"]


@pytest.mark.parametrize("pages", [False, True])
async def test_what_is_too_big_is_shown_in_part(teams, channel, pages):
    teams.error_pages = pages
    address = teams.address("groupChat")
    long = "a line of words\n" * 4_500
    teams.refuse(413, "MessageSizeTooBig")
    message_id = await channel.post(address, Post(long))
    teams.refuse(413, "MessageSizeTooBig")
    await channel.edit(address, message_id, Post(long + "more"))
    for message in teams.messages(GROUP)[0].texts:
        assert message.startswith("a line of words\n")
        assert message.endswith(texts.CUT)
        assert len(message) > 5_000


async def test_buttons_stand_until_the_message_is_text_again(teams, channel):
    address = teams.address("groupChat")
    message_id = await channel.post(address, Post("Really?", buttons=(Button("Yes", "/yes"),)))
    [message] = teams.messages(GROUP)
    assert (len(message.cards), message.text) == (1, "")
    await channel.edit(address, message_id, Post("Changed."))
    assert (message.cards, message.text) == ([], "Changed.")


@pytest.mark.parametrize("scope", ["personal", "groupChat"])
async def test_a_final_text_has_its_citations_streamed_or_edited(teams, channel, scope):
    address = teams.address(scope)
    cited = (Citation(1, "red car", "Outlined on P1."), Citation(2, "dog", "Outlined on P1."))
    message_id = await channel.post(address, OPENING)
    await channel.edit(address, message_id, growing("A red car [1]"))
    last = Post("A red car [1].", live=True, is_generated=True, citations=cited)
    await channel.edit(address, message_id, last)
    [message] = teams.messages(address.conversation)
    assert (message.text, message.citations, message.has_ai_label) == (
        "A red car [1].",
        {1: "red car"},
        True,
    )
