"""A desk with the rooms behind it, and what stands outside: a store, a platform, a model."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from fakeredis import FakeAsyncRedis, FakeServer
from obstore.store import MemoryStore

from adapters.blobs import BlobStore
from adapters.redis.history import RedisHistory
from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot.composer import Composer
from bot.controls import Controls
from bot.desk import Desk
from bot.gallery import Gallery
from bot.illustrations import Illustrations
from bot.inbox import Inbox
from bot.mailbox import Lease
from bot.preferences import Deployment, Preferences
from bot.settings import Limits
from bot.sights import Sights
from bot.threads import Thread
from bot.turn import Turns
from bot.worker import Holding
from tests.fakes import FakeChannel, FakeVision, SameProcess, ScriptedModel, cinema
from tests.fuse import Fuse, Fused, FusedModel, Killed

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from bot.history import Past
    from bot.mailbox import Mailbox, Receipt
    from bot.messages import Message
    from bot.model import Model

THREAD = Thread("fake", "tenant", "conversation")
DEPLOYMENT = Deployment("Be brief.", ("gpt-test", "gpt-other"), {})


class Outside:
    """What outlives a process, seen without any fuse."""

    def __init__(
        self, folder: Path, model: Model | None = None, limits: Limits | None = None, **can: Any
    ) -> None:
        self._server = FakeServer()
        self.folder = folder
        self.limits = limits or Limits(burst_seconds=0, burst_max_seconds=0)
        self.channel = FakeChannel(**{"pace": 0, **can})
        self.model: Any = model or ScriptedModel()
        self.vision = FakeVision()
        self.store = MemoryStore()
        self.blobs = BlobStore(self.store)
        self.redis = self.connect()
        self.mailbox = RedisMailbox(self.redis, self.limits)
        self.history = RedisHistory(self.redis, self.limits)
        self.receipts: list[Receipt] = []
        self.inbox = Inbox(self.mailbox, self.history, self._note, self.limits)

    async def _note(self, message: Message, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def connect(self) -> Redis:
        redis: Redis = FakeAsyncRedis(server=self._server, protocol=2, decode_responses=True)
        return redis

    async def past(self, thread: Thread = THREAD) -> Past:
        return await self.history.past(thread)

    async def queued(self) -> list[str]:
        """The keys of what waits, is worked on or half sent."""
        kinds = ("ready", "slips", "mail", "lease", "sends")
        return [
            key for key in await self.redis.keys("*") if any(f":{kind}" in key for kind in kinds)
        ]


class House:
    """One process: everything in it reaches outside through its fuse."""

    def __init__(self, outside: Outside, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.holding: Holding | None = None
        limits = outside.limits
        redis = outside.connect()
        self.mailbox: Mailbox = Fused(RedisMailbox(redis, limits), self.fuse)  # type: ignore[assignment]
        history: Any = Fused(outside.history, self.fuse)
        blobs: Any = Fused(outside.blobs, self.fuse)
        channel: Any = Fused(outside.channel, self.fuse)
        children: Any = SameProcess()
        preferences = Preferences(history, DEPLOYMENT)
        vision: Any = Fused(outside.vision, self.fuse)
        gallery = Gallery(children, blobs, limits, outside.folder)
        footage, films = cinema(children, blobs, gallery, limits, vision)
        composer = Composer(gallery, Sights(vision, gallery, limits), films, limits, {})
        turns = Turns(FusedModel(outside.model, self.fuse), gallery, footage, composer, limits)
        controls = Controls(history, preferences, gallery)
        channels = {"fake": channel}
        self.desk = Desk(
            self.mailbox,
            history,
            preferences,
            controls,
            turns,
            Illustrations(gallery, footage),
            channels,
            limits,
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
        with contextlib.suppress(Killed):
            while holding := await self.take(thread):
                async with asyncio.timeout(10):
                    await self.desk.handle(holding)
