"""Makes a question of the messages that are answered together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.domain.question import Question, RequestedFile
from bot.turn.hints import Hints, is_new

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.history import ThreadHistory
    from bot.domain.messages import Message
    from bot.ports.channel import Channel
    from bot.ports.mailbox import Entry


class QuestionBuilder:
    """Builds a question of messages, and asks the channel for what they lack."""

    def __init__(self, channels: Mapping[str, Channel], hints: Hints) -> None:
        self._channels = channels
        self._hints = hints

    async def of(
        self, entries: Sequence[Entry], past: ThreadHistory, *, forgot: bool = False
    ) -> Question:
        """Complete the question: names, files, earlier pictures of the thread, hints.

        With `forgot`, after `/forget`, earlier pictures are not fetched again.
        """
        channel = self._channels[entries[0].message.thread.channel]
        messages = [await channel.add_details(entry.message) for entry in entries]
        first = messages[0]
        before = await self.before(first, past, forgot=forgot)
        return self._question(
            entries[0].seq,
            messages,
            before or (),
            hints=await self._hints.of(first, past, earlier=before is not None),
            photos_only=bool(first.attachments) and not await self._hints.reads_words(first),
        )

    async def before(
        self, message: Message, past: ThreadHistory, *, forgot: bool
    ) -> tuple[Message, ...] | None:
        """Ask for what was posted in a thread before Loupe was first asked there.

        None where the platform cannot list it.
        """
        channel = self._channels[message.thread.channel]
        if not channel.capabilities(message.address).earlier_messages:
            return None
        return (
            await channel.earlier_messages(message) if is_new(message, past) and not forgot else ()
        )

    def known(self, entries: Sequence[Entry]) -> Question:
        """Make of it what is known without asking anybody."""
        return self._question(entries[0].seq, [entry.message for entry in entries])

    def _question(
        self,
        seq: int,
        messages: Sequence[Message],
        before: Sequence[Message] = (),
        *,
        hints: tuple[str, ...] = (),
        photos_only: bool = False,
    ) -> Question:
        """Put messages together; their pictures come after those that stood there before."""
        first = messages[0]
        channel = self._channels[first.thread.channel]
        capabilities = channel.capabilities(first.address)
        files = [
            RequestedFile(
                attachment,
                message.author,
                message.at,
                message.id,
                partial(channel.fetch, message.address),
            )
            for message in (*before, *messages)
            for attachment in message.attachments
        ]
        return Question(
            id=str(seq),
            thread=first.thread,
            words="\n".join(message.text for message in messages if message.text).strip(),
            author=first.author.name,
            at=first.at,
            files=tuple(files),
            messages=tuple(message.id for message in (*before, *messages) if message.id),
            quoted_id=next((message.quoted for message in messages if message.quoted), ""),
            is_shared=first.shared,
            hints=hints,
            photos_only=photos_only,
            prefix=capabilities.prefix,
            links=capabilities.links,
            is_shortened=any(message.shortened for message in messages),
        )
