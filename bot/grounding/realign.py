"""Spans of a model's words, found again in the stored answer, which differs a little from them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.outlines import Span


def realign(spans: Iterable[Span], answer: str) -> tuple[Span, ...]:
    """Return spans of a model's words with their offsets in the answer, in code points.

    Making the words safe adds and removes characters, so a span is where its text is nearest to
    the place that the span before it suggests. A span whose text is gone is left out.
    """
    result: list[Span] = []
    drift = 0
    for span in sorted(spans, key=lambda span: span.offset):
        estimate = span.offset + drift
        places = [match.start() for match in re.finditer(re.escape(span.text), answer)]
        if places and span.text:
            at = min(places, key=lambda place: abs(place - estimate))
            drift = at - span.offset
            result.append(replace(span, offset=at))
    return tuple(result)
