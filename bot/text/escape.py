"""Strangers' words made inert inside a sentence."""

from __future__ import annotations

import re

INERT = "\u200b"
"""Zero-width space: inside a mark, it removes the meaning and keeps the look."""

MARKUP = re.compile(r"[\x00-\x1f\x7f*_`~#|<>\[\]\\]+")

LINKS = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)
"""Places where an address is broken, so that no client makes a link of it."""


def verbatim(text: str) -> str:
    """Return a stranger's words as code, so that they hold no link, mention or mark."""
    clean = " ".join(text.replace("`", "'").split())
    return f"`{clean}`" if clean else ""


def plain(name: str) -> str:
    """Return a stranger's name as plain words: one line, without Markdown, tags or links."""
    return LINKS.sub(INERT, " ".join(MARKUP.sub(" ", name).split()))
