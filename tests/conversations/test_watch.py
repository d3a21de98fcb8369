"""`/watch`: posts that nobody addressed, looked at where people want it and else left unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from tests.helpers.teams_chat import ROBIN
from tests.servers.openai import say

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
HTML_ONLY = texts.file_problem("", 1, FileProblem(Reason.HTML_ONLY), FileLimits())


async def watched(bot: RunningBot, mode: str) -> Chat:
    """Have a channel watched; returns the thread in which it was said."""
    top = bot.thread()
    assert await top.ask(f"/watch {mode}", by=ROBIN) == texts.watch_set(mode, "Robin")
    return top


async def html_only(chat: Chat, text: str = "", **how: Any) -> None:
    """Post a file as Teams shows it to bots in channels: not at all."""
    twin = {"contentType": "text/html", "content": '<attachment id="7"></attachment>'}
    activity = chat.activity(text, **how) | {"attachments": [twin]}
    assert await chat.bot.deliver(activity) == 202
    chat.posts.append(activity["id"])
    await chat.bot.settled()


@pytest.mark.parametrize("scope", ["group", "thread"])
async def test_a_post_that_nobody_addressed_is_neither_read_nor_stored(
    bot: RunningBot, scope: str
) -> None:
    chat: Chat = getattr(bot, scope)()
    before, files = await bot.stored(), bot.files()
    await chat.ask("A secret among us", bot.photo("fruits.jpg"), mention=False)
    assert chat.texts == []
    assert bot.model.requests == []
    assert await bot.stored() == before
    assert bot.files() == files


async def test_photos_of_a_watched_channel_are_answered_in_their_threads(bot: RunningBot) -> None:
    top = await watched(bot, "photos")
    first, second = bot.thread(beside=top), bot.thread(beside=top)
    await first.ask("A dent", bot.photo("passat_cc.webp"), mention=False)
    await second.ask("", bot.photo("motorway.jpg"), mention=False)
    assert first.texts == [f"{ANSWER}\n\n{texts.ASK_ON}"]
    assert second.texts == [ANSWER]
    assert [len(request.pictures) for request in bot.model.requests] == [1, 1]


async def test_words_in_a_channel_whose_photos_are_watched_stay_unread(bot: RunningBot) -> None:
    top = await watched(bot, "photos")
    thread, before = bot.thread(beside=top), await bot.stored()
    await thread.ask("A secret among us", mention=False)
    assert thread.texts == []
    assert await bot.stored() == before


async def test_how_to_ask_on_works(registered: RunningBot) -> None:
    top = await watched(registered, "photos")
    thread = registered.thread(beside=top)
    await thread.ask("A dent", registered.photo("passat_cc.webp"), mention=False)
    await thread.ask("How large is it?")
    assert thread.texts[1] == ANSWER
    assert "[Written by: Alex]\nA dent" in registered.model.requests[-1].texts


async def test_everything_in_a_channel_is_answered_when_all_is_watched(bot: RunningBot) -> None:
    top = await watched(bot, "all")
    thread = bot.thread(beside=top)
    await thread.ask("Good morning", mention=False)
    await thread.ask("And this?", bot.photo("fruits.jpg"), mention=False)
    assert [text.partition("\n")[0] for text in thread.texts] == [ANSWER, ANSWER]


async def test_watching_ends_and_holds_for_its_own_channel_only(bot: RunningBot) -> None:
    top = await watched(bot, "all")
    elsewhere = bot.thread()
    await elsewhere.ask("Good morning", mention=False)
    thread = bot.thread(beside=top)
    assert await thread.ask("/watch off", mention=False) == texts.watch_set("off", "Alex")
    await thread.ask("Good morning", mention=False)
    assert len(thread.texts) == 1
    assert elsewhere.texts == []
    assert await thread.ask("/watch") == texts.watch_shown("off")


async def test_a_group_chat_may_be_watched_too_and_a_personal_chat_needs_it_not(
    registered: RunningBot,
) -> None:
    chat = registered.group()
    assert await chat.ask("/watch photos") == texts.watch_set("photos", "Alex")
    assert (await chat.ask("", registered.photo("fruits.jpg"), mention=False)).startswith(ANSWER)
    assert await registered.personal().ask("/watch photos") == texts.WATCH_NEEDS_CHANNEL


async def test_a_post_whose_picture_is_kept_from_bots_is_told_once_a_day(bot: RunningBot) -> None:
    top = await watched(bot, "photos")
    first, second = bot.thread(beside=top), bot.thread(beside=top)
    await html_only(first, mention=False)
    assert first.texts == [HTML_ONLY]
    before = await bot.stored()
    await html_only(second, "And here", mention=False)
    assert second.texts == []
    assert await bot.stored() == before
    assert bot.model.requests == []


async def test_words_beside_a_file_that_cannot_be_read_stay_unread(bot: RunningBot) -> None:
    top = await watched(bot, "photos")
    first, second = bot.thread(beside=top), bot.thread(beside=top)
    await html_only(first, "Party secrets", mention=False)
    assert first.texts == [HTML_ONLY]
    await second.ask("Party secrets", bot.photo("broken.png"), mention=False)
    assert len(second.texts) == 1
    assert bot.model.requests == []
    for thread in (first, second):
        assert "secrets" not in await thread.ask("/json full")


async def test_a_known_command_written_wrongly_is_told_without_a_mention(bot: RunningBot) -> None:
    thread = bot.thread()
    assert "/watch photos|all|off" in await thread.ask("/watch photo", mention=False)
    await thread.ask("/jsn", mention=False)
    assert len(thread.texts) == 1


async def test_who_asks_about_such_a_picture_is_told_each_time(registered: RunningBot) -> None:
    chat = registered.thread()
    for _ in range(2):
        registered.model.then(say("I see no picture."))
        await html_only(chat, "What is this?")
    assert chat.texts == [f"{HTML_ONLY}\n\nI see no picture."] * 2


async def test_a_mention_below_posts_that_were_never_seen_is_told_so(
    registered: RunningBot,
) -> None:
    thread = registered.thread()
    await thread.ask("Look at our car", mention=False)
    thread.posts.append("a post that the bot never saw")
    assert await thread.ask("What do you think?") == f"{ANSWER}\n\n{texts.EARLIER_POSTS}"
    assert await thread.ask("And now?") == ANSWER
