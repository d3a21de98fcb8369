"""The text of an answer while the model writes it, safe to show at any moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.text.markdown import Markdown

if TYPE_CHECKING:
    from collections.abc import Collection


class AnswerText:
    """Gathers the chunks of an answer; `first_seconds` is when the first came, 0.0 before that."""

    def __init__(self, links: Collection[str], start: float) -> None:
        """Take the addresses that may be links, and when the turn began (`time.monotonic`)."""
        self._markdown = Markdown(links)
        self._start = start
        self._has_text = False
        self.text = ""
        self.first_seconds = 0.0

    def add(self, chunk: str) -> None:
        """Add a chunk of the model's text, made safe; blank lines at the start are dropped."""
        self.first_seconds = self.first_seconds or time.monotonic() - self._start
        chunk = chunk if self._has_text else chunk.lstrip()
        self._has_text = self._has_text or bool(chunk)
        self.text += self._markdown.feed(chunk)

    def end(self) -> str:
        """Close what is still open, and return the whole text."""
        self.text += self._markdown.finish()
        return self.text.rstrip()
