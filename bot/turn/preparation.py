"""Prepares a question: which earlier photos it is about, frames of its videos, what vision sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot import strings as texts
from bot.attachments.references import photos_about, videos_about
from bot.domain.files import VisionRecord
from bot.domain.token_costs import picture_tokens
from bot.errors import FileProblem, Reason
from bot.media.pixels import fitted_size
from bot.turn.stages import PhotoSightings, PreparedQuestion, numbers_of
from bot.video.candidates import CANDIDATE_SIDE, FrameRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.attachments.vision import VisionPass
    from bot.domain.budget import Budget
    from bot.domain.files import Photo, Video
    from bot.domain.history import ThreadHistory
    from bot.domain.sightings import Sighting
    from bot.domain.threads import Thread
    from bot.limits import FileLimits, MessageLimits, RequestLimits
    from bot.ports.model import Picture
    from bot.turn.budgets import ModelBudgets
    from bot.turn.stages import CollectedQuestion
    from bot.video.prepared_video import PreparedVideo, Say

SMALL = 1.3 * CANDIDATE_SIDE
"""Pixels of a frame whose small copy shows enough, so that vision need not look at the frame."""


class PhotoRecall(Protocol):
    """Where earlier photos come back from, as from `bot.attachments.store.AttachmentStore`."""

    async def recall(self, thread: Thread, photos: Iterable[Photo]) -> dict[int, Picture]:
        """Return the pictures of photos by number, without those that are lost."""
        ...


class VideoPreparer(Protocol):
    """What prepares videos, as `bot.video.context.VideoContexts` does."""

    async def prepare(
        self, thread: Thread, video: Video, request: FrameRequest, past: ThreadHistory, say: Say
    ) -> PreparedVideo:
        """Choose frames of a video, and have its sound track transcribed."""
        ...


class QuestionPreparer:
    """Chooses the pictures of a question, and has them looked at."""

    def __init__(
        self,
        attachments: PhotoRecall,
        vision: VisionPass,
        videos: VideoPreparer,
        budgets: ModelBudgets,
        files: FileLimits,
        messages: MessageLimits,
        requests: RequestLimits,
    ) -> None:
        self._attachments = attachments
        self._vision = vision
        self._videos = videos
        self._budgets = budgets
        self._files = files
        self._messages = messages
        self._requests = requests

    async def prepare(
        self, inputs: CollectedQuestion, say: Say, *, leads: bool = False
    ) -> PreparedQuestion:
        """Choose photos and frames, and have them looked at.

        `leads` is whether the model can request pictures by itself; `say` gets progress messages.
        """
        photos, notes = await self._photos(inputs)
        budget = self._budgets.of(inputs.settings.model)
        videos, omission_notes = await self._prepared_videos(
            inputs, photos, budget, say, leads=leads
        )
        sightings = await self._sightings(inputs, photos, videos, say)
        return PreparedQuestion(
            inputs,
            budget,
            tuple(map(sightings.with_sighting, photos)),
            tuple(map(sightings.with_sightings, videos)),
            sightings,
            notes=tuple(notes),
            video_notes=(*omission_notes, *(note for video in videos for note in video.notes)),
        )

    async def _photos(self, inputs: CollectedQuestion) -> tuple[list[Picture], list[str]]:
        """Return the photos that a question is about, earlier ones first, and what is missing."""
        earlier, surplus = self._earlier_photos(inputs)
        pictures = await self._attachments.recall(inputs.question.thread, earlier)
        lost_labels = [photo.label for photo in earlier if photo.number not in pictures]
        notes = [texts.question_shortened(self._messages)] if inputs.question.is_shortened else []
        if surplus:
            problem = FileProblem(Reason.TOO_MANY)
            notes.append(texts.file_problem("", 0, problem, self._files))
        notes += [texts.file_gone(label) for label in lost_labels]
        return [*pictures.values(), *inputs.files.pictures], notes

    def _earlier_photos(self, inputs: CollectedQuestion) -> tuple[list[Photo], int]:
        """Pick the earlier photos that a question is about, and count those that are too many."""
        question, new_pictures = inputs.question, inputs.files.pictures
        new = set(numbers_of(new_pictures))
        earlier = [
            photo
            for photo in photos_about(inputs.past, question.words, question.quoted_id)
            if photo.number not in new
        ]
        surplus = max(0, len(earlier) + len(new_pictures) - self._files.max_files)
        return earlier[surplus:], surplus

    async def _prepared_videos(
        self,
        inputs: CollectedQuestion,
        photos: Sequence[Picture],
        budget: Budget,
        say: Say,
        *,
        leads: bool,
    ) -> tuple[list[PreparedVideo], list[str]]:
        """Prepare videos, one after the other, and name those that there is no room for.

        Each gets an equal share of the pictures, and photos beside them no more than they need.
        """
        videos = _videos_of(inputs)
        if not videos:
            return [], []
        total = self._video_pictures(videos, photos, budget)
        used_videos, surplus_videos = videos[:total], videos[total:]
        request = _frame_request(inputs, total // len(used_videos), leads=leads)
        thread, past = inputs.question.thread, inputs.past
        preparations = [
            await self._videos.prepare(thread, video, request, past, say) for video in used_videos
        ]
        labels = [video.label for video in surplus_videos]
        return preparations, [texts.videos_left_out(labels)] if labels else []

    def _video_pictures(
        self, videos: Sequence[Video], photos: Sequence[Picture], budget: Budget
    ) -> int:
        """Count the pictures that videos may have: by number, and by what the dearest costs."""
        speech = sum(v.facts.sound for v in videos) * self._requests.speech_tokens
        dearest = self._dearest_picture(videos, photos, budget)
        room = (budget.tokens - budget.words - speech) // dearest
        room = max(2, min(budget.pictures, room))
        if not photos:
            return room
        return min(room, max(room - len(photos), min(room - 1, 2 * len(videos))))

    def _dearest_picture(
        self, videos: Sequence[Video], photos: Sequence[Picture], budget: Budget
    ) -> int:
        """Estimate the tokens of the dearest picture, with what vision saw in it."""
        side = self._files.photo_side
        sizes = [fitted_size(video.facts.width, video.facts.height, side) for video in videos]
        sizes += [(picture.width, picture.height) for picture in photos]
        sizes += [(side, side)]  # of an overview, at most
        sighting = min(self._requests.sight_tokens, budget.tokens // 4 // budget.pictures)
        return sighting + max(picture_tokens(budget.family, *size) for size in sizes)

    async def _sightings(
        self,
        inputs: CollectedQuestion,
        photos: Sequence[Picture],
        videos: Sequence[PreparedVideo],
        say: Say,
    ) -> PhotoSightings:
        """Have photos and frames looked at that were not yet; none where vision is off.

        The sighting of a frame's small copy is used if the frame is hardly larger, or if there is
        no time to look at the frame.
        """
        if not inputs.settings.vision:
            return PhotoSightings()

        def progress(count: int, total: int) -> None:
            say(texts.reading_progress(count, total))

        earlier = inputs.past.sightings
        small = {
            number: sighting for video in videos for number, sighting in video.sightings.items()
        }
        frames = [frame for video in videos for frame in video.part.frames]
        unseen = [picture for picture in (*photos, *frames) if picture.numbers[0] not in earlier]
        pending = [picture for picture in unseen if _shows_more(picture, small)]
        result = await self._vision.see(inputs.question.thread, pending, progress)
        fresh = {n: small[n] for n in numbers_of(unseen) if n in small} | result.sightings
        missing_numbers = [number for number in numbers_of(pending) if number not in fresh]
        notes: tuple[str, ...] = ()
        if missing_numbers and result.problem:
            some = missing_numbers if len(missing_numbers) < len(pending) else ()
            notes = (texts.without_vision(result.problem, some),)
        records = tuple(VisionRecord(number, fresh[number]) for number in sorted(fresh))
        return PhotoSightings(earlier | fresh, records, notes)


def _shows_more(picture: Picture, small: Mapping[int, Sighting]) -> bool:
    """Return whether a picture shows more than its small copy, if that was looked at."""
    return picture.numbers[0] not in small or max(picture.width, picture.height) > SMALL


def _frame_request(inputs: CollectedQuestion, share: int, *, leads: bool) -> FrameRequest:
    """Ask for frames of a video, of which an overview takes one place.

    Where the model leads, half of the other places stay free for its own choice.
    """
    leads = leads and inputs.settings.vision
    return FrameRequest(
        inputs.words,
        max(1, (share - 1) // 2) if leads else share,
        uses_engines=inputs.settings.vision,
        leads=leads,
        overview=leads and share > 1,
    )


def _videos_of(inputs: CollectedQuestion) -> list[Video]:
    """List the videos that a question is about: its own, else earlier ones."""
    question = inputs.question
    new = {video.number for video in inputs.files.videos}
    earlier = videos_about(
        inputs.past, question.words, question.quoted_id, fresh=bool(question.files)
    )
    return [*(video for video in earlier if video.number not in new), *inputs.files.videos]
