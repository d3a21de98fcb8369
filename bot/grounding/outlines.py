"""Outlines of an answer: their numbers, labels, spans of text, and the key below it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.frame_ids import label
from bot.domain.outlines import Grounding, Outline, Span
from bot.text.escape import plain
from bot.text.graphemes import boundary
from bot.text.markdown import render
from bot.text.patterns import prose, words_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.domain.sightings import Polygon


MOST = 20
"""Most outlines of one answer: more look alike, and Teams cites no more in a message."""
LABEL_LENGTH = 80

_MARK = re.compile(r"\[([1-9]\d?)\]")
_ARTICLE = re.compile(r"\A(?:\d{1,3}|[Aa]n?|[Tt]he) (?=[a-z])")
"""What precedes a noun, but is left out in a key, where each number is one thing."""


def label_of(words: str) -> str:
    """Return a label made of words of a model, an engine or a picture: short plain text."""
    short = plain(words)
    if len(short) <= LABEL_LENGTH:
        return short
    return f"{short[: boundary(short, LABEL_LENGTH - 1)].rstrip()}…"


def cited_numbers(answer: str) -> tuple[int, ...]:
    """Return the numbers that an answer cites as `[1]`, each once, in their order."""
    return tuple(dict.fromkeys(int(mark[1]) for mark in _MARK.finditer(prose(answer))))


def uncited_outlines(answer: str, outlines: Iterable[Outline]) -> tuple[Outline, ...]:
    """Return the outlines that an answer does not cite: they go into a key at its end."""
    numbers = cited_numbers(answer)
    return tuple(outline for outline in outlines if outline.number not in numbers)


def spans(answer: str, outlines: Iterable[Outline]) -> tuple[Span, ...]:
    """Return where an answer cites outlines: the label before a number, else the number itself."""
    return tuple(_spans(answer, {outline.number: outline for outline in outlines}))


def _spans(answer: str, outlines: dict[int, Outline]) -> Iterator[Span]:
    for mark in _MARK.finditer(prose(answer)):
        outline = outlines.get(int(mark[1]))
        if outline is not None:
            start, end = _label_before(answer, mark.start(), outline.label) or mark.span()
            yield Span(
                answer[start:end],
                start,
                end - start,
                outline.polygon,
                outline.photo,
                outline.number,
            )


def _label_before(answer: str, at: int, words: str) -> tuple[int, int] | None:
    """Return the label that ends just before a place; marks of Markdown do not count."""
    pattern = words_pattern(words)
    lead = max(0, at - 2 * len(words) - 20)
    matches = [*re.finditer(pattern, answer[lead:at], re.IGNORECASE)] if pattern else []
    if not matches or answer[lead + matches[-1].end() : at].strip(" *_"):
        return None
    return lead + matches[-1].start(), lead + matches[-1].end()


def number_spans(spans: Iterable[Span], first: int = 1) -> Grounding:
    """Number spans from `first`, in the order of the text, and return them with their outlines.

    The same part of a photo has one number; spans after `MOST` outlines are left out.
    """
    outlines: dict[tuple[int, Polygon], Outline] = {}
    numbered_spans: list[Span] = []
    for span in sorted(spans, key=lambda span: span.offset):
        part, words = (span.photo, span.polygon), label_of(_ARTICLE.sub("", span.text))
        if part not in outlines and len(outlines) < MOST and words:
            number = first + len(outlines)
            outlines[part] = Outline(number, span.photo, words, span.polygon)
        if part in outlines:
            numbered_spans.append(replace(span, number=outlines[part].number))
    return Grounding(tuple(outlines.values()), tuple(numbered_spans))


def key(outlines: Sequence[Outline]) -> str:
    """Return the key at the end of an answer: "[1] [2] car · [3] plate KRW 301", as safe Markdown.

    Photos are named where there are several.
    """
    several = len({outline.photo for outline in outlines}) > 1
    entries: dict[tuple[int, str], str] = {}
    for outline in outlines:
        entry = (outline.photo, outline.label)
        entries[entry] = f"{entries.get(entry, '')}[{outline.number}] "
    return render(
        " · ".join(
            f"{numbers}{words}" + (f" ({label(photo)})" if several else "")
            for (photo, words), numbers in entries.items()
        )
    )
