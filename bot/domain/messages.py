"""Messages from people, in one format for all channels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bot.domain.threads import Thread
from bot.errors import Reason

Address = Any
"""Where and how to answer: a frozen dataclass of the channel that wrote it, opaque elsewhere."""

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")

Kind = Literal["message", "installed", "channel", "full", "deleted", "uninstalled"]
"""`message`: somebody wrote; `installed`: Loupe was added and says hello; `channel`: work of the
channel's own that has to survive a crash (see `Channel.run_task`); `full`: a message that did not
fit into the mailbox, and whose author gets a notice; `deleted`: the post with the id `quoted` is
gone; `uninstalled`: everything of the thread and its place is to be erased."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message; `id` is the platform's, `name` is for people and never trusted."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message, not yet fetched.

    `name` may be empty, `declared` is the type that the platform claims: neither is trusted, the
    real type comes from the bytes. `source` says how the channel fetches it and which
    credential may go to which host. `problem` is set when the channel already knows that the
    bytes cannot be had.
    """

    name: str = ""
    declared: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    problem: Reason | None = None

    @property
    def is_video(self) -> bool:
        """Whether it claims to be a video, which is good enough for a progress message."""
        return self.declared.startswith("video/") or self.name.lower().endswith(VIDEO_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Message:
    """One post, as a channel adapter understood it.

    `id` is the platform's and may be empty (then nothing can be deduplicated); `version`
    distinguishes events about the same post, such as its edits. `text` has no mention of Loupe.
    `addressed` is false for a post that Loupe reads only because the place is watched. `shared`
    is true where several people write. `opening` is true when the post starts its thread.
    `quoted` is the id of the message that this one quotes. `at` is seconds since the epoch.
    `shortened` is true when `text` is only the beginning of what was written.
    """

    id: str
    thread: Thread
    author: Author
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    address: Address = None
    kind: Kind = "message"
    version: str = ""
    addressed: bool = True
    shared: bool = False
    opening: bool = True
    quoted: str = ""
    at: float = 0.0
    shortened: bool = False

    @property
    def dedup(self) -> str:
        """A digest of channel, tenant, conversation, id and kind of event; empty without an id."""
        if not self.id:
            return ""
        place = self.thread.place
        names = [place.channel, place.tenant, place.conversation, self.id, self.kind, self.version]
        return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:40]

    @property
    def withdraws(self) -> str:
        """The id of the post that this edits or reports as deleted; else empty."""
        if self.kind == "deleted":
            return self.quoted
        return self.id if self.kind == "message" and self.version else ""

    @property
    def earlier(self) -> Message:
        """The post that this one withdraws, as far as it is known from this one."""
        return replace(self, id=self.withdraws, kind="message", version="")

    @property
    def without_words(self) -> bool:
        """Whether this is a picture without words, which waits for more messages."""
        return self.kind == "message" and not self.text.strip() and bool(self.attachments)

    @property
    def unreadable(self) -> bool:
        """Whether the platform gives apps none of its files."""
        return bool(self.attachments) and all(
            file.problem is Reason.HTML_ONLY for file in self.attachments
        )
