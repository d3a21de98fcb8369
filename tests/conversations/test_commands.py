"""Commands that show or choose something; others have test files of their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.commands.registry import GRAMMAR
from tests.servers.openai import say, usage

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
HELP = texts.help_text(GRAMMAR.specs, "/", offline=False)


@pytest.mark.parametrize("command", ["/help", "!help", "/HELP", "/help me"])
async def test_a_command_needs_no_mention_and_may_have_an_exclamation_mark(
    registered: RunningBot, command: str
) -> None:
    chat = registered.group()
    await chat.ask(command)
    await chat.ask(command, mention=False)
    assert chat.texts == [HELP, HELP]
    assert registered.model.requests == []


async def test_a_misspelt_command_gets_the_nearest_match(registered: RunningBot) -> None:
    chat = registered.personal()
    command = GRAMMAR.parse("/jsn")
    assert command
    assert await chat.ask("/jsn") == texts.command_misused(command)
    assert "`/json [full]`" in chat.texts[-1]
    assert "`/watch photos|all|off`" in await chat.ask("/watch everything")
    assert registered.model.requests == []


async def test_the_log_of_photos_tells_what_their_files_say(bot: RunningBot) -> None:
    chat = bot.group()
    assert await chat.ask("/photos") == texts.NO_PHOTOS
    await chat.ask("Look", bot.file("fruits.jpg"), bot.file("leuvenA.jpg", "street.jpg"))
    first, second = (await chat.ask("/photos")).splitlines()
    assert first.startswith(
        "- **P1** `fruits.jpg`: 512 × 480, JPEG, 80 KB, capture time not recorded"
    )
    assert "posted by Alex 20" in first
    assert second.startswith("- **P2** `street.jpg`: ")
    assert "taken 20" in second
    assert "° E" in second


async def test_usage_adds_up_what_the_service_counted(bot: RunningBot) -> None:
    chat = bot.group()
    assert await chat.ask("/usage") == texts.NO_USAGE
    bot.model.then(say("One.", usage=usage(1000, 20, 100)), say("Two.", usage=usage(1500, 30)))
    await chat.ask("Look", bot.photo("fruits.jpg"))
    await chat.ask("And?")
    assert (await chat.ask("/usage")).endswith(
        "- gpt-4o: 2 answers, 1 picture, 2,500 tokens in (100 cached), 50 out"
    )


async def test_what_only_reads_overtakes_a_running_answer(bot: RunningBot) -> None:
    chat, gate = bot.group(), asyncio.Event()
    bot.model.then(say("Before."), say("Now. ", gate, "Done."))
    await chat.ask("One")
    await chat.post("Two")
    await bot.model.until_asked(2)
    for command, response in (
        ("/help", HELP),
        ("/photos", texts.NO_PHOTOS),
        ("/usage", "1 answer,"),
    ):
        await chat.post(command)
        await chat.until(response)
    await chat.post("/json")
    transcript = await chat.until("```json")
    assert "Before." in transcript.text
    assert "Two" not in transcript.text
    gate.set()
    await bot.settled()


async def test_another_model_is_chosen_by_its_name(bot: RunningBot) -> None:
    chat = bot.group()
    assert await chat.ask("/model") == (
        "The model here is `gpt-4o`. Available: `gpt-4o`, `gpt-4o-mini`. "
        "Choose one with /model NAME."
    )
    assert "gpt-9" in await chat.ask("/model gpt-9")
    assert await chat.ask("/model GPT-4o-mini") == texts.model_set("gpt-4o-mini", "in this chat")
    await chat.ask("Hello")
    assert [request.body["model"] for request in bot.model.requests] == ["gpt-4o-mini"]


async def test_a_setting_at_the_top_of_a_channel_holds_for_its_threads(bot: RunningBot) -> None:
    top = bot.thread()
    beside, elsewhere = bot.thread(beside=top), bot.thread()
    response = await top.ask("/model gpt-4o-mini")
    assert response == texts.model_set("gpt-4o-mini", texts.IN_THIS_CHANNEL)
    for chat in (beside, elsewhere):
        await chat.ask("Hello")
    response = await beside.ask("/model gpt-4o")
    assert response == texts.model_set("gpt-4o", texts.IN_THIS_THREAD)
    for chat in (beside, bot.thread(beside=top)):
        await chat.ask("Hello again")
    models = [request.body["model"] for request in bot.model.requests]
    assert models == ["gpt-4o-mini", "gpt-4o", "gpt-4o", "gpt-4o-mini"]


async def test_the_vision_switch_is_remembered(registered: RunningBot) -> None:
    chat = registered.group()
    assert await chat.ask("/vision") == texts.vision_shown(True)
    response = await chat.ask("/vision off")
    assert response == texts.vision_set(False, texts.IN_THIS_CHAT)
    assert await chat.ask("/vision") == texts.vision_shown(False)


async def test_commands_are_no_part_of_the_conversation_with_the_model(bot: RunningBot) -> None:
    chat = bot.group()
    await chat.ask("/vision off")
    await chat.ask("Hello")
    await chat.ask("/jsn")
    await chat.ask("Again")
    request_text = "\n".join(bot.model.requests[-1].texts)
    assert "Hello" in request_text
    assert "vision off" not in request_text
    assert "jsn" not in request_text
