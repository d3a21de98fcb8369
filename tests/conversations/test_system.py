"""The system message: proposed, confirmed by who proposed it, and in force from the next answer."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.domain.preferences import EffectiveSettings
from bot.turn import command_delivery
from tests.helpers.teams_chat import ALEX, ROBIN

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
DEFAULT = "You are an AI assistant that helps people find information."
NEW = "Answer like a surveyor.\nName every damage."


def in_force(bot: RunningBot) -> str:
    """The system message of the last request, without the rules that follow it."""
    return bot.model.requests[-1].texts[0].partition("\n\nPhotos in this")[0]


async def test_the_system_message_is_shown_with_its_origin(registered: RunningBot) -> None:
    chat = registered.group()
    assert await chat.ask("/system") == texts.system_shown(EffectiveSettings(DEFAULT, "", True))
    await chat.ask(f"/system {NEW}")
    await chat.ask("/system continue")
    response = await chat.ask("/system")
    assert response == texts.system_shown(EffectiveSettings(NEW, "", True, "thread"))


async def test_a_new_one_is_confirmed_by_a_button_and_keeps_the_history(bot: RunningBot) -> None:
    chat = bot.personal()
    await chat.ask("Hello")
    await chat.ask(f"/system {NEW}")
    (card,) = chat.messages[-1].cards
    text = "\n\n".join(block["text"] for block in card["content"]["body"])
    assert text == texts.system_confirm(DEFAULT, NEW, texts.IN_THIS_CHAT)
    await chat.ask("Not yet")
    assert in_force(bot) == DEFAULT
    await chat.press("Continue")
    assert chat.texts[-1] == texts.system_changed(texts.IN_THIS_CHAT)
    await chat.ask("Now")
    assert in_force(bot) == NEW
    assert {"Hello", "Not yet"} < set(bot.model.requests[-1].texts)


async def test_it_is_confirmed_by_words_too(bot: RunningBot) -> None:
    chat = bot.group()
    await chat.ask(f"/system {NEW}")
    assert await chat.ask("/system continue") == texts.system_changed(texts.IN_THIS_CHAT)
    await chat.ask("Hello")
    assert in_force(bot) == NEW


async def test_only_its_author_confirms_it(bot: RunningBot) -> None:
    chat = bot.group()
    await chat.ask(f"/system {NEW}", by=ALEX)
    assert await chat.ask("/system continue", by=ROBIN) == texts.NOTHING_PENDING
    await chat.press("Continue", by=ROBIN)
    assert chat.texts[-1] == texts.NOTHING_PENDING
    await chat.ask("Hello")
    assert in_force(bot) == DEFAULT
    assert await chat.ask("/system continue", by=ALEX) == texts.system_changed("in this chat")


async def test_a_newer_text_replaces_the_one_that_waits(registered: RunningBot) -> None:
    chat = registered.group()
    await chat.ask("/system Answer in one word.")
    await chat.ask(f"/system {NEW}")
    await chat.ask("/system continue")
    await chat.ask("Hello")
    assert in_force(registered) == NEW


async def test_one_that_was_cancelled_is_gone(registered: RunningBot) -> None:
    chat = registered.group()
    await chat.ask(f"/system {NEW}")
    await chat.press("Cancel")
    assert chat.texts[-1] == texts.SYSTEM_KEPT
    assert await chat.ask("/system continue") == texts.NOTHING_PENDING
    await chat.ask("Hello")
    assert in_force(registered) == DEFAULT


@pytest.mark.parametrize(("minutes", "holds"), [(9.9, True), (10.1, False)])
async def test_it_waits_for_ten_minutes(
    registered: RunningBot, monkeypatch: pytest.MonkeyPatch, minutes: float, holds: bool
) -> None:
    chat = registered.group()
    await chat.ask(f"/system {NEW}")
    later = SimpleNamespace(time=lambda: time.time() + minutes * 60)
    monkeypatch.setattr(command_delivery, "time", later)
    response = await chat.ask("/system continue")
    assert response == (
        texts.system_changed(texts.IN_THIS_CHAT) if holds else texts.NOTHING_PENDING
    )


async def test_it_is_taken_back(bot: RunningBot) -> None:
    chat = bot.group()
    await chat.ask(f"/system {NEW}")
    await chat.ask("/system continue")
    response = await chat.ask("/system reset")
    assert response == texts.system_reset(EffectiveSettings(DEFAULT, "", True), texts.IN_THIS_CHAT)
    await chat.ask("Hello")
    assert in_force(bot) == DEFAULT


async def test_at_the_top_of_a_channel_it_holds_for_all_threads_and_in_a_thread_for_that_one(
    bot: RunningBot,
) -> None:
    top = bot.thread()
    inside, beside, elsewhere = bot.thread(beside=top), bot.thread(beside=top), bot.thread()
    await top.ask("/system For the channel.")
    assert texts.IN_THIS_CHANNEL in str(top.messages[-1].cards)
    await top.press("Continue")
    assert top.texts[-1] == texts.system_changed(texts.IN_THIS_CHANNEL)
    await inside.ask("Hello")
    await inside.ask("/system For the thread.")
    assert texts.IN_THIS_THREAD in str(inside.messages[-1].cards)
    assert await inside.ask("/system continue") == texts.system_changed(texts.IN_THIS_THREAD)
    messages = {inside: "For the thread.", beside: "For the channel.", elsewhere: DEFAULT}
    for chat, system in messages.items():
        await chat.ask("Hello")
        assert in_force(bot) == system
