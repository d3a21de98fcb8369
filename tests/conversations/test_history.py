"""What a conversation remembers, and what no other conversation may know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from tests.helpers.running_bot import question_words, run_bot
from tests.helpers.teams_chat import ALEX, ROBIN, Chat
from tests.servers.openai import say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot
    from tests.servers.openai import ReceivedRequest

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."


def roles(request: ReceivedRequest) -> list[str]:
    return [message["role"] for message in request.body["messages"]]


def labels(request: ReceivedRequest) -> list[str]:
    """The pictures of a request, as they are called there."""
    return [text for text in request.texts if text.startswith("[P")]


async def with_photos(bot: RunningBot, chat: Chat, *names: str) -> None:
    """Hold a conversation about photos, one after the other."""
    for name in names:
        bot.model.then(say(f"This is {name}."))
        await chat.ask(f"What is {name}?", bot.file(name))


async def test_a_later_question_goes_with_what_was_said_before(bot: RunningBot) -> None:
    chat = bot.personal()
    await chat.ask("What plate is this?", bot.photo("plate_KRW301.png"))
    await chat.ask("And what country?")
    request = bot.model.requests[1]
    assert roles(request) == ["system", "user", "assistant", "user"]
    assert request.texts[-3:] == ["What plate is this?", ANSWER, "And what country?"]
    assert len(request.pictures) == 1


async def test_threads_people_and_tenants_never_mix(bot: RunningBot) -> None:
    one = bot.thread()
    chats = [
        *(one, bot.thread(beside=one), bot.group(), bot.personal(), bot.personal()),
        Chat(bot, "groupChat", "19:same@thread.v2", tenant="tenant-one"),
        Chat(bot, "groupChat", "19:same@thread.v2", tenant="tenant-two"),
    ]
    for n, chat in enumerate(chats):
        await chat.post(f"The secret is {n}{n}{n}", bot.photo("fruits.jpg"))
    await bot.settled()
    bot.model.requests.clear()
    for n, chat in enumerate(chats):
        await chat.ask(f"What was it, {n}{n}{n}?")
        request_text = "\n".join(bot.model.requests[-1].texts)
        assert f"The secret is {n}{n}{n}" in request_text
        assert request_text.count("The secret is") == 1


async def test_only_the_last_pictures_travel_and_the_older_are_named(bot: RunningBot) -> None:
    chat = bot.group()
    await with_photos(bot, chat, "fruits.jpg", "passat_cc.webp", "copy_centre.jpg")
    await chat.ask("Which was best?")
    request = bot.model.requests[-1]
    assert labels(request) == ["[P2 passat_cc.webp]", "[P3 copy_centre.jpg]"]
    assert any("[Shown then, not now: P1 fruits.jpg]" in text for text in request.texts)
    assert "This is fruits.jpg." in request.texts


async def test_naming_a_photo_brings_it_back(bot: RunningBot) -> None:
    chat = bot.group()
    await with_photos(bot, chat, "fruits.jpg", "passat_cc.webp", "copy_centre.jpg")
    await chat.ask("Is P1 edible?")
    request = bot.model.requests[-1]
    assert labels(request)[-1] == "[P1 fruits.jpg]"
    assert len(request.pictures) == 3


@pytest.mark.parametrize("quoting", ["the post", "the answer"])
async def test_quoting_a_message_brings_its_photos_back(
    registered: RunningBot, quoting: str
) -> None:
    chat = registered.group()
    await with_photos(registered, chat, "fruits.jpg", "passat_cc.webp", "copy_centre.jpg")
    message_id = chat.posts[0] if quoting == "the post" else chat.messages[0].id
    entity: dict[str, Any] = {"type": "quotedReply", "quotedReply": {"messageId": message_id}}
    await chat.ask("And this one?", entities=[entity])
    assert labels(registered.model.requests[-1])[-1] == "[P1 fruits.jpg]"


async def test_the_model_is_told_who_said_what_where_several_people_write(bot: RunningBot) -> None:
    chat = bot.thread()
    await chat.ask("Is it damaged?", bot.photo("passat_cc.webp"), by=ALEX)
    await chat.ask("Are you sure?", by=ROBIN)
    request_texts = bot.model.requests[-1].texts
    assert request_texts[-3] == "[Written by: Alex]\nIs it damaged?"
    assert request_texts[-1] == "[Written by: Robin]\nAre you sure?"


async def test_a_photo_posted_twice_keeps_its_number(registered: RunningBot) -> None:
    chat = registered.group()
    await with_photos(registered, chat, "fruits.jpg", "copy_centre.jpg", "fruits.jpg")
    assert labels(registered.model.requests[-1])[-1] == "[P1 fruits.jpg]"
    assert (await chat.ask("/photos")).count("\n") == 1


async def test_a_photo_that_is_no_longer_kept_is_asked_for_again(registered: RunningBot) -> None:
    chat = registered.group()
    before = set(registered.files())
    await chat.ask("What is this?", registered.photo("fruits.jpg"))
    for path in set(registered.files()) - before:
        path.unlink()
    assert await chat.ask("Is P1 edible?") == f"{texts.file_gone('P1')}\n\n{ANSWER}"
    assert registered.model.requests[-1].pictures == []


async def test_a_question_that_failed_leaves_its_photo_but_no_answer(
    registered: RunningBot,
) -> None:
    chat = registered.group()
    registered.model.then(say(finish="content_filter"))
    await chat.ask("Describe the crime", registered.photo("fruits.jpg"))
    await chat.ask("What is P1?")
    request = registered.model.requests[-1]
    assert labels(request) == ["[P1]"]
    assert "crime" not in "\n".join(request.texts)


async def test_a_conversation_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with run_bot(tmp_path) as bot:
        chat = bot.group()
        await chat.ask("What is this?", bot.photo("fruits.jpg"))
    async with run_bot(tmp_path) as bot:
        again = Chat(bot, "groupChat", chat.place)
        assert await again.ask("Is P1 edible?") == ANSWER
        (request,) = bot.model.requests
        assert roles(request) == ["system", "user", "assistant", "user"]
        assert len(request.pictures) == 1
        assert question_words(request).endswith("\nIs P1 edible?")
