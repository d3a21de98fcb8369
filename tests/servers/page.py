"""The local page on a loopback port, with a scripted bot behind it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from adapters.blobs.build import open_blobs
from adapters.blobs.settings import MediaSettings
from adapters.chat.declaration import RunningChannel
from adapters.page.build import open_page
from adapters.page.settings import PageSettings
from bot.domain.messages import Message
from bot.domain.preferences import EffectiveSettings
from bot.errors import StoreDown
from bot.ports.channel import Button, Post, Stage
from bot.settings import Sections
from tests.helpers.channel_services import MODELS, services_of
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from redis.asyncio import Redis

    from adapters.page.channel import PageChannel
    from bot.domain.threads import Thread

SYSTEM = "You are an AI assistant that helps people find information."
PIECES = ("A red car ", "stands by the road. ", "Its plate reads **KRW 301**.")


@dataclass
class ScriptedBot:
    """Answers what the page posts, as slowly as a test wants.

    Every text of an answer waits for a `step` while `held`; commands are answered at once.
    """

    pieces: tuple[str, ...] = PIECES
    held: bool = False
    down: bool = False
    accepted: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    transcript: str = ""
    file: bytes = b""

    def __post_init__(self) -> None:
        self.channel: PageChannel | None = None
        self.state = {
            "system": SYSTEM,
            "model": "gpt-4o",
            "vision": True,
        }
        self.transcript = json.dumps([{"role": "system", "content": [SYSTEM]}])
        self._seen: set[str] = set()
        self._steps = asyncio.Semaphore(0)
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending = ""

    @property
    def texts(self) -> list[str]:
        """The words of all messages that were accepted."""
        return [message.text for message in self.accepted]

    def step(self, count: int = 1) -> None:
        """Let a held answer show its next texts."""
        for _ in range(count):
            self._steps.release()

    async def settings_in_effect(self, thread: Thread) -> EffectiveSettings:
        state = self.state
        return EffectiveSettings(state["system"], state["model"], vision=state["vision"])

    async def accept(self, message: Message) -> None:
        if self.down:
            raise StoreDown
        if message.dedup in self._seen:
            return
        self._seen.add(message.dedup)
        self.accepted.append(message)
        work = self._obey if message.text.startswith("/") else self._answer
        task = asyncio.create_task(work(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _post(self, message: Message, post: Post) -> str:
        assert self.channel
        return await self.channel.post(message.address, post)

    async def _answer(self, message: Message) -> None:
        assert self.channel
        self._stop.clear()
        count = len(message.attachments)
        opening = (
            f"Looking at {count} photo{'s' * (count != 1)}…" if count else "Thinking about it…"
        )
        message_id = await self._post(message, Post(opening, Stage.OPENING, live=True))
        text = ""
        for piece in self.pieces:
            if await self._stopped():
                text += "\n\n*Stopped.*"
                break
            text += piece
            post = Post(text, Stage.GROWING, live=True, is_generated=True)
            await self.channel.edit(message.address, message_id, post)
        is_stopped = self._stop.is_set()
        await self.channel.edit(
            message.address, message_id, Post(text, is_generated=True, is_stopped=is_stopped)
        )

    async def _stopped(self) -> bool:
        """Wait for the next step; tells whether the user's Stop came first."""
        if self.held:
            waits = [
                asyncio.create_task(self._steps.acquire()),
                asyncio.create_task(self._stop.wait()),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
        return self._stop.is_set()

    async def _obey(self, message: Message) -> None:
        name, _, argument = message.text[1:].partition(" ")
        if name == "stop":
            self._stop.set()
        elif name == "json" and self.file:
            assert self.channel
            await self._post(message, Post("The transcript is too long, so here it is as a file."))
            await self.channel.send_file(
                message.address, "transcript.json", "application/json", self.file
            )
            return
        response = getattr(self, f"_{name}")(argument) if name != "stop" else "Stopped."
        buttons = (
            (Button("Continue", "/system continue"), Button("Cancel", "/system cancel"))
            if response.startswith("Change")
            else ()
        )
        await self._post(message, Post(response, buttons=buttons))

    def _json(self, argument: str) -> str:
        return f"```json\n{self.transcript}\n```"

    def _system(self, argument: str) -> str:
        if argument == "continue":
            self.state["system"] = self._pending
            return "The new system message applies in this chat from the next answer."
        if argument == "cancel":
            return "The system message stays as it is."
        self._pending = argument
        return (
            f"Change the system message in this chat?\n\nNow:\n\n> {self.state['system']}\n\n"
            f"New:\n\n> {argument}\n\nIt applies from the next answer. "
            "The conversation so far is kept."
        )

    def _model(self, argument: str) -> str:
        self.state["model"] = argument
        return f"`{argument}` will answer in this chat from the next question."

    def _vision(self, argument: str) -> str:
        self.state["vision"] = argument == "on"
        return f"Vision is now {argument} in this chat."


@dataclass
class ServedPage:
    """A page that is served: where, with which token, and by which bot."""

    page: RunningChannel
    bot: ScriptedBot
    origin: str
    address: str

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.address).query)["token"][0]


@asynccontextmanager
async def serve(
    redis: Redis, folder: Path, port: int = 0, **limits: Any
) -> AsyncIterator[ServedPage]:
    """Serve a page on a loopback port until the block ends."""
    bot = ScriptedBot()
    blobs = open_blobs(MediaSettings(), folder)
    services = services_of(
        bot.accept,
        redis=redis,
        blobs=blobs,
        limits=limits_of(**limits),
        settings_in_effect=bot.settings_in_effect,
        models=MODELS,
        spool=folder,
    )
    async with (
        open_page(Sections([PageSettings()]), services) as page,
        _served(page, port) as origin,
    ):
        bot.channel = page.channel
        address = await page.link("127.0.0.1", int(origin.rpartition(":")[2]))
        try:
            yield ServedPage(page, bot, origin, address)
        finally:
            await bot.close()


@asynccontextmanager
async def _served(page: RunningChannel, port: int) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(page.routes)
    app.on_shutdown.append(lambda _: page.before_shutdown())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
