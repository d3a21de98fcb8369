"""Addresses in text: what a chat client might turn into a link, and which ones people wrote."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from bot.text.lookahead import HELD

if TYPE_CHECKING:
    from collections.abc import Iterable

_LETTER = r"[A-Za-z0-9._%+@:/?#&=;\-\u0300-\u036f\u200d\ufe0f\u20e3]"
_REST_OF_ADDRESS = r"[^\s`<>\[\]\\|\"]"

WORD = re.compile(rf"(?=[A-Za-z0-9/])(?:{_LETTER}*?(?:://|www\.){_REST_OF_ADDRESS}*|{_LETTER}+)")
"""A run of letters that is an address, or cannot be part of one.

Outside addresses it ends at any other punctuation and at letters beyond ASCII, so that it ends
soon in languages that write without spaces.
"""

_HOST = r"(?:[\w-]+\.)+"
_COMMON_DOMAINS = (
    r"(?:ai|app|biz|cc|co|com|de|dev|edu|eu|gov|info|io|me|net|org|ru|to|tv|uk|us|xyz)"
)
_LINKED = re.compile(
    rf"""
    ://                                     # any scheme
    | (?:^|[^a-z0-9]) www\.\w
    | ^//\w                                 # an address without its scheme
    | [\w.+-]+@{_HOST}[a-z]                 # e-mail
    | (?:^|[/=:@]) {_HOST}[a-z]{{2,}} (?: :\d+ )? [/?#]\S    # a host with a path
    | (?:^|[/=:@]) {_HOST}{_COMMON_DOMAINS} (?![\w-])        # a host alone
    """,
    re.IGNORECASE | re.VERBOSE,
)

_TRAILING = ".,;:!?'*_~"


def is_address(word: str) -> bool:
    """Tell whether a client might make a link of a word, entities such as `&#58;` decoded."""
    return _LINKED.search(html.unescape(word)) is not None


def trimmed(word: str) -> str:
    """Take off the punctuation that follows an address rather than belongs to it."""
    while word:
        unbalanced = word[-1] == ")" and word.count("(") < word.count(")")
        if word[-1] not in _TRAILING and not unbalanced:
            break
        word = word[:-1]
    return word


def same(address: str) -> str:
    """Bring an address into the form in which two spellings of it are compared."""
    return html.unescape(address).rstrip("/")


def urls(texts: Iterable[str]) -> frozenset[str]:
    """Collect the addresses that people wrote, for `bot.text.markdown` to leave active.

    It looks at `HELD` code points at a time, so longer ones are of no use to it.
    """
    found = (word for text in texts for word in WORD.findall(text) if len(word) <= HELD)
    return frozenset(word for word in map(trimmed, found) if is_address(word))
