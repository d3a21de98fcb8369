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

    sent: str
    shown: Post


class Reply:
    """Shows a turn as it comes about: a placeholder, progress, growing text, the end.

    `kept` is what a predecessor showed of the answer before it died.
    `progress` and `grow` only say what should be seen; a task of its own shows the newest at the
    channel's pace. What was shown of the answer only grows: text that a predecessor showed before
    it died stays, followed by one sentence.
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
        self.kept = ""
        self._want: Post | None = None
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    @property
    def sent(self) -> tuple[str, ...]:
        """The ids of the messages of this reply."""
        return tuple(part.sent for part in self._parts)

    async def open(self, text: str, *, live: bool = True) -> None:
        """Show the placeholder, or take over the one that stands already."""
        post = Post(text, Stage.OPENING, live=live)
        if not self._abilities.edits:
            with contextlib.suppress(DeliveryUnknown):
                await self._sends.channel.post(self._sends.address, post)
            return
        known = await self._sends.open(0, post)
        self._parts.append(_Part(known.id, post))
        if known.shown:
            self.kept = known.shown
        self._pump = asyncio.create_task(self._keep_showing())

    def progress(self, text: str) -> None:
        """Change the placeholder, until there is text of the answer."""
        if not self.kept and (self._want is None or self._want.stage is not Stage.GROWING):
            self._aim(Post(text, Stage.PROGRESS, live=True))

    def grow(self, text: str) -> None:
        """Show the answer so far; each text begins with the one before."""
        self._aim(Post(self._resumed(text), Stage.GROWING, live=True, generated=True))

    def _aim(self, post: Post) -> None:
        self._want = post
        self._changed.set()

    def whole(self, text: str) -> tuple[str, ...]:
        """Cut the final text into the messages that will show it."""
        return tuple(split(self._resumed(text), self._abilities.text_limit))

    def ended(self, alone: str, below: str) -> tuple[str, ...]:
        """Cut a sentence that ends the reply, alone or below what was kept, into messages."""
        text = self._below(below) if self.kept else alone
        return tuple(split(text, self._abilities.text_limit))

    def _resumed(self, text: str) -> str:
        """Put the answer below what was kept."""
        return self._below(f"{texts.RESUMED}\n\n{text}") if self.kept else text

    def _below(self, text: str) -> str:
        closed = closing(self.kept, self._abilities.text_limit)
        return f"{self.kept}{closed}\n\n{text}"

    async def finish(self, texts_of_parts: Sequence[str], last: Post) -> None:
        """Show the final texts, one message each; `last` says how they are marked."""
        await self._still()
        finals = [replace(last, text=text, stopped=False) for text in texts_of_parts[:-1]]
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
        self._changed.set()
        if self._pump is not None:
            await self._pump

    async def _keep_showing(self) -> None:
        while True:
            await self._clock.wait(self._ending, self._abilities.pace)
            await self._changed.wait()
            self._changed.clear()
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
        await self._sends.remember(self._parts[0].sent, post.text if growing else "")
        if not growing:
            await self._edit(0, post)
            return
        parts = split(post.text, self._abilities.text_limit)
        for index, text in enumerate(parts):
            await self._open_part(index)
            stage = Stage.GROWING if index == len(parts) - 1 else Stage.FINAL
            await self._edit(index, Post(text, stage, live=True, generated=True))

    async def _open_part(self, index: int) -> None:
        if index == len(self._parts):
            opening = Post(texts.MORE, Stage.OPENING, live=True)
            known = await self._sends.open(index, opening)
            self._parts.append(_Part(known.id, opening))

    async def _edit(self, index: int, post: Post) -> None:
        part = self._parts[index]
        if post == part.shown:
            return
        await self._sends.channel.edit(self._sends.address, part.sent, post)
        part.shown = post
