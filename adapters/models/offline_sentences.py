"""What is seen in a picture, told in words that point at it: for answers without a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.models.offline_topics import Topic, named_things
from bot import strings as texts
from bot.domain.outlines import Span
from bot.domain.sightings import Polygon
from bot.text.codes import is_code
from bot.text.escape import verbatim
from bot.text.vocabulary import VEHICLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.domain.sightings import DetectedObject, Sighting, TextLine

MOST_LINES = 80
"""Lines of text told of one picture."""
FEW_LINES = 8
"""So few lines are all pointed at; of more only plates and other codes."""
OWNERS = (*VEHICLES, "bicycle", "train", "boat", "airplane")
"""Things that have plates and names on them."""


@dataclass(frozen=True, slots=True)
class SentencePart:
    """Words of an answer; `marks` say which words stand for which parts of photo `P<photo>`."""

    text: str
    marks: tuple[tuple[str, Polygon], ...] = ()
    photo: int = 0


@dataclass(slots=True)
class OfflineAnswer:
    """An answer as it grows, with its spans."""

    length: int = 0
    spans: list[Span] = field(default_factory=list)

    def take(self, piece: SentencePart) -> str:
        """Add words to the answer; returns them."""
        at = 0
        for words, polygon in piece.marks:
            index = piece.text.find(words, at)
            at = index if index >= 0 else piece.text.index(words)
            self.spans.append(Span(words, self.length + at, len(words), polygon, piece.photo))
        self.length += len(piece.text)
        return piece.text


def describe(sighting: Sighting, question: str, about: set[Topic]) -> Iterator[SentencePart]:
    """Tell what was seen, as far as it was asked for, each line of the answer a piece."""
    if Topic.THINGS in about:
        yield from _things(sighting.things, question)
    if Topic.TEXT in about:
        yield _text(sighting)


def summarize(sighting: Sighting, question: str) -> SentencePart:
    """Tell what was seen in one line, of the things that a question names these alone.

    Only what is asked for, and text, is pointed at: of a video all things would be too many.
    """
    groups = _by_label(sighting.things)
    labels = {label for labels in named_things(question, groups).values() for label in labels}
    groups = {label: found for label, found in groups.items() if label in labels or not labels}
    phrases = [texts.offline_things(label, groups[label]) for label in groups]
    text = _text(sighting) if sighting.lines else SentencePart("")
    words = "; ".join(part for part in (*phrases, text.text.removeprefix("- ").rstrip()) if part)
    return SentencePart(words, (*(_marks(phrases, groups) if labels else ()), *text.marks))


def _things(things: Sequence[DetectedObject], question: str) -> Iterator[SentencePart]:
    """Answer for each thing that a question names, else tell all."""
    groups = _by_label(things)
    by_name = named_things(question, groups)
    for name, labels in by_name.items():
        group = {label: groups[label] for label in labels if label in groups}
        phrases = [texts.offline_things(label, group[label]) for label in group]
        yield SentencePart(
            texts.offline_asked(name, labels, phrases) + "\n", _marks(phrases, group)
        )
    if not by_name:
        phrases = [texts.offline_things(label, groups[label]) for label in groups]
        line = texts.OFFLINE_SEEN + ("; ".join(phrases) or texts.OFFLINE_NOTHING_SEEN)
        yield SentencePart(line + "\n", _marks(phrases, groups))


def _by_label(things: Sequence[DetectedObject]) -> dict[str, list[Polygon]]:
    """Gather things by label, the most numerous first, each from the left."""
    groups: dict[str, list[Polygon]] = {}
    for thing in sorted(things, key=lambda thing: thing.polygon[0][0]):
        groups.setdefault(thing.label, []).append(thing.polygon)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _marks(
    phrases: Sequence[str], groups: dict[str, list[Polygon]]
) -> tuple[tuple[str, Polygon], ...]:
    """Let the number and name in a phrase ("2 cars") stand for each of its things."""
    return tuple(
        (phrase.partition(",")[0], polygon)
        for phrase, polygons in zip(phrases, groups.values(), strict=True)
        for polygon in polygons
    )


def _text(sighting: Sighting) -> SentencePart:
    lines = sighting.lines[:MOST_LINES]
    code_lines = codes(lines)
    phrases = [
        texts.offline_line(line, owner(line, sighting.things), code=True)
        if line.text in code_lines
        else texts.offline_line(line)
        for line in lines
    ]
    if len(sighting.lines) > len(lines):
        phrases.append(texts.offline_more(len(sighting.lines) - len(lines)))
    marks = [
        (verbatim(line.text), line.polygon)
        for line in lines
        if (line.text in code_lines or len(lines) <= FEW_LINES) and verbatim(line.text)
    ]
    words = " · ".join(phrase for phrase in phrases if phrase) or texts.OFFLINE_NO_TEXT
    return SentencePart(f"{texts.OFFLINE_TEXT}{words}\n", tuple(marks))


def codes(lines: Sequence[TextLine]) -> set[str]:
    """Pick what looks like a plate, serial number or other code, where each character counts."""
    return {line.text for line in lines if is_code(line.text)}


def owner(line: TextLine, things: Sequence[DetectedObject]) -> str:
    """Tell on which vehicle a line stands: the smallest one around its middle; empty if none."""
    x = sum(x for x, _ in line.polygon) / len(line.polygon)
    y = sum(y for _, y in line.polygon) / len(line.polygon)
    around = [thing for thing in things if thing.label in OWNERS and _holds(thing.polygon, x, y)]
    return min(around, key=lambda thing: _size(thing.polygon)).label if around else ""


def _holds(polygon: Polygon, x: float, y: float) -> bool:
    across, down = [x for x, _ in polygon], [y for _, y in polygon]
    return min(across) <= x <= max(across) and min(down) <= y <= max(down)


def _size(polygon: Polygon) -> float:
    across, down = [x for x, _ in polygon], [y for _, y in polygon]
    return (max(across) - min(across)) * (max(down) - min(down))
