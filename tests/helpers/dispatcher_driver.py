"""A desk at work: what is posted, and what people see of it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.domain.messages import Attachment, Author, Message
from tests.helpers.dispatcher_setup import THREAD, DispatcherProcess, Surroundings
from tests.helpers.fakes import ScriptedModel
from tests.helpers.images import corners_image, encode_image

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import Limits
    from bot.queue.holding import Holding

POST = Message("m1", THREAD, Author("a", "Anna"), "What is it?", at=time.time())


class DispatcherDriver:
    """A desk, the messages it works on, and what people saw."""

    def __init__(self, folder: Path, *, limits: Limits | None = None, **capabilities: Any) -> None:
        self.model = ScriptedModel()
        self.outside = Surroundings(folder, self.model, limits, **capabilities)
        self.channel = self.outside.channel
        self.house = DispatcherProcess(self.outside)

    async def receive(self, *messages: Message) -> None:
        for message in messages:
            await self.outside.inbox.receive(message)

    async def taken(self, message: Message) -> Holding:
        """Receive a message and lease it."""
        await self.receive(message)
        holding = await self.house.take(message.thread)
        assert holding is not None
        return holding

    async def said(self, *messages: Message) -> list[str]:
        """Receive messages and see them through; returns all that people see by then."""
        await self.receive(*messages)
        for thread in {message.thread for message in messages}:
            await self.house.work(thread)
        assert await self.outside.queued() == []
        return self.shown

    @property
    def shown(self) -> list[str]:
        return [message.text for message in self.channel.messages]

    def photo(self, identity: str, text: str = "", **more: Any) -> Message:
        """A post with a picture of its own."""
        self.channel.uploads[identity] = encode_image(
            corners_image(64 + len(self.channel.uploads), 48)
        )
        file = Attachment(f"{identity}.jpg", source={"id": identity})
        return replace(POST, id=identity, text=text, attachments=(file,), **more)


def command(text: str, identity: str = "c1", **more: Any) -> Message:
    return replace(POST, id=identity, text=text, **more)
