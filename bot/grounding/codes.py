"""Plates, serial numbers and other codes, of which a single wrong character counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot import strings as texts
from bot.grounding.outlines import as_written
from bot.text.codes import bare, is_code
from bot.text.vin import read_vin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.domain.sightings import TextLine

MOST = 8
"""Sentences told below an answer: more are read by nobody."""
REMARK = 80
"""Characters after a code in which an answer may tell its doubts itself."""

_SIGNS = re.compile(r"[\W_]+")
_WRITTEN = re.compile(r"(?<![\w-])[A-Z0-9](?:[ .·:/-]?[A-Z0-9]){4,23}(?![\w-])")
_VIN = re.compile(r"(?<![\w-])[A-HJ-NPR-Z0-9]{17}(?![\w-])")


def doubts(answer: str, lines: Iterable[TextLine], sure: float) -> tuple[str, ...]:
    """Say what is doubtful of the codes in an answer, one sentence for each.

    `lines` are those that the vision engine read; of a code that it read with less than the
    confidence `sure`, or otherwise than the answer has it, the score is told. Numbers of
    vehicles are told to pass their check or not. What the answer tells itself is left out.
    """
    codes = [line for line in lines if is_code(line.text) and read_vin(line.text) is None]
    found = tuple(dict.fromkeys((*_vins(answer), *_doubtful(answer, codes, sure))))
    more = (texts.more_uncertain_codes(len(found) - MOST),) if len(found) > MOST else ()
    return (*found[:MOST], *more)


def _vins(answer: str) -> Iterator[str]:
    for found in _VIN.finditer(answer):
        vin = read_vin(found[0])
        if vin is not None and texts.vin_verdict(vin) not in _after(answer, found):
            yield texts.vin_checked(vin)


def _doubtful(answer: str, codes: Sequence[TextLine], sure: float) -> Iterator[str]:
    read = {bare(code.text) for code in codes}
    # A code that the engine reads elsewhere is no misreading of a similar one.
    near = _by_gaps((code, shown) for code, shown in _written(answer) if code not in read)
    signs = _SIGNS.sub("", answer)
    for code in codes:
        there = _SIGNS.sub("", code.text) in signs and re.search(as_written(code.text), answer)
        if there:
            if code.confidence < sure and texts.PLEASE_CHECK not in _after(answer, there):
                yield texts.uncertain_code(code.text, code.confidence)
        elif _is_mixed(code.text):
            for shown in _near(near, bare(code.text)):
                yield texts.read_differently(shown, code.text, code.confidence)


def _after(answer: str, found: re.Match[str]) -> str:
    """Return what an answer itself tells of a code."""
    return answer[found.end() : found.end() + REMARK].partition("\n")[0]


def _written(answer: str) -> Iterator[tuple[str, str]]:
    """List what looks like a code in an answer, bare and as it stands there."""
    return ((bare(found[0]), found[0]) for found in _WRITTEN.finditer(answer))


def _by_gaps(written: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """Sort codes by what is left of them without one character, before and after it."""
    sorted_codes: dict[tuple[str, str], dict[str, str]] = {}
    for code, shown in written:
        for gap in _gaps(code):
            sorted_codes.setdefault(gap, {})[code] = shown
    return sorted_codes


def _gaps(code: str) -> Iterator[tuple[str, str]]:
    return ((code[:place], code[place + 1 :]) for place in range(len(code)))


def _near(near: dict[tuple[str, str], dict[str, str]], code: str) -> Iterable[str]:
    """List the codes that differ from one in one character, as they stand in the answer."""
    found = {other: shown for gap in _gaps(code) for other, shown in near.get(gap, {}).items()}
    return [shown for other, shown in found.items() if other != code]


def _is_mixed(text: str) -> bool:
    """Tell whether both letters and digits are in a code."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))
