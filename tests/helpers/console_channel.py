"""A small channel that exists for tests only: people type at consoles, alone or in rooms.

It shows what adding a channel takes: a `Channel` and a `ChannelDeclaration`, and no change
anywhere else.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.chat.declaration import ChannelDeclaration, Connection, RunningChannel
from bot.domain.messages import Attachment, Author, Message
from bot.domain.threads import Thread
from bot.media.size_limits import check_file
from bot.ports.channel import Capabilities, Stage
from tests.helpers.conversation import ShownMessage
from tests.helpers.teams_chat import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from adapters.chat.declaration import ChannelServices
    from bot.domain.size_limits import SizeLimits
    from bot.ports.channel import PictureAttachment, Post
    from bot.settings import Sections
    from tests.helpers.conversation import File
    from tests.helpers.running_bot import RunningBot

NAME = "console"
PLACES = {"console": Capabilities(pace=0.01, text_limit=2_000, files=True, pictures=True)}

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class ConsoleAddress:
    """The key of the thread whose screen is written to."""

    screen: str


class Console:
    """What stands on the screens, by the keys of their threads, and the files that people lent."""

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, Post]] = defaultdict(dict)
        self.pictures: dict[str, list[PictureAttachment]] = defaultdict(list)
        self.files: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.lent: dict[str, bytes] = {}
        self.services: ChannelServices | None = None

    @property
    def declaration(self) -> ChannelDeclaration:
        return ChannelDeclaration(
            name=NAME,
            title="Console",
            places=PLACES,
            connection=lambda _: Connection.LOCAL,
            read_address=lambda fields: ConsoleAddress(**fields),
            open=self._open,
        )

    @asynccontextmanager
    async def _open(self, _: Sections, services: ChannelServices) -> AsyncIterator[RunningChannel]:
        self.services = services
        yield RunningChannel(ConsoleChannel(self))


class ConsoleChannel:
    """Writes to the screens; an address names one."""

    name = NAME

    def __init__(self, console: Console) -> None:
        self._console = console

    def capabilities(self, address: ConsoleAddress) -> Capabilities:
        return PLACES["console"]

    async def post(self, address: ConsoleAddress, post: Post) -> str:
        number = str(next(_numbers))
        await self.edit(address, number, post)
        return number

    async def edit(self, address: ConsoleAddress, message_id: str, post: Post) -> None:
        self._console.texts[address.screen][message_id] = post

    async def send_file(
        self, address: ConsoleAddress, name: str, media_type: str, data: bytes
    ) -> None:
        self._console.files[address.screen][name] = data

    async def send_picture(self, address: ConsoleAddress, picture: PictureAttachment) -> None:
        self._console.pictures[address.screen].append(picture)

    async def fetch(
        self, address: ConsoleAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        await asyncio.to_thread(into.write_bytes, self._console.lent[file.source["number"]])
        await asyncio.to_thread(check_file, allowance, into)
        return True

    async def run_task(self, message: Message) -> None:
        raise NotImplementedError("the console has no work of its own")

    async def add_details(self, message: Message) -> Message:
        return message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...]:
        return ()


class ConsoleConversation:
    """What people type at one screen; `room` is where several write, empty for one person."""

    def __init__(self, console: Console, room: str = "") -> None:
        self._console = console
        self.room = room
        self._conversation = room or f"alone-{next(_numbers)}"
        self._root = ""

    @property
    def thread(self) -> Thread:
        return Thread(NAME, "local", self._conversation, self._root)

    async def post(self, text: str, *files: File, by: str = "Alex", mention: bool = True) -> None:
        assert self._console.services
        number = f"post-{next(_numbers)}"
        opening = not (self.room and self._root)
        if self.room:
            self._root = self._root or number
        message = Message(
            id=number,
            thread=self.thread,
            author=Author(by.lower(), by),
            text=text,
            attachments=tuple(map(self._lend, files)),
            address=ConsoleAddress(self.thread.key),
            addressed=mention or not self.room,
            shared=bool(self.room),
            opening=opening,
            at=time.time(),
        )
        await self._console.services.accept(message)

    def _lend(self, file: File) -> Attachment:
        number = str(next(_numbers))
        self._console.lent[number] = file.data
        return Attachment(file.name, source={"number": number})

    async def press(self, title: str) -> None:
        posts = self._console.texts[self.thread.key].values()
        await self.post(next(b.command for post in posts for b in post.buttons if b.title == title))

    async def until(self, text: str) -> None:
        async with asyncio.timeout(TIMEOUT):
            while not any(text in message.text for message in await self.messages()):
                await asyncio.sleep(0.01)

    async def messages(self) -> list[ShownMessage]:
        return [
            ShownMessage(post.text, tuple(button.title for button in post.buttons))
            for post in self._console.texts[self.thread.key].values()
            if post.text and post.stage in {Stage.GROWING, Stage.FINAL}
        ]

    async def pictures(self) -> int:
        return len(self._console.pictures[self.thread.key])

    async def files(self) -> dict[str, bytes]:
        return self._console.files[self.thread.key]


class ConsoleSetup:
    """The console of a running bot."""

    def __init__(self, bot: RunningBot, console: Console) -> None:
        self.bot = bot
        self._console = console

    def private(self) -> ConsoleConversation:
        return ConsoleConversation(self._console)

    def shared(self, beside: ConsoleConversation | None = None) -> ConsoleConversation:
        return ConsoleConversation(self._console, beside.room if beside else f"r{next(_numbers)}")
