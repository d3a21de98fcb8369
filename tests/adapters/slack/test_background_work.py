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


class Office(SlackReceiver):
    """The house with its errands, and what they ask of Slack."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = CallRecorder()
        api: Any = self.calls
        self.errands = BackgroundWork(api, self.workspaces, self.inbox.accept, self.memory)

    async def run(self, event: dict[str, Any], identity: str = "Ev1") -> Message:
        """Do what an event asks for; returns the errand."""
        errand = read_event(event_callback(event, event_id=identity), WORKSPACE, "mag")
        assert errand is not None
        assert errand.kind == "channel"
        await self.errands.run(errand)
        return errand

    async def mark(self, *posts: Any, user: str = ALEX) -> None:
        """Mark a post with the reaction; Slack answers with posts."""
        self.calls.then(REPLIES, {"ok": True, "messages": list(posts)})
        await self.run(marked(user))

    async def talked(self, team: str, channel: str, root: str, user: str = ALEX) -> None:
        """Remember that somebody wrote in a thread."""
        await self.memory.note(Message("1", thread_of(team, channel, root), Author(user), "look"))


def marked(user: str = ALEX) -> dict[str, Any]:
    item = {"type": "message", "channel": CHANNEL, "ts": TS}
    return {"type": "reaction_added", "user": user, "reaction": "mag", "item": item}


def dent(**more: Any) -> dict[str, Any]:
    return message_event("the dent", **{"user": SAM, "files": [photo()], **more})


@pytest.fixture
async def workspace() -> AsyncIterator[Office]:
    workspace = Office()
    yield workspace
    await workspace.close()


async def test_a_marked_post_is_looked_at_for_the_one_who_marked_it(workspace: Office) -> None:
    await workspace.mark(dent())
    message = workspace.inbox.message
    assert (message.id, message.text, message.author.id) == (TS, "the dent", SAM)
    assert (message.addressed, message.kind, message.address.user) == (True, "message", ALEX)
    assert [file.name for file in message.attachments] == ["IMG_1.jpg"]
    assert message.thread == thread_of(TEAM, CHANNEL, TS)


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_thread_that_a_mark_began_is_remembered(workspace: Office, keeps: bool) -> None:
    """Else nothing would erase it when the app is uninstalled."""
    workspace.inbox.keeps = keeps
    await workspace.mark(dent())
    assert await workspace.memory.threads(TEAM) == [(CHANNEL, TS)] * keeps
    place = thread_of(TEAM, CHANNEL, TOP).place
    assert await workspace.memory.latest(place, ALEX) == TS * keeps
    assert await workspace.memory.latest(place, SAM) == ""


async def test_a_thread_that_could_not_be_remembered_is_tried_again(workspace: Office) -> None:
    workspace.break_memory()
    with pytest.raises(StoreDown):
        await workspace.mark(dent())
    workspace.server.connected = True
    await workspace.mark(dent())
    assert len({message.dedup for message in workspace.inbox.messages}) == 1
    assert await workspace.memory.threads(TEAM) == [(CHANNEL, TS)]


async def test_a_post_within_a_thread_is_found_beside_its_root(workspace: Office) -> None:
    await workspace.mark(dent(ts=ROOT), dent(thread_ts=ROOT))
    message = workspace.inbox.message
    assert (message.id, message.thread.root, message.opening) == (TS, ROOT, False)
    [asked] = workspace.calls.of(REPLIES)
    assert (asked["ts"], asked["oldest"], asked["latest"]) == (TS, TS, TS)
    assert asked["limit"] > 1, "the root may come before it"


async def test_a_post_that_two_people_mark_is_answered_once(workspace: Office) -> None:
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
    workspace: Office, post: Any
) -> None:
    await workspace.mark(post)
    assert workspace.inbox.messages == []


@pytest.mark.parametrize("messages", [None, [], "none", 7, {"ts": TS}])
async def test_a_deleted_post_is_not_looked_at(workspace: Office, messages: Any) -> None:
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
async def test_an_errand_that_slack_refuses_is_over(workspace: Office, refusal: Exception) -> None:
    workspace.calls.then(REPLIES, refusal)
    await workspace.run(marked())
    assert workspace.inbox.messages == []


@pytest.mark.parametrize(
    "problem", [DeliveryUnknown("cut"), DeliveryRefused("Slack has not told yet who it is")]
)
async def test_an_errand_that_slack_did_not_hear_of_comes_again(
    workspace: Office, problem: Exception
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
    workspace: Office, event: dict[str, Any], where: dict[str, str]
) -> None:
    await workspace.run(event)
    [(method, asked)] = workspace.calls.made
    prompts = asked.pop("prompts")
    assert method == "assistant.threads.setSuggestedPrompts"
    assert asked == {"channel_id": "D1", **where}
    assert 1 <= len(prompts) <= 4
    assert all(prompt["title"] and prompt["message"] for prompt in prompts)


@pytest.mark.parametrize(
    "problem",
    [DeliveryUnknown("cut"), DeliveryRefused("not yet"), ConversationGone("token_revoked")],
)
async def test_suggestions_that_cannot_be_shown_are_left_out(
    workspace: Office, problem: Exception
) -> None:
    workspace.calls.then("assistant.threads.setSuggestedPrompts", problem)
    await workspace.run(
        {"type": "app_home_opened", "user": ALEX, "channel": "D1", "tab": "messages"}
    )
    assert len(workspace.calls.made) == 1


THREADS = [(f"C{n % 3}", f"17000000{n:02}.000100") for n in range(40)]


async def test_an_uninstalled_app_has_every_thread_erased(workspace: Office) -> None:
    for channel, root in THREADS:
        await workspace.talked(TEAM, channel, root)
    await workspace.talked(TEAM, CHANNEL, TOP)
    await workspace.talked("T2", "C9", ROOT)
    await workspace.run({"type": "app_uninstalled"})
    erased = workspace.inbox.messages
    assert {message.kind for message in erased} == {"uninstalled"}
    named = {(message.thread.conversation, message.thread.root) for message in erased}
    assert named == {*THREADS, (CHANNEL, TOP)}
    assert {(m.thread.channel, m.thread.tenant) for m in erased} == {(SLACK, TEAM)}
    assert await workspace.memory.threads(TEAM) == []
    assert await workspace.memory.threads("T2") == [("C9", ROOT)]


async def test_no_thread_is_taken_for_another_when_all_are_erased(workspace: Office) -> None:
    """Threads of one channel are messages of one place, where equal messages are dropped."""
    for channel, root in THREADS:
        await workspace.talked(TEAM, channel, root)
    await workspace.run({"type": "app_uninstalled"})
    assert len({message.dedup for message in workspace.inbox.messages}) == len(THREADS)


async def test_erasing_that_was_broken_off_begins_anew(workspace: Office) -> None:
    for channel, root in THREADS[:4]:
        await workspace.talked(TEAM, channel, root)
    accepted = workspace.inbox.accept
    left = iter([True, True, False])

    async def shaky(message: Message) -> bool:
        workspace.inbox.down = not next(left, True)
        return await accepted(message)

    api: Any = workspace.calls
    workspace.errands = BackgroundWork(api, workspace.workspaces, shaky, workspace.memory)
    with pytest.raises(StoreDown):
        await workspace.run({"type": "app_uninstalled"})
    before = {message.dedup for message in workspace.inbox.messages}
    assert len(before) == 2
    await workspace.run({"type": "app_uninstalled"})
    after = {message.dedup for message in workspace.inbox.messages}
    assert before < after
    assert len(after) == 4


async def test_what_tells_twice_that_the_app_is_gone_erases_nothing_new(workspace: Office) -> None:
    await workspace.talked(TEAM, CHANNEL, ROOT)
    await workspace.run({"type": "app_uninstalled"}, "Ev1")
    await workspace.run({"type": "tokens_revoked", "tokens": {"bot": [BOT]}}, "Ev2")
    assert workspace.inbox.message.thread.root == ROOT
    assert workspace.calls.made == []


async def test_of_a_place_that_loupe_left_nobody_is_remembered(workspace: Office) -> None:
    for channel in (CHANNEL, "C2"):
        await workspace.talked(TEAM, channel, ROOT)
    await workspace.run({"type": "channel_left", "channel": CHANNEL})
    assert await workspace.memory.latest(thread_of(TEAM, CHANNEL, TOP).place, ALEX) == ""
    assert await workspace.memory.latest(thread_of(TEAM, "C2", TOP).place, ALEX) == ROOT
    assert len(await workspace.memory.threads(TEAM)) == 2
    assert workspace.inbox.messages == []


@pytest.mark.parametrize("address", [{}, {"errand": None}, {"errand": {}}, {"errand": {"do": "x"}}])
async def test_an_errand_of_another_version_is_left_alone(
    workspace: Office, address: dict[str, Any]
) -> None:
    errand = Message("1", thread_of(TEAM, CHANNEL, TOP), Author(ALEX), kind="channel")
    await workspace.errands.run(
        replace(errand, address=read_address({"team": TEAM, "channel": "C1", **address}))
    )
    assert (workspace.calls.made, workspace.inbox.messages) == ([], [])
