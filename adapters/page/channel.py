"""The page as a channel: posts go onto the wall, files into the blob store."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from adapters.page.notes_store import Note, NoteFile, NotePicture
from bot.clock import Clock
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason, StoreDown
from bot.media.size_limits import check_file
from bot.ports.channel import Capabilities, DeliveryUnknown
from bot.retry import AttemptFailed, Backoff, RetryBudget, RetryPolicy, retrying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from adapters.page.notes_store import NotesStore
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
"""What can be done where, as the documentation tells it: on the page, everywhere the same."""

RETRY_POLICY = RetryPolicy(tries=4, backoff=Backoff(first=0.2, jitter=(0.75, 1.25)))
"""Of writes while the store is down: within about a second and a half."""

T = TypeVar("T")


def thread_of(conversation: str) -> Thread:
    """Name the thread of a conversation of the page."""
    return Thread(NAME, TENANT, conversation)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The conversation, and the id of the message that is answered.

    `quiet` when a control of the page sent it.
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

    Notes are named before they are written, so that every write is safe to repeat.
    """

    name = NAME

    def __init__(self, wall: NotesStore, blobs: Blobs) -> None:
        self._wall = wall
        self._blobs = blobs

    def capabilities(self, address: PageAddress) -> Capabilities:
        """Return what the page can do."""
        return PLACES[PLACE]

    async def post(self, address: PageAddress, post: Post) -> str:
        """Put up a note and return its id; raises `DeliveryUnknown` when the store stays down."""
        message_id = "b" + secrets.token_hex(12)
        await self.edit(address, message_id, post)
        return message_id

    async def edit(self, address: PageAddress, message_id: str, post: Post) -> None:
        """Change a note, or put it up again; raises `DeliveryUnknown` when the store stays down."""
        note = Note(
            id=message_id,
            by="loupe",
            text=post.text,
            stage=post.stage,
            asks=address.asks,
            quiet=address.quiet,
            generated=post.generated,
            stopped=post.stopped,
            buttons=post.buttons,
            citations=post.citations,
        )
        await _persist(lambda: self._wall.put(address.conversation, note))

    async def send_file(
        self, address: PageAddress, name: str, media_type: str, data: bytes
    ) -> None:
        """Store a file and put up a note to download it by; raises `DeliveryUnknown`."""
        file = await self._keep(address, name, data)
        await self._put_up(address, Note("b" + file.ref, "loupe", files=(file,)))

    async def send_picture(self, address: PageAddress, picture: PictureAttachment) -> None:
        """Store the photo or the frames and put up a note, in which the page draws the outlines.

        Raises `DeliveryUnknown`.
        """
        shown = await self._shown(address, picture)
        await self._put_up(address, Note("b" + secrets.token_hex(12), "loupe", picture=shown))

    async def _shown(self, address: PageAddress, picture: PictureAttachment) -> NotePicture:
        """Store what the page shows of a picture: the photo, or each frame instead of the sheet."""
        if not picture.frames:
            file = await self._keep(address, picture.name, picture.photo, "image/jpeg")
            return NotePicture(file.ref, picture.name, picture.alt, picture.outlines)
        files = [await self._keep(address, f.name, f.jpeg, "image/jpeg") for f in picture.frames]
        frames = tuple(
            NotePicture(file.ref, frame.name, frame.alt, frame.outlines)
            for file, frame in zip(files, picture.frames, strict=True)
        )
        return NotePicture("", picture.name, picture.alt, frames=frames)

    async def _keep(
        self, address: PageAddress, name: str, data: bytes, media_type: str = ""
    ) -> NoteFile:
        """Store a file under a ref of its own."""
        conversation, ref = address.conversation, secrets.token_hex(16)
        blob = f"{thread_of(conversation).key}/files/{ref}"
        file = NoteFile(ref, blob, name, len(data), media_type)
        await _persist(lambda: self._blobs.put(blob, data))
        await _persist(lambda: self._wall.add_file(conversation, file))
        return file

    async def _put_up(self, address: PageAddress, note: Note) -> None:
        """Put up a note that answers what the address says."""
        answering = replace(note, asks=address.asks, quiet=address.quiet)
        await _persist(lambda: self._wall.put(address.conversation, answering))

    async def fetch(
        self, address: PageAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Copy an upload, which was judged when it came, to `into`; raises `FileProblem`."""
        if not await self._blobs.save(file.source["blob"], into):
            raise FileProblem(Reason.GONE)
        await asyncio.to_thread(check_file, allowance, into)
        return True

    async def run_task(self, message: Message) -> None:
        """Do nothing: the page has no work of its own."""

    async def add_details(self, message: Message) -> Message:
        """Leave a message as it is: it came whole."""
        return message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...]:
        """Return no posts: all that were made are in the history."""
        return ()


async def _persist(write: Callable[[], Awaitable[T]]) -> T:
    """Retry a write that is safe to repeat; raises `DeliveryUnknown` at last."""

    async def attempt() -> T:
        try:
            return await write()
        except StoreDown as error:
            raise AttemptFailed(DeliveryUnknown(str(error)), retry=True) from error

    return await retrying(attempt, RetryBudget(RETRY_POLICY, Clock()), "page_not_written")
