"""Commands: what each does, where it acts, and what it answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.history import RedisHistory
from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot import strings as texts
from bot.commands.declaration import CommandReply, CommandRequest
from bot.commands.executor import CommandExecutor
from bot.commands.preferences import Preferences
from bot.commands.registry import COMMANDS, GRAMMAR
from bot.commands.system import CONFIRM_WITHIN
from bot.domain.files import Photo, PhotoFacts
from bot.domain.history import Turn, Usage
from bot.domain.messages import Author, Message
from bot.domain.preferences import Deployment, ThreadSettings
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, turn_of
from bot.limits import MessageLimits, RetentionLimits, WorkerLimits
from bot.ports.channel import Capabilities
from bot.ports.mailbox import AnsweredTurn, Entry, Lease, Submission

if TYPE_CHECKING:
    from bot.domain.threads import Place

ANNA = Author("a", "Anna")
BEN = Author("b", "Ben")
CHAT = Thread("msteams", "tenant", "a:chat")
THREAD = Thread("msteams", "tenant", "19:channel", "1")
DEPLOYMENT = Deployment("Be brief.", ("gpt-5.1", "GPT-4o"), {})


class Bench:
    """Controls on an empty store; orders come a second apart."""

    def __init__(self, deployment: Deployment = DEPLOYMENT) -> None:
        redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
        self.mailbox = RedisMailbox(redis, MessageLimits(), WorkerLimits(), RetentionLimits())
        self.history = RedisHistory(redis, RetentionLimits())
        self.forgotten: list[tuple[Thread, float]] = []
        gallery: Any = self
        self.executor = CommandExecutor(
            self.history, Preferences(self.history, deployment), gallery, COMMANDS
        )
        self.orders = 0

    async def forget(self, thread: Thread, before: float) -> None:
        """Stands in for the gallery's."""
        self.forgotten.append((thread, before))

    def order(self, text: str, author: Author = ANNA, **more: Any) -> CommandRequest:
        self.orders += 1
        fields = {"thread": CHAT, "opening": False, **more}
        fields.setdefault("shared", bool(fields["thread"].root))
        known = ("text_limit", "files", "prefix")
        can = {name: fields.pop(name) for name in known if name in fields}
        entry = {name: fields.pop(name) for name in ("before",) if name in fields}
        message = Message(f"m{self.orders}", author=author, text=text, **fields)
        command = GRAMMAR.parse(text)
        assert command is not None
        return CommandRequest(
            command,
            Entry(self.orders, 100.0 + self.orders, message, **entry),
            Capabilities(**{"text_limit": 4000, **can}),
            now=100.0 + self.orders,
        )

    async def say(self, text: str, author: Author = ANNA, **more: Any) -> CommandReply:
        return await self.executor.execute(self.order(text, author, **more))

    async def told(self, text: str, author: Author = ANNA, **more: Any) -> str:
        (answer,) = (await self.say(text, author, **more)).texts
        return answer

    async def set_at(self, where: Thread | Place) -> ThreadSettings:
        """Return what people set there, without proposals."""
        return replace(await self.history.settings(where), pending=None)

    async def remember(self, *turns: Turn, photos: tuple[Photo, ...] = ()) -> None:
        for turn in turns:
            await self.mailbox.accept(Submission(Message("", CHAT, ANNA, "?")))
            lease = await self.mailbox.take(lane_of(CHAT.key))
            assert isinstance(lease, Lease)
            await self.mailbox.complete(lease, AnsweredTurn(turn, (), photos))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def turn(number: int, answer: str = "A car.", **more: Any) -> Turn:
    return turn_of(
        TurnRecord(str(number), 1.0, "Anna", "What is it?", answer, deployment="gpt-5.1", **more)
    )


def photo(number: int) -> Photo:
    facts = PhotoFacts("JPEG", 40, 30, 900, "2026-11-22T10:00:00", 52.5, -13.4, "Pixel 9")
    return Photo(number, f"{number:064x}", f"{number}.jpg", facts, "Anna", 1.8e9)


async def test_every_command_is_obeyed(bench: Bench) -> None:
    for spec in GRAMMAR.specs:
        said = await bench.say(f"/{spec.name}")
        assert all(text.strip() for text in said.texts)
        assert said.texts


async def test_a_command_that_is_misspelt_gets_the_nearest_match(bench: Bench) -> None:
    assert "/json [full]" in await bench.told("/jsn")
    assert "/vision on|off" in await bench.told("/vision perhaps")


async def test_the_system_message_is_shown_with_its_origin(bench: Bench) -> None:
    assert "(the default) is:\n\n> Be brief." in await bench.told("/system")
    await bench.history.change(THREAD.place, system="Count\ncars.")
    told = await bench.told("/system", thread=THREAD)
    assert "(set for this channel or chat) is:\n\n> Count\n> cars." in told


async def test_a_new_system_message_waits_for_its_author(bench: Bench) -> None:
    asked = await bench.say("/system Count cars.")
    assert "> Be brief." in asked.texts[0]
    assert "> Count cars." in asked.texts[0]
    assert [button.command for button in asked.buttons] == ["/system continue", "/system cancel"]
    assert await bench.set_at(CHAT) == ThreadSettings()
    assert await bench.told("/system continue", BEN) == texts.NOTHING_PENDING
    assert await bench.told("/system continue") == texts.system_changed(texts.IN_THIS_CHAT)
    assert await bench.set_at(CHAT) == ThreadSettings(system="Count cars.")


async def test_it_is_confirmed_once(bench: Bench) -> None:
    await bench.say("/system Count cars.")
    await bench.say("/system continue")
    assert await bench.told("/system continue") == texts.NOTHING_PENDING
    assert await bench.told("/system cancel") == texts.NOTHING_PENDING


@pytest.mark.parametrize("word", ["continue", "cancel"])
async def test_a_confirmation_given_again_after_a_crash_is_answered_alike(
    bench: Bench, word: str
) -> None:
    await bench.say("/system Count cars.")
    order = bench.order(f"/system {word}")
    first = await bench.executor.execute(order)
    assert first.texts != (texts.NOTHING_PENDING,)
    assert await bench.executor.execute(order) == first


async def test_a_newer_text_replaces_the_one_that_waits(bench: Bench) -> None:
    await bench.say("/system Count cars.")
    await bench.say("/system Count dogs.", BEN)
    assert await bench.told("/system continue") == texts.NOTHING_PENDING
    await bench.say("/system continue", BEN)
    assert await bench.set_at(CHAT) == ThreadSettings(system="Count dogs.")


async def test_a_cancelled_text_is_dropped(bench: Bench) -> None:
    await bench.say("/system Count cars.")
    assert await bench.told("/system cancel") == texts.SYSTEM_KEPT
    assert await bench.told("/system continue") == texts.NOTHING_PENDING
    assert await bench.set_at(CHAT) == ThreadSettings()


async def test_after_ten_minutes_nothing_waits(bench: Bench) -> None:
    await bench.say("/system Count cars.")
    late = replace(bench.order("/system continue"), now=101.0 + CONFIRM_WITHIN + 1)
    assert (await bench.executor.execute(late)).texts == (texts.NOTHING_PENDING,)
    assert await bench.history.settings(CHAT) == ThreadSettings()


async def test_a_proposal_for_a_channel_may_be_confirmed_in_a_thread_of_it(bench: Bench) -> None:
    await bench.say("/system Count cars.", thread=THREAD, opening=True)
    told = await bench.told("/system continue", thread=THREAD, shared=True)
    assert told == texts.system_changed(texts.IN_THIS_CHANNEL)
    assert await bench.set_at(THREAD.place) == ThreadSettings(system="Count cars.")
    assert await bench.set_at(THREAD) == ThreadSettings()


async def test_a_reset_brings_back_what_stands_behind(bench: Bench) -> None:
    await bench.history.change(THREAD.place, system="Count cars.")
    await bench.history.change(THREAD, system="Count dogs.")
    await bench.say("/system Count cats.", thread=THREAD)
    told = await bench.told("/system reset", thread=THREAD)
    assert texts.IN_THIS_THREAD in told
    assert "> Count cars." in told
    assert await bench.told("/system continue", thread=THREAD) == texts.NOTHING_PENDING


@pytest.mark.parametrize(
    ("thread", "opening", "shared", "scope"),
    [
        (CHAT, False, True, texts.IN_THIS_CHAT),
        (CHAT, True, False, texts.IN_THIS_CHAT),
        (THREAD, True, True, texts.IN_THIS_CHANNEL),
        (THREAD, True, False, texts.IN_THIS_CHAT),
        (THREAD, False, True, texts.IN_THIS_THREAD),
        (THREAD, False, False, texts.IN_THIS_THREAD),
    ],
)
async def test_a_setting_acts_where_it_is_made_and_says_so(
    bench: Bench, thread: Thread, opening: bool, shared: bool, scope: str
) -> None:
    told = await bench.told("/model gpt-4o", thread=thread, opening=opening, shared=shared)
    assert scope in told
    where = thread.place if thread is THREAD and opening else thread
    assert await bench.set_at(where) == ThreadSettings(model="GPT-4o")


async def test_vision_is_switched(bench: Bench) -> None:
    assert (await bench.told("/vision")).startswith("Vision is on")
    assert await bench.told("/vision off") == texts.vision_set(False, texts.IN_THIS_CHAT)
    assert (await bench.told("/vision")).startswith("Vision is off")
    assert "find the objects" in await bench.told("/vision on")


async def test_only_models_that_are_offered_are_chosen(bench: Bench) -> None:
    assert "The model here is `gpt-5.1`. Available: `gpt-5.1`, `GPT-4o`." in await bench.told(
        "/model"
    )
    assert await bench.told("/model gpt-3") == texts.model_unknown("gpt-3", DEPLOYMENT.models)
    assert await bench.set_at(CHAT) == ThreadSettings()
    offline = Bench(replace(DEPLOYMENT, offline=True))
    assert await offline.told("/model") == texts.OFFLINE_STATUS


async def test_a_stop_says_whether_there_was_something_to_stop(bench: Bench) -> None:
    assert await bench.told("/stop") == texts.NOTHING_TO_STOP
    assert await bench.told("/stop", before=1) == texts.STOPPING


async def test_reset_erases_the_history_and_what_was_posted_before_it(bench: Bench) -> None:
    await bench.remember(turn(1), turn(2, status="failed"), turn(3, "", status="stopped"))
    said = await bench.say("/reset")
    assert said == CommandReply((texts.history_reset(1),), erase="history")
    assert bench.forgotten == [(CHAT, 101.0)]


async def test_forget_counts_what_it_erases(bench: Bench) -> None:
    await bench.remember(turn(1), turn(2), photos=(photo(1),))
    await bench.history.change(CHAT, model="GPT-4o")
    await bench.say("/system Count cars.")
    said = await bench.say("/forget")
    assert said == CommandReply((texts.forget_receipt(2, 1, 0, 1),), erase="everything")
    assert bench.forgotten == [(CHAT, 102.0)]


async def test_the_photos_are_listed_within_the_limit_of_a_message(bench: Bench) -> None:
    assert await bench.told("/photos") == texts.NO_PHOTOS
    await bench.remember(turn(1), photos=tuple(map(photo, range(1, 30))))
    said = (await bench.say("/photos", text_limit=500)).texts
    assert all(len(text) <= 500 for text in said)
    assert "".join(said).count("SHA-256") == 29


async def test_a_long_system_message_is_shown_in_parts(bench: Bench) -> None:
    long = " ".join(f"w{number}" for number in range(300))
    said = await bench.say(f"/system {long}", text_limit=400)
    assert all(len(text) <= 400 for text in said.texts)
    assert all(f"w{number}" in " ".join(said.texts) for number in range(300))
    assert len(said.buttons) == 2


async def test_watching_is_for_places_that_are_shared(bench: Bench) -> None:
    assert await bench.told("/watch photos") == texts.WATCH_NEEDS_CHANNEL
    assert await bench.told("/watch", thread=THREAD, shared=True) == texts.watch_shown("off")
    await bench.history.change(THREAD.place, hint_message="m0")
    told = await bench.told("/watch photos", thread=THREAD, shared=True)
    assert told == texts.watch_set("photos", "Anna")
    assert await bench.set_at(THREAD.place) == ThreadSettings(watch="photos")
    assert await bench.told("/watch", thread=THREAD, shared=True) == texts.watch_shown("photos")


async def test_usage_is_added_up_by_model(bench: Bench) -> None:
    assert await bench.told("/usage") == texts.NO_USAGE
    await bench.remember(
        turn(1, model="gpt-5.1-2025", usage=Usage(1000, 20, 100), shown=(1, 2), sheets=(3,)),
        turn(2, model="gpt-5.1-2025", usage=Usage(500, 5)),
        turn(3, "", status="failed", usage=Usage(10, 0)),
    )
    told = await bench.told("/usage")
    assert "- gpt-5.1-2025: 2 answers, 3 pictures, 1,500 tokens in (100 cached), 25 out" in told
    assert "- gpt-5.1: 0 answers, 0 pictures, 10 tokens in (0 cached), 0 out" in told


async def test_the_transcript_parses_in_blocks(bench: Bench) -> None:
    await bench.remember(*(turn(number, "`x` " * 60) for number in range(4)))
    said = await bench.say("/json", text_limit=400)
    assert len(said.texts) > 1
    blocks = [text.removeprefix("```json\n").removesuffix("\n```") for text in said.texts]
    messages = [message for block in blocks for message in json.loads(block)]
    assert messages[0] == {"role": "system", "content": ["Be brief."]}
    answers = ["".join(m["content"]) for m in messages if m["role"] == "assistant"]
    assert "".join(answers) == "`x` " * 240


async def test_a_long_transcript_is_a_file_where_files_go(bench: Bench) -> None:
    await bench.remember(turn(1, "word " * 200), photos=(photo(1),))
    said = await bench.say("/json", text_limit=400, files=True)
    assert said.texts == (texts.JSON_AS_FILE,)
    assert [message["role"] for message in json.loads(said.file)] == ["system", "user", "assistant"]


async def test_the_full_transcript_has_everything_recorded(bench: Bench) -> None:
    await bench.remember(turn(1, usage=Usage(10, 5)), photos=(photo(1),))
    said = await bench.say("/json full", text_limit=400, files=True)
    full = json.loads(said.file)
    assert (full["version"], full["thread"]["conversation"]) == (1, "a:chat")
    assert full["turns"][0]["usage"] == {"prompt": 10, "completion": 5, "cached": 0}


async def test_the_help_names_every_command(bench: Bench) -> None:
    told = await bench.told("/help me please")
    assert all(f"`{spec.usage}`" in told for spec in GRAMMAR.specs)


async def test_what_is_set_at_the_top_of_a_chat_with_threads_holds_in_the_chat(
    bench: Bench,
) -> None:
    told = await bench.told("/model gpt-4o", thread=THREAD, opening=True, shared=False)
    assert texts.IN_THIS_CHAT in told
    assert (await bench.set_at(THREAD.place)).model == "GPT-4o"


async def test_where_no_slash_can_be_typed_the_help_has_buttons(bench: Bench) -> None:
    said = await bench.say("!help", prefix="!")
    assert [button.command for button in said.buttons] == ["/photos", "/json", "/usage", "/stop"]
    assert "`!json [full]`" in said.texts[0]
    assert (await bench.say("/help")).buttons == ()


async def test_sentences_name_commands_as_the_place_takes_them(bench: Bench) -> None:
    assert "!system TEXT" in await bench.told("!system continue", prefix="!")
    assert "`!vision on|off`" in await bench.told("!vision perhaps", prefix="!")
    asked = await bench.told("!system Say /help.", prefix="!")
    assert "> Say /help." in asked
    assert "!system cancel" in asked
