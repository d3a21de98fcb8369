"""A desk with the rooms behind it, and what stands outside: a store, a platform, a model."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from fakeredis import FakeAsyncRedis, FakeServer
from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from adapters.redis.history import RedisHistory
from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot.attachments.store import AttachmentStore
from bot.commands.executor import CommandExecutor
from bot.commands.preferences import Preferences
from bot.commands.registry import COMMANDS, GRAMMAR
from bot.domain.preferences import Deployment
from bot.domain.threads import Thread
from bot.ports.mailbox import Lease
from bot.queue.holding import Holding
from bot.queue.inbox import Inbox
from bot.replies.pictures import ReplyPictures
from bot.turn.dispatcher import Dispatcher
from tests.helpers.crash_injection import CrashingModel, CrashInjector, CrashProxy, ProcessKilled
from tests.helpers.fakes import (
    FakeChannel,
    FakeVision,
    InProcessSandbox,
    ScriptedModel,
    build_video_parts,
)
from tests.helpers.limits import limits_of
from tests.helpers.turn_parts import TurnParts

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from bot.domain.history import ThreadHistory
    from bot.domain.messages import Message
    from bot.limits import Limits
    from bot.ports.mailbox import Mailbox, Receipt
    from bot.ports.model import Model

THREAD = Thread("fake", "tenant", "conversation")
DEPLOYMENT = Deployment("Be brief.", ("gpt-test", "gpt-other"), {})


class Surroundings:
    """What outlives a process, seen without any fuse."""

    def __init__(
        self, folder: Path, model: Model | None = None, limits: Limits | None = None, **can: Any
    ) -> None:
        self._server = FakeServer()
        self.folder = folder
        self.limits = limits or limits_of(burst_seconds=0, burst_max_seconds=0)
        self.channel = FakeChannel(**{"pace": 0, **can})
        self.model: Any = model or ScriptedModel()
        self.vision = FakeVision()
        self.store = MemoryStore()
        self.blobs = BlobStore(self.store)
        self.redis = self.connect()
        self.mailbox = RedisMailbox(
            self.redis, self.limits.messages, self.limits.workers, self.limits.retention
        )
        self.history = RedisHistory(self.redis, self.limits.retention)
        self.receipts: list[Receipt] = []
        self.inbox = Inbox(self.mailbox, self.history, GRAMMAR, self._note, self.limits.messages)

    async def _note(self, message: Message, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def connect(self) -> Redis:
        redis: Redis = FakeAsyncRedis(server=self._server, protocol=2, decode_responses=True)
        return redis

    async def past(self, thread: Thread = THREAD) -> ThreadHistory:
        return await self.history.past(thread)

    async def queued(self) -> list[str]:
        """The keys of what waits, is worked on or half sent."""
        kinds = ("ready", "slips", "mail", "lease", "sends")
        return [
            key for key in await self.redis.keys("*") if any(f":{kind}" in key for kind in kinds)
        ]


class DispatcherProcess:
    """One process: everything in it reaches outside through its fuse."""

    def __init__(self, outside: Surroundings, fuse: CrashInjector | None = None) -> None:
        self.fuse = fuse or CrashInjector()
        self.holding: Holding | None = None
        limits = outside.limits
        redis = outside.connect()
        self.mailbox: Mailbox = CrashProxy(
            RedisMailbox(redis, limits.messages, limits.workers, limits.retention), self.fuse
        )  # type: ignore[assignment]
        history: Any = CrashProxy(outside.history, self.fuse)
        blobs: Any = CrashProxy(outside.blobs, self.fuse)
        channel: Any = CrashProxy(outside.channel, self.fuse)
        children: Any = InProcessSandbox()
        preferences = Preferences(history, DEPLOYMENT)
        vision: Any = CrashProxy(outside.vision, self.fuse)
        gallery = AttachmentStore(children, blobs, limits.files, outside.folder)
        footage, films = build_video_parts(children, blobs, gallery, limits, vision)
        parts = TurnParts(gallery, vision, films, limits)
        turns = parts.runner(CrashingModel(outside.model, self.fuse), footage)
        commands = CommandExecutor(history, preferences, gallery, COMMANDS)
        channels = {"fake": channel}
        self.desk = Dispatcher(
            self.mailbox,
            history,
            preferences,
            commands,
            turns,
            ReplyPictures(gallery, footage),
            channels,
            limits.files,
            limits.messages,
        )

    async def take(self, thread: Thread = THREAD) -> Holding | None:
        """Lease what is ready in the lane of a thread, as the worker does."""
        lease = await self.mailbox.take(lane_of(thread.key))
        if not isinstance(lease, Lease):
            return None
        self.holding = Holding(lease)
        self.holding.stop_up_to(lease.stop)
        self.holding.withdraw()
        return self.holding

    async def work(self, thread: Thread = THREAD) -> None:
        """See everything through that is ready in the lane of a thread, or die of the fuse."""
        with contextlib.suppress(ProcessKilled):
            while holding := await self.take(thread):
                async with asyncio.timeout(10):
                    await self.desk.handle(holding)
