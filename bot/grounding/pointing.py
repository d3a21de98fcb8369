"""What an answer points at: outlines, and the words that stand for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.frame_ids import label
from bot.domain.outlines import Grounding
from bot.grounding.outlines import MOST, cited_numbers, number_spans, spans
from bot.grounding.realign import realign
from bot.grounding.word_matching import match_words
from bot.ports.channel import Citation
from bot.strings import answers as texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.domain.outlines import Outline, Span
    from bot.domain.sightings import Sighting


def ground(
    answer: str,
    outlines: Sequence[Outline],
    spans_of_model: Sequence[Span] | None,
    sightings: Mapping[int, Sighting],
) -> Grounding:
    """Return what a stored answer points at.

    The model's own `outlines` come first; else the spans of its words for which the service gave
    polygons (None if it gave none); else the objects and lines of `sightings` that the answer
    names. Numbers that are in the answer already mean something else.
    """
    if outlines:
        return Grounding(tuple(outlines), spans(answer, outlines))
    first = _first_free(cited_numbers(answer))
    if spans_of_model is not None:
        return number_spans(realign(spans_of_model, answer), first)
    return match_words(answer, sightings, first)


def _first_free(numbers: Iterable[int]) -> int:
    """Return the least number after which `MOST` numbers are free."""
    after = (number + 1 for number in sorted(numbers))
    return next(
        first
        for first in (1, *after)
        if not any(first <= number < first + MOST for number in numbers)
    )


def citations(outlines: Iterable[Outline], names: Mapping[int, str]) -> tuple[Citation, ...]:
    """Return the meaning of each number; `names` are those of photos and frames, by number."""
    return tuple(
        Citation(
            outline.number,
            outline.label,
            texts.outline_caption(names.get(outline.photo, label(outline.photo))),
        )
        for outline in outlines
    )
