"""The request of a question: which pictures go, singly or on sheets, and what was seen in them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot import texts
from bot.evidence import Evidence
from bot.history import Seen
from bot.media.sheets import arrange
from bot.model import Request
from bot.problems import FileProblem, Reason
from bot.prompt import Asked, Budget, build, places, selected
from bot.tokens import family_of
from bot.vision import Sighting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.gallery import Collected, Gallery
    from bot.history import Past
    from bot.model import Picture
    from bot.preferences import InForce
    from bot.question import Question
    from bot.settings import Limits
    from bot.sights import Progress, Sights


@dataclass(frozen=True, slots=True)
class Composed:
    """A request, and what people and the history are to know of it.

    `notes` stand above the answer and `tail` below it. `singles` and `sheets` are the photos that
    go singly or only on a contact sheet; `sightings` what is known of all that go with the
    question, or of the recent ones where none do, by number, and `seen` what was looked at for it.
    """

    request: Request
    notes: tuple[str, ...]
    tail: tuple[str, ...]
    singles: tuple[int, ...]
    sheets: tuple[int, ...]
    sightings: Mapping[int, Sighting]
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is known of photos, by number; what was looked at just now; what people are to know."""

    known: Mapping[int, Sighting] = field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    notes: tuple[str, ...] = ()

    def with_sighting(self, picture: Picture) -> Picture:
        """Give a picture of a single photo what was seen in it."""
        return replace(picture, sighting=self.known.get(picture.numbers[0]))


class Composer:
    """Makes requests; learns what models' pictures cost."""

    def __init__(
        self, gallery: Gallery, sights: Sights, limits: Limits, families: Mapping[str, str]
    ) -> None:
        self._gallery = gallery
        self._sights = sights
        self._limits = limits
        self._families = dict(families)

    def learn(self, name: str, answered_by: str) -> None:
        """Learn a model's family from what the service says answered."""
        if not self._families.get(name) and (family := family_of(answered_by)):
            self._families[name] = family

    async def compose(
        self,
        question: Question,
        words: str,
        collected: Collected,
        past: Past,
        force: InForce,
        progress: Progress,
    ) -> Composed:
        """Choose the pictures, have them looked at, and build the request for `words`."""
        wanted, notes = await self._wanted(question, collected, past)
        looked = await self._looked(question, wanted, past, force, progress)
        wanted = list(map(looked.with_sighting, wanted))
        budget = self._budget(force.model)
        evidence = self._evidence(looked, len(wanted), budget) if force.vision else None
        room = await asyncio.to_thread(places, wanted, budget, evidence)
        singles, sheets, failed = await self._arranged(wanted, room)
        recent = await self._recent(question, past, wanted, len(singles) + len(sheets))
        messages = await asyncio.to_thread(
            build,
            force.system,
            past,
            Asked(words, question.author if question.shared else ""),
            (*singles, *sheets),
            {number: looked.with_sighting(picture) for number, picture in recent.items()},
            budget,
            evidence,
        )
        on_sheets = _numbers(sheets)
        shown = _numbers(wanted) or tuple(recent)
        told = [texts.seen_singly(_numbers(singles), on_sheets)] if sheets else []
        return Composed(
            request=Request(force.model, messages, vision=force.vision),
            notes=(*notes, *failed),
            tail=(*told, *looked.notes),
            singles=_numbers(singles),
            sheets=on_sheets,
            sightings={n: looked.known[n] for n in shown if n in looked.known},
            seen=looked.seen,
        )

    def _budget(self, model: str) -> Budget:
        family = self._families.get(model) or family_of(model)
        return Budget(self._limits.max_pictures, self._limits.max_prompt_tokens, family)

    def _evidence(self, looked: _Looked, photos: int, budget: Budget) -> Evidence:
        """Tell what was seen, a quarter of the budget at most for the photos of the question.

        A photo on a contact sheet, or that is not sent again, gets a quarter of what others get.
        """
        share, most = budget.tokens // 4 // max(1, photos), self._limits.sight_tokens
        return Evidence(looked.known, min(most, share), min(most // 4, share))

    async def _looked(
        self,
        question: Question,
        wanted: Sequence[Picture],
        past: Past,
        force: InForce,
        progress: Progress,
    ) -> _Looked:
        """Have those pictures looked at that were not yet; nothing is known where vision is off."""
        if not force.vision:
            return _Looked()
        known = past.sightings
        fresh = [picture for picture in wanted if picture.numbers[0] not in known]
        found = await self._sights.see(question.thread, fresh, progress)
        missing = [number for number in _numbers(fresh) if number not in found.sightings]
        some = missing if found.sightings else ()
        return _Looked(
            known=known | found.sightings,
            seen=tuple(Seen(n, found.sightings[n]) for n in sorted(found.sightings)),
            notes=(texts.without_vision(found.problem, some),) if found.problem else (),
        )

    async def _wanted(
        self, question: Question, collected: Collected, past: Past
    ) -> tuple[list[Picture], list[str]]:
        """Bring the earlier pictures that a question is about to its new ones."""
        limits = self._limits
        new = set(_numbers(collected.pictures))
        chosen = [
            photo
            for photo in selected(past, question.words, question.quoted)
            if photo.number not in new
        ]
        surplus = max(0, len(chosen) + len(collected.pictures) - limits.max_files)
        chosen = chosen[surplus:]
        called = await self._gallery.recall(question.thread, chosen)
        gone = [photo.label for photo in chosen if photo.number not in called]
        notes = [
            *([texts.shortened(limits)] if question.shortened else []),
            *([texts.file_problem("", 0, FileProblem(Reason.TOO_MANY), limits)] if surplus else []),
            *(texts.file_gone(label) for label in gone),
        ]
        return [*called.values(), *collected.pictures], notes

    async def _recent(
        self, question: Question, past: Past, wanted: Sequence[Picture], pictures: int
    ) -> dict[int, Picture]:
        """Bring back the latest of the other pictures, as far as there is room for them."""
        going = set(_numbers(wanted))
        room = min(self._limits.recent_pictures, self._limits.max_pictures - pictures)
        rest = [photo for photo in past.photos if photo.number not in going]
        return await self._gallery.recall(question.thread, rest[-room:] if room > 0 else [])

    async def _arranged(
        self, pictures: Sequence[Picture], limit: int
    ) -> tuple[Sequence[Picture], list[Picture], list[str]]:
        """Keep as many single as the limit allows; returns these, the sheets, and what failed."""
        singly, groups = arrange(len(pictures), limit)
        sheets: list[Picture] = []
        failed: list[str] = []
        start = singly
        for count in groups:
            group = pictures[start : start + count]
            start += count
            try:
                sheets.append(await self._gallery.overview(group))
            except FileProblem as problem:
                names = texts.photo_ranges(_numbers(group))
                failed.append(texts.file_problem(names, 0, problem, self._limits))
        return pictures[:singly], sheets, failed


def _numbers(pictures: Iterable[Picture]) -> tuple[int, ...]:
    return tuple(number for picture in pictures for number in picture.numbers)
