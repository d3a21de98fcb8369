"""Several questions at once: order within a thread, no waiting between threads, and notices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.running_bot import question_words, run_bot
from tests.servers.openai import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."


async def test_questions_of_a_thread_are_answered_in_order_and_one_by_one(bot: RunningBot) -> None:
    chat = bot.group()
    numbers = [f"Answer {n}." for n in range(5)]
    bot.model.then(*(say(number) for number in numbers))
    for n in range(5):
        await chat.post(f"Question {n}")
    await bot.settled()
    assert chat.texts == numbers
    assert [question_words(one)[-10:] for one in bot.model.requests] == [
        f"Question {n}" for n in range(5)
    ]
    assert numbers[3] in bot.model.requests[4].texts


async def test_a_long_answer_holds_up_only_its_own_thread(bot: RunningBot) -> None:
    thread, gate = bot.thread(), asyncio.Event()
    beside = bot.thread(beside=thread)
    bot.model.then(say(gate, "Slow."), say("Quick."))
    await thread.post("What is this?")
    await bot.model.until_asked()
    await beside.post("And this?")
    await beside.until("Quick.")
    assert thread.texts == [texts.THINKING]
    gate.set()
    await bot.settled()
    assert thread.texts == ["Slow."]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def slow(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningBot]:
    """A bot that answers one question at a time, and says soon that people have to wait."""
    limits = {"notice_seconds": 0.2, "max_turns": 1, "max_waiting": 4}
    async with run_bot(tmp_path_factory.mktemp("slow"), limits=limits) as bot:
        yield bot


async def test_who_waits_is_told_how_many_are_before_and_that_message_becomes_the_answer(
    slow: RunningBot,
) -> None:
    chat, gate = slow.group(), asyncio.Event()
    slow.model.then(say(gate, "First."), say("Second."), say("Third."))
    for question in ("One", "Two", "Three"):
        await chat.post(question)
    notice = await chat.until("Waiting: 1 message is ahead of this one…")
    await chat.until("Waiting: 2 messages are ahead of this one…")
    gate.set()
    await slow.settled()
    assert chat.texts == ["First.", "Second.", "Third."]
    assert notice.text == "Second."


async def test_words_that_wait_for_an_answer_together_with_a_photo_are_told_nothing(
    slow: RunningBot,
) -> None:
    chat, gate = slow.group(), asyncio.Event()
    slow.model.then(say(gate, "First."), say("Second."), say("Third."))
    await chat.post("One")
    await chat.post("", slow.photo("fruits.jpg"))
    await chat.post("Two")
    await chat.post("Three")
    await chat.until("Waiting: 3 messages are ahead of this one…")
    gate.set()
    await slow.settled()
    assert chat.texts == ["First.", "Second.", "Third."]


async def test_who_waits_for_other_conversations_is_told_so(slow: RunningBot) -> None:
    chat, other, gate = slow.group(), slow.personal(), asyncio.Event()
    count = len(slow.model.requests)
    slow.model.then(say(gate, "First."), say("Second."))
    await chat.post("One")
    await slow.model.until_asked(count + 1)
    await other.post("Two")
    notice = await other.until(texts.waiting_notice(0))
    gate.set()
    await slow.settled()
    assert [notice.text] == other.texts == ["Second."]


async def test_a_message_that_finds_no_room_is_not_lost_in_silence(slow: RunningBot) -> None:
    chat, gate = slow.group(), asyncio.Event()
    slow.model.then(say(gate, "First."))
    for question in ("One", "Two", "Three", "Four", "Five"):
        await chat.post(question)
    gate.set()
    await slow.settled()
    assert sorted(chat.texts) == sorted(["First.", *[ANSWER] * 3, texts.FULL])
