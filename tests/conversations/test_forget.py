"""`/reset` and `/forget`: what is erased, from the store and from disk, and what stays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.domain.preferences import EffectiveSettings
from tests.helpers.running_bot import question_words
from tests.servers.openai import say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."


def system(secret: str) -> str:
    return f"Answer like surveyor {secret[::-1]}."


async def talked(bot: RunningBot, chat: Chat, secret: str) -> set[Path]:
    """Hold a conversation with a photo and a setting; returns the files kept of it."""
    before = set(bot.files())
    await chat.ask(f"My secret is {secret}", bot.photo("fruits.jpg"))
    await chat.ask("And this?", bot.photo("copy_centre.jpg"))
    await chat.ask(f"/system {system(secret)}")
    await chat.ask("/system continue")
    return set(bot.files()) - before


async def holds(bot: RunningBot, secret: str) -> bool:
    return any(secret in value for value in (await bot.stored()).values())


async def test_reset_forgets_what_was_said_and_keeps_the_settings(bot: RunningBot) -> None:
    chat, secret = bot.group(), f"one-{id(bot)}"
    files = await talked(bot, chat, secret)
    assert len(files) == 4
    assert await chat.ask("/reset") == texts.history_reset(2)
    assert not await holds(bot, secret)
    assert not files & set(bot.files())
    assert await chat.ask("/photos") == texts.NO_PHOTOS
    assert await chat.ask("/usage") == texts.NO_USAGE
    assert await chat.ask("/system") == texts.system_shown(
        EffectiveSettings(system(secret), "", True, "thread")
    )
    await chat.ask("What is P1?")
    request = bot.model.requests[-1]
    assert len(request.body["messages"]) == 2
    assert request.pictures == []


async def test_forget_erases_everything_with_a_receipt(bot: RunningBot) -> None:
    chat, secret = bot.personal(), f"two-{id(bot)}"
    files = await talked(bot, chat, secret)
    assert await holds(bot, secret)
    assert await chat.ask("/forget") == texts.forget_receipt(2, 2, 0, 1)
    assert not await holds(bot, secret)
    assert not await holds(bot, system(secret))
    assert not files & set(bot.files())
    await chat.ask("Hello")
    assert len(bot.model.requests[-1].body["messages"]) == 2
    assert system(secret) not in bot.model.requests[-1].texts[0]


async def test_forgetting_a_thread_touches_no_other(bot: RunningBot) -> None:
    top = bot.thread()
    beside = bot.thread(beside=top)
    await top.ask("/system For the channel.")
    await top.ask("/system continue")
    for chat, secret in ((top, "first secret"), (beside, "second secret")):
        await chat.ask(f"The {secret}", bot.photo("fruits.jpg"))
    files = set(bot.files())
    assert await top.ask("/forget") == texts.forget_receipt(1, 1, 0, 0)
    assert len(files - set(bot.files())) == 2
    await beside.ask("What is P1?")
    request = bot.model.requests[-1]
    assert len(request.pictures) == 1
    assert "second secret" in "\n".join(request.texts)
    assert request.texts[0].startswith("For the channel.")


@pytest.mark.parametrize("command", ["/reset", "/forget"])
async def test_a_running_answer_is_ended_and_leaves_nothing(bot: RunningBot, command: str) -> None:
    chat, secret = bot.group(), f"three-{command}-{id(bot)}"
    before = set(bot.files())
    bot.model.then(say("A red car. ", asyncio.Event(), "Nobody reads this."))
    await chat.post(secret, bot.photo("fruits.jpg"))
    await chat.until("A red car.")
    await chat.post("This waits")
    await chat.post(command)
    await bot.model.until_closed(1)
    await chat.post("This comes later")
    await bot.settled()
    assert not await holds(bot, secret)
    assert set(bot.files()) <= before
    assert chat.texts[-1] == ANSWER
    assert question_words(bot.model.requests[-1]).endswith("\nThis comes later")
    assert len(bot.model.requests[-1].body["messages"]) == 2


async def test_what_was_forgotten_stays_forgotten_in_the_chat_of_others(bot: RunningBot) -> None:
    one, two = bot.personal(), bot.personal()
    await one.ask("My secret is 4711", bot.photo("fruits.jpg"))
    await two.ask("/forget")
    await one.ask("What is it?")
    assert "My secret is 4711" in bot.model.requests[-1].texts
