"""Spans found again in an answer as it is stored, which differs a little from the model's words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.outlines import Span


def anchored(spans: Iterable[Span], answer: str) -> tuple[Span, ...]:
    """Give spans of a model's words their offsets in the answer, code points as before.

    What makes the words safe to show adds and removes signs, so a span is where its text stands
    nearest to where the one before it lets expect it. One whose text is gone is left out.
    """
    found: list[Span] = []
    drift = 0
    for span in sorted(spans, key=lambda span: span.offset):
        expected = span.offset + drift
        places = [match.start() for match in re.finditer(re.escape(span.text), answer)]
        if places and span.text:
            at = min(places, key=lambda place: abs(place - expected))
            drift = at - span.offset
            found.append(replace(span, offset=at))
    return tuple(found)
