"""The HTML that Teams sends in addition to, or instead of, a message's text.

It is parsed by searches whose time grows in proportion to its length: the standard library's parser
needs half a minute for 200 kB of unfinished comments.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

MAX_LENGTH = 200_000
"""Most characters that are parsed of one text; Teams' own limit for a message is about half of it.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
"""

SCHEMA = "http://schema.skype.com/"
"""The beginning of Teams' `itemtype` attributes."""

EMOJI_HOSTS = frozenset({"statics.teams.microsoft.com", "statics.teams.cdn.office.net"})
"""Hosts of Teams' own emoji, which are not pictures that somebody posted."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})\b([^<>]*)>|<!--[^<>]*-->")
_ATTRIBUTE = re.compile(r"""(?<![\w-])([a-z]{1,20})\s?=\s?(?:"([^"]*)"|'([^']*)')""")
_BLOCKS = frozenset({"p", "div", "li", "tr", "pre", "h1", "h2", "h3", "blockquote"})


def is_emoji(url: str) -> bool:
    """Return whether a URL is that of one of Teams' own emoji."""
    try:
        return urlsplit(url).hostname in EMOJI_HOSTS
    except ValueError:
        return False


class HtmlSummary:
    """The text of an HTML message and the number of its pictures and clips, without quotes.

    `pictures` counts pasted images, and `clips` videos that were recorded in the Teams client;
    `files` are the ids of attached files, and `quoted_id` is the id of the quoted message.
    """

    def __init__(self, html: str) -> None:
        self.pictures = 0
        self.clips = 0
        self.files: list[str] = []
        self.quoted_id = ""
        self._texts: list[str] = []
        self._depth = 0
        self._quote_depth = 0
        self._parse(html[:MAX_LENGTH])

    @property
    def text(self) -> str:
        """The text, with line breaks where blocks end."""
        return unescape("".join(self._texts)).strip()

    def _parse(self, html: str) -> None:
        end = 0
        for tag in _TAG.finditer(html):
            self._add_text(html[end : tag.start()])
            end = tag.end()
            name = (tag[2] or "").lower()
            if tag[1]:
                self._close(name)
            else:
                self._open(name, tag[3] or "")
        self._add_text(html[end:])

    def _add_text(self, text: str) -> None:
        if not self._quote_depth:
            self._texts.append(text)

    def _open(self, tag: str, attributes: str) -> None:
        if tag == "blockquote":
            self._begin_quote(_attributes(attributes))
        elif tag == "br":
            self._add_text("\n")
        elif tag in {"img", "video", "attachment"} and not self._quote_depth:
            self._count(tag, _attributes(attributes))

    def _count(self, tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("itemtype", "").removeprefix(SCHEMA)
        if tag == "attachment":
            self.files.append(attributes.get("id", ""))
        elif tag == "video":
            self.clips += kind == "AMSVideo"
        else:
            decoration = kind in {"Emoji", "Mention"} or is_emoji(attributes.get("src", ""))
            self.pictures += not decoration

    def _begin_quote(self, attributes: dict[str, str]) -> None:
        self._depth += 1
        if attributes.get("itemtype") == f"{SCHEMA}Reply" and not self._quote_depth:
            self._quote_depth = self._depth
            self.quoted_id = self.quoted_id or attributes.get("itemid", "")

    def _close(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._add_text("\n")
        if tag == "blockquote" and self._depth:
            if self._depth == self._quote_depth:
                self._quote_depth = 0
            self._depth -= 1


def _attributes(source: str) -> dict[str, str]:
    matches = _ATTRIBUTE.finditer(source)
    return {one[1]: unescape(one[2] if one[2] is not None else one[3]) for one in matches}
