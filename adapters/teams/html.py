"""The HTML that Teams sends beside or instead of a message's text.

It is read by searches that take time in proportion to its length: the standard library's parser
needs half a minute for 200 kB of unfinished comments.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

LONGEST = 200_000
"""Characters read of one HTML text; Teams' own limit for a message is about half of that.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
"""

SCHEMA = "http://schema.skype.com/"
"""What Teams' `itemtype` attributes begin with."""

EMOJI_HOSTS = frozenset({"statics.teams.microsoft.com", "statics.teams.cdn.office.net"})
"""Where Teams keeps its own drawings, which nobody posted as a photo."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})\b([^<>]*)>|<!--[^<>]*-->")
_ATTRIBUTE = re.compile(r"""(?<![\w-])([a-z]{1,20})\s?=\s?(?:"([^"]*)"|'([^']*)')""")
_BLOCKS = frozenset({"p", "div", "li", "tr", "pre", "h1", "h2", "h3", "blockquote"})


def is_emoji(url: str) -> bool:
    """Return whether an address is one of Teams' own drawings."""
    try:
        return urlsplit(url).hostname in EMOJI_HOSTS
    except ValueError:
        return False


class HtmlSummary:
    """What an HTML text shows, counted; a quoted message inside it is left out.

    `pictures` are the pasted images, `clips` the videos recorded in the Teams client, `files`
    the ids of attached files, `quoted` the id of the quoted message, `text` the words.
    """

    def __init__(self, html: str) -> None:
        self.pictures = 0
        self.clips = 0
        self.files: list[str] = []
        self.quoted = ""
        self._words: list[str] = []
        self._depth = 0
        self._quote_depth = 0
        self._read(html[:LONGEST])

    @property
    def text(self) -> str:
        """The words, with line breaks where blocks end."""
        return unescape("".join(self._words)).strip()

    def _read(self, html: str) -> None:
        end = 0
        for tag in _TAG.finditer(html):
            self._say(html[end : tag.start()])
            end = tag.end()
            name = (tag[2] or "").lower()
            if tag[1]:
                self._close(name)
            else:
                self._open(name, tag[3] or "")
        self._say(html[end:])

    def _say(self, words: str) -> None:
        if not self._quote_depth:
            self._words.append(words)

    def _open(self, tag: str, attributes: str) -> None:
        if tag == "blockquote":
            self._begin_quote(_attributes(attributes))
        elif tag == "br":
            self._say("\n")
        elif tag in {"img", "video", "attachment"} and not self._quote_depth:
            self._show(tag, _attributes(attributes))

    def _show(self, tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("itemtype", "").removeprefix(SCHEMA)
        if tag == "attachment":
            self.files.append(attributes.get("id", ""))
        elif tag == "video":
            self.clips += kind == "AMSVideo"
        else:
            drawn = kind in {"Emoji", "Mention"} or is_emoji(attributes.get("src", ""))
            self.pictures += not drawn

    def _begin_quote(self, attributes: dict[str, str]) -> None:
        self._depth += 1
        if attributes.get("itemtype") == f"{SCHEMA}Reply" and not self._quote_depth:
            self._quote_depth = self._depth
            self.quoted = self.quoted or attributes.get("itemid", "")

    def _close(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._say("\n")
        if tag == "blockquote" and self._depth:
            if self._depth == self._quote_depth:
                self._quote_depth = 0
            self._depth -= 1


def _attributes(written: str) -> dict[str, str]:
    found = _ATTRIBUTE.finditer(written)
    return {one[1]: unescape(one[2] if one[2] is not None else one[3]) for one in found}
