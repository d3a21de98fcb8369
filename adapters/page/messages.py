"""The messages that the page shows, in Redis, and the versions at which they changed."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from redis.exceptions import RedisError

from adapters.lua_scripts import LuaScript
from bot.domain.outlines import Outline
from bot.errors import StoreDown
from bot.ports.channel import Button, Citation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

# Every key of the page begins with this. A conversation's keys share a hash tag, so that each
# script touches one slot of a Redis Cluster.
PREFIX = "loupe:page:"
TOKEN = f"{PREFIX}token"
CHANGES = f"{PREFIX}news:"
"""Prefix of the pub/sub channel of a conversation, on which each new version is published."""


def _key(owner: str, what: str) -> str:
    """Return the name of a key of a conversation or a user.

    Of a conversation: `notes` (the messages: hash of id to "<order> <began> <ms> <JSON>"),
    `changes` (sorted set of ids by the version of their last change), `ages` (sorted set of ids by
    ms), `version` (counter), `file:<ref>` (JSON). Of a user: `recent` (sorted set of conversations
    by ms), `titles` (hash).
    """
    return f"{PREFIX}{{{owner}}}:{what}"


def _keys(conversation: str, *names: str) -> dict[str, str]:
    """Return keys of a conversation under the names that a script gives them."""
    return {name: _key(conversation, name) for name in names}


RECENT = 30
"""Number of conversations of a user that are listed."""

TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A file of a message: its bytes are in the blob store under `blob`.

    `media_type` is set, from the bytes, only for pictures and videos that a browser may show in
    the page.
    """

    ref: str
    blob: str
    name: str
    size: int
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class MessagePicture:
    """A photo with outlines, which the page draws; `ref` is that of its file.

    With `frames` it is a contact sheet of them, and has neither a file nor outlines of its own.
    """

    ref: str
    name: str
    alt: str
    outlines: tuple[Outline, ...] = ()
    frames: tuple[MessagePicture, ...] = ()


@dataclass(frozen=True, slots=True)
class PageMessage:
    """One message as the page shows it; its fields are stored under their names.

    `asks` is the id of the user's message that this one answers. A `quiet` message belongs to a
    control of the page (its command, or the reply) and is not shown in the conversation.
    """

    id: str
    by: Literal["user", "loupe"]
    text: str = ""
    stage: Stage = Stage.FINAL
    asks: str = ""
    quiet: bool = False
    generated: bool = False
    stopped: bool = False
    buttons: tuple[Button, ...] = ()
    files: tuple[MessageFile, ...] = ()
    citations: tuple[Citation, ...] = ()
    picture: MessagePicture | None = None

    @property
    def is_placeholder(self) -> bool:
        """Whether the answer has not begun yet."""
        return self.stage in {Stage.OPENING, Stage.PROGRESS}


@dataclass(frozen=True, slots=True)
class Changes:
    """Messages that changed, in the order of their changes, and the version that they lead to.

    A message is its JSON, with the versions at which it was first written (`order`), became more
    than a placeholder (`began`; 0: not yet) and changed last (`changed`), and `at`, ms since the
    epoch.
    """

    version: int
    messages: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """An entry in the list of recent conversations; `at` is ms since the epoch."""

    id: str
    title: str
    at: int


@contextmanager
def _store() -> Iterator[None]:
    """Turn what Redis raises into `StoreDown`."""
    try:
        yield
    except RedisError as error:
        raise StoreDown from error


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class MessageStore:
    """The messages of all conversations; each call raises `StoreDown` if Redis is down."""

    def __init__(self, redis: Redis, retention: float) -> None:
        """Keep messages in `redis` for `retention` seconds; the caller closes the client.

        The client decodes responses.
        """
        self._redis = redis
        self._retention_ms = int(retention * 1000)
        self._put_script = LuaScript(redis, __package__, "put_message")
        self._read_script = LuaScript(redis, __package__, "read_messages")

    async def token(self) -> str:
        """Return the token that opens the page: one for all processes, until it is deleted."""
        with _store():
            await self._redis.set(TOKEN, secrets.token_urlsafe(24), nx=True)
            return str(await self._redis.get(TOKEN))

    async def put(self, conversation: str, message: PageMessage, *, once: bool = False) -> bool:
        """Write a message; with `once`, return False and change nothing if it exists already."""
        now = _now()
        with _store():
            version = await self._put_script.run(
                _keys(conversation, "notes", "changes", "ages", "version"),
                id=message.id,
                body=_dump(asdict(message)),
                mode="once" if once else "again",
                kind="placeholder" if message.is_placeholder else "content",
                now_ms=now,
                cutoff_ms=now - self._retention_ms,
                keep_ms=self._retention_ms,
                channel=CHANGES + conversation,
            )
        return bool(version)

    async def read(self, conversation: str, since: int = 0) -> Changes:
        """Return what changed after version `since`; everything if `since` is not reached yet."""
        with _store():
            keys = _keys(conversation, "notes", "changes", "version")
            version, *entries = await self._read_script.run(keys, since=since)
        messages = map(_message, entries)
        cutoff = _now() - self._retention_ms
        return Changes(
            int(version), tuple(message for message in messages if message["at"] > cutoff)
        )

    async def delete(self, conversation: str, message_id: str) -> None:
        """Delete a message; pages that show it already are not notified."""
        with _store():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.hdel(_key(conversation, "notes"), message_id)
                steps.zrem(_key(conversation, "changes"), message_id)
                steps.zrem(_key(conversation, "ages"), message_id)
                await steps.execute()

    async def add_file(self, conversation: str, file: MessageFile) -> None:
        """Record a file whose bytes are in the blob store."""
        key = _key(conversation, f"file:{file.ref}")
        with _store():
            await self._redis.set(key, _dump(asdict(file)), px=self._retention_ms)

    async def file(self, conversation: str, ref: str) -> MessageFile | None:
        """Return a file of a conversation, None where it is not recorded."""
        with _store():
            body = await self._redis.get(_key(conversation, f"file:{ref}"))
        return MessageFile(**json.loads(body)) if body else None

    async def remember(self, user: str, conversation: str, title: str) -> None:
        """Move a conversation to the top of a user's list; its first title stays."""
        recent, titles, now = _key(user, "recent"), _key(user, "titles"), _now()
        with _store():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.zadd(recent, {conversation: now})
                steps.hsetnx(titles, conversation, title[:TITLE_LENGTH])
                steps.pexpire(recent, self._retention_ms)
                steps.pexpire(titles, self._retention_ms)
                steps.zrange(recent, 0, -RECENT - 1)
                *_, surplus = await steps.execute()
            if surplus:
                await self._redis.zrem(recent, *surplus)
                await self._redis.hdel(titles, *surplus)

    async def recent(self, user: str) -> list[Conversation]:
        """List a user's conversations, the latest first."""
        oldest = _now() - self._retention_ms
        with _store():
            entries: Any = await self._redis.zrevrangebyscore(
                _key(user, "recent"), "+inf", oldest, withscores=True
            )
            titles: Any = await self._redis.hgetall(_key(user, "titles"))
        return [Conversation(key, titles.get(key, ""), int(score)) for key, score in entries]


def _message(entry: str) -> dict[str, Any]:
    *numbers, body = entry.split(" ", 4)
    names = ("changed", "order", "began", "at")
    return {**json.loads(body), **dict(zip(names, map(int, numbers), strict=True))}


def _now() -> int:
    return int(time.time() * 1000)
