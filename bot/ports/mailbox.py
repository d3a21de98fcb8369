"""The port to the inbox: each message is accepted once, leased in order, and done once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.domain.files import Photo, Video
from bot.domain.history import Turn
from bot.domain.messages import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LANES = 16
"""Partitions of the inbox, each with all its threads' keys under one Redis Cluster hash tag."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A message to accept.

    `express`: overtakes the queue and only reads; `stops`: ends or removes what was accepted
    before it; `gathers`: a picture without words, which waits for more messages; `joins`: words
    that may be the question about such pictures (a command never is).
    """

    message: Message
    express: bool = False
    stops: bool = False
    gathers: bool = False
    joins: bool = True


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of a submission; `seq` is its place in the thread's order."""

    verdict: Literal["accepted", "duplicate", "full"]
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in the mailbox.

    `seq` is its place in the thread's order, `at` when it was accepted (seconds since the epoch),
    `before` how many messages were waiting or being answered in the thread then. `is_withdrawn`:
    its post was deleted or edited since.
    """

    seq: int
    at: float
    message: Message
    before: int = 0
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class CitedFrames:
    """Frames of a video that an answer is about, by their numbers (`bot.domain.frame_ids`)."""

    video: Video
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """A finished turn that waits for its last edit: all that `Mailbox.complete` commits.

    `parts` are the final texts to show, one message each; `outlined_photos` are shown with
    their outlines after them, and so are the `cited_frames` of videos.
    """

    turn: Turn
    parts: tuple[str, ...]
    photos: tuple[Photo, ...] = ()
    request: tuple[dict[str, Any], ...] = ()
    outlined_photos: tuple[Photo, ...] = ()
    videos: tuple[Video, ...] = ()
    cited_frames: tuple[CitedFrames, ...] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on the head of a thread until it expires.

    `run` are the messages to answer as one turn; `settle` is how many seconds to wait for more
    of them (0: the run is whole); `attempt` counts from 1; `stop` is the place up to which the
    user stopped; `result` is the finished turn that an earlier worker left.
    """

    mailbox_key: str
    lane: int
    token: str
    generation: int
    attempt: int
    run: tuple[Entry, ...]
    settle: float = 0.0
    stop: int = 0
    result: AnsweredTurn | None = None

    @property
    def seq(self) -> int:
        """The place of the run's first message."""
        return self.run[0].seq


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """Whether a lease is still held, up to which place the user stopped, what was withdrawn."""

    is_held: bool
    stop: int = 0
    withdrawn_places: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MailboxEvent:
    """The mailbox `mailbox_key` received a message, or its lease ended.

    With `stop`, the mailbox `thread` was stopped up to that place; with `withdrawn_id`, the post
    of that id was deleted or edited by what was accepted at `place`.
    """

    lane: int
    mailbox_key: str
    thread: str = ""
    stop: int = 0
    withdrawn_id: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class SendRecord:
    """The record of one numbered send.

    `id` is empty until it is known to have arrived (`NO_ID` where the platform gives none);
    `shown` is the answer's text as far as people may have seen it; `at` when the intent was
    stored.
    """

    id: str = ""
    shown: str = ""
    at: float = 0.0


NO_ID = "-"
"""The id of a post that arrived on a platform that returns no ids."""

Erase = Literal["nothing", "history", "everything"]


class LeaseLost(Exception):
    """Another worker has the thread now, or it was reset: nothing more may be written."""


class Mailbox(Protocol):
    """The inbox. Every write under a lease is refused once the lease or generation is lost."""

    async def accept(self, submission: Submission) -> Receipt:
        """Deduplicate and append a message, and notify workers, in one step; raises `StoreDown`."""
        ...

    async def take(self, lane: int) -> Lease | float | None:
        """Lease the next ready thread of a lane; else seconds until one is ready, or None."""
        ...

    async def gather(self, lease: Lease) -> Lease | None:
        """Read the run again, with what has arrived since; None when the lease is lost."""
        ...

    async def renew(self, lease: Lease) -> LeaseStatus:
        """Extend the lease by another term."""
        ...

    async def store_result(self, lease: Lease, result: AnsweredTurn) -> bool:
        """Store the finished turn before it is shown; False when the lease is lost."""
        ...

    async def complete(
        self, lease: Lease, result: AnsweredTurn | None = None, erase: Erase = "nothing"
    ) -> bool:
        """Commit the turn, pop the run and free the thread in one step; False when lost."""
        ...

    async def retract(self, lease: Lease, post: str) -> tuple[str, ...]:
        """Forget the turns that a post led to, and the photos and videos that only it brought.

        Returns the digests of files that nothing names any more; raises `LeaseLost`.
        """
        ...

    async def release(self, lease: Lease, delay: float, *, counts: bool = True) -> bool:
        """End the lease, so that the thread can be leased again after `delay` seconds.

        `counts` is whether this was an attempt.
        """
        ...

    async def move_to_dead_letters(self, lease: Lease, why: str) -> bool:
        """Move the run to the dead letters and free the thread."""
        ...

    async def count_ahead(self, message: Message, seq: int) -> int | None:
        """Return how many messages are before a waiting one; None once it is worked on or done."""
        ...

    async def claim(self, box: str, seq: int, number: int, token: str = "") -> SendRecord | None:
        """Store the intent of send `number` and return None, or the record that exists already.

        Without a token the claim is made only while the message waits; raises `LeaseLost`.
        """
        ...

    async def record(
        self, box: str, seq: int, number: int, send: SendRecord, token: str = ""
    ) -> None:
        """Record the result of a send, unless its message is done.

        With a token only while the lease is held; raises `LeaseLost`.
        """
        ...

    async def unclaim(self, box: str, seq: int, number: int) -> None:
        """Forget the intent of a send that certainly did not happen."""
        ...

    def events(self) -> AsyncIterator[MailboxEvent]:
        """Yield the events of all processes; reconnects after a lost connection."""
        ...

    async def sweep(self) -> int:
        """Delete turns, photos and videos past their retention; returns the number of turns."""
        ...
