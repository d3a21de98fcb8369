"""The desk: posts that are edited or deleted, apps that go, and what a channel fills in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.domain.history import ThreadHistory
from bot.domain.messages import Author
from bot.domain.preferences import ThreadSettings
from bot.domain.threads import Thread
from bot.ports.channel import ConversationGone
from bot.ports.model import TextPart
from tests.helpers.dispatcher_driver import POST, DispatcherDriver, command

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.messages import Kind, Message

CHANNEL = Thread("fake", "tenant", "channel", "root")
REPLY = replace(POST, thread=CHANNEL, opening=False)


@pytest.fixture
def bench(tmp_path: Path) -> DispatcherDriver:
    return DispatcherDriver(tmp_path)


def edited(message: Message, text: str, version: str = "v2") -> Message:
    return replace(message, text=text, version=version)


def gone(message: Message) -> Message:
    return replace(message, id="e1", kind="deleted", quoted=message.id, text="", attachments=())


def asked(bench: DispatcherDriver) -> list[list[str]]:
    """The words of each request to the model, without what stands before them."""
    return [
        [
            part.text
            for said in request.messages[1:]
            for part in said.parts
            if isinstance(part, TextPart)
        ]
        for request in bench.model.requests
    ]


async def stored(bench: DispatcherDriver) -> list[str]:
    """The files that are kept for the thread."""
    folder = POST.thread.key
    found = [batch async for batch in bench.outside.store.list_async(folder)]
    return [entry["path"] for batch in found for entry in batch]


async def test_an_edited_question_is_asked_anew_and_the_old_one_forgotten(
    bench: DispatcherDriver,
) -> None:
    await bench.said(POST)
    assert await bench.said(edited(POST, "And now?")) == ["A red car.", "A red car."]
    assert asked(bench)[1] == ["And now?"]
    assert [turn.question for turn in (await bench.outside.past()).turns] == ["And now?"]


async def test_an_edit_of_a_question_that_waits_is_answered_alone(bench: DispatcherDriver) -> None:
    assert await bench.said(POST, edited(POST, "And now?")) == ["A red car."]
    assert asked(bench) == [["And now?"]]


async def test_an_edit_ends_the_answer_that_is_running(bench: DispatcherDriver) -> None:
    bench.model.gate = asyncio.Event()
    holding = await bench.taken(POST)
    work = asyncio.create_task(bench.house.desk.handle(holding))
    await bench.channel.until("A red")
    await bench.receive(edited(POST, "And now?"))
    standing = await bench.outside.mailbox.renew(holding.lease)
    holding.withdraw(standing.withdrawn_places)
    async with asyncio.timeout(5):
        await work
    bench.model.gate = None
    await bench.house.work()
    assert bench.shown == [f"A red\n\n{texts.STOPPED_HERE}", "A red car."]
    assert [turn.question for turn in (await bench.outside.past()).turns] == ["And now?"]


async def test_a_deleted_question_that_waits_is_never_answered(bench: DispatcherDriver) -> None:
    assert await bench.said(POST, gone(POST)) == []
    assert bench.model.requests == []
    assert await bench.outside.past() == ThreadHistory()


async def test_a_waiting_note_of_a_deleted_question_is_ended(bench: DispatcherDriver) -> None:
    holding = await bench.taken(POST)
    work = asyncio.create_task(bench.house.desk.handle(holding))
    bench.model.gate = asyncio.Event()
    await bench.channel.until("A red")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await bench.outside.mailbox.release(holding.lease, 0)
    assert await bench.said(gone(POST)) == [f"A red\n\n{texts.STOPPED_HERE}"]
    assert await bench.outside.past() == ThreadHistory()


async def test_a_deleted_post_is_forgotten_with_its_pictures(bench: DispatcherDriver) -> None:
    post = bench.photo("p1", "What is it?")
    await bench.said(post)
    assert await stored(bench) != []
    await bench.said(gone(post))
    assert await bench.outside.past() == ThreadHistory()
    assert await stored(bench) == []


async def test_what_a_deleted_post_did_not_bring_stays(bench: DispatcherDriver) -> None:
    await bench.said(bench.photo("p1", "What is it?"))
    second = replace(POST, id="m2", text="And its colour?")
    await bench.said(second)
    await bench.said(gone(second))
    past = await bench.outside.past()
    assert [turn.question for turn in past.turns] == ["What is it?"]
    assert [photo.number for photo in past.photos] == [1]


async def test_of_a_burst_the_deleted_photo_is_left_out(tmp_path: Path) -> None:
    bench = DispatcherDriver(tmp_path)
    first, second = bench.photo("p1"), bench.photo("p2")
    await bench.receive(first, second, gone(first), replace(POST, id="w"))
    await bench.house.work()
    turns = (await bench.outside.past()).turns
    assert [turn.posts.questions for turn in turns] == [("p2", "w")]


async def test_a_question_that_becomes_a_command_is_forgotten(bench: DispatcherDriver) -> None:
    await bench.said(POST)
    assert (await bench.said(edited(POST, "/usage")))[-1] == texts.NO_USAGE


async def test_a_waiting_question_that_becomes_a_command_is_never_answered(
    bench: DispatcherDriver,
) -> None:
    first = await bench.taken(replace(POST, id="m0"))
    await bench.receive(POST, edited(POST, "/usage"))
    await bench.house.work()
    await bench.house.desk.handle(first)
    await bench.house.work()
    assert len(bench.model.requests) == 1
    assert [turn.posts.questions for turn in (await bench.outside.past()).turns] == [("m0",)]


async def test_a_command_that_is_edited_while_it_waits_is_not_obeyed(
    bench: DispatcherDriver,
) -> None:
    order = command("/model gpt-other")
    await bench.said(order, edited(order, "/model"))
    assert await bench.outside.history.settings(POST.thread) == ThreadSettings()


async def test_the_last_of_several_edits_counts(bench: DispatcherDriver) -> None:
    edits = [edited(POST, f"Now {n}?", f"v{n}") for n in range(3)]
    assert await bench.said(POST, *edits) == ["A red car."]
    assert asked(bench) == [["Now 2?"]]


async def test_names_and_files_are_filled_in_by_the_channel(bench: DispatcherDriver) -> None:
    bench.channel.names = {"a": "Alex"}
    await bench.said(POST)
    assert (await bench.outside.past()).turns[0].author == "Alex"


async def test_who_changed_what_is_watched_is_named(bench: DispatcherDriver) -> None:
    bench.channel.names = {"a": "Alex"}
    order = replace(command("/watch photos"), author=Author("a"), shared=True)
    assert await bench.said(order) == [texts.watch_set("photos", "Alex")]


async def test_pictures_that_stood_in_a_thread_come_with_the_first_question(tmp_path: Path) -> None:
    bench = DispatcherDriver(tmp_path, earlier_messages=True)
    bench.channel.previous_messages = (replace(bench.photo("p0"), author=Author("b", "Ben")),)
    await bench.said(REPLY)
    await bench.said(replace(REPLY, id="m2"))
    past = await bench.outside.past(CHANNEL)
    assert [(photo.author, photo.message) for photo in past.photos] == [("Ben", "p0")]
    assert texts.EARLIER_POSTS not in "".join(bench.shown)


async def test_a_platform_that_does_not_tell_what_stood_there_is_named(tmp_path: Path) -> None:
    bench = DispatcherDriver(tmp_path, earlier_messages=True)
    bench.channel.previous_messages = None
    assert await bench.said(REPLY) == [f"A red car.\n\n{texts.EARLIER_POSTS}"]
    called = replace(REPLY, id="m2", text="", thread=replace(CHANNEL, root="another"))
    assert (await bench.said(called))[-1] == f"{texts.NOTHING_ASKED} {texts.EARLIER_POSTS}"


async def test_a_deleted_post_of_before_the_question_is_forgotten_with_the_answer(
    tmp_path: Path,
) -> None:
    bench = DispatcherDriver(tmp_path, earlier_messages=True)
    before = bench.photo("p0", thread=CHANNEL)
    bench.channel.previous_messages = (before,)
    await bench.said(REPLY)
    await bench.said(gone(before))
    assert await bench.outside.past(CHANNEL) == ThreadHistory()


async def test_an_app_that_is_gone_leaves_nothing(bench: DispatcherDriver) -> None:
    await bench.said(bench.photo("p1", "What is it?"), command("/model gpt-other"))
    await bench.outside.history.change(POST.thread.place, watch="photos")
    bench.channel.faults = [ConversationGone()] * 9
    await bench.said(replace(POST, id="u1", kind="uninstalled", text=""))
    assert await bench.outside.past() == ThreadHistory()
    assert await bench.outside.history.settings(POST.thread) == ThreadSettings()
    assert await bench.outside.history.settings(POST.thread.place) == ThreadSettings()


@pytest.mark.parametrize("kind", ["channel", "deleted", "uninstalled"])
async def test_of_work_that_nobody_waits_for_nobody_is_told_that_it_failed(
    bench: DispatcherDriver, kind: Kind
) -> None:
    await bench.said(POST)
    holding = await bench.taken(replace(POST, id="w1", kind=kind, text="", quoted="m1"))
    await bench.house.desk.give_up(holding.lease, "too many attempts")
    assert bench.shown == ["A red car."]
    assert await bench.outside.queued() == []


async def test_an_answer_under_way_as_the_app_goes_leaves_nothing_either(
    bench: DispatcherDriver,
) -> None:
    first = await bench.taken(bench.photo("p1", "What is it?"))
    await bench.receive(replace(POST, id="m2"), replace(POST, id="u1", kind="uninstalled", text=""))
    bench.channel.faults = [ConversationGone()] * 9
    await bench.house.work()
    await bench.house.desk.handle(first)
    await bench.house.work()
    assert await bench.outside.queued() == []
    assert await bench.outside.past() == ThreadHistory()
