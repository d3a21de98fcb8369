"""Addresses in text: what a chat client might turn into a link, and which ones people wrote."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOKAHEAD = 300
"""Code points that one decision about growing text may look at, and so the longest address."""

_LETTER = r"[A-Za-z0-9._%+@:/?#&=;\-\u0300-\u036f\u200d\ufe0f\u20e3]"
_REST_OF_ADDRESS = r"[^\s`<>\[\]\\|\"]"

WORD = re.compile(rf"(?=[A-Za-z0-9/])(?:{_LETTER}*?(?:://|www\.){_REST_OF_ADDRESS}*|{_LETTER}+)")
"""A run of letters that is an address, or cannot be part of one.

Outside addresses it ends at any other punctuation and at letters beyond ASCII, so that it is
short in languages that write without spaces.
"""

_HOST = r"(?:[\w-]+\.)+"
_COMMON_DOMAINS = (
    r"(?:ai|app|biz|cc|co|com|de|dev|edu|eu|gov|info|io|me|net|org|ru|to|tv|uk|us|xyz)"
)
_ADDRESS = re.compile(
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
    """Return whether a client might make a link of a word, entities such as `&#58;` decoded."""
    return _ADDRESS.search(html.unescape(word)) is not None


def trim(word: str) -> str:
    """Remove the punctuation that follows an address rather than belongs to it."""
    while word:
        unbalanced = word[-1] == ")" and word.count("(") < word.count(")")
        if word[-1] not in _TRAILING and not unbalanced:
            break
        word = word[:-1]
    return word


def normalise(address: str) -> str:
    """Return the form of an address in which two spellings of it are equal."""
    return html.unescape(address).rstrip("/")


def urls(texts: Iterable[str]) -> frozenset[str]:
    """Return the addresses that people wrote, for `bot.text.markdown` to leave active.

    Those longer than `LOOKAHEAD` are left out: it could not recognise them.
    """
    words = (word for text in texts for word in WORD.findall(text) if len(word) <= LOOKAHEAD)
    return frozenset(word for word in map(trim, words) if is_address(word))
