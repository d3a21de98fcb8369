"""What the page shows, kept in Redis: the notes of each conversation, and what changed when."""

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

# Every key of this room. A conversation's keys share a hash tag, so that each script touches one
# slot of a Redis Cluster.
PREFIX = "loupe:page:"
TOKEN = f"{PREFIX}token"
NEWS = f"{PREFIX}news:"
"""Begins the pub/sub channel of a conversation; what is published there is the new version."""


def _key(owner: str, what: str) -> str:
    """Name a key of a conversation or a user.

    Of a conversation: `notes` (hash id to "<order> <began> <ms> <JSON>"), `changes` (sorted set of
    ids by the version of their last change), `ages` (sorted set of ids by ms), `version`
    (counter), `file:<ref>` (JSON). Of a user: `recent` (sorted set of conversations by ms),
    `titles` (hash).
    """
    return f"{PREFIX}{{{owner}}}:{what}"


def _keys(conversation: str, *names: str) -> dict[str, str]:
    """Name keys of a conversation for a script."""
    return {name: _key(conversation, name) for name in names}


RECENT = 30
"""How many conversations of a user are listed."""

TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class NoteFile:
    """A file on the wall: its bytes are in the blob store under `blob`.

    `media_type` is set, from the bytes, only for pictures and videos that a browser may show in
    the page.
    """

    ref: str
    blob: str
    name: str
    size: int
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class NotePicture:
    """A photo on the wall with outlines, which the page draws; `ref` is that of its file.

    With `frames` it is a contact sheet of these, and has neither a file nor outlines of its own.
    """

    ref: str
    name: str
    alt: str
    outlines: tuple[Outline, ...] = ()
    frames: tuple[NotePicture, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """One post on the wall.

    `asks` is the id of the user's note that this one answers. A `quiet` note belongs to a control
    of the page (its command, and what came back) and stays out of the conversation.
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
    files: tuple[NoteFile, ...] = ()
    citations: tuple[Citation, ...] = ()
    picture: NotePicture | None = None

    @property
    def fleeting(self) -> bool:
        """Whether it is a placeholder, which may yet find its place."""
        return self.stage in {Stage.OPENING, Stage.PROGRESS}


@dataclass(frozen=True, slots=True)
class Changes:
    """Notes that changed, in the order of their changes, and the version that they lead to.

    A note is its JSON, with the versions at which it came (`order`), became more than a
    placeholder (`began`; 0: not yet) and changed last (`changed`), and `at`, ms since the epoch.
    """

    version: int
    notes: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A line in the list of recent conversations; `at` is ms since the epoch."""

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


class NotesStore:
    """The notes of all conversations; each call raises `StoreDown` when Redis does not answer."""

    def __init__(self, redis: Redis, retention: float) -> None:
        """Keep notes in `redis` for `retention` seconds; the caller closes the client.

        The client decodes responses.
        """
        self._redis = redis
        self._kept = int(retention * 1000)
        self._put = LuaScript(redis, __package__, "put_note")
        self._read = LuaScript(redis, __package__, "read_notes")

    async def token(self) -> str:
        """Return the token that opens the page: one for all processes, until it is deleted."""
        with _store():
            await self._redis.set(TOKEN, secrets.token_urlsafe(24), nx=True)
            return str(await self._redis.get(TOKEN))

    async def put(self, conversation: str, note: Note, *, once: bool = False) -> bool:
        """Write a note in its place; with `once` False is returned when it was there already."""
        now = _now()
        with _store():
            version = await self._put.run(
                _keys(conversation, "notes", "changes", "ages", "version"),
                id=note.id,
                body=_dump(asdict(note)),
                mode="once" if once else "again",
                permanence="fleeting" if note.fleeting else "lasting",
                now_ms=now,
                cutoff_ms=now - self._kept,
                keep_ms=self._kept,
                channel=NEWS + conversation,
            )
        return bool(version)

    async def read(self, conversation: str, since: int = 0) -> Changes:
        """Read what changed after version `since`; all, when the wall is younger than that."""
        with _store():
            keys = _keys(conversation, "notes", "changes", "version")
            version, *entries = await self._read.run(keys, since=since)
        notes = map(_note, entries)
        cutoff = _now() - self._kept
        return Changes(int(version), tuple(note for note in notes if note["at"] > cutoff))

    async def take_down(self, conversation: str, note: str) -> None:
        """Delete a note that was put up in vain; a page that shows it has to be told otherwise."""
        with _store():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.hdel(_key(conversation, "notes"), note)
                steps.zrem(_key(conversation, "changes"), note)
                steps.zrem(_key(conversation, "ages"), note)
                await steps.execute()

    async def add_file(self, conversation: str, file: NoteFile) -> None:
        """Remember a file whose bytes are stored."""
        key = _key(conversation, f"file:{file.ref}")
        with _store():
            await self._redis.set(key, _dump(asdict(file)), px=self._kept)

    async def file(self, conversation: str, ref: str) -> NoteFile | None:
        """Find a file of a conversation."""
        with _store():
            found = await self._redis.get(_key(conversation, f"file:{ref}"))
        return NoteFile(**json.loads(found)) if found else None

    async def remember(self, user: str, conversation: str, title: str) -> None:
        """Move a conversation to the top of a user's list; its first title stays."""
        recent, titles, now = _key(user, "recent"), _key(user, "titles"), _now()
        with _store():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.zadd(recent, {conversation: now})
                steps.hsetnx(titles, conversation, title[:TITLE_LENGTH])
                steps.pexpire(recent, self._kept)
                steps.pexpire(titles, self._kept)
                steps.zrange(recent, 0, -RECENT - 1)
                *_, stale = await steps.execute()
            if stale:
                await self._redis.zrem(recent, *stale)
                await self._redis.hdel(titles, *stale)

    async def recent(self, user: str) -> list[Conversation]:
        """List a user's conversations, the latest first."""
        oldest = _now() - self._kept
        with _store():
            found: Any = await self._redis.zrevrangebyscore(
                _key(user, "recent"), "+inf", oldest, withscores=True
            )
            titles: Any = await self._redis.hgetall(_key(user, "titles"))
        return [Conversation(key, titles.get(key, ""), int(score)) for key, score in found]


def _note(stored: str) -> dict[str, Any]:
    changed, order, began, at, body = stored.split(" ", 4)
    times = {"changed": changed, "order": order, "began": began, "at": at}
    return {**json.loads(body), **{name: int(time) for name, time in times.items()}}


def _now() -> int:
    return int(time.time() * 1000)
