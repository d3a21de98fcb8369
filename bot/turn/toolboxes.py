"""The tools of an answer, over all photos and videos of its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.domain.frame_ids import is_frame, video_of
from bot.errors import FileProblem, Reason
from bot.tools.toolbox import Toolbox
from bot.tools.video_frames import VideoFramesTool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.domain.boxes import Box
    from bot.domain.files import Photo, Video
    from bot.domain.threads import Thread
    from bot.limits import ToolLimits
    from bot.ports.model import Picture
    from bot.turn.stages import ComposedRequest


class PhotoCrops(Protocol):
    """What cuts parts out of photos, as `bot.attachments.store.AttachmentStore` does."""

    async def crop(self, thread: Thread, photo: Photo, box: Box) -> Picture:
        """Cut a box out of a photo at full resolution; raises `FileProblem`."""
        ...


class VideoFrames(Protocol):
    """What decodes frames of videos, as `bot.video.footage.FrameStore` does."""

    async def frames(
        self, thread: Thread, video: Video, times: Iterable[float]
    ) -> Mapping[int, Picture]:
        """Return the frames that are shown at some times, by number; raises `FileProblem`."""
        ...

    async def crop(self, thread: Thread, video: Video, number: int, box: Box) -> Picture:
        """Cut a box out of a frame at full resolution; raises `FileProblem`."""
        ...


class ToolboxBuilder:
    """Builds the toolbox of each answer."""

    def __init__(self, attachments: PhotoCrops, frames: VideoFrames, limits: ToolLimits) -> None:
        self._attachments = attachments
        self._frames = frames
        self._limits = limits

    @property
    def allows_calls(self) -> bool:
        """Whether models may call tools at all."""
        return self._limits.max_tool_calls > 0

    def build(self, composition: ComposedRequest) -> Toolbox:
        """Return the tools for all photos and videos of a thread; none where vision is off."""
        inputs = composition.inputs
        if not inputs.settings.vision:
            return Toolbox((), _no_photo, self._limits)
        thread, past, files = inputs.question.thread, inputs.past, inputs.files
        photos = {photo.number: photo for photo in (*past.photos, *files.photos)}
        videos = {video.number: video for video in (*past.videos, *files.videos)}

        async def crop(number: int, box: Box) -> Picture:
            if is_frame(number):
                return await self._frames.crop(thread, videos[video_of(number)], number, box)
            return await self._attachments.crop(thread, photos[number], box)

        async def fetch(video: int, times: Sequence[float]) -> Mapping[int, Picture]:
            return await self._frames.frames(thread, videos[video], times)

        lengths = {number: video.facts.seconds for number, video in videos.items()}
        frames = VideoFramesTool(lengths, fetch, _frames_seen(composition)) if videos else None
        return Toolbox(photos, crop, self._limits, frames)


def _frames_seen(composition: ComposedRequest) -> tuple[int, ...]:
    """List the frames that the model saw in earlier turns, or sees with this question."""
    turns = composition.inputs.past.turns
    earlier = [frame.frame for turn in turns for frame in turn.pictures.frames]
    return (*earlier, *(frame.frame for frame in composition.frames), *composition.overviews)


async def _no_photo(_: int, __: Box) -> Picture:
    """Refuse to cut out a part: there are no photos."""
    raise FileProblem(Reason.GONE)
