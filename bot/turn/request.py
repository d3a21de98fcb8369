"""The request of a question: which pictures go, singly or on sheets, and what was seen in them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot import strings as texts
from bot.attachments.references import selected, selected_videos
from bot.domain.files import ChosenFrame, SpokenPassage, VisionRecord
from bot.domain.sightings import Sighting
from bot.domain.token_costs import family_of, picture_tokens
from bot.errors import FileProblem, Reason
from bot.media.contact_sheet import distribute
from bot.media.pixels import fitted_size
from bot.ports.model import Request
from bot.prompt.budget import Budget, places
from bot.prompt.messages import AskedQuestion, build
from bot.prompt.vision_context import VisionContext
from bot.video.chooser import FrameRequest
from bot.video.footage import THUMB_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.attachments.store import AttachmentStore, CollectedFiles
    from bot.attachments.vision import VisionPass
    from bot.domain.files import Video
    from bot.domain.history import ThreadHistory
    from bot.domain.preferences import EffectiveSettings
    from bot.domain.question import Question
    from bot.limits import FileLimits, MessageLimits, RequestLimits
    from bot.ports.model import Picture
    from bot.prompt.messages import VideoPart
    from bot.video.context import PreparedVideo, Say, VideoContexts


SMALL = 1.3 * THUMB_SIDE
"""Pixels of a frame of which its small copy shows enough to be looked at in its place."""


@dataclass(frozen=True, slots=True)
class ComposedRequest:
    """A request, and what people and the history are to know of it.

    `notes` stand above the answer and `tail` below it. `singles` and `sheets` are the photos that
    go singly or only on a contact sheet; `sightings` what is known of all that go with the
    question, or of the recent ones where none do, by number, and `seen` what was looked at for it.
    `chosen` are the frames of videos that go, `overviews` the numbers of those that stand on an
    overview, and `heard` is what was newly transcribed.
    """

    request: Request
    notes: tuple[str, ...]
    tail: tuple[str, ...]
    singles: tuple[int, ...]
    sheets: tuple[int, ...]
    sightings: Mapping[int, Sighting]
    seen: tuple[VisionRecord, ...]
    chosen: tuple[ChosenFrame, ...] = ()
    overviews: tuple[int, ...] = ()
    heard: tuple[SpokenPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class _PhotoSightings:
    """What is known of photos, by number; what was looked at just now; what people are to know."""

    known: Mapping[int, Sighting] = field(default_factory=dict)
    seen: tuple[VisionRecord, ...] = ()
    notes: tuple[str, ...] = ()

    def with_sighting(self, picture: Picture) -> Picture:
        """Give a picture of a single photo what was seen in it."""
        return replace(picture, sighting=self.known.get(picture.numbers[0]))

    def in_film(self, film: VideoPart) -> VideoPart:
        """Give the frames of a video what was seen in them."""
        return replace(film, frames=tuple(map(self.with_sighting, film.frames)))


class RequestComposer:
    """Makes requests; learns what models' pictures cost."""

    def __init__(
        self,
        gallery: AttachmentStore,
        sights: VisionPass,
        films: VideoContexts,
        files: FileLimits,
        messages: MessageLimits,
        requests: RequestLimits,
        families: Mapping[str, str],
    ) -> None:
        self._gallery = gallery
        self._sights = sights
        self._films = films
        self._files = files
        self._messages = messages
        self._requests = requests
        self._families = dict(families)

    def learn(self, name: str, answered_by: str) -> None:
        """Learn a model's family from what the service says answered."""
        if not self._families.get(name) and (family := family_of(answered_by)):
            self._families[name] = family

    async def compose(
        self,
        question: Question,
        words: str,
        collected: CollectedFiles,
        past: ThreadHistory,
        force: EffectiveSettings,
        say: Say,
        *,
        leads: bool = False,
    ) -> ComposedRequest:
        """Choose pictures and frames, have them looked at, and build the request for `words`.

        `leads` says that the model can ask for what it wants to see by itself.
        """
        wanted, notes = await self._wanted(question, collected, past)
        videos = _videos(question, collected, past)
        budget = self._budget(force.model)
        wish = FrameRequest(words, 0, looks=force.vision, leads=leads and force.vision)
        brought, left_out = await self._brought(question, videos, wanted, past, wish, budget, say)
        looked = await self._looked(question, wanted, brought, past, force, say)
        wanted = list(map(looked.with_sighting, wanted))
        films = [looked.in_film(each.film) for each in brought]
        moving = [picture for film in films for picture in film.pictures]
        frames = [frame for film in films for frame in film.frames]
        shown = len(wanted) + len(frames)
        evidence = self._evidence(looked, shown, budget) if force.vision else None
        room = await asyncio.to_thread(places, [*wanted, *moving], budget, evidence)
        singles, sheets, failed = await self._arranged(wanted, max(1, room - len(moving)))
        going = len(singles) + len(sheets) + len(moving)
        recent = await self._recent(question, past, wanted, going)
        messages = await asyncio.to_thread(
            build,
            force.system,
            past,
            AskedQuestion(words, question.author if question.shared else ""),
            (*singles, *sheets),
            {number: looked.with_sighting(picture) for number, picture in recent.items()},
            budget,
            evidence,
            films,
        )
        known = _numbers([*wanted, *frames]) or tuple(recent)
        told = [texts.overview_sheets(_numbers(singles), _numbers(sheets))] if sheets else []
        return ComposedRequest(
            request=Request(force.model, messages, vision=force.vision),
            notes=(*notes, *failed, *left_out, *(note for each in brought for note in each.notes)),
            tail=(*told, *looked.notes, *(note for each in brought for note in each.tail)),
            singles=_numbers(singles),
            sheets=_numbers(sheets),
            sightings={n: looked.known[n] for n in known if n in looked.known},
            seen=looked.seen,
            chosen=tuple(one for each in brought for one in each.chosen),
            overviews=tuple(n for film in films if film.overview for n in film.overview.numbers),
            heard=tuple(one for each in brought for one in each.heard),
        )

    async def _brought(
        self,
        question: Question,
        videos: Sequence[Video],
        photos: Sequence[Picture],
        past: ThreadHistory,
        wish: FrameRequest,
        budget: Budget,
        say: Say,
    ) -> tuple[list[PreparedVideo], list[str]]:
        """Bring videos, one after the other, and tell of those that there is no room for.

        Each gets an equal share of the pictures, and photos beside them no more than they need.
        """
        if not videos:
            return [], []
        total = self._frames(videos, photos, budget)
        kept, rest = videos[:total], videos[total:]
        share = total // len(kept)
        # An overview takes one place, and the model's own choice half of the others.
        count = max(1, (share - 1) // 2) if wish.leads else share
        wish = replace(wish, count=count, overview=wish.leads and share > 1)
        brought = [await self._films.bring(question.thread, v, wish, past, say) for v in kept]
        return brought, [texts.videos_left_out([v.label for v in rest])] if rest else []

    def _frames(self, videos: Sequence[Video], photos: Sequence[Picture], budget: Budget) -> int:
        """Count the pictures that videos may have: by number, and by what the dearest costs."""
        side = self._files.photo_side
        sizes = [fitted_size(video.facts.width, video.facts.height, side) for video in videos]
        sizes += [(picture.width, picture.height) for picture in photos]
        sizes += [(side, side)]  # of an overview, at most
        seen = min(self._requests.sight_tokens, budget.tokens // 4 // budget.pictures)
        dearest = seen + max(picture_tokens(budget.family, *size) for size in sizes)
        heard = sum(v.facts.sound for v in videos) * self._requests.speech_tokens
        room = (budget.tokens - budget.words - heard) // dearest
        room = max(2, min(budget.pictures, room))
        return (
            min(room, max(room - len(photos), min(room - 1, 2 * len(videos)))) if photos else room
        )

    def _budget(self, model: str) -> Budget:
        family = self._families.get(model) or family_of(model)
        return Budget(self._requests.max_pictures, self._requests.max_prompt_tokens, family)

    def _evidence(self, looked: _PhotoSightings, pictures: int, budget: Budget) -> VisionContext:
        """Tell what was seen, a quarter of the budget at most for the pictures of the question.

        A photo on a contact sheet, or that is not sent again, gets a quarter of what others get.
        """
        share, most = budget.tokens // 4 // max(1, pictures), self._requests.sight_tokens
        return VisionContext(looked.known, min(most, share), min(most // 4, share))

    async def _looked(
        self,
        question: Question,
        photos: Sequence[Picture],
        brought: Sequence[PreparedVideo],
        past: ThreadHistory,
        force: EffectiveSettings,
        say: Say,
    ) -> _PhotoSightings:
        """Have photos and frames looked at that were not yet; nothing is known where vision is off.

        What was seen in small copies of frames is enough for those that are hardly larger, and for
        those that there is no time for.
        """
        if not force.vision:
            return _PhotoSightings()

        def progress(done: int, total: int) -> None:
            say(texts.reading_progress(done, total))

        known = past.sightings
        small = {number: seen for each in brought for number, seen in each.seen.items()}
        pictures = [*photos, *(frame for each in brought for frame in each.film.frames)]
        unseen = [picture for picture in pictures if picture.numbers[0] not in known]
        fresh = [p for p in unseen if p.numbers[0] not in small or max(p.width, p.height) > SMALL]
        found = await self._sights.see(question.thread, fresh, progress)
        seen = {n: small[n] for n in _numbers(unseen) if n in small} | found.sightings
        missing = [number for number in _numbers(fresh) if number not in seen]
        some = missing if len(missing) < len(fresh) else ()
        told = found.problem if missing else None
        return _PhotoSightings(
            known=known | seen,
            seen=tuple(VisionRecord(n, seen[n]) for n in sorted(seen)),
            notes=(texts.without_vision(told, some),) if told else (),
        )

    async def _wanted(
        self, question: Question, collected: CollectedFiles, past: ThreadHistory
    ) -> tuple[list[Picture], list[str]]:
        """Bring the earlier pictures that a question is about to its new ones."""
        new = set(_numbers(collected.pictures))
        chosen = [
            photo
            for photo in selected(past, question.words, question.quoted)
            if photo.number not in new
        ]
        surplus = max(0, len(chosen) + len(collected.pictures) - self._files.max_files)
        chosen = chosen[surplus:]
        called = await self._gallery.recall(question.thread, chosen)
        gone = [photo.label for photo in chosen if photo.number not in called]
        notes = [
            *([texts.question_shortened(self._messages)] if question.shortened else []),
            *(
                [texts.file_problem("", 0, FileProblem(Reason.TOO_MANY), self._files)]
                if surplus
                else []
            ),
            *(texts.file_gone(label) for label in gone),
        ]
        return [*called.values(), *collected.pictures], notes

    async def _recent(
        self, question: Question, past: ThreadHistory, wanted: Sequence[Picture], pictures: int
    ) -> dict[int, Picture]:
        """Bring back the latest of the other pictures, as far as there is room for them."""
        going = set(_numbers(wanted))
        room = min(self._requests.recent_pictures, self._requests.max_pictures - pictures)
        rest = [photo for photo in past.photos if photo.number not in going]
        return await self._gallery.recall(question.thread, rest[-room:] if room > 0 else [])

    async def _arranged(
        self, pictures: Sequence[Picture], limit: int
    ) -> tuple[Sequence[Picture], list[Picture], list[str]]:
        """Keep as many single as the limit allows; returns these, the sheets, and what failed."""
        singly, groups = distribute(len(pictures), limit)
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
                failed.append(texts.file_problem(names, 0, problem, self._files))
        return pictures[:singly], sheets, failed


def _videos(question: Question, collected: CollectedFiles, past: ThreadHistory) -> list[Video]:
    """List the videos that a question is about: its own, else earlier ones."""
    new = {video.number for video in collected.videos}
    earlier = selected_videos(past, question.words, question.quoted, fresh=bool(question.files))
    return [*(video for video in earlier if video.number not in new), *collected.videos]


def _numbers(pictures: Iterable[Picture]) -> tuple[int, ...]:
    return tuple(number for picture in pictures for number in picture.numbers)
