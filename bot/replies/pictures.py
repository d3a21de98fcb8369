"""The pictures below an answer: the photos and frames that it cites, with outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from bot import strings as texts
from bot.domain.frame_ids import is_frame, video_of
from bot.errors import FileProblem
from bot.grounding.time_citations import cited_frames
from bot.ports.channel import DeliveryRefused, Post
from bot.ports.mailbox import CitedFrames

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from typing import Any

    from bot.domain.files import Photo
    from bot.domain.history import ThreadHistory
    from bot.domain.outcome import Outcome
    from bot.domain.outlines import Outline
    from bot.domain.threads import Thread
    from bot.ports.channel import PictureAttachment
    from bot.ports.mailbox import AnsweredTurn
    from bot.replies.outbox import Outbox

MOST_FRAMES = 24
"""Frames that are shown below an answer at most: as many as stand on an overview."""

log = structlog.get_logger()


def outlined_photos(outcome: Outcome, past: ThreadHistory) -> tuple[Photo, ...]:
    """List the photos that have outlines."""
    numbers = {outline.photo for outline in outcome.turn.grounding.outlines}
    photos = {photo.number: photo for photo in (*past.photos, *outcome.photos)}
    return tuple(photos[number] for number in sorted(numbers) if number in photos)


def frame_citations(outcome: Outcome, past: ThreadHistory) -> tuple[CitedFrames, ...]:
    """List the frames that an answer cites by their times, or that have outlines, by video."""
    turn = outcome.turn
    if turn.status != "answered":
        return ()
    outlined_frames = {
        outline.photo for outline in turn.grounding.outlines if is_frame(outline.photo)
    }
    numbers = (*(one.frame for one in turn.pictures.frames), *outcome.overviews)
    frames = [
        *sorted(outlined_frames),
        *(n for n in cited_frames(turn.answer, numbers) if n not in outlined_frames),
    ]
    frames = sorted(frames[:MOST_FRAMES])
    videos = {video.number: video for video in (*past.videos, *outcome.videos)}
    return tuple(
        CitedFrames(videos[number], tuple(frame for frame in frames if video_of(frame) == number))
        for number in sorted({video_of(frame) for frame in frames} & {*videos})
    )


class OutlinedPhotos(Protocol):
    """What draws outlines on photos, as `bot.attachments.store.AttachmentStore` does."""

    async def draw_outlined(
        self, thread: Thread, photo: Photo, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        """Draw the outlines of a photo on a copy of it; raises `FileProblem`."""
        ...


class FrameSheets(Protocol):
    """What shows frames of a video in one picture, as `bot.video.footage.FrameStore` does."""

    async def contact_sheet(
        self, thread: Thread, citations: CitedFrames, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        """Draw the frames that an answer cites, with their outlines; raises `FileProblem`."""
        ...


class ReplyPictures:
    """Shows pictures, each a numbered send after those of the text."""

    def __init__(self, photos: OutlinedPhotos, frames: FrameSheets) -> None:
        self._photos = photos
        self._frames = frames

    async def show(self, sends: Outbox, thread: Thread, result: AnsweredTurn) -> None:
        """Show the pictures that an answer cites, or a sentence for each that cannot be shown."""
        if not sends.capabilities.pictures:
            return
        pictures = self._pictures(thread, result)
        for place, (making, apology) in enumerate(pictures, start=len(result.parts)):
            try:
                await sends.show(place, await making)
            except (FileProblem, DeliveryRefused) as error:
                log.warning("picture_not_shown", error=str(error) or type(error).__name__)
                await sends.say(place, Post(apology))

    def _pictures(
        self, thread: Thread, result: AnsweredTurn
    ) -> Iterator[tuple[Coroutine[Any, Any, PictureAttachment], str]]:
        """Make the pictures one by one, each with what is said where it cannot be shown."""
        outlines = result.turn.grounding.outlines
        for photo in result.outlined_photos:
            yield (
                self._photos.draw_outlined(thread, photo, outlines),
                texts.picture_not_shown(photo.label),
            )
        for frames in result.cited_frames:
            yield (
                self._frames.contact_sheet(thread, frames, outlines),
                texts.frames_not_shown(frames.video.label),
            )
