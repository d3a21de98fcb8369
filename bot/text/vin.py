"""Vehicle identification numbers: recognised in text, and checked by their check digit.

The form is that of ISO 3779; the check digit in the ninth place that of 49 CFR 565.15, which
holds for vehicles made for North America. Elsewhere other characters may stand there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
    "P": 7,
    "R": 9,
}
WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
CHECK_PLACE = 8
_FORM = re.compile(r"(?=.*[A-Z])[A-HJ-NPR-Z0-9]{13}[0-9]{4}")
_BETWEEN = re.compile(r"[\s*·.:-]+")
_PREFIX = re.compile(r"(VIN|FIN|CHASSIS)(NO|NR)?(?=.{17})")
_MISREAD = str.maketrans("IOQ", "100")
"""No such number has these letters, as they look like these digits."""


@dataclass(frozen=True, slots=True)
class Vin:
    """A number of 17 characters, and whether its check digit fits."""

    number: str
    passes: bool


def read_vin(text: str) -> Vin | None:
    """Read a line of text as such a number; return None if it does not have the form of one.

    Case, spaces and marks between characters do not matter, nor does "VIN" before them.
    """
    text = _PREFIX.sub("", _BETWEEN.sub("", text.upper()), count=1)
    number = text.translate(_MISREAD)
    return Vin(number, passes(number)) if _FORM.fullmatch(number) else None


def check_digit(number: str) -> str:
    """Return the check digit, 0..9 or X, of 17 characters; raises `KeyError` for I, O, Q, …."""
    total = sum(VALUES[sign] * weight for sign, weight in zip(number, WEIGHTS, strict=True))
    return "0123456789X"[total % 11]


def passes(number: str) -> bool:
    """Return whether the check digit of 17 characters fits."""
    return len(number) == len(WEIGHTS) and number[CHECK_PLACE] == check_digit(number)
