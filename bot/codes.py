"""Plates, serial numbers and other codes, of which a single wrong character counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot import texts
from bot.grounding import as_written
from bot.vin import read_vin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.vision import TextLine

_CODE = re.compile(r"(?=.*\d)[A-Z0-9]{4,24}")
_MARKS = re.compile(r"[\s.·:/-]")
_WRITTEN = re.compile(r"(?<![\w-])[A-Z0-9](?:[ .·:/-]?[A-Z0-9]){4,23}(?![\w-])")
_VIN = re.compile(r"(?<![\w-])[A-HJ-NPR-Z0-9]{17}(?![\w-])")


def bare(text: str) -> str:
    """Leave out what stands between the characters of a code."""
    return _MARKS.sub("", text)


def is_code(text: str) -> bool:
    """Tell whether a line of text looks like a plate, serial number or other code."""
    return _CODE.fullmatch(bare(text)) is not None


def doubts(answer: str, lines: Iterable[TextLine], sure: float) -> tuple[str, ...]:
    """Say what is doubtful of the codes in an answer, one sentence for each.

    `lines` are those that the vision engine read; of a code that it read with less than the
    confidence `sure`, or otherwise than the answer has it, the score is told. Numbers of
    vehicles are told to pass their check or not. What the answer tells itself is left out.
    """
    codes = [line for line in lines if is_code(line.text)]
    return tuple(dict.fromkeys((*_vins(answer), *_doubtful(answer, codes, sure))))


def _vins(answer: str) -> Iterator[str]:
    for found in _VIN.finditer(answer):
        vin = read_vin(found[0])
        if vin is not None and texts.vin_verdict(vin) not in answer:
            yield texts.vin_checked(vin)


def _doubtful(answer: str, codes: Iterable[TextLine], sure: float) -> Iterator[str]:
    written = {bare(found[0]): found[0] for found in _WRITTEN.finditer(answer)}
    for code in codes:
        told = f"{texts.percent(code.confidence)}, {texts.PLEASE_CHECK}" in answer
        pattern = as_written(code.text)
        if re.search(pattern, answer):
            if code.confidence < sure and not told:
                yield texts.doubtful(code.text, code.confidence)
            continue
        for other, shown in written.items():
            if _nearly(other, bare(code.text)):
                yield texts.read_differently(shown, code.text, code.confidence)


def _nearly(one: str, other: str) -> bool:
    """Tell whether two codes of letters and digits differ in one character."""
    mixed = any(map(str.isdigit, other)) and any(map(str.isalpha, other))
    return mixed and len(one) == len(other) and sum(map(str.__ne__, one, other)) == 1
