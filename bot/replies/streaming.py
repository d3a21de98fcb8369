"""A reply that grows: one message edited in place, more only when the text is too long for one."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from bot import strings as texts
from bot.clock import Clock
from bot.ports.channel import (
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    Post,
    Stage,
    StoppedByUser,
)
from bot.text.split import closing, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.ports.channel import Capabilities
    from bot.replies.outbox import Outbox

log = structlog.get_logger()


@dataclass(slots=True)
class _Part:
    """One message of the reply: its id, and what it shows now."""

    id: str
    post: Post


class Reply:
    """Shows the progress of a turn: a placeholder, what is being done, growing text, the end.

    `progress` and `grow` only set what to show; a task of its own sends the newest text at the
    channel's pace. The text of an answer only grows: `earlier_text`, which a predecessor showed
    before it died, stays, and one sentence follows it.
    """

    def __init__(
        self,
        sends: Outbox,
        capabilities: Capabilities,
        stop: asyncio.Event,
        clock: Clock | None = None,
    ) -> None:
        """Take the sends, what the channel can do, and the event that the user's Stop sets.

        The `clock` paces the edits.
        """
        self._clock = clock or Clock()
        self._sends = sends
        self._stop = stop
        self._abilities = capabilities
        self._parts: list[_Part] = []
        self.earlier_text = ""
        self._want: Post | None = None
        self._change = asyncio.Event()
        self._ending = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The ids of the messages of this reply."""
        return tuple(part.id for part in self._parts)

    async def open(self, text: str, *, live: bool = True) -> None:
        """Show the placeholder, or take over the one that stands already."""
        post = Post(text, Stage.OPENING, live=live)
        if not self._abilities.edits:
            with contextlib.suppress(DeliveryUnknown):
                await self._sends.channel.post(self._sends.address, post)
            return
        record = await self._sends.open(0, post)
        self._parts.append(_Part(record.id, post))
        if record.shown:
            self.earlier_text = record.shown
        self._pump = asyncio.create_task(self._keep_showing())

    def progress(self, text: str) -> None:
        """Change the placeholder, until there is text of the answer."""
        if not self.earlier_text and (self._want is None or self._want.stage is not Stage.GROWING):
            self._aim(Post(text, Stage.PROGRESS, live=True))

    def grow(self, text: str) -> None:
        """Show the answer so far; each text begins with the one before."""
        self._aim(Post(self._resumed(text), Stage.GROWING, live=True, is_generated=True))

    def _aim(self, post: Post) -> None:
        self._want = post
        self._change.set()

    def whole(self, text: str) -> tuple[str, ...]:
        """Cut the final text into the messages that will show it."""
        return tuple(split(self._resumed(text), self._abilities.text_limit))

    def ended(self, alone: str, below: str) -> tuple[str, ...]:
        """Cut a sentence that ends the reply, alone or below what was kept, into messages."""
        text = self._below(below) if self.earlier_text else alone
        return tuple(split(text, self._abilities.text_limit))

    def _resumed(self, text: str) -> str:
        """Put the answer below what was kept."""
        return self._below(f"{texts.RESUME_NOTICE}\n\n{text}") if self.earlier_text else text

    def _below(self, text: str) -> str:
        markup_end = closing(self.earlier_text, self._abilities.text_limit)
        return f"{self.earlier_text}{markup_end}\n\n{text}"

    async def finish(self, texts_of_parts: Sequence[str], last: Post) -> None:
        """Show the final texts, one message each; `last` says how they are marked."""
        await self._still()
        finals = [replace(last, text=text, is_stopped=False) for text in texts_of_parts[:-1]]
        for index, post in enumerate([*finals, last]):
            if not self._abilities.edits:
                await self._sends.say(index, post)
            else:
                await self._open_part(index)
                with contextlib.suppress(StoppedByUser):
                    await self._edit(index, post)

    async def close(self) -> None:
        """End the showing, whatever happened."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def _still(self) -> None:
        """Stop the pump after the edit that is under way, so that edits keep their order."""
        self._ending.set()
        self._change.set()
        if self._pump is not None:
            await self._pump

    async def _keep_showing(self) -> None:
        while True:
            await self._clock.wait(self._ending, self._abilities.pace)
            await self._change.wait()
            self._change.clear()
            if self._ending.is_set() or self._want is None:
                return
            try:
                await self._show(self._want)
            except StoppedByUser:
                self._stop.set()
                return
            except (ConversationGone, DeliveryRefused, DeliveryUnknown) as error:
                log.warning("edit_not_shown", error=type(error).__name__)

    async def _show(self, post: Post) -> None:
        growing = post.stage is Stage.GROWING
        await self._sends.remember(self._parts[0].id, post.text if growing else "")
        if not growing:
            await self._edit(0, post)
            return
        parts = split(post.text, self._abilities.text_limit)
        for index, text in enumerate(parts):
            await self._open_part(index)
            stage = Stage.GROWING if index == len(parts) - 1 else Stage.FINAL
            await self._edit(index, Post(text, stage, live=True, is_generated=True))

    async def _open_part(self, index: int) -> None:
        if index == len(self._parts):
            opening = Post(texts.MORE, Stage.OPENING, live=True)
            record = await self._sends.open(index, opening)
            self._parts.append(_Part(record.id, opening))

    async def _edit(self, index: int, post: Post) -> None:
        part = self._parts[index]
        if post == part.post:
            return
        await self._sends.channel.edit(self._sends.address, part.id, post)
        part.post = post
