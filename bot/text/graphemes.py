"""Characters as people see them: text that can be encoded, and places where it may be cut."""

from __future__ import annotations

from unicodedata import category

LONGEST = 64
"""Most code points to look back for the start of a character; longer ones are cut."""

_JOINER = "\u200d"
_JOINING = frozenset({"Mn", "Me", "Mc", "Cf"})
_REGIONAL = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_HANGUL_TAILS = range(0x1160, 0x1200)


def well_formed(text: str) -> str:
    """Join halves of surrogate pairs; single halves become U+FFFD.

    The result can always be encoded as UTF-8.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def boundary(text: str, at: int) -> int:
    """Return the last place up to `at` (0..length) that does not cut a character in two.

    A base with its combining marks, an emoji sequence, a flag and a Hangul syllable count as one
    character (an approximation of the extended grapheme clusters of UAX #29).
    """
    lowest = max(0, at - LONGEST)
    place = at
    while place > lowest and place < len(text) and _within(text, place):
        place -= 1
    return place if place > lowest or not lowest else at


def _within(text: str, place: int) -> bool:
    """Return whether the code points on both sides of a place belong together."""
    after = ord(text[place])
    if after < 0x300:
        return False
    return (
        category(text[place]) in _JOINING
        or after in _SKIN_TONES
        or after in _HANGUL_TAILS
        or text[place - 1] == _JOINER
        or (after in _REGIONAL and _flags_before(text, place) % 2 == 1)
    )


def _flags_before(text: str, place: int) -> int:
    """Count the regional indicators just before a place: two of them make a flag."""
    start = place
    while start > max(0, place - LONGEST) and ord(text[start - 1]) in _REGIONAL:
        start -= 1
    return place - start
