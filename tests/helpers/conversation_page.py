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

Messages = dict[str, dict[str, Any]]


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
        buttons = [one for message in await self.replies() for one in message["buttons"]]
        await self.send(next(one["command"] for one in buttons if one["title"] == title))

    async def stop(self) -> None:
        await self.send("/stop", quiet=True)

    async def until(self, text: str) -> None:
        async with asyncio.timeout(TIMEOUT):
            async for messages in self._changes():
                if any(text in message["text"] for message in _of_loupe(messages)):
                    return

    async def messages(self) -> list[ShownMessage]:
        return [
            ShownMessage(message["text"], tuple(button["title"] for button in message["buttons"]))
            for message in await self.replies()
            if message["text"]
        ]

    async def is_streamed(self) -> bool:
        path = f"/page/stream?conversation={self.conversation}"
        async with self._client.get(path) as response:
            return response.content_type == "text/event-stream"

    async def pictures(self) -> int:
        return sum(message["picture"] is not None for message in await self.replies())

    async def files(self) -> dict[str, bytes]:
        files = [file for message in await self.replies() for file in message["files"]]
        return {file["name"]: await self._blob(file["ref"]) for file in files}

    async def _blob(self, ref: str) -> bytes:
        async with self._client.get(f"/page/blob/{self.conversation}/{ref}") as response:
            return await response.read()

    async def replies(self) -> list[dict[str, Any]]:
        """Return the messages of Loupe that the conversation shows now."""
        async with asyncio.timeout(TIMEOUT):
            async for messages in self._changes():
                return _of_loupe(messages)
        raise AssertionError

    async def _changes(self) -> AsyncIterator[Messages]:
        """Read all messages, and again after each change."""
        messages: Messages = {}
        path = f"/page/stream?conversation={self.conversation}"
        async with self._client.get(path) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    changes = json.loads(line.removeprefix(b"data: "))["messages"]
                    messages |= {message["id"]: message for message in changes}
                    yield messages


def _of_loupe(messages: Messages) -> list[dict[str, Any]]:
    reply = (
        message
        for message in messages.values()
        if message["by"] == "loupe" and not message["quiet"]
    )
    return sorted(reply, key=lambda message: int(message["order"]))


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
