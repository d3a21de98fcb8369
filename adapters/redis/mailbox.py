"""The inbox on Redis: leased mailboxes, one per thread, in order and once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from adapters.redis import keys, stored_turns
from adapters.redis.connection import retrying
from adapters.redis.mailbox_scripts import RETRY_SECONDS, MailboxScripts
from bot.domain.messages import Address, Message
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
_SEND = TypeAdapter(SendRecord)
DAY_MS = 24 * 3600 * 1000


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


AddressReader = Callable[[str, dict[str, Any]], Address]


def _as_stored(_: str, fields: dict[str, Any]) -> Address:
    return fields


class RedisMailbox:
    """Implements `bot.ports.mailbox.Mailbox` with one Lua script per step."""

    def __init__(
        self,
        redis: Redis,
        messages: MessageLimits,
        workers: WorkerLimits,
        retention: RetentionLimits,
        accept_seconds: float = 1.5,
        read_address: AddressReader = _as_stored,
    ) -> None:
        """Take a client, the limits, and how long to try to accept before `StoreDown`.

        `read_address` makes an address of a channel's name and the stored fields.
        """
        self._read_address = read_address
        self._redis = redis
        self._accept_seconds = accept_seconds
        self._messages = messages
        self._lease = _ms(workers.lease_seconds)
        self._dedup = _ms(retention.dedup_hours * 3600)
        self._keep = _ms(retention.retention_days * 24 * 3600)
        self._scripts = MailboxScripts(redis)

    async def accept(self, submission: Submission) -> Receipt:
        """Deduplicate, append and wake in one step; raises `StoreDown`."""
        message = submission.message
        box = keys.box_of(message.thread.key, express=submission.express)
        verdict, seq = await self._scripts.run_within(
            self._accept_seconds,
            "accept",
            keys.lane_of(box),
            box=box,
            digest=message.dedup or secrets.token_hex(8),
            dedup_ms=self._dedup,
            most_waiting=self._messages.max_waiting,
            stops=int(submission.stops),
            author=hashlib.sha256(message.author.id.encode("utf-8", "replace")).hexdigest()[:16],
            gathers=int(submission.gathers),
            joins=int(submission.joins),
            message=_MESSAGE.dump_json(message),
            keep_ms=self._keep,
            post=message.id if message.kind == "message" else "",
            withdraws=message.withdraws,
            withdrawn_digest=message.earlier.dedup if message.withdraws else "",
        )
        return Receipt(verdict, int(seq))

    async def take(self, lane: int) -> Lease | float | None:
        """Lease the next ready thread of a lane; else seconds until one is ready, or None."""
        token = secrets.token_hex(8)
        reply = await self._scripts.run(
            "take", lane, token=token, lease_ms=self._lease, **self._burst()
        )
        if not reply:
            return None
        if len(reply) == 1:
            return float(reply[0]) / 1000
        try:
            return self._read_lease(lane, token, reply)
        except ValidationError as error:
            await self._discard(lane, token, reply, str(error)[:200])
            return 0.0

    async def _discard(self, lane: int, token: str, reply: list[Any], why: str) -> None:
        """Move unreadable messages, such as those of a newer version, to the dead letters."""
        box, generation = reply[:2]
        places = [int(seq) for seq in reply[6::5]]
        log.error("message_unreadable", box=str(box)[:8], why=why)
        dead_letter = {"box": box, "places": places, "why": why, "at": time.time()}
        await self._scripts.run(
            "move_to_dead_letters",
            lane,
            box=box,
            token=token,
            generation=generation,
            dead_letter=json.dumps(dead_letter),
            places=json.dumps(places),
        )

    def _read_lease(self, lane: int, token: str, reply: list[Any]) -> Lease:
        box, generation, stop, settle, attempts, result_json, *entries = reply
        run = tuple(
            Entry(int(seq), float(at) / 1000, self._message(raw), int(before), is_withdrawn == 1)
            for seq, at, before, is_withdrawn, raw in zip(
                *(entries[i::5] for i in range(5)), strict=True
            )
        )
        return Lease(
            mailbox_key=str(box),
            lane=lane,
            token=token,
            generation=int(generation),
            attempt=int(attempts),
            run=run,
            settle=float(settle) / 1000,
            stop=int(stop),
            result=stored_turns.read_answer(result_json) if result_json else None,
        )

    def _message(self, raw: str | bytes) -> Message:
        """Read a stored message; raises `ValidationError`."""
        message = _MESSAGE.validate_json(raw)
        address = self._read_address(message.thread.channel, message.address)
        return replace(message, address=address)

    async def gather(self, lease: Lease) -> Lease | None:
        """Read the run again, with what has arrived since; None when the lease is lost."""
        reply = await self._scripts.run_held("gather", lease, **self._burst())
        return self._read_lease(lease.lane, lease.token, reply) if reply else None

    def _burst(self) -> dict[str, int]:
        return {
            "burst_ms": _ms(self._messages.burst_seconds),
            "longest_burst_ms": _ms(self._messages.burst_max_seconds),
        }

    async def renew(self, lease: Lease) -> LeaseStatus:
        """Extend the lease by another term."""
        is_held, stop, *withdrawn_places = await self._scripts.run_held(
            "renew", lease, lease_ms=self._lease
        )
        return LeaseStatus(bool(is_held), int(stop), frozenset(map(int, withdrawn_places)))

    async def store_result(self, lease: Lease, result: AnsweredTurn) -> bool:
        """Store the finished turn before it is shown; False when the lease is lost."""
        result_json = stored_turns.answer_json(result)
        return bool(await self._scripts.run_held("store_result", lease, result=result_json))

    async def complete(
        self, lease: Lease, result: AnsweredTurn | None = None, erase: Erase = "nothing"
    ) -> bool:
        """Commit the turn, pop the run and free the thread in one step; False when lost."""
        result_fields = stored_turns.answer_fields(result) if result else {}
        files = {
            keys.file_field(file["number"], kind): json.dumps(file)
            for kind in ("photos", "videos")
            for file in result_fields.get(kind, ())
        }
        return bool(
            await self._scripts.run_held(
                "complete",
                lease,
                erase=erase,
                turn=json.dumps(result_fields["turn"]) if result else "",
                request=json.dumps(result_fields["request"])
                if result_fields.get("request")
                else "",
                keep_ms=self._keep,
                files=json.dumps(files),
                places=json.dumps(_places(lease)),
            )
        )

    async def retract(self, lease: Lease, post: str) -> tuple[str, ...]:
        """Forget the turns of a post and the files that only it brought.

        Returns the digests of files to erase.

        Raises `LeaseLost`.
        """
        verdict, *digests = await self._scripts.run_held(
            "retract", lease, post_json=json.dumps(post)
        )
        if verdict == "lost":
            raise LeaseLost
        return tuple(map(str, digests))

    async def release(self, lease: Lease, delay: float, *, counts: bool = True) -> bool:
        """Give the lease back, to be taken again after `delay` seconds.

        `counts` is whether this was an attempt.
        """
        return bool(
            await self._scripts.run_held("release", lease, delay_ms=_ms(delay), counts=int(counts))
        )

    async def move_to_dead_letters(self, lease: Lease, why: str) -> bool:
        """Move the run to the dead letters and free the thread."""
        places = _places(lease)
        dead_letter = {"box": lease.mailbox_key, "places": places, "why": why, "at": time.time()}
        return bool(
            await self._scripts.run_held(
                "move_to_dead_letters",
                lease,
                dead_letter=json.dumps(dead_letter),
                places=json.dumps(places),
            )
        )

    async def count_ahead(self, message: Message, seq: int) -> int | None:
        """Count what is before a waiting message; None once it is being worked on or done."""
        box = keys.box_of(message.thread.key, express=False)
        count = int(await self._scripts.run("count_ahead", keys.lane_of(box), box=box, seq=seq))
        return None if count < 0 else count

    async def claim(self, box: str, seq: int, number: int, token: str = "") -> SendRecord | None:
        """Store the intent of send `number` and return None, or what is recorded of it already.

        Without a token the claim is made only while the message waits. Raises `LeaseLost`.
        """
        intent = _SEND.dump_json(SendRecord(at=time.time()))
        reply = await self._scripts.run(
            "claim",
            keys.lane_of(box),
            box=box,
            seq=seq,
            number=number,
            token=token,
            intent=intent,
            keep_ms=DAY_MS,
        )
        if reply[0] == "lost":
            raise LeaseLost
        return _SEND.validate_json(reply[1]) if reply[0] == "known" else None

    async def record(
        self, box: str, seq: int, number: int, send: SendRecord, token: str = ""
    ) -> None:
        """Record what became of a send, unless its message is done.

        With a token only while the lease is held; raises `LeaseLost`.
        """
        holds = await self._scripts.run(
            "record",
            keys.lane_of(box),
            box=box,
            seq=seq,
            number=number,
            token=token,
            record=_SEND.dump_json(send),
            keep_ms=DAY_MS,
        )
        if not holds:
            raise LeaseLost

    async def unclaim(self, box: str, seq: int, number: int) -> None:
        """Forget the intent of a send that certainly did not happen."""
        key = keys.sends(box, seq)
        await retrying(lambda: self._redis.hdel(key, str(number)), within=RETRY_SECONDS)

    async def events(self) -> AsyncIterator[MailboxEvent]:
        """Yield the events of all mailboxes until closed; reconnects after a lost connection."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(keys.NEWS)
                    async for item in pubsub.listen():
                        yield _event(json.loads(item["data"]))
            except (RedisError, OSError):
                await asyncio.sleep(0.5)

    async def _aged(self, lane: int, cutoff: int) -> list[str]:
        threads = await self._redis.zrangebyscore(keys.aging(lane), "-inf", cutoff)
        return [str(thread) for thread in threads]

    async def sweep(self) -> int:
        """Delete turns, photos and videos past their retention; returns how many turns."""
        cutoff = _ms(time.time()) - self._keep
        count = 0
        for lane in range(LANES):
            for thread in await retrying(partial(self._aged, lane, cutoff), within=RETRY_SECONDS):
                count += int(
                    await self._scripts.run("prune", lane, thread=thread, cutoff_ms=cutoff)
                )
        return count


def _event(fields: dict[str, Any]) -> MailboxEvent:
    box = fields["box"]
    thread = keys.thread_of(box)
    withdrawn_id, place = str(fields.get("withdrawn", "")), int(fields.get("place", 0))
    return MailboxEvent(keys.lane_of(box), box, thread, int(fields["stop"]), withdrawn_id, place)


def _places(lease: Lease) -> list[int]:
    return [entry.seq for entry in lease.run]
