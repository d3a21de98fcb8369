"""Where people talk to the bot: each kind of chat is answered where the question was put."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot import texts
from tests.bot_under_test import words
from tests.chats import ALEX, BOT, ROBIN, Chat
from tests.payloads import payload
from tests.servers.openai import say

if TYPE_CHECKING:
    from tests.bot_under_test import Loupe

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."


async def test_a_photo_in_a_personal_chat_is_answered(bot: Loupe) -> None:
    chat = bot.personal()
    await chat.ask("What plate is this?", bot.photo("plate_KRW301.png"))
    assert chat.texts == [ANSWER]
    assert words(bot.model.requests[0]) == "What plate is this?"
    assert len(bot.model.requests[0].pictures) == 1


async def test_a_mention_in_a_group_chat_is_answered_without_the_mention_in_the_question(
    bot: Loupe,
) -> None:
    chat = bot.group()
    await chat.ask("what is in this picture?", bot.photo("fruits.jpg"))
    assert chat.texts == [ANSWER]
    assert words(bot.model.requests[0]).endswith("\nwhat is in this picture?")
    assert "Loupe" not in words(bot.model.requests[0])
