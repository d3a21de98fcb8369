"""What an answer points at: outlines on photos, and the words that stand for them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.frame_ids import label
from bot.domain.outlines import Grounding, Outline, Span
from bot.text.escape import plain
from bot.text.graphemes import boundary
from bot.text.markdown import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.domain.sightings import Polygon


MOST = 20
"""Most outlines of one answer: more cannot be told apart, and Teams cites no more in a message."""
LABEL_LENGTH = 80

_CODE = re.compile(
    r"^(`{3,})[^\n]*\n.*?(?:^\1`*$|\Z)|(?<!`)(`+)(?!`)[^\n]+?(?<!`)\2(?!`)", re.M | re.S
)
_MARK = re.compile(r"\[([1-9]\d?)\]")
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_COUNTED = re.compile(r"\A(?:\d{1,3}|[Aa]n?|[Tt]he) (?=[a-z])")
"""What stands before a noun, and not in a key where each number has one thing."""
_BETWEEN = r"[\W_]{0,3}"


def label_of(words: str) -> str:
    """Make a label of what a model, an engine or a picture says: short plain text, or empty."""
    short = plain(words)
    if len(short) <= LABEL_LENGTH:
        return short
    return f"{short[: boundary(short, LABEL_LENGTH - 1)].rstrip()}…"


def as_written(words: str) -> str:
    """Write a pattern that finds words whole, whatever stands between them; empty without any.

    Letters and digits count as words of their own, so that `KRW301` is found in "KRW 301".
    """
    runs = [re.escape(run) for run in _RUNS.findall(words)]
    return rf"(?<![^\W_]){_BETWEEN.join(runs)}(?![^\W_])" if runs else ""


def prose(answer: str) -> str:
    """Blank out the code of an answer, in which nothing is cited; all offsets stay."""
    return _CODE.sub(lambda code: " " * len(code[0]), answer)


def cited(answer: str) -> tuple[int, ...]:
    """List the numbers that an answer cites as `[1]`, each once, in their order."""
    return tuple(dict.fromkeys(int(mark[1]) for mark in _MARK.finditer(prose(answer))))


def uncited(answer: str, outlines: Iterable[Outline]) -> tuple[Outline, ...]:
    """List the outlines that an answer does not cite: they belong into a key at its end."""
    known = cited(answer)
    return tuple(outline for outline in outlines if outline.number not in known)


def spans(answer: str, outlines: Iterable[Outline]) -> tuple[Span, ...]:
    """Find where an answer cites outlines: the label before a number, else the number itself."""
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
    """Find a label that ends just before a place, marks of Markdown left aside."""
    pattern = as_written(words)
    lead = max(0, at - 2 * len(words) - 20)
    found = [*re.finditer(pattern, answer[lead:at], re.IGNORECASE)] if pattern else []
    if not found or answer[lead + found[-1].end() : at].strip(" *_"):
        return None
    return lead + found[-1].start(), lead + found[-1].end()


def numbered(found: Iterable[Span], first: int = 1) -> Grounding:
    """Make outlines of spans without numbers: from `first`, in the order of the text.

    The same part of a photo has one number, and what comes after `MOST` outlines is left out.
    """
    outlines: dict[tuple[int, Polygon], Outline] = {}
    kept: list[Span] = []
    for span in sorted(found, key=lambda span: span.offset):
        part, words = (span.photo, span.polygon), label_of(_COUNTED.sub("", span.text))
        if part not in outlines and len(outlines) < MOST and words:
            number = first + len(outlines)
            outlines[part] = Outline(number, span.photo, words, span.polygon)
        if part in outlines:
            kept.append(replace(span, number=outlines[part].number))
    return Grounding(tuple(outlines.values()), tuple(kept))


def key(outlines: Sequence[Outline]) -> str:
    """Write the key at the end of an answer: "[1] [2] car · [3] plate KRW 301", as safe Markdown.

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
