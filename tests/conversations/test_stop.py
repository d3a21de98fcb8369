"""`/stop`, `/reset` and `/forget`: what ends at once, what is removed, and what stays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from tests.helpers.teams_chat import ROBIN
from tests.servers.openai import say

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
STOPPED_ANSWER = f"A red car.\n\n{texts.STOPPED_HERE}"


async def begun(chat: Chat) -> None:
    """Have an answer under way that would never end by itself."""
    chat.bot.model.then(say("A red car. ", asyncio.Event(), "Nobody reads this."))
    await chat.post("What is this?")
    await chat.until("A red car.")


@pytest.mark.parametrize("scope", ["personal", "group", "thread"])
async def test_stop_ends_the_answer_within_a_second_and_closes_the_connection(
    bot: RunningBot, scope: str
) -> None:
    chat: Chat = getattr(bot, scope)()
    await begun(chat)
    left = bot.model.left_early
    await chat.post("/stop")
    await bot.model.until_closed(1)
    assert bot.model.left_early == left + 1
    await bot.settled()
    assert chat.texts == [STOPPED_ANSWER, texts.STOPPING]


async def test_anybody_in_the_chat_may_stop_an_answer(registered: RunningBot) -> None:
    chat = registered.group()
    await begun(chat)
    await chat.ask("/stop", by=ROBIN)
    assert chat.texts == [STOPPED_ANSWER, texts.STOPPING]


async def test_what_was_said_before_the_stop_stays_part_of_the_conversation(
    bot: RunningBot,
) -> None:
    chat = bot.group()
    await begun(chat)
    await chat.ask("/stop")
    await chat.ask("Go on")
    assert "A red car." in bot.model.requests[-1].texts
    assert "Nobody" not in await chat.ask("/json")


async def test_stop_removes_what_waits_but_not_what_comes_later(bot: RunningBot) -> None:
    chat = bot.group()
    await begun(chat)
    await chat.post("This waits")
    await chat.post("/stop")
    await chat.post("This comes later")
    await bot.settled()
    assert sorted(chat.texts) == sorted(
        [STOPPED_ANSWER, texts.STOPPED_EARLY, texts.STOPPING, ANSWER]
    )
    request_text = "\n".join(text for request in bot.model.requests for text in request.texts)
    assert "This waits" not in request_text
    assert "This comes later" in request_text


async def test_a_stop_reaches_no_other_conversation(registered: RunningBot) -> None:
    chat, other = registered.group(), registered.group()
    await begun(other)
    await chat.post("/stop")
    await chat.until(texts.NOTHING_TO_STOP)
    assert registered.model.open_streams == 1
    await other.ask("/stop")
    assert other.texts == [STOPPED_ANSWER, texts.STOPPING]
