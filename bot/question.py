"""What is asked in a thread: words, files, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass

from bot.gallery import File
from bot.threads import Thread


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the words (may be empty), the files, and from where.

    `hints` are sentences to add at the end of the answer. With `photos_only` the words, which were
    not meant for Loupe, count beside a photo only; `shortened` ones are the beginning of a text.
    `prefix` is what people write before the name of a command. With `links` addresses that people
    wrote may be links in the answer.
    """

    id: str
    thread: Thread
    words: str
    author: str
    at: float
    files: tuple[File, ...] = ()
    messages: tuple[str, ...] = ()
    quoted: str = ""
    shared: bool = False
    hints: tuple[str, ...] = ()
    photos_only: bool = False
    prefix: str = "/"
    links: bool = True
    shortened: bool = False

    @property
    def counts(self) -> tuple[int, int]:
        """How many of its files claim to be photos, and how many videos."""
        videos = sum(file.attachment.moves for file in self.files)
        return len(self.files) - videos, videos
