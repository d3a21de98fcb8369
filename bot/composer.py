"""The request of a question: which pictures go, singly or on sheets, and what was seen in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    from collections.abc import Callable, Iterable, Sequence

    from bot.gallery import Collected, Gallery
    from bot.history import Past
    from bot.model import Picture
    from bot.preferences import InForce
    from bot.question import Question
    from bot.settings import Limits
    from bot.sights import Sights


@dataclass(frozen=True, slots=True)
class Composed:
    """A request, and what people and the history are to know of it.

    `notes` stand above the answer and `tail` below it. `singles` and `sheets` are the photos that
    go singly or only on a contact sheet; `sightings` what is known of all that go with the
    question, by number, and `seen` what was looked at for it.
    """

    request: Request
    notes: tuple[str, ...]
    tail: tuple[str, ...]
    singles: tuple[int, ...]
    sheets: tuple[int, ...]
    sightings: Mapping[int, Sighting]
    seen: tuple[Seen, ...]


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
        progress: Callable[[int, int], None],
    ) -> Composed:
        """Choose the pictures, have them looked at, and build the request for `words`."""
        limits = self._limits
        family = self._families.get(force.model) or family_of(force.model)
        budget = Budget(limits.max_pictures, limits.max_prompt_tokens, family)
        wanted, notes = await self._wanted(question, collected, past)
        known = past.sightings if force.vision else {}
        tail: list[str] = []
        seen: tuple[Seen, ...] = ()
        if force.vision:
            fresh = [picture for picture in wanted if picture.numbers[0] not in known]
            looked = await self._sights.see(question.thread, fresh, progress)
            seen = tuple(Seen(*entry) for entry in sorted(looked.sightings.items()))
            known |= looked.sightings
            tail += [texts.without_vision(looked.problem)] if looked.problem else []
        wanted = [replace(one, sighting=known.get(one.numbers[0])) for one in wanted]
        singles, sheets, failed = await self._arranged(wanted, places(wanted, budget))
        if sheets:
            tail.insert(0, texts.seen_singly(_numbers(singles), _numbers(sheets)))
        going = set(_numbers(wanted))
        recent = await self._recent(question, past, going, len(singles) + len(sheets))
        messages = build(
            force.system,
            past,
            Asked(words, question.author if question.shared else ""),
            (*singles, *sheets),
            {number: replace(one, sighting=known.get(number)) for number, one in recent.items()},
            budget,
            Evidence(known, limits.sight_tokens) if force.vision else None,
        )
        return Composed(
            request=Request(force.model, messages, vision=force.vision),
            notes=(*notes, *failed),
            tail=tuple(tail),
            singles=_numbers(singles),
            sheets=_numbers(sheets),
            sightings={number: known[number] for number in going if number in known},
            seen=seen,
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
        self, question: Question, past: Past, going: set[int], pictures: int
    ) -> dict[int, Picture]:
        """Bring back the latest of the other pictures, as far as there is room for them."""
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
