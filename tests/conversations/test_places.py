"""Where people talk to the bot: each kind of chat is answered where the question was put."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from tests.helpers.images import MEDIA
from tests.helpers.running_bot import question_words
from tests.helpers.teams_chat import BOT, ROBIN, Chat, new_id
from tests.payloads import payload

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
"""What the model of the tests says unless it is told otherwise."""


async def test_a_photo_in_a_personal_chat_is_answered(bot: RunningBot) -> None:
    chat = bot.personal()
    await chat.ask("What plate is this?", bot.photo("plate_KRW301.png"))
    assert chat.texts == [ANSWER]
    assert question_words(bot.model.requests[0]) == "What plate is this?"
    assert len(bot.model.requests[0].pictures) == 1


async def test_the_mention_is_no_part_of_the_question(bot: RunningBot) -> None:
    chat = bot.group()
    await chat.ask("what is in this picture?", bot.photo("fruits.jpg"))
    assert chat.texts == [ANSWER]
    assert question_words(bot.model.requests[0]).endswith("\nwhat is in this picture?")
    assert "Loupe" not in question_words(bot.model.requests[0])


async def test_a_post_in_a_channel_is_answered_in_its_own_thread(bot: RunningBot) -> None:
    thread = bot.thread()
    other = bot.thread(beside=thread)
    await thread.ask("What is this?", bot.photo("fruits.jpg"))
    assert thread.texts == [ANSWER]
    assert other.texts == []
    assert bot.teams.texts(thread.place) == []


async def test_a_reply_in_a_thread_is_answered_there(bot: RunningBot) -> None:
    thread = bot.thread()
    await thread.ask("Hello")
    await thread.ask("And what is this?", bot.photo("passat_cc.webp"))
    assert thread.texts == [ANSWER, ANSWER]
    assert len(bot.model.requests[1].pictures) == 1


async def test_people_who_are_mentioned_beside_the_bot_keep_their_names(
    registered: RunningBot,
) -> None:
    chat = registered.group()
    mention = {"type": "mention", "mentioned": ROBIN, "text": "<at>Robin</at>"}
    await chat.ask("is <at>Robin</at> in the picture?", entities=[mention])
    assert question_words(registered.model.requests[0]).endswith("\nis Robin in the picture?")


async def test_a_mention_without_words_is_told_what_to_do(registered: RunningBot) -> None:
    chat = registered.group()
    assert await chat.ask() == texts.NOTHING_ASKED
    assert registered.model.requests == []


@pytest.mark.parametrize("shared", [False, True])
async def test_the_bot_says_hello_where_it_is_added(registered: RunningBot, shared: bool) -> None:
    chat = registered.thread() if shared else registered.personal()
    name = f"teams_{'channel' if shared else 'personal'}_installation_add"
    activity = payload(name, id=new_id(), serviceUrl=registered.teams.url, recipient=BOT)
    activity["conversation"] |= {"id": chat.place}
    assert await registered.deliver(activity) == 202
    await registered.settled()
    assert registered.teams.texts(chat.place) == [texts.greeting(is_shared=shared)]


def emulated(bot: RunningBot, scope: str = "emulator") -> Chat:
    return Chat(bot, scope, f"{scope}-{new_id()}")


def data_uri(name: str) -> dict[str, Any]:
    data = base64.b64encode((MEDIA / name).read_bytes()).decode()
    return {"contentType": "image/jpeg", "contentUrl": f"data:image/jpeg;base64,{data}"}


async def test_the_emulator_sends_plain_addresses_and_data_uris(playground: RunningBot) -> None:
    chat = emulated(playground)
    plain = {"contentType": "image/png", "contentUrl": playground.file("fruits.jpg")["contentUrl"]}
    await chat.ask("What is this?", plain | {"name": "fruits.jpg"}, data_uri("motorway.jpg"))
    assert chat.texts == [ANSWER]
    assert playground.model.requests[0].texts[-3:-1] == ["[P1 fruits.jpg]", "[P2]"]
    assert len(playground.model.requests[0].pictures) == 2


async def test_where_nothing_can_be_edited_the_answer_comes_as_one_post(
    playground: RunningBot,
) -> None:
    chat = emulated(playground, "webchat")
    await chat.ask("What is this?", data_uri("fruits.jpg"))
    assert [message.texts for message in chat.messages] == [[ANSWER]]
    assert playground.teams.chats.typing[chat.conversation] == 1


async def test_the_playground_serves_its_page_and_a_registered_bot_does_not(
    playground: RunningBot, registered: RunningBot
) -> None:
    async with playground.session.get(playground.origin) as page:
        assert page.status != 404
    async with registered.session.get(registered.origin) as none:
        assert none.status == 404
