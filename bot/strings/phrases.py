"""Phrases that several sentences are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.domain.frame_ids import is_frame, label

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = re.compile(r"(?m)(^>.*$)|(?<![\w/.])/(?=[a-z])")
"""A quoted line, or the slash of a command."""
_OFFLINE_SETUP = (
    "To have a model answer, set `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_DEPLOYMENT`, or "
    "`OPENAI_BASE_URL` and `OPENAI_MODEL`, and restart Loupe."
)
OFFLINE_HINT = (
    "No AI model is set up yet, so this answer only covers what the file says and what Loupe can "
    f"read in the picture. {_OFFLINE_SETUP}"
)
OFFLINE_STATUS = (
    "No AI model is set up yet, so answers only cover what the files say and what Loupe can read "
    f"in the pictures. {_OFFLINE_SETUP}"
)
"""Stands where only the offline analyst answers."""


def with_prefix(text: str, prefix: str) -> str:
    """Write the commands of a sentence with a prefix; quotations stay as they are."""
    return COMMAND.sub(lambda match: match[1] or prefix, text)


def count(number: int, one: str, several: str) -> str:
    """Format a number with its noun."""
    return f"{number} {one if number == 1 else several}"


def size(count: int) -> str:
    """Format a number of bytes for people."""
    if count < 1024 * 1024:
        return f"{max(1, round(count / 1024))} KB"
    if count < 999.5 * 1024**2:
        return f"{count / 1024**2:.3g} MB"
    return f"{count / 1024**3:.3g} GB"


def place(latitude: float, longitude: float) -> str:
    """Format a position in degrees, as maps accept it."""
    north = "N" if latitude >= 0 else "S"
    east = "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.5f}° {north}, {abs(longitude):.5f}° {east}"


def photo_ranges(numbers: Sequence[int]) -> str:
    """Format the numbers of photos and frames briefly: P1–P8, P11, V1 0:12.4."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and not is_frame(number) and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("–".join(map(label, span)) for span in spans)


def percent(confidence: float) -> str:
    """Format a confidence of 0..1 as a percentage."""
    return f"{round(100 * confidence)} %"
