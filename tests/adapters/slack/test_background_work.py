"""Slack's own work: reactions, suggestions, leaving, and what an uninstalled app leaves behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.slack.addresses import SLACK, TOP, read_address, thread_of
from adapters.slack.background_work import BackgroundWork
from adapters.slack.errors import SlackError
from adapters.slack.events import read_event
from bot.domain.messages import Author, Message
from bot.errors import StoreDown
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from tests.helpers.slack_payloads import (
    ALEX,
    BOT,
    CHANNEL,
    SAM,
    TEAM,
    WORKSPACE,
    SlackReceiver,
    event_callback,
    message_event,
    photo,
)
from tests.helpers.slack_recorder import CallRecorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REPLIES = "conversations.replies"
TS, ROOT = "1700000000.000100", "1700000000.000001"


class TaskReceiver(SlackReceiver):
    """A bot with its background work, and the calls that this makes."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = CallRecorder()
        api: Any = self.calls
        self.background = BackgroundWork(api, self.workspaces, self.inbox.accept, self.index)

    async def run(self, event: dict[str, Any], identity: str = "Ev1") -> Message:
        """Do what an event asks for; returns the task."""
        task = read_event(event_callback(event, event_id=identity), WORKSPACE, "mag")
        assert task is not None
        assert task.kind == "channel"
        await self.background.run(task)
        return task

    async def mark(self, *posts: Any, user: str = ALEX) -> None:
        """Mark a post with the reaction; Slack answers with posts."""
        self.calls.then(REPLIES, {"ok": True, "messages": list(posts)})
        await self.run(marked(user))

    async def talked(self, team: str, channel: str, root: str, user: str = ALEX) -> None:
        """Remember that somebody wrote in a thread."""
        await self.index.note(Message("1", thread_of(team, channel, root), Author(user), "look"))


def marked(user: str = ALEX) -> dict[str, Any]:
    item = {"type": "message", "channel": CHANNEL, "ts": TS}
    return {"type": "reaction_added", "user": user, "reaction": "mag", "item": item}


def dent(**more: Any) -> dict[str, Any]:
    return message_event("the dent", **{"user": SAM, "files": [photo()], **more})


@pytest.fixture
async def workspace() -> AsyncIterator[TaskReceiver]:
    workspace = TaskReceiver()
    yield workspace
    await workspace.close()


async def test_a_marked_post_is_looked_at_for_the_one_who_marked_it(
    workspace: TaskReceiver,
) -> None:
    await workspace.mark(dent())
    message = workspace.inbox.message
    assert (message.id, message.text, message.author.id) == (TS, "the dent", SAM)
    assert (message.addressed, message.kind, message.address.user) == (True, "message", ALEX)
    assert [file.name for file in message.attachments] == ["IMG_1.jpg"]
    assert message.thread == thread_of(TEAM, CHANNEL, TS)


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_thread_that_a_mark_began_is_remembered(
    workspace: TaskReceiver, keeps: bool
) -> None:
    """Else nothing would erase it when the app is uninstalled."""
    workspace.inbox.keeps = keeps
    await workspace.mark(dent())
    assert await workspace.index.threads(TEAM) == [(CHANNEL, TS)] * keeps
    place = thread_of(TEAM, CHANNEL, TOP).place
    assert await workspace.index.latest(place, ALEX) == TS * keeps
    assert await workspace.index.latest(place, SAM) == ""


async def test_a_thread_that_could_not_be_remembered_is_tried_again(
    workspace: TaskReceiver,
) -> None:
    workspace.break_index()
    with pytest.raises(StoreDown):
        await workspace.mark(dent())
    workspace.server.connected = True
    await workspace.mark(dent())
    assert len({message.dedup for message in workspace.inbox.messages}) == 1
    assert await workspace.index.threads(TEAM) == [(CHANNEL, TS)]


async def test_a_post_within_a_thread_is_found_beside_its_root(workspace: TaskReceiver) -> None:
    await workspace.mark(dent(ts=ROOT), dent(thread_ts=ROOT))
    message = workspace.inbox.message
    assert (message.id, message.thread.root, message.opening) == (TS, ROOT, False)
    [request] = workspace.calls.of(REPLIES)
    assert (request["ts"], request["oldest"], request["latest"]) == (TS, TS, TS)
    assert request["limit"] > 1, "the root may come before it"


async def test_a_post_that_two_people_mark_is_answered_once(workspace: TaskReceiver) -> None:
    await workspace.mark(dent())
    await workspace.mark(dent(), user=SAM)
    first, second = workspace.inbox.messages
    assert first.dedup == second.dedup != ""


@pytest.mark.parametrize(
    "post",
    [
        message_event("no photo", user=SAM),
        dent(files=[]),
        dent(files="F1"),
        dent(files=[7, None]),
        dent(user=BOT, bot_id="B1"),
        dent(user=BOT),
        dent(subtype="tombstone", user="USLACKBOT"),
        dent(ts="1700000000.000200"),
        {key: value for key, value in dent().items() if key != "user"},
        {key: value for key, value in dent().items() if key != "ts"},
        dent(ts=1700000000.0001),
        "a post",
        None,
    ],
)
async def test_of_posts_that_show_nothing_or_are_no_person_s_none_is_looked_at(
    workspace: TaskReceiver, post: Any
) -> None:
    await workspace.mark(post)
    assert workspace.inbox.messages == []


@pytest.mark.parametrize("messages", [None, [], "none", 7, {"ts": TS}])
async def test_a_deleted_post_is_not_looked_at(workspace: TaskReceiver, messages: Any) -> None:
    workspace.calls.then(REPLIES, {"ok": True, "messages": messages})
    await workspace.run(marked())
    assert workspace.inbox.messages == []


@pytest.mark.parametrize(
    "refusal",
    [
        SlackError(200, "thread_not_found"),
        SlackError(429, "ratelimited"),
        ConversationGone("token_revoked"),
    ],
)
async def test_a_task_that_slack_refuses_is_over(
    workspace: TaskReceiver, refusal: Exception
) -> None:
    workspace.calls.then(REPLIES, refusal)
    await workspace.run(marked())
    assert workspace.inbox.messages == []


@pytest.mark.parametrize(
    "problem", [DeliveryUnknown("cut"), DeliveryRefused("Slack has not told yet who it is")]
)
async def test_a_task_that_slack_did_not_hear_of_comes_again(
    workspace: TaskReceiver, problem: Exception
) -> None:
    workspace.calls.then(REPLIES, problem)
    with pytest.raises(type(problem)):
        await workspace.run(marked())
    await workspace.mark(dent())
    assert workspace.inbox.message.id == TS


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({"type": "app_home_opened", "user": ALEX, "channel": "D1", "tab": "messages"}, {}),
        (
            {
                "type": "assistant_thread_started",
                "assistant_thread": {"user_id": ALEX, "channel_id": "D1", "thread_ts": ROOT},
            },
            {"thread_ts": ROOT},
        ),
    ],
)
async def test_who_opens_a_chat_is_told_what_to_ask(
    workspace: TaskReceiver, event: dict[str, Any], where: dict[str, str]
) -> None:
    await workspace.run(event)
    [(method, arguments)] = workspace.calls.requests
    prompts = arguments.pop("prompts")
    assert method == "assistant.threads.setSuggestedPrompts"
    assert arguments == {"channel_id": "D1", **where}
    assert 1 <= len(prompts) <= 4
    assert all(prompt["title"] and prompt["message"] for prompt in prompts)


@pytest.mark.parametrize(
    "problem",
    [DeliveryUnknown("cut"), DeliveryRefused("not yet"), ConversationGone("token_revoked")],
)
async def test_suggestions_that_cannot_be_shown_are_left_out(
    workspace: TaskReceiver, problem: Exception
) -> None:
    workspace.calls.then("assistant.threads.setSuggestedPrompts", problem)
    await workspace.run(
        {"type": "app_home_opened", "user": ALEX, "channel": "D1", "tab": "messages"}
    )
    assert len(workspace.calls.requests) == 1


THREADS = [(f"C{n % 3}", f"17000000{n:02}.000100") for n in range(40)]


async def test_an_uninstalled_app_has_every_thread_erased(workspace: TaskReceiver) -> None:
    for channel, root in THREADS:
        await workspace.talked(TEAM, channel, root)
    await workspace.talked(TEAM, CHANNEL, TOP)
    await workspace.talked("T2", "C9", ROOT)
    await workspace.run({"type": "app_uninstalled"})
    messages = workspace.inbox.messages
    assert {message.kind for message in messages} == {"uninstalled"}
    threads = {(message.thread.conversation, message.thread.root) for message in messages}
    assert threads == {*THREADS, (CHANNEL, TOP)}
    assert {(m.thread.channel, m.thread.tenant) for m in messages} == {(SLACK, TEAM)}
    assert await workspace.index.threads(TEAM) == []
    assert await workspace.index.threads("T2") == [("C9", ROOT)]


async def test_no_thread_is_taken_for_another_when_all_are_erased(workspace: TaskReceiver) -> None:
    """Threads of one channel are messages of one place, where equal messages are dropped."""
    for channel, root in THREADS:
        await workspace.talked(TEAM, channel, root)
    await workspace.run({"type": "app_uninstalled"})
    assert len({message.dedup for message in workspace.inbox.messages}) == len(THREADS)


async def test_erasing_that_was_broken_off_begins_anew(workspace: TaskReceiver) -> None:
    for channel, root in THREADS[:4]:
        await workspace.talked(TEAM, channel, root)
    accept = workspace.inbox.accept
    left = iter([True, True, False])

    async def shaky(message: Message) -> bool:
        workspace.inbox.down = not next(left, True)
        return await accept(message)

    api: Any = workspace.calls
    workspace.background = BackgroundWork(api, workspace.workspaces, shaky, workspace.index)
    with pytest.raises(StoreDown):
        await workspace.run({"type": "app_uninstalled"})
    before = {message.dedup for message in workspace.inbox.messages}
    assert len(before) == 2
    await workspace.run({"type": "app_uninstalled"})
    after = {message.dedup for message in workspace.inbox.messages}
    assert before < after
    assert len(after) == 4


async def test_what_tells_twice_that_the_app_is_gone_erases_nothing_new(
    workspace: TaskReceiver,
) -> None:
    await workspace.talked(TEAM, CHANNEL, ROOT)
    await workspace.run({"type": "app_uninstalled"}, "Ev1")
    await workspace.run({"type": "tokens_revoked", "tokens": {"bot": [BOT]}}, "Ev2")
    assert workspace.inbox.message.thread.root == ROOT
    assert workspace.calls.requests == []


async def test_of_a_place_that_loupe_left_nobody_is_remembered(workspace: TaskReceiver) -> None:
    for channel in (CHANNEL, "C2"):
        await workspace.talked(TEAM, channel, ROOT)
    await workspace.run({"type": "channel_left", "channel": CHANNEL})
    assert await workspace.index.latest(thread_of(TEAM, CHANNEL, TOP).place, ALEX) == ""
    assert await workspace.index.latest(thread_of(TEAM, "C2", TOP).place, ALEX) == ROOT
    assert len(await workspace.index.threads(TEAM)) == 2
    assert workspace.inbox.messages == []


@pytest.mark.parametrize("address", [{}, {"errand": None}, {"errand": {}}, {"errand": {"do": "x"}}])
async def test_a_task_of_another_version_is_left_alone(
    workspace: TaskReceiver, address: dict[str, Any]
) -> None:
    task = Message("1", thread_of(TEAM, CHANNEL, TOP), Author(ALEX), kind="channel")
    await workspace.background.run(
        replace(task, address=read_address({"team": TEAM, "channel": "C1", **address}))
    )
    assert (workspace.calls.requests, workspace.inbox.messages) == ([], [])
