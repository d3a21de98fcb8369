"""A channel whose credentials were taken away: what was stored of it ends, and nothing breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.domain.messages import Attachment, Author, Message
from bot.domain.size_limits import SizeLimits
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason
from bot.ports.channel import Channel, ConversationGone, PictureAttachment, Post, Stage
from bot.ports.disabled_channel import DisabledChannel
from tests.helpers.dispatcher_setup import DispatcherProcess, Surroundings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

ADDRESS = {"team": "T1", "channel": "C1"}
PICTURE = PictureAttachment("P1 a.jpg", "A car.", b"drawn", b"small", b"photo")
MESSAGE = Message("1", Thread("slack-app", "T1", "C1", "1.0"), Author("U1"), "look", kind="channel")


@pytest.fixture
def channel() -> Channel:
    return DisabledChannel("slack-app")


@pytest.mark.parametrize(
    "ask",
    [
        lambda channel: channel.post(ADDRESS, Post("Looking…", Stage.OPENING)),
        lambda channel: channel.post(ADDRESS, Post("A car.")),
        lambda channel: channel.edit(ADDRESS, "7.0", Post("A car.")),
        lambda channel: channel.send_file(ADDRESS, "a.json", "application/json", b"[]"),
        lambda channel: channel.send_picture(ADDRESS, PICTURE),
        lambda channel: channel.run_task(MESSAGE),
    ],
)
async def test_nothing_can_be_said_there(
    channel: Channel, ask: Callable[[Channel], Awaitable[object]]
) -> None:
    with pytest.raises(ConversationGone, match="slack-app is not configured"):
        await ask(channel)


async def test_files_of_it_are_gone(channel: Channel, tmp_path: Path) -> None:
    with pytest.raises(FileProblem) as told:
        await channel.fetch(ADDRESS, Attachment("a.jpg"), tmp_path / "a", SizeLimits(9, 9))
    assert told.value.reason is Reason.GONE
    assert list(tmp_path.iterdir()) == []


async def test_it_can_do_nothing_and_adds_nothing(channel: Channel) -> None:
    able = channel.capabilities(ADDRESS)
    assert not any((able.edits, able.files, able.pictures, able.earlier_messages, able.streams))
    assert await channel.add_details(MESSAGE) is MESSAGE
    assert await channel.earlier_messages(MESSAGE) == ()


@pytest.mark.parametrize("kind", ["message", "installed", "channel", "full", "deleted"])
async def test_what_was_stored_of_it_is_worked_off(kind: str, tmp_path: Path) -> None:
    outside = Surroundings(tmp_path)
    outside.channel = DisabledChannel("fake")  # type: ignore[assignment]
    thread = Thread("fake", "tenant", "conversation")
    message = Message("1", thread, Author("U1"), "look", kind=kind, quoted="0")  # type: ignore[arg-type]
    await outside.inbox.receive(replace(message, id="0", kind="message"))
    await outside.inbox.receive(message)
    assert await outside.queued()
    await DispatcherProcess(outside).work(thread)
    assert await outside.queued() == []
    assert outside.model.requests == []
