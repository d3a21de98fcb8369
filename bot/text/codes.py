"""Plates, serial numbers and other codes in a line of text."""

from __future__ import annotations

import re

# Up to four digits alone are years, times and house numbers.
_CODE = re.compile(r"(?=.*\d)(?!\d{4}$)[A-Z0-9]{4,24}")

_SEPARATORS = re.compile(r"[\s.·:/-]")


def without_separators(text: str) -> str:
    """Return a code without the separators between its characters."""
    return _SEPARATORS.sub("", text)


def is_code(text: str) -> bool:
    """Return whether a line of text looks like a plate, serial number or other code."""
    return _CODE.fullmatch(without_separators(text)) is not None
