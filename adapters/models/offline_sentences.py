"""Sentences about sightings, whose words point at the picture: for answers without a model."""

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
"""Most lines of text of one picture in an answer."""
FEW_LINES = 8
"""Up to so many lines are all pointed at; of more, only plates and other codes."""
OWNERS = (*VEHICLES, "bicycle", "train", "boat", "airplane")
"""Labels of things that carry plates and names."""


@dataclass(frozen=True, slots=True)
class SentencePart:
    """Words of an answer; `marks` map some of them to polygons in photo `P<photo>`."""

    text: str
    marks: tuple[tuple[str, Polygon], ...] = ()
    photo: int = 0


@dataclass(slots=True)
class OfflineAnswer:
    """An answer as it grows, with its spans."""

    length: int = 0
    spans: list[Span] = field(default_factory=list)

    def take(self, piece: SentencePart) -> str:
        """Add a part to the answer and return its words."""
        at = 0
        for words, polygon in piece.marks:
            index = piece.text.find(words, at)
            at = index if index >= 0 else piece.text.index(words)
            self.spans.append(Span(words, self.length + at, len(words), polygon, piece.photo))
        self.length += len(piece.text)
        return piece.text


def describe(sighting: Sighting, question: str, about: set[Topic]) -> Iterator[SentencePart]:
    """Describe a sighting, as far as the question is about it, line by line."""
    if Topic.THINGS in about:
        yield from _things(sighting.things, question)
    if Topic.TEXT in about:
        yield _text(sighting)


def summarize(sighting: Sighting, question: str) -> SentencePart:
    """Summarize a sighting in one line, with only the things that the question names, if any.

    Only these, and text, are pointed at: all things of a video would be too many.
    """
    groups = _by_label(sighting.things)
    labels = {label for labels in named_things(question, groups).values() for label in labels}
    groups = {
        label: polygons for label, polygons in groups.items() if label in labels or not labels
    }
    phrases = [texts.offline_things(label, groups[label]) for label in groups]
    text = _text(sighting) if sighting.lines else SentencePart("")
    words = "; ".join(part for part in (*phrases, text.text.removeprefix("- ").rstrip()) if part)
    return SentencePart(words, (*(_marks(phrases, groups) if labels else ()), *text.marks))


def _things(things: Sequence[DetectedObject], question: str) -> Iterator[SentencePart]:
    """Answer for each thing that the question names, or else list all."""
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
    """Group the polygons of things by label, the most numerous first, each from left to right."""
    groups: dict[str, list[Polygon]] = {}
    for thing in sorted(things, key=lambda thing: thing.polygon[0][0]):
        groups.setdefault(thing.label, []).append(thing.polygon)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _marks(
    phrases: Sequence[str], groups: dict[str, list[Polygon]]
) -> tuple[tuple[str, Polygon], ...]:
    """Map the number and name in a phrase ("2 cars") to each of its things."""
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
    """Return the texts that look like a plate, serial number or other code."""
    return {line.text for line in lines if is_code(line.text)}


def owner(line: TextLine, things: Sequence[DetectedObject]) -> str:
    """Return the label of the vehicle that a line is on: the smallest around its centre, if any."""
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
