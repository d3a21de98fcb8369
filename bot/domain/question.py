"""A question in a thread: its words, its files, and where they came from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.domain.messages import Attachment, Author
from bot.domain.size_limits import SizeLimits
from bot.domain.threads import Thread


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the words (may be empty), the files, and from where.

    `hints` are sentences to add at the end of the answer. With `photos_only` the words, which were
    not meant for Loupe, count beside a photo only. If it `is_shortened`, the words are the
    beginning of a longer text.
    `prefix` is what people write before the name of a command. With `links` addresses that people
    wrote may be links in the answer.
    """

    id: str
    thread: Thread
    words: str
    author: str
    at: float
    files: tuple[RequestedFile, ...] = ()
    messages: tuple[str, ...] = ()
    quoted_id: str = ""
    is_shared: bool = False
    hints: tuple[str, ...] = ()
    photos_only: bool = False
    prefix: str = "/"
    links: bool = True
    is_shortened: bool = False

    @property
    def counts(self) -> tuple[int, int]:
        """How many of its files claim to be photos, and how many videos."""
        videos = sum(file.attachment.is_video for file in self.files)
        return len(self.files) - videos, videos


Fetch = Callable[["Attachment", Path, SizeLimits], Awaitable[bool]]
"""Writes a file's bytes to a path, no more than is allowed; raises `FileProblem`."""


@dataclass(frozen=True, slots=True)
class RequestedFile:
    """A file of a question: its attachment, who posted it, when, in which message."""

    attachment: Attachment
    author: Author
    at: float
    message: str
    fetch: Fetch
