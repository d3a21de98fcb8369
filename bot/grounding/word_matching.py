"""Words of an answer matched with sightings: outlines for models that call no tools."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from bot.domain.frame_ids import CLOCK, SECOND_TOLERANCE, is_frame, read_clock, seconds_of
from bot.domain.outlines import Grounding, Span
from bot.domain.sightings import Polygon
from bot.grounding.outlines import label_of, number_spans
from bot.text.patterns import prose, words_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bot.domain.sightings import Sighting

PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep"}
"""Irregular plurals among the labels of COCO."""

_PHOTO = re.compile(r"\bP(\d+)\b")
_ANOTHER = re.compile(
    r"\b(?:an?|another|other|second|third|fourth|fifth)\s+(?:[\w-]+\s+){0,2}\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a photo that words may name."""

    photo: int
    polygon: Polygon
    confidence: float


@dataclass(slots=True)
class _Name:
    """A name with all parts that have it; `plural` matches its plural, which means all of them."""

    words: str
    singular: re.Pattern[str]
    plural: re.Pattern[str] | None
    parts: list[_Part]
    is_mentioned: bool = False


def match_words(answer: str, sightings: Mapping[int, Sighting], first: int = 1) -> Grounding:
    """Return the objects and lines of text that an answer names, as outlines.

    `sightings` are by the numbers of photos and frames. Names are whole words in any case, one or
    several; the longest is matched first, and everything is outlined once, with numbers from
    `first`. A later mention in the singular means another of its kind only if the words say so
    ("another car"). What is on a frame of a video is meant only if its time was named before.
    """
    text = prose(answer)
    unmatched = text
    spans: dict[Span, str] = {}
    for name in sorted(_names(sightings, _signs(text)), key=lambda name: -len(name.words)):
        for span in _mentions(name, text, unmatched):
            spans[span] = label_of(name.words)
            end = span.offset + span.length
            unmatched = unmatched[: span.offset] + " " * span.length + unmatched[end:]
    labels = {(span.photo, span.polygon): label for span, label in spans.items()}
    grounding = number_spans(spans, first)
    outlines = (replace(one, label=labels[one.photo, one.polygon]) for one in grounding.outlines)
    return replace(grounding, outlines=tuple(outlines))


def _mentions(name: _Name, text: str, unmatched: str) -> Iterator[Span]:
    """Yield the mentions of a name in the part of an answer that no other name matched."""
    for match in _matches(name, unmatched):
        plural = name.plural is not None and match.re is name.plural
        for one in _take_parts(name, text[: match.start()], plural=plural):
            start, end = match.span()
            yield Span(text[start:end], start, end - start, one.polygon, one.photo)


def _matches(name: _Name, text: str) -> Iterable[re.Match[str]]:
    patterns = [name.singular, name.plural] if name.plural else [name.singular]
    matches = (match for pattern in patterns for match in pattern.finditer(text))
    return sorted(matches, key=lambda match: match.start())


def _take_parts(name: _Name, before: str, *, plural: bool) -> Iterable[_Part]:
    """Return the parts that a mention means, and remove them for later mentions."""
    is_named = _is_named_in(before)
    parts = [one for one in name.parts if not is_frame(one.photo) or is_named(one)]
    if plural:
        name.parts = [one for one in name.parts if one not in parts]
        return parts
    if not parts or (
        name.is_mentioned and not is_frame(parts[0].photo) and not _ANOTHER.search(before)
    ):
        return []
    name.is_mentioned = True
    best = next(filter(is_named, parts), parts[0])
    name.parts.remove(best)
    return [best]


def _is_named_in(before: str) -> Callable[[_Part], bool]:
    """Return a check for parts of the photo named last, or of a frame at the time named last."""
    last = _PHOTO.findall(before)[-1:]
    times = [read_clock(time) for time in CLOCK.finditer(before)][-1:]

    def is_named(one: _Part) -> bool:
        if is_frame(one.photo):
            return any(abs(seconds_of(one.photo) - at) < SECOND_TOLERANCE for at in times)
        return [str(one.photo)] == last

    return is_named


def _names(sightings: Mapping[int, Sighting], signs: str) -> list[_Name]:
    """Return the names of all objects and lines with their parts, the surest first.

    `signs` are those of the answer, which are fast to search: other lines are left out.
    """
    names: dict[tuple[str, bool], _Name] = {}
    for photo, sighting in sightings.items():
        for thing in sighting.things:
            entry = names.setdefault((thing.label.casefold(), False), _of_thing(thing.label))
            entry.parts.append(_Part(photo, thing.polygon, thing.confidence))
        for line in sighting.lines:
            if _signs(line.text) in signs and (pattern := _of_line(line.text)):
                name = _Name(line.text, pattern, None, [])
                entry = names.setdefault((line.text.casefold(), True), name)
                entry.parts.append(_Part(photo, line.polygon, line.confidence))
    for name in names.values():
        name.parts.sort(key=attrgetter("confidence"), reverse=True)
    return list(names.values())


def _of_thing(label: str) -> _Name:
    singular, plural = (
        re.compile(words_pattern(words) or r"\Z.", re.I) for words in (label, _plural(label))
    )
    return _Name(label, singular, plural if plural.pattern != singular.pattern else None, [])


def _plural(label: str) -> str:
    """Return the plural of a noun, or of the last of several words."""
    head, _, noun = label.rpartition(" ")
    if noun in PLURALS:
        plural = PLURALS[noun]
    elif re.search(r"[^aeiou]y$", noun):
        plural = f"{noun[:-1]}ies"
    else:
        plural = f"{noun}es" if re.search(r"(s|x|z|ch|sh)$", noun) else f"{noun}s"
    return f"{head} {plural}".strip()


def _signs(text: str) -> str:
    """Reduce a text to its letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "", text).lower()


def _of_line(line: str) -> re.Pattern[str] | None:
    """Return a pattern for a line of text that is long enough to be recognised; None for others.

    Three letters may be any word, so they match in their own case only.
    """
    signs = _signs(line)
    if len(signs) < (2 if any(map(str.isdigit, signs)) else 3):
        return None
    return re.compile(
        words_pattern(line), re.NOFLAG if len(signs) == 3 and signs.isalpha() else re.I
    )
