"""The desk: what becomes of each kind of message, and that it is told once."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.domain.history import ThreadHistory, Turn
from bot.domain.messages import Attachment
from bot.domain.preferences import ThreadSettings
from bot.domain.threads import Thread
from bot.errors import FileProblem, ModelProblem, ModelReason, Reason
from bot.ports.channel import ConversationGone, DeliveryRefused, Stage
from bot.ports.mailbox import AnsweredTurn, LeaseLost
from bot.ports.model import TextPart
from tests.helpers.dispatcher_driver import POST, DispatcherDriver, command
from tests.helpers.dispatcher_setup import THREAD, DispatcherProcess
from tests.helpers.fakes import FakeTime
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from pathlib import Path


CHANNEL = Thread("fake", "tenant", "channel", "root")
HIDDEN = Attachment(problem=Reason.HTML_ONLY)


@pytest.fixture
def bench(tmp_path: Path) -> DispatcherDriver:
    return DispatcherDriver(tmp_path)


async def test_a_question_is_answered_in_one_message_and_remembered(
    bench: DispatcherDriver,
) -> None:
    assert await bench.said(POST) == ["A red car."]
    (shown,) = bench.channel.messages
    assert shown.posts[0].text == texts.THINKING
    assert (shown.posts[0].stage, shown.posts[0].live) == (Stage.OPENING, True)
    assert shown.posts[-1].is_generated
    (turn,) = (await bench.outside.past()).turns
    assert (turn.question, turn.answer, turn.posts.answers) == (
        "What is it?",
        "A red car.",
        (shown.id,),
    )
    assert (turn.author, turn.posts.questions, turn.status) == ("Anna", ("m1",), "answered")


async def test_a_follow_up_knows_what_was_said(bench: DispatcherDriver) -> None:
    await bench.said(POST)
    await bench.said(replace(POST, id="m2", text="And its colour?"))
    words = [
        part.text
        for said in bench.model.requests[1].messages[1:]
        for part in said.parts
        if isinstance(part, TextPart)
    ]
    assert words == ["What is it?", "A red car.", "And its colour?"]


async def test_a_burst_of_photos_is_one_question(tmp_path: Path) -> None:
    bench = DispatcherDriver(tmp_path, limits=limits_of(burst_seconds=30, burst_max_seconds=60))
    holding = await bench.taken(bench.photo("p1"))
    work = asyncio.create_task(bench.house.desk.handle(holding))
    await bench.channel.until(texts.placeholder(1))
    await bench.receive(bench.photo("p2"))
    holding.mail.set()
    await bench.channel.until(texts.placeholder(2))
    await bench.receive(replace(POST, id="w"))
    holding.mail.set()
    async with asyncio.timeout(10):
        await work
    assert bench.shown == ["A red car."]
    past = await bench.outside.past()
    assert (past.turns[0].pictures.photos, past.turns[0].posts.questions) == (
        (1, 2),
        ("p1", "p2", "w"),
    )
    assert past.turns[0].question == "What is it?"
    assert await bench.outside.queued() == []


async def test_a_stop_ends_the_wait_for_more_photos(tmp_path: Path) -> None:
    bench = DispatcherDriver(tmp_path, limits=limits_of(burst_seconds=30, burst_max_seconds=60))
    holding = await bench.taken(bench.photo("p1"))
    work = asyncio.create_task(bench.house.desk.handle(holding))
    await bench.channel.until(texts.placeholder(1))
    holding.stop.set()
    async with asyncio.timeout(5):
        await work
    assert bench.shown == [texts.STOPPED_EARLY]
    assert bench.model.requests == []


@pytest.mark.parametrize("shared", [False, True])
async def test_whoever_adds_loupe_is_greeted(bench: DispatcherDriver, shared: bool) -> None:
    added = replace(POST, kind="installed", text="", shared=shared)
    assert await bench.said(added) == [texts.greeting(is_shared=shared)]


async def test_the_work_of_a_channel_is_carried_on(bench: DispatcherDriver) -> None:
    work = replace(POST, kind="channel", text="")
    assert await bench.said(work) == []
    assert bench.channel.tasks == [work]


async def test_who_finds_no_room_is_told(bench: DispatcherDriver) -> None:
    assert await bench.said(replace(POST, kind="full", text="")) == [texts.FULL]


async def test_a_mention_alone_is_told_what_to_do(bench: DispatcherDriver) -> None:
    assert await bench.said(replace(POST, text="")) == [texts.NOTHING_ASKED]
    reply = replace(POST, id="m2", text="", thread=CHANNEL, opening=False)
    both = f"{texts.NOTHING_ASKED} {texts.EARLIER_POSTS}"
    assert (await bench.said(reply))[-1] == both
    assert bench.model.requests == []


async def test_who_asks_about_posts_out_of_reach_is_told_once(bench: DispatcherDriver) -> None:
    first = bench.photo("m1", thread=CHANNEL, opening=False)
    assert await bench.said(first) == [f"A red car.\n\n{texts.EARLIER_POSTS}"]
    assert (await bench.said(replace(first, id="m2")))[-1] == "A red car."


async def test_what_is_told_once_waits_for_an_answer_that_succeeds(bench: DispatcherDriver) -> None:
    await bench.outside.history.change(CHANNEL.place, watch="photos")
    posts = [bench.photo(f"p{n}", thread=CHANNEL, addressed=False, shared=True) for n in (1, 2)]
    bench.model.problem = ModelProblem(ModelReason.BUSY)
    await bench.said(posts[0])
    bench.model.problem = None
    assert (await bench.said(posts[1]))[-1] == f"A red car.\n\n{texts.ASK_ON}"


async def test_words_beside_a_file_out_of_reach_stay_unread_unless_all_is_watched(
    bench: DispatcherDriver,
) -> None:
    remedy = texts.file_problem("", 1, FileProblem(Reason.HTML_ONLY), bench.outside.limits.files)
    post = replace(POST, thread=CHANNEL, addressed=False, attachments=(HIDDEN,))
    await bench.outside.history.change(CHANNEL.place, watch="photos")
    assert await bench.said(post) == [remedy]
    assert bench.model.requests == []
    assert await bench.outside.past() == ThreadHistory()
    await bench.outside.history.change(CHANNEL.place, watch="all")
    assert (await bench.said(replace(post, id="m2")))[-1] == "A red car."


async def test_a_command_that_was_cut_changes_nothing(bench: DispatcherDriver) -> None:
    cut = command("/system " + "x" * bench.outside.limits.messages.max_question)
    assert await bench.said(cut) == [texts.command_too_long(bench.outside.limits.messages)]
    assert await bench.outside.history.settings(THREAD) == ThreadSettings()


async def test_a_place_that_is_watched_learns_once_how_to_ask_on(bench: DispatcherDriver) -> None:
    await bench.outside.history.change(CHANNEL.place, watch="photos")
    posts = [
        bench.photo(f"p{root}", thread=replace(CHANNEL, root=root), addressed=False, shared=True)
        for root in ("1", "2")
    ]
    for post in posts:
        await bench.said(post)
    assert bench.shown == [f"A red car.\n\n{texts.ASK_ON}", "A red car."]


async def test_a_watched_post_whose_picture_is_out_of_reach_gets_the_remedy(
    bench: DispatcherDriver,
) -> None:
    await bench.outside.history.change(CHANNEL.place, watch="photos")
    post = replace(POST, text="", thread=CHANNEL, addressed=False, attachments=(HIDDEN,))
    limits = bench.outside.limits
    remedy = texts.file_problem("", 1, FileProblem(Reason.HTML_ONLY), limits.files)
    assert await bench.said(post) == [remedy]
    assert bench.model.requests == []


async def test_a_stop_removes_what_waits(bench: DispatcherDriver) -> None:
    await bench.receive(POST, command("/model gpt-other"))
    assert sorted(await bench.said(command("/stop", "s"))) == sorted(
        [texts.STOPPED_EARLY, texts.STOPPED_EARLY, texts.STOPPING]
    )
    assert bench.model.requests == []
    assert await bench.outside.past() == ThreadHistory()
    assert await bench.outside.history.settings(THREAD) == ThreadSettings()


async def test_a_command_is_answered_with_its_buttons(bench: DispatcherDriver) -> None:
    await bench.said(command("/system Count cars."))
    (shown,) = bench.channel.messages
    assert [button.command for button in shown.posts[0].buttons] == [
        "/system continue",
        "/system cancel",
    ]
    assert not shown.posts[0].is_generated


async def test_a_transcript_that_is_too_long_is_handed_over_as_a_file(tmp_path: Path) -> None:
    bench = DispatcherDriver(tmp_path, text_limit=200, files=True)
    await bench.said(replace(POST, text="word " * 50))
    assert (await bench.said(command("/json")))[-1] == texts.JSON_AS_FILE
    ((name, data),) = bench.channel.files
    assert (name, bench.shown.count(texts.JSON_AS_FILE)) == ("transcript.json", 1)
    assert [said["role"] for said in json.loads(data)] == ["system", "user", "assistant"]


async def test_reset_forgets_the_history_and_its_pictures(bench: DispatcherDriver) -> None:
    await bench.said(bench.photo("p1", "What is it?"))
    assert (await bench.said(command("/reset")))[-1] == texts.history_reset(1)
    assert await bench.outside.past() == ThreadHistory()


@pytest.mark.parametrize("fault", [ConversationGone(), DeliveryRefused()])
async def test_what_is_to_be_erased_is_erased_without_a_receipt_too(
    bench: DispatcherDriver, fault: Exception
) -> None:
    await bench.said(POST)
    bench.channel.faults = [fault]
    await bench.said(command("/forget"))
    assert await bench.outside.past() == ThreadHistory()


async def test_a_conversation_that_is_gone_ends_the_work(bench: DispatcherDriver) -> None:
    bench.channel.faults = [ConversationGone()]
    assert await bench.said(POST) == []
    assert await bench.outside.past() == ThreadHistory()


async def test_a_turn_that_a_predecessor_finished_is_only_shown(bench: DispatcherDriver) -> None:
    holding = await bench.taken(POST)
    turn = Turn("1", 1.0, "Anna", "What is it?", "A blue car.")
    lease = replace(holding.lease, result=AnsweredTurn(turn, ("A blue car.",)))
    await bench.house.desk.handle(replace(holding, lease=lease))
    assert bench.shown == ["A blue car."]
    assert bench.model.requests == []
    assert [turn.answer for turn in (await bench.outside.past()).turns] == ["A blue car."]


async def test_without_the_lease_nothing_is_remembered(bench: DispatcherDriver) -> None:
    holding = await bench.taken(POST)
    bench.model.gate = asyncio.Event()
    work = asyncio.create_task(bench.house.desk.handle(holding))
    await bench.channel.until("A red")
    await bench.outside.mailbox.release(holding.lease, 60)
    bench.model.gate.set()
    with pytest.raises(LeaseLost):
        await work
    assert await bench.outside.past() == ThreadHistory()
    assert bench.channel.messages[0].posts[-1].stage is Stage.GROWING


async def test_a_model_that_fails_is_told_and_not_tried_for_ever(bench: DispatcherDriver) -> None:
    bench.model.problem = ModelProblem(ModelReason.BUSY)
    assert await bench.said(POST) == [f"A red car.\n\n{texts.WHY_MODEL[ModelReason.BUSY]}"]
    assert [turn.status for turn in (await bench.outside.past()).turns] == ["failed"]


async def test_what_is_given_up_is_told_and_buried(bench: DispatcherDriver) -> None:
    holding = await bench.taken(POST)
    await bench.house.desk.give_up(holding.lease, "too many attempts")
    assert bench.shown == [texts.GIVEN_UP]
    assert await bench.outside.queued() == []
    (dead,) = await bench.outside.redis.keys("*:dead")
    assert json.loads((await bench.outside.redis.lrange(dead, 0, -1))[0])["places"] == [1]


async def test_giving_up_stands_below_what_was_shown(bench: DispatcherDriver) -> None:
    holding = await bench.taken(POST)
    bench.model.gate = asyncio.Event()
    work = asyncio.create_task(bench.house.desk.handle(holding))
    await bench.channel.until("A red")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await bench.house.desk.give_up(holding.lease, "too many attempts")
    assert bench.shown == [f"A red\n\n{texts.GIVEN_UP}"]


@pytest.mark.parametrize(
    "fault", [ConversationGone(), DeliveryRefused(), ValueError("nobody foresaw it")]
)
async def test_what_cannot_even_be_told_is_buried_all_the_same(
    bench: DispatcherDriver, fault: Exception
) -> None:
    holding = await bench.taken(POST)
    bench.channel.faults = [fault]
    await bench.house.desk.give_up(holding.lease, "too many attempts")
    assert await bench.outside.queued() == []


async def test_an_answer_that_could_not_be_shown_is_remembered(bench: DispatcherDriver) -> None:
    holding = await bench.taken(POST)
    turn = Turn("1", 1.0, "Anna", "What is it?", "A blue car.")
    lease = replace(holding.lease, result=AnsweredTurn(turn, ("A blue car.",)))
    await bench.house.desk.give_up(lease, "too many attempts")
    assert bench.shown == [texts.GIVEN_UP]
    assert (await bench.outside.past()).turns == (turn,)


async def test_a_process_that_was_stalled_shows_nothing_over_its_successor(
    bench: DispatcherDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", clock := FakeTime())
    bench.model.pieces = ("A red ", *["word "] * 200, "car.")
    gate = bench.model.gate = asyncio.Event()
    stalled = asyncio.create_task(bench.house.desk.handle(await bench.taken(POST)))
    await bench.channel.until("A red")
    clock.forward(bench.outside.limits.workers.lease_seconds + 1)
    bench.model.gate = None
    await DispatcherProcess(bench.outside).work()
    (message,) = bench.channel.messages
    seen = len(message.posts)
    gate.set()
    with pytest.raises(LeaseLost):
        await stalled
    assert message.text.endswith("car.")
    assert len(message.posts) == seen
