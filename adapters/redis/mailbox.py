"""The inbox on Redis: leased mailboxes, one per thread, in order and once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from adapters.redis import keys, stored_turns, waiting
from adapters.redis import lua as scripts
from adapters.redis.connection import retrying
from bot.domain.messages import Message
from bot.ports.mailbox import (
    LANES,
    AnsweredTurn,
    Entry,
    Erase,
    Lease,
    LeaseLost,
    LeaseStatus,
    MailboxEvent,
    Receipt,
    SendRecord,
    Submission,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from bot.limits import MessageLimits, RetentionLimits, WorkerLimits

log = structlog.get_logger()

_MESSAGE = TypeAdapter(Message)
_SENT = TypeAdapter(SendRecord)
DAY_MS = 24 * 3600 * 1000
PATIENCE = 30.0
"""Seconds that work which was accepted waits for a store that is away."""

SCRIPTS = {
    "ACCEPT": scripts.ACCEPT,
    "TAKE": scripts.TAKE,
    "GATHER": scripts.GATHER,
    "RENEW": scripts.RENEW,
    "ANSWERED": scripts.ANSWERED,
    "DONE": scripts.DONE,
    "RETRACT": scripts.RETRACT,
    "AGAIN": scripts.AGAIN,
    "BURY": scripts.BURY,
    "PRUNE": scripts.PRUNE,
    "AHEAD": waiting.AHEAD,
    "CLAIM": waiting.CLAIM,
    "RECORD": waiting.RECORD,
}


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


class RedisMailbox:
    """Implements `bot.ports.mailbox.Mailbox` with one Lua script per step."""

    def __init__(
        self,
        redis: Redis,
        messages: MessageLimits,
        workers: WorkerLimits,
        retention: RetentionLimits,
        accept_seconds: float = 1.5,
    ) -> None:
        """Take a client, the limits, and how long to try to accept before `StoreDown`."""
        self._redis = redis
        self._accept_seconds = accept_seconds
        self._messages = messages
        self._lease = _ms(workers.lease_seconds)
        self._dedup = _ms(retention.dedup_hours * 3600)
        self._keep = _ms(retention.retention_days * 24 * 3600)
        self._scripts = {name: redis.register_script(lua) for name, lua in SCRIPTS.items()}

    async def _run(self, name: str, lane: int, *args: Any, within: float = PATIENCE) -> Any:
        script = self._scripts[name]
        return await retrying(
            lambda: script(keys=[keys.ready(lane)], args=[keys.prefix(lane), *args]),
            within=within,
        )

    async def _held(self, name: str, lease: Lease, *args: Any) -> Any:
        return await self._run(name, lease.lane, lease.box, lease.token, lease.generation, *args)

    async def accept(self, letter: Submission) -> Receipt:
        """Deduplicate, append and wake in one step; raises `StoreDown`."""
        message = letter.message
        box = keys.box_of(message.thread.key, express=letter.express)
        verdict, seq = await self._run(
            "ACCEPT",
            keys.lane_of(box),
            box,
            message.dedup or secrets.token_hex(8),
            self._dedup,
            self._messages.max_waiting,
            int(letter.stops),
            hashlib.sha256(message.author.id.encode("utf-8", "replace")).hexdigest()[:16],
            int(letter.gathers),
            int(letter.joins),
            _MESSAGE.dump_json(message),
            self._keep,
            message.id if message.kind == "message" else "",
            message.withdraws,
            message.earlier.dedup if message.withdraws else "",
            within=self._accept_seconds,
        )
        return Receipt(verdict, int(seq))

    async def take(self, lane: int) -> Lease | float | None:
        """Lease the next ready thread of a lane; else seconds until one is ready, or None."""
        token = secrets.token_hex(8)
        reply = await self._run("TAKE", lane, token, self._lease, *self._burst())
        if not reply:
            return None
        if len(reply) == 1:
            return float(reply[0]) / 1000
        try:
            return _lease(lane, token, reply)
        except ValidationError as error:
            await self._discard(lane, token, reply, str(error)[:200])
            return 0.0

    async def _discard(self, lane: int, token: str, reply: list[Any], why: str) -> None:
        """Move messages that cannot be read, such as another version's, to the dead letters."""
        box, generation, places = reply[0], reply[1], reply[6::5]
        log.error("message_unreadable", box=str(box)[:8], why=why)
        dead = json.dumps({"box": box, "places": places, "why": why, "at": time.time()})
        await self._run("BURY", lane, box, token, generation, dead, *places)

    async def gather(self, lease: Lease) -> Lease | None:
        """Read the run again, with what has come since; None when the lease is lost."""
        reply = await self._held("GATHER", lease, *self._burst())
        return _lease(lease.lane, lease.token, reply) if reply else None

    def _burst(self) -> tuple[int, int]:
        return _ms(self._messages.burst_seconds), _ms(self._messages.burst_max_seconds)

    async def renew(self, lease: Lease) -> LeaseStatus:
        """Hold the lease for another term."""
        held, stop, *gone = await self._held("RENEW", lease, self._lease)
        return LeaseStatus(bool(held), int(stop), frozenset(map(int, gone)))

    async def answered(self, lease: Lease, result: AnsweredTurn) -> bool:
        """Store the finished turn before it is shown; False when the lease is lost."""
        return bool(await self._held("ANSWERED", lease, stored_turns.answer_json(result)))

    async def done(
        self, lease: Lease, result: AnsweredTurn | None = None, erase: Erase = "nothing"
    ) -> bool:
        """Commit the turn, pop the run and free the thread in one step; False when lost."""
        stored = stored_turns.answer_fields(result) if result else {}
        photos = [
            part
            for field in ("photos", "videos")
            for file in stored.get(field, ())
            for part in (keys.file_field(file["number"], field), json.dumps(file))
        ]
        return bool(
            await self._held(
                "DONE",
                lease,
                erase,
                json.dumps(stored["turn"]) if result else "",
                json.dumps(stored["request"]) if stored.get("request") else "",
                self._keep,
                len(photos) // 2,
                *photos,
                *_places(lease),
            )
        )

    async def retract(self, lease: Lease, post: str) -> tuple[str, ...]:
        """Forget what a post asked and brought; returns the digests of files to erase.

        Raises `LeaseLost`.
        """
        verdict, *digests = await self._held("RETRACT", lease, post)
        if verdict == "lost":
            raise LeaseLost
        return tuple(map(str, digests))

    async def again(self, lease: Lease, delay: float, *, counts: bool = True) -> bool:
        """Give the thread back, to be taken after `delay` seconds; `counts` as an attempt."""
        return bool(await self._held("AGAIN", lease, _ms(delay), int(counts)))

    async def bury(self, lease: Lease, why: str) -> bool:
        """Move the run to the dead letters and free the thread."""
        dead = {"box": lease.box, "places": _places(lease), "why": why, "at": time.time()}
        return bool(await self._held("BURY", lease, json.dumps(dead), *_places(lease)))

    async def ahead(self, message: Message, seq: int) -> int | None:
        """Count what is before a waiting message; None once it is being worked on or done."""
        box = keys.box_of(message.thread.key, express=False)
        count = int(await self._run("AHEAD", keys.lane_of(box), box, seq))
        return None if count < 0 else count

    async def claim(self, box: str, seq: int, number: int, token: str = "") -> SendRecord | None:
        """Store the intent of send `number` and return None, or what is recorded of it already.

        Without a token the claim is made only while the message waits. Raises `LeaseLost`.
        """
        intent = _SENT.dump_json(SendRecord(at=time.time()))
        reply = await self._run("CLAIM", keys.lane_of(box), box, seq, number, token, intent, DAY_MS)
        if reply[0] == "lost":
            raise LeaseLost
        return _SENT.validate_json(reply[1]) if reply[0] == "known" else None

    async def record(
        self, box: str, seq: int, number: int, sent: SendRecord, token: str = ""
    ) -> None:
        """Record what became of a send, unless its message is done with.

        With a token only while the lease is held; raises `LeaseLost`.
        """
        told = _SENT.dump_json(sent)
        lane = keys.lane_of(box)
        if not await self._run("RECORD", lane, box, seq, number, token, told, DAY_MS):
            raise LeaseLost

    async def unclaim(self, box: str, seq: int, number: int) -> None:
        """Forget the intent of a send that surely did not happen."""
        key = keys.sends(box, seq)
        await retrying(lambda: self._redis.hdel(key, str(number)), within=PATIENCE)

    async def news(self) -> AsyncIterator[MailboxEvent]:
        """Yield what happens anywhere, for as long as it is read; survives a lost connection."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(keys.NEWS)
                    async for item in pubsub.listen():
                        yield _news(json.loads(item["data"]))
            except (RedisError, OSError):
                await asyncio.sleep(0.5)

    async def _aged(self, lane: int, cutoff: int) -> list[str]:
        found = await self._redis.zrangebyscore(keys.aging(lane), "-inf", cutoff)
        return [str(thread) for thread in found]

    async def sweep(self) -> int:
        """Delete turns, photos and videos past their retention; returns how many turns."""
        cutoff = _ms(time.time()) - self._keep
        gone = 0
        for lane in range(LANES):
            for thread in await retrying(partial(self._aged, lane, cutoff), within=PATIENCE):
                gone += int(await self._run("PRUNE", lane, thread, cutoff))
        return gone


def _news(told: dict[str, Any]) -> MailboxEvent:
    box = told["box"]
    thread = keys.thread_of(box)
    withdrawn, place = str(told.get("withdrawn", "")), int(told.get("place", 0))
    return MailboxEvent(keys.lane_of(box), box, thread, int(told["stop"]), withdrawn, place)


def _places(lease: Lease) -> list[int]:
    return [entry.seq for entry in lease.run]


def _lease(lane: int, token: str, reply: list[Any]) -> Lease:
    box, generation, stop, settle, attempts, answered, *entries = reply
    run = tuple(
        Entry(int(seq), float(at) / 1000, _MESSAGE.validate_json(raw), int(before), gone == 1)
        for seq, at, before, gone, raw in zip(*(entries[i::5] for i in range(5)), strict=True)
    )
    return Lease(
        box=str(box),
        lane=lane,
        token=token,
        generation=int(generation),
        attempt=int(attempts),
        run=run,
        settle=float(settle) / 1000,
        stop=int(stop),
        answered=stored_turns.read_answer(answered) if answered else None,
    )
