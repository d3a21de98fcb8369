"""The page as a channel: posts are stored as messages, files go into the blob store."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from adapters.page.messages import MessageFile, MessagePicture, PageMessage
from bot.clock import Clock
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason, StoreDown
from bot.media.size_limits import check_file
from bot.ports.channel import Capabilities, DeliveryUnknown
from bot.retry import AttemptFailed, Backoff, RetryBudget, RetryPolicy, retrying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from adapters.page.messages import MessageStore
    from bot.domain.messages import Attachment, Message
    from bot.domain.size_limits import SizeLimits
    from bot.ports.blobs import Blobs
    from bot.ports.channel import PictureAttachment, Post

NAME = "page"
TENANT = "local"
PLACE = "local page"
PLACES: Mapping[str, Capabilities] = {
    PLACE: Capabilities(
        pace=0.15, text_limit=100_000, files=True, pictures=True, streams=True, stop_button=True
    )
}
"""What can be done in each kind of place; the page has only one."""

RETRY_POLICY = RetryPolicy(tries=4, backoff=Backoff(first=0.2, jitter=(0.75, 1.25)))
"""For writes while the store is down: gives up after about a second and a half."""

T = TypeVar("T")


def thread_of(conversation: str) -> Thread:
    """Return the thread of a conversation of the page."""
    return Thread(NAME, TENANT, conversation)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A conversation, and the id of the message that is answered, as `asks`.

    `quiet`: a control of the page sent that message, so neither it nor the reply is shown.
    """

    conversation: str
    asks: str
    quiet: bool


_ADDRESS = TypeAdapter(PageAddress)


def read_address(fields: Mapping[str, Any]) -> PageAddress:
    """Read a stored address; raises `ValidationError`."""
    return _ADDRESS.validate_python(fields)


class PageChannel:
    """Implements `bot.ports.channel.Channel`.

    Messages get their ids before they are written, so that every write is safe to repeat.
    """

    name = NAME

    def __init__(self, messages: MessageStore, blobs: Blobs) -> None:
        self._messages = messages
        self._blobs = blobs

    def capabilities(self, address: PageAddress) -> Capabilities:
        """Return what the page can do."""
        return PLACES[PLACE]

    async def post(self, address: PageAddress, post: Post) -> str:
        """Store a message and return its id; raises `DeliveryUnknown` if the store stays down."""
        message_id = "b" + secrets.token_hex(12)
        await self.edit(address, message_id, post)
        return message_id

    async def edit(self, address: PageAddress, message_id: str, post: Post) -> None:
        """Change a message, or store it again; raises `DeliveryUnknown` if the store stays down."""
        message = PageMessage(
            id=message_id,
            by="loupe",
            text=post.text,
            stage=post.stage,
            asks=address.asks,
            quiet=address.quiet,
            generated=post.is_generated,
            stopped=post.is_stopped,
            buttons=post.buttons,
            citations=post.citations,
        )
        await _persist(lambda: self._messages.put(address.conversation, message))

    async def send_file(
        self, address: PageAddress, name: str, media_type: str, data: bytes
    ) -> None:
        """Store a file and a message that links to it; raises `DeliveryUnknown`."""
        file = await self._save(address, name, data)
        await self._reply(address, PageMessage("b" + file.ref, "loupe", files=(file,)))

    async def send_picture(self, address: PageAddress, picture: PictureAttachment) -> None:
        """Store the photo or the frames and a message in which the page draws their outlines.

        Raises `DeliveryUnknown`.
        """
        message = PageMessage(
            "b" + secrets.token_hex(12), "loupe", picture=await self._save_picture(address, picture)
        )
        await self._reply(address, message)

    async def _save_picture(
        self, address: PageAddress, picture: PictureAttachment
    ) -> MessagePicture:
        """Store the photo, or instead of a contact sheet each of its frames."""
        if not picture.frames:
            file = await self._save(address, picture.name, picture.photo, "image/jpeg")
            return MessagePicture(file.ref, picture.name, picture.alt, picture.outlines)
        files = [await self._save(address, f.name, f.jpeg, "image/jpeg") for f in picture.frames]
        frames = tuple(
            MessagePicture(file.ref, frame.name, frame.alt, frame.outlines)
            for file, frame in zip(files, picture.frames, strict=True)
        )
        return MessagePicture("", picture.name, picture.alt, frames=frames)

    async def _save(
        self, address: PageAddress, name: str, data: bytes, media_type: str = ""
    ) -> MessageFile:
        """Store a file under a new ref."""
        conversation, ref = address.conversation, secrets.token_hex(16)
        blob = f"{thread_of(conversation).key}/files/{ref}"
        file = MessageFile(ref, blob, name, len(data), media_type)
        await _persist(lambda: self._blobs.put(blob, data))
        await _persist(lambda: self._messages.add_file(conversation, file))
        return file

    async def _reply(self, address: PageAddress, message: PageMessage) -> None:
        """Store a message as an answer to the one that the address names."""
        reply = replace(message, asks=address.asks, quiet=address.quiet)
        await _persist(lambda: self._messages.put(address.conversation, reply))

    async def fetch(
        self, address: PageAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Copy an upload, whose type was checked on arrival, to `into`; raises `FileProblem`."""
        if not await self._blobs.save(file.source["blob"], into):
            raise FileProblem(Reason.GONE)
        await asyncio.to_thread(check_file, allowance, into)
        return True

    async def run_task(self, message: Message) -> None:
        """Do nothing: the page has no background tasks."""

    async def add_details(self, message: Message) -> Message:
        """Return the message as it is: the page leaves nothing out."""
        return message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...]:
        """Return no messages: the history has them all."""
        return ()


async def _persist(write: Callable[[], Awaitable[T]]) -> T:
    """Retry a write that is safe to repeat; raises `DeliveryUnknown` if all attempts fail."""

    async def attempt() -> T:
        try:
            return await write()
        except StoreDown as error:
            raise AttemptFailed(DeliveryUnknown(str(error)), retry=True) from error

    return await retrying(attempt, RetryBudget(RETRY_POLICY, Clock()), "page_not_written")
