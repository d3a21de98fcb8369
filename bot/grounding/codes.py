"""Plates, serial numbers and other codes, of which a single wrong character counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.strings import vision as texts
from bot.text.codes import is_code, without_separators
from bot.text.patterns import words_pattern
from bot.text.vin import read_vin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.domain.sightings import TextLine

MOST = 8
"""Sentences below an answer: nobody reads more."""
REMARK = 80
"""Characters after a code in which an answer may mention its doubts itself."""

_SIGNS = re.compile(r"[\W_]+")
_CODE = re.compile(r"(?<![\w-])[A-Z0-9](?:[ .·:/-]?[A-Z0-9]){4,23}(?![\w-])")
_VIN = re.compile(r"(?<![\w-])[A-HJ-NPR-Z0-9]{17}(?![\w-])")


def doubts(answer: str, lines: Iterable[TextLine], sure: float) -> tuple[str, ...]:
    """Return what is doubtful about the codes in an answer, one sentence for each.

    `lines` are those that the vision engine read. A code that it read with less than the confidence
    `sure`, or otherwise than the answer, is mentioned with its score; a vehicle number with the
    result of its check. What the answer mentions itself is left out.
    """
    codes = [line for line in lines if is_code(line.text) and read_vin(line.text) is None]
    sentences = tuple(dict.fromkeys((*_vins(answer), *_uncertain(answer, codes, sure))))
    more = (texts.more_uncertain_codes(len(sentences) - MOST),) if len(sentences) > MOST else ()
    return (*sentences[:MOST], *more)


def _vins(answer: str) -> Iterator[str]:
    for match in _VIN.finditer(answer):
        vin = read_vin(match[0])
        if vin is not None and texts.vin_verdict(vin) not in _after(answer, match):
            yield texts.vin_checked(vin)


def _uncertain(answer: str, codes: Sequence[TextLine], sure: float) -> Iterator[str]:
    texts_read = {without_separators(code.text) for code in codes}
    # A code that the engine reads elsewhere is no misreading of a similar one.
    near = _by_gaps((code, text) for code, text in _codes_in(answer) if code not in texts_read)
    signs = _SIGNS.sub("", answer)
    for code in codes:
        match = _SIGNS.sub("", code.text) in signs and re.search(words_pattern(code.text), answer)
        if match:
            if code.confidence < sure and texts.PLEASE_CHECK not in _after(answer, match):
                yield texts.uncertain_code(code.text, code.confidence)
        elif _is_mixed(code.text):
            for text in _near(near, without_separators(code.text)):
                yield texts.read_differently(text, code.text, code.confidence)


def _after(answer: str, match: re.Match[str]) -> str:
    """Return what an answer itself says after a code."""
    return answer[match.end() : match.end() + REMARK].partition("\n")[0]


def _codes_in(answer: str) -> Iterator[tuple[str, str]]:
    """Yield what looks like a code in an answer, without separators and as it is."""
    return ((without_separators(match[0]), match[0]) for match in _CODE.finditer(answer))


def _by_gaps(codes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """Group codes by their rest without one character, before and after it."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for code, text in codes:
        for gap in _gaps(code):
            groups.setdefault(gap, {})[code] = text
    return groups


def _gaps(code: str) -> Iterator[tuple[str, str]]:
    return ((code[:place], code[place + 1 :]) for place in range(len(code)))


def _near(near: dict[tuple[str, str], dict[str, str]], code: str) -> Iterable[str]:
    """Return the codes that differ from one in one character, as the answer has them."""
    similar = {other: text for gap in _gaps(code) for other, text in near.get(gap, {}).items()}
    return [text for other, text in similar.items() if other != code]


def _is_mixed(text: str) -> bool:
    """Return whether a code has both letters and digits."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))
