"""Conversations on the local page, by the requests that its scripts make."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from adapters.page.channel import thread_of
from tests.helpers.conversation import ShownMessage
from tests.helpers.teams_chat import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.domain.threads import Thread
    from tests.helpers.conversation import File
    from tests.helpers.running_bot import RunningBot

Notes = dict[str, dict[str, Any]]


class PageConversation:
    """A conversation in the browser, which one person has."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client
        self.conversation = secrets.token_hex(16)
        self._last = ""

    @property
    def thread(self) -> Thread:
        return thread_of(self.conversation)

    async def post(self, text: str, *files: File, by: str = "Alex", mention: bool = True) -> None:
        refs = [await self._upload(file) for file in files]
        self._last = str(uuid.uuid4())
        await self.send(text, id=self._last, files=refs)

    async def attach(self, text: str, file: File) -> None:
        await self.post(text, file)

    async def edit(self, text: str) -> None:
        """Post under the same id, as the page itself never does."""
        await self.send(text, id=self._last)

    async def send(self, text: str, **more: Any) -> None:
        message = {"conversation": self.conversation, "id": str(uuid.uuid4()), "text": text}
        async with self._client.post("/page/messages", json={**message, **more}) as response:
            assert response.status == 202, await response.text()

    async def _upload(self, file: File) -> str:
        path, headers = f"/page/files?conversation={self.conversation}", {"X-File-Name": file.name}
        async with self._client.post(path, data=file.data, headers=headers) as response:
            return str((await response.json())["ref"])

    async def press(self, title: str) -> None:
        buttons = [one for note in await self.notes() for one in note["buttons"]]
        await self.send(next(one["command"] for one in buttons if one["title"] == title))

    async def stop(self) -> None:
        await self.send("/stop", quiet=True)

    async def until(self, text: str) -> None:
        async with asyncio.timeout(TIMEOUT):
            async for notes in self._changes():
                if any(text in note["text"] for note in _of_loupe(notes)):
                    return

    async def messages(self) -> list[ShownMessage]:
        return [
            ShownMessage(note["text"], tuple(button["title"] for button in note["buttons"]))
            for note in await self.notes()
            if note["text"]
        ]

    async def is_streamed(self) -> bool:
        path = f"/page/stream?conversation={self.conversation}"
        async with self._client.get(path) as response:
            return response.content_type == "text/event-stream"

    async def pictures(self) -> int:
        return sum(note["picture"] is not None for note in await self.notes())

    async def files(self) -> dict[str, bytes]:
        found = [file for note in await self.notes() for file in note["files"]]
        return {file["name"]: await self._blob(file["ref"]) for file in found}

    async def _blob(self, ref: str) -> bytes:
        async with self._client.get(f"/page/blob/{self.conversation}/{ref}") as response:
            return await response.read()

    async def notes(self) -> list[dict[str, Any]]:
        """The notes of Loupe's that stand in the conversation now."""
        async with asyncio.timeout(TIMEOUT):
            async for notes in self._changes():
                return _of_loupe(notes)
        raise AssertionError

    async def _changes(self) -> AsyncIterator[Notes]:
        """Read all notes, and again after each change."""
        notes: Notes = {}
        path = f"/page/stream?conversation={self.conversation}"
        async with self._client.get(path) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    changed = json.loads(line.removeprefix(b"data: "))["notes"]
                    notes |= {note["id"]: note for note in changed}
                    yield notes


def _of_loupe(notes: Notes) -> list[dict[str, Any]]:
    said = (note for note in notes.values() if note["by"] == "loupe" and not note["quiet"])
    return sorted(said, key=lambda note: int(note["order"]))


class PageSetup:
    """The local page, as a browser with its cookie has it."""

    def __init__(self, bot: RunningBot, client: aiohttp.ClientSession) -> None:
        self.bot = bot
        self._client = client

    def private(self) -> PageConversation:
        return PageConversation(self._client)

    def shared(self, beside: Any = None) -> PageConversation:
        raise NotImplementedError("one person has the page")


@asynccontextmanager
async def page_setup(bot: RunningBot) -> AsyncIterator[PageSetup]:
    """Open the page by its printed address."""
    jar = aiohttp.CookieJar(unsafe=True)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=TIMEOUT)
    async with aiohttp.ClientSession(bot.origin, cookie_jar=jar, timeout=timeout) as client:
        async with client.get(bot.address) as response:
            assert response.status == 200
        yield PageSetup(bot, client)
