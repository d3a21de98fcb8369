"""The request of a question: which photos are sent one by one, on contact sheets, or not again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot import strings as texts
from bot.errors import FileProblem
from bot.media.contact_sheet import distribute
from bot.ports.model import Picture, Request
from bot.prompt.budget import places
from bot.prompt.messages import AskedQuestion, build
from bot.prompt.vision_context import VisionContext
from bot.turn.stages import ComposedRequest, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.domain.files import Photo
    from bot.domain.threads import Thread
    from bot.limits import FileLimits, RequestLimits
    from bot.ports.model import ChatMessage
    from bot.turn.stages import PreparedQuestion


class PhotoPictures(Protocol):
    """Where pictures of photos come from, as from `bot.attachments.store.AttachmentStore`."""

    async def recall(self, thread: Thread, photos: Iterable[Photo]) -> dict[int, Picture]:
        """Return the pictures of photos by number, without those that are gone."""
        ...

    async def overview(self, pictures: Sequence[Picture]) -> Picture:
        """Draw a contact sheet; raises `FileProblem`."""
        ...


@dataclass(frozen=True, slots=True)
class _Arrangement:
    """The photos of a request: those that go singly, and contact sheets of the others."""

    singles: tuple[Picture, ...]
    sheets: tuple[Picture, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (*self.singles, *self.sheets)


class RequestComposer:
    """Composes requests within the budget of the model."""

    def __init__(
        self, attachments: PhotoPictures, files: FileLimits, requests: RequestLimits
    ) -> None:
        self._attachments = attachments
        self._files = files
        self._requests = requests

    async def compose(self, preparation: PreparedQuestion) -> ComposedRequest:
        """Arrange the pictures, add recent ones as there is room, and build the messages."""
        context = self._vision_context(preparation)
        arrangement = await self._arrangement(preparation, context)
        recent = await self._recent(preparation, arrangement)
        messages = await asyncio.to_thread(_messages, preparation, arrangement, recent, context)
        return _composed(preparation, arrangement, tuple(recent), messages)

    def _vision_context(self, preparation: PreparedQuestion) -> VisionContext | None:
        """Quote what was seen, at most in a quarter of the budget; None where vision is off.

        A photo on a contact sheet, or that is not sent again, gets a quarter of what others get.
        """
        if not preparation.inputs.settings.vision:
            return None
        pictures = len(preparation.photos) + len(preparation.frames)
        share = preparation.budget.tokens // 4 // max(1, pictures)
        most = self._requests.sight_tokens
        return VisionContext(
            preparation.sightings.by_number, min(most, share), min(most // 4, share)
        )

    async def _arrangement(
        self, preparation: PreparedQuestion, context: VisionContext | None
    ) -> _Arrangement:
        """Let as many photos go singly as the budget allows, and the others on contact sheets."""
        pictures = [*preparation.photos, *preparation.video_pictures]
        room = await asyncio.to_thread(places, pictures, preparation.budget, context)
        limit = max(1, room - len(preparation.video_pictures))
        count, groups = distribute(len(preparation.photos), limit)
        sheets, problems = await self._sheets(preparation.photos[count:], groups)
        return _Arrangement(preparation.photos[:count], tuple(sheets), tuple(problems))

    async def _sheets(
        self, photos: Sequence[Picture], groups: Sequence[int]
    ) -> tuple[list[Picture], list[str]]:
        """Draw a contact sheet of each group of photos, and name those for which that failed."""
        sheets: list[Picture] = []
        problems: list[str] = []
        start = 0
        for count in groups:
            group = photos[start : start + count]
            start += count
            try:
                sheets.append(await self._attachments.overview(group))
            except FileProblem as problem:
                names = texts.photo_ranges(numbers_of(group))
                problems.append(texts.file_problem(names, 0, problem, self._files))
        return sheets, problems

    async def _recent(
        self, preparation: PreparedQuestion, arrangement: _Arrangement
    ) -> dict[int, Picture]:
        """Bring back the latest of the other photos, as far as there is room for them."""
        count = len(arrangement.pictures) + len(preparation.video_pictures)
        room = min(self._requests.recent_pictures, self._requests.max_pictures - count)
        numbers = set(numbers_of(preparation.photos))
        others = [p for p in preparation.inputs.past.photos if p.number not in numbers]
        latest = others[-room:] if room > 0 else []
        return await self._attachments.recall(preparation.inputs.question.thread, latest)


def _messages(
    preparation: PreparedQuestion,
    arrangement: _Arrangement,
    recent: Mapping[int, Picture],
    context: VisionContext | None,
) -> tuple[ChatMessage, ...]:
    """Build the messages of a request; that takes a while with a long history."""
    inputs = preparation.inputs
    question, sightings = inputs.question, preparation.sightings
    return build(
        inputs.settings.system,
        inputs.past,
        AskedQuestion(inputs.words, question.author if question.is_shared else ""),
        arrangement.pictures,
        {number: sightings.with_sighting(picture) for number, picture in recent.items()},
        preparation.budget,
        context,
        preparation.video_parts,
    )


def _composed(
    preparation: PreparedQuestion,
    arrangement: _Arrangement,
    recent: tuple[int, ...],
    messages: tuple[ChatMessage, ...],
) -> ComposedRequest:
    settings, sightings = preparation.inputs.settings, preparation.sightings
    singles, sheets = numbers_of(arrangement.singles), numbers_of(arrangement.sheets)
    numbers = numbers_of([*preparation.photos, *preparation.frames]) or recent
    return ComposedRequest(
        inputs=preparation.inputs,
        request=Request(settings.model, messages, vision=settings.vision),
        notes=(*preparation.notes, *arrangement.problems, *preparation.video_notes),
        tail=_tail(preparation, singles, sheets),
        singles=singles,
        sheets=sheets,
        sightings={n: sightings.by_number[n] for n in numbers if n in sightings.by_number},
        fresh=sightings.fresh,
        frames=tuple(frame for video in preparation.videos for frame in video.frames),
        overviews=_overview_frames(preparation),
        passages=tuple(passage for video in preparation.videos for passage in video.passages),
    )


def _tail(
    preparation: PreparedQuestion, singles: tuple[int, ...], sheets: tuple[int, ...]
) -> tuple[str, ...]:
    """Write what people are to know below the answer."""
    seen_small = (texts.overview_sheets(singles, sheets),) if sheets else ()
    videos = (note for video in preparation.videos for note in video.tail)
    return (*seen_small, *preparation.sightings.notes, *videos)


def _overview_frames(preparation: PreparedQuestion) -> tuple[int, ...]:
    overviews = (part.overview for part in preparation.video_parts)
    return tuple(n for overview in overviews if overview for n in overview.numbers)
