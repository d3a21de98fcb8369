"""How an answer appears: a placeholder at once, one message that only grows, and its end."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from tests.helpers.running_bot import run_bot
from tests.servers.openai import say
from tests.servers.teams import TeamsServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat
    from tests.servers.teams_chats import TeamsMessage

pytestmark = pytest.mark.asyncio(loop_scope="session")
PIECES = ("A red car. ", "It has a plate. ", "KRW 301.")
PACES = {"edit_pace": 1, "stream_pace": 1}
VERSIONS = ["A red car.", "A red car. It has a plate.", "A red car. It has a plate. KRW 301."]


async def begun(chat: Chat, *pieces: str) -> tuple[asyncio.Event, ...]:
    """Ask for an answer of several pieces, each after the first held back by an event."""
    gates = tuple(asyncio.Event() for _ in pieces[1:])
    steps = [step for gate, piece in zip(gates, pieces[1:], strict=True) for step in (gate, piece)]
    chat.bot.model.then(say(pieces[0], *steps))
    await chat.post("What is this?", chat.bot.photo("fruits.jpg"))
    return gates


async def grown(chat: Chat) -> TeamsMessage:
    """Ask for an answer in three pieces, each given when the one before is shown."""
    gates = await begun(chat, *PIECES)
    for gate, text in zip(gates, VERSIONS, strict=False):
        await chat.until(text)
        gate.set()
    await chat.bot.settled()
    (message,) = chat.messages
    return message


async def test_a_placeholder_stands_within_a_second(bot: RunningBot) -> None:
    chat, gate = bot.group(), asyncio.Event()
    bot.model.then(say(gate, "A red car."))
    start = asyncio.get_running_loop().time()
    await chat.post("Compare", bot.photo("fruits.jpg"), bot.photo("copy_centre.jpg"))
    placeholder = await chat.until("Looking at 2 photos…")
    assert asyncio.get_running_loop().time() - start < 1
    assert placeholder.texts[0] == "Looking at 2 photos…"
    gate.set()
    await bot.settled()
    assert chat.texts == ["A red car."]


async def test_progress_is_shown_until_there_is_an_answer(registered: RunningBot) -> None:
    chat, gate = registered.personal(), asyncio.Event()
    registered.model.then(say(gate, "A red car."))
    await chat.post("What is this?", registered.photo("fruits.jpg"))
    await chat.until(texts.THINKING)
    gate.set()
    await registered.settled()
    (message,) = chat.messages
    assert message.informative[0] == "Looking at 1 photo…"
    assert message.informative[-1] == texts.THINKING
    assert message.texts == ["A red car."]


async def test_an_answer_streams_in_a_personal_chat_by_the_rules_of_teams(tmp_path: Path) -> None:
    server = TeamsServer(authorize=True, strict_rate=True)
    async with server as teams, run_bot(tmp_path, teams=teams, teams_limits=PACES) as bot:
        chat = bot.personal()
        message = await grown(chat)
        assert message.texts == VERSIONS
        assert message.stream
        assert message.stream.state == "final"
        assert message.has_ai_label
        assert {request.status for request in teams.requests} == {201, 202}


async def test_elsewhere_the_answer_grows_by_edits_at_the_pace_that_is_allowed(
    tmp_path: Path, fast_rates: None
) -> None:
    async with run_bot(tmp_path, teams_limits=PACES) as bot:
        message = await grown(bot.group())
    answer = message.texts[message.texts.index(VERSIONS[0]) :]
    assert all(later.startswith(earlier) for earlier, later in pairwise(answer))
    assert answer[-1] == VERSIONS[-1]
    assert message.has_ai_label
    edits = [request.at for request in bot.teams.requests if request.method == "PUT"]
    assert all(later - earlier > 0.9 for earlier, later in pairwise(edits[:-1]))


async def test_commands_and_complaints_are_not_labelled_as_generated(
    registered: RunningBot,
) -> None:
    chat = registered.group()
    await chat.ask("/help")
    await chat.ask("", registered.file("broken.png"))
    assert [message.has_ai_label for message in chat.messages] == [False, False]


@pytest.mark.parametrize("scope", ["group", "personal"])
async def test_a_long_answer_is_split_at_paragraphs(registered: RunningBot, scope: str) -> None:
    chat = registered.group() if scope == "group" else registered.personal()
    paragraphs = [f"Paragraph {n}: " + "the car is red. " * 48 + "It is." for n in range(6)]
    registered.model.then(say("\n\n".join(paragraphs)))
    await chat.ask("Tell me all")
    assert "\n\n".join(chat.texts) == "\n\n".join(paragraphs)
    assert [text.count("Paragraph") for text in chat.texts] == [2, 2, 2]
    assert all(message.has_ai_label and len(message.text) <= 2000 for message in chat.messages)


async def test_a_long_answer_goes_on_in_a_second_message_while_it_grows(
    registered: RunningBot,
) -> None:
    chat = registered.group()
    first, second = "The car is red. " * 100 + "Yes.", "The door is blue. " * 60 + "Yes."
    (gate,) = await begun(chat, f"{first}\n\n{second}", "\n\nThat is all.")
    await chat.until("The door is blue.")
    gate.set()
    await registered.settled()
    assert chat.texts == [first, f"{second}\n\nThat is all."]


async def test_a_complaint_above_the_answer_grows_into_it(registered: RunningBot) -> None:
    chat, gate = registered.personal(), asyncio.Event()
    registered.model.then(say(gate, "A red car."))
    await chat.post("Compare", registered.file("broken.png"), registered.photo("fruits.jpg"))
    complaint = await chat.until("could not be used")
    gate.set()
    await registered.settled()
    assert chat.texts == [f"{complaint.texts[0]}\n\nA red car."]
    assert all(later.startswith(earlier) for earlier, later in pairwise(complaint.texts))


async def test_only_markdown_that_teams_shows_is_sent(registered: RunningBot) -> None:
    chat = registered.group()
    registered.model.then(say("# Findings\n\n| part | state |\n|---|---|\n| door | dented |\n"))
    answer = await chat.ask("What is damaged?")
    assert "**Findings**" in answer
    assert "#" not in answer
    assert "|" not in answer
    assert "dented" in answer


async def test_the_stop_button_of_teams_ends_the_answer(registered: RunningBot) -> None:
    chat = registered.personal()
    gates = await begun(chat, "A red car. ", "It has a plate. ", "Nobody reads this.")
    await chat.until(VERSIONS[0])
    registered.teams.stop(chat.conversation)
    gates[0].set()
    await registered.model.until_closed(5)
    await registered.settled()
    assert chat.texts == VERSIONS[:1]
    assert registered.model.left_early >= 1
    history = await chat.ask("/json")
    assert VERSIONS[0] in history
    assert "Nobody" not in history


async def test_a_stream_that_teams_ends_goes_on_by_edits_of_the_same_message(
    tmp_path: Path,
) -> None:
    server = TeamsServer(authorize=True, stream_seconds=1.5)
    async with server as teams, run_bot(tmp_path, teams=teams) as bot:
        chat = bot.personal()
        message = await grown(chat)
        assert message.text == VERSIONS[-1]
        assert message.has_ai_label
        assert {request.method for request in teams.requests} == {"POST", "PUT"}
        assert 403 in {request.status for request in teams.requests}


async def test_the_connector_is_asked_again_when_it_has_no_time(registered: RunningBot) -> None:
    chat = registered.group()
    registered.teams.throttle(retry_after="0.1")
    registered.teams.fail(502, method="PUT")
    assert await chat.ask("What is this?") == "A red car with the plate KRW 301."
    assert len(chat.messages) == 1


async def test_a_placeholder_that_may_not_have_arrived_leaves_one_answer(
    registered: RunningBot,
) -> None:
    chat = registered.group()
    registered.teams.cut(method="POST", after=True)
    await chat.ask("What is this?")
    assert chat.texts == [texts.THINKING, "A red car with the plate KRW 301."]


async def test_a_chat_that_the_bot_was_removed_from_does_not_hold_up_others(
    registered: RunningBot,
) -> None:
    closed_chat, other = registered.group(), registered.group()
    registered.teams.refuse(403, "BotNotInConversationRoster")
    await closed_chat.ask("What is this?")
    assert closed_chat.texts == []
    assert await other.ask("What is this?") == "A red car with the plate KRW 301."
