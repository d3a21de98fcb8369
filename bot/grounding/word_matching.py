"""Words of an answer matched with what vision saw: pointing for models that call no tools."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from bot.domain.frame_ids import CLOCK, is_frame, read_clock, seconds_of
from bot.domain.outlines import Grounding, Span
from bot.domain.sightings import Polygon
from bot.grounding.outlines import as_written, label_of, numbered, prose
from bot.grounding.time_citations import NEARLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bot.domain.sightings import Sighting

PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep"}
"""Plurals, among the labels of COCO, that no rule makes."""

_PHOTO = re.compile(r"\bP(\d+)\b")
_ANOTHER = re.compile(
    r"\b(?:an?|another|other|second|third|fourth|fifth)\s+(?:[\w-]+\s+){0,2}\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Something on a photo that words may name."""

    photo: int
    polygon: Polygon
    confidence: float


@dataclass(slots=True)
class _Name:
    """A name with all that bears it; `several` finds its plural, for which all of them stand."""

    words: str
    one: re.Pattern[str]
    several: re.Pattern[str] | None
    bearers: list[_Seen]
    spoken: bool = False


def matched(answer: str, seen: Mapping[int, Sighting], first: int = 1) -> Grounding:
    """Find what an answer names of things and lines of text, by photo number.

    Names are whole words in any case, one or several; the longest is found first, and everything
    is outlined once, with numbers from `first`. A later mention in the singular stands for
    another of its kind only where the words say so ("another car"). What is on a frame of a video
    is meant only where its time was named before.
    """
    text = prose(answer)
    free = text
    spans: dict[Span, str] = {}
    for name in sorted(_names(seen, _signs(text)), key=lambda name: -len(name.words)):
        for span in _mentions(name, text, free):
            spans[span] = label_of(name.words)
            free = free[: span.offset] + " " * span.length + free[span.offset + span.length :]
    labels = {(span.photo, span.polygon): label for span, label in spans.items()}
    found = numbered(spans, first)
    outlines = (replace(one, label=labels[one.photo, one.polygon]) for one in found.outlines)
    return replace(found, outlines=tuple(outlines))


def _mentions(name: _Name, text: str, free: str) -> Iterator[Span]:
    """Find the mentions of a name in what is still free of an answer."""
    for found in _in_order(name, free):
        plural = name.several is not None and found.re is name.several
        for one in _meant(name, text[: found.start()], plural=plural):
            start, end = found.span()
            yield Span(text[start:end], start, end - start, one.polygon, one.photo)


def _in_order(name: _Name, text: str) -> Iterable[re.Match[str]]:
    patterns = [name.one, name.several] if name.several else [name.one]
    found = (match for pattern in patterns for match in pattern.finditer(text))
    return sorted(found, key=lambda match: match.start())


def _meant(name: _Name, before: str, *, plural: bool) -> Iterable[_Seen]:
    """Take those that a mention stands for, which no other mention stands for then."""
    there = _there(before)
    bearers = [one for one in name.bearers if not is_frame(one.photo) or there(one)]
    if plural:
        name.bearers = [one for one in name.bearers if one not in bearers]
        return bearers
    if not bearers or (
        name.spoken and not is_frame(bearers[0].photo) and not _ANOTHER.search(before)
    ):
        return []
    name.spoken = True
    best = next(filter(there, bearers), bearers[0])
    name.bearers.remove(best)
    return [best]


def _there(before: str) -> Callable[[_Seen], bool]:
    """Tell what is on the photo that was named last, or on a frame of the time named last."""
    last = _PHOTO.findall(before)[-1:]
    times = [read_clock(time) for time in CLOCK.finditer(before)][-1:]

    def is_there(one: _Seen) -> bool:
        if is_frame(one.photo):
            return any(abs(seconds_of(one.photo) - at) < NEARLY for at in times)
        return [str(one.photo)] == last

    return is_there


def _names(seen: Mapping[int, Sighting], signs: str) -> list[_Name]:
    """Gather what was seen by name, the surest first; lines that cannot be in an answer stay out.

    `signs` are those of the answer, which are fast to search.
    """
    names: dict[tuple[str, bool], _Name] = {}
    for photo, sighting in seen.items():
        for thing in sighting.things:
            entry = names.setdefault((thing.label.casefold(), False), _of_thing(thing.label))
            entry.bearers.append(_Seen(photo, thing.polygon, thing.confidence))
        for line in sighting.lines:
            if _signs(line.text) in signs and (pattern := _of_line(line.text)):
                fresh = _Name(line.text, pattern, None, [])
                entry = names.setdefault((line.text.casefold(), True), fresh)
                entry.bearers.append(_Seen(photo, line.polygon, line.confidence))
    for name in names.values():
        name.bearers.sort(key=attrgetter("confidence"), reverse=True)
    return list(names.values())


def _of_thing(label: str) -> _Name:
    one, several = (
        re.compile(as_written(words) or r"\Z.", re.I) for words in (label, _plural(label))
    )
    return _Name(label, one, several if several.pattern != one.pattern else None, [])


def _plural(label: str) -> str:
    """Put a noun, or the last of several words, into the plural."""
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
    """Make a pattern for a line of text that says enough to be recognised; None for others.

    Three letters may be any word, so they are found in their own case only.
    """
    signs = _signs(line)
    if len(signs) < (2 if any(map(str.isdigit, signs)) else 3):
        return None
    return re.compile(as_written(line), re.NOFLAG if len(signs) == 3 and signs.isalpha() else re.I)
