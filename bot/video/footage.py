"""The frames of a thread's videos: surveyed once, and decoded exactly when needed."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog
from PIL import Image

from bot.aio import fan_out
from bot.attachments.store import blob_key
from bot.domain.frame_ids import clock, frame_number, label, seconds_of
from bot.errors import FileProblem, Reason
from bot.grounding.drawing import sheet_of_frames
from bot.media.contact_sheet import contact_sheet
from bot.media.frame_marks import choose_varied
from bot.media.pixels import QUALITY
from bot.media.video_frames import crop_frame, decode_frames
from bot.media.video_probe import frame_times
from bot.media.video_sampler import sample
from bot.ports.model import Picture
from bot.video.candidates import CANDIDATE_SIDE
from bot.video.sampling import group_by_cost, plan_frame, plan_frames, split_spans
from bot.video.survey import build_survey, dump_survey, load_survey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.attachments.store import AttachmentStore
    from bot.domain.boxes import Box
    from bot.domain.files import Video, VideoFacts
    from bot.domain.outlines import Outline
    from bot.domain.threads import Thread
    from bot.limits import FileLimits, VideoLimits
    from bot.media.frames import FrameTimes, VideoFrame
    from bot.ports.blobs import Blobs
    from bot.ports.channel import PictureAttachment
    from bot.ports.mailbox import CitedFrames
    from bot.sandbox import ChildProcesses
    from bot.video.candidates import PlannedFrame, Span, Survey

CANDIDATE_QUALITY = 80
"""JPEG quality of candidates."""
CELLS = 24
"""Frames of an overview: in 6 x 4 cells of 340 pixels people and vehicles can be told apart."""
SLOT = 0.5
"""Least seconds of a sampled video for each frame that is kept."""
SLOTS = 3
"""Frames that are kept while sampling, for each that is to be a candidate in the end."""
FRAMES_PER_CALL = 40
"""Frames that a child process decodes for one call, about: enough to be worth opening the file."""

ANIMATIONS = {"gif", "webp"}
"""Animated pictures: each of their frames depends on all before it."""

DecodeProgress = Callable[[float], None]
"""Gets the second up to which a video is decoded."""

_Frames = tuple[Sequence["VideoFrame"], bool]
"""Frames, and whether they are all that were asked for."""

Part = TypeVar("Part")

log = structlog.get_logger()


class FrameStore:
    """Surveys videos, stores the surveys beside them, and decodes single frames."""

    def __init__(
        self,
        children: ChildProcesses,
        blobs: Blobs,
        attachments: AttachmentStore,
        files: FileLimits,
        videos: VideoLimits,
    ) -> None:
        self._children = children
        self._blobs = blobs
        self._attachments = attachments
        self._files = files
        self._videos = videos

    async def survey(
        self, thread: Thread, video: Video, spans: Sequence[Span], progress: DecodeProgress
    ) -> Survey:
        """Survey some stretches of a video, unless a survey of them is stored.

        Raises `FileProblem`: `GONE`, or why nothing of it could be decoded.
        """
        data = await self._blobs.get(self._survey_key(thread, video, spans))
        survey = await asyncio.to_thread(load_survey, data) if data else None
        if survey is not None:
            return survey
        async with self._attachments.original(thread, video.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            survey = await self._survey(thread, video, path, spans, progress)
        await self.keep(thread, video, survey)
        return survey

    async def keep(self, thread: Thread, video: Video, survey: Survey) -> None:
        """Store a survey, with the results of engines, for later questions."""
        data = await asyncio.to_thread(dump_survey, survey)
        await self._blobs.put(self._survey_key(thread, video, survey.spans), data)

    async def frames(
        self, thread: Thread, video: Video, times: Iterable[float]
    ) -> dict[int, Picture]:
        """Return the frames that are shown at some times, by their numbers, in order.

        Those that the file does not hold are left out. Raises `FileProblem`.
        """
        pictures: dict[int, Picture] = {}
        missing_times: list[float] = []
        for number in (frame_number(video.number, at) for at in dict.fromkeys(times)):
            jpeg = await self._blobs.get(self._frame_key(thread, video, number))
            if jpeg:
                pictures[number] = _picture(number, jpeg)
            else:
                missing_times.append(seconds_of(number))
        if missing_times:
            pictures |= await self._decode_exactly(thread, video, missing_times)
        return {number: pictures[number] for number in sorted(pictures)}

    async def crop(self, thread: Thread, video: Video, number: int, box: Box) -> Picture:
        """Cut a box out of a frame at full resolution; raises `FileProblem`."""
        async with self._attachments.original(thread, video.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            at, side = seconds_of(number), self._files.photo_side
            crop = await self._children.run(crop_frame, path, self._files, at, box, side)
        name = f"{label(number)} {box.sides}"
        return Picture(name, crop.sha256, crop.jpeg, crop.width, crop.height, (number,))

    async def overview(self, video: Video, survey: Survey) -> Picture:
        """Put candidates of a survey on one contact sheet; raises `FileProblem`."""
        marks = [one.mark for one in survey.candidates]
        places = await asyncio.to_thread(choose_varied, marks, CELLS)
        candidates = [survey.candidates[place] for place in places]
        cells = [(clock(one.at), one.jpeg) for one in candidates]
        sheet = await self._children.run(contact_sheet, cells, self._files.photo_side)
        numbers = tuple(frame_number(video.number, one.at) for one in candidates)
        name = f"V{video.number} overview"
        return Picture(name, sheet.sha256, sheet.jpeg, sheet.width, sheet.height, numbers)

    async def contact_sheet(
        self, thread: Thread, citations: CitedFrames, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        """Put the frames of a video that an answer cites on a contact sheet, with their outlines.

        Raises `FileProblem`.
        """
        times = [seconds_of(number) for number in citations.frames]
        pictures = await self.frames(thread, citations.video, times)
        frames = [picture for number, picture in pictures.items() if number in citations.frames]
        if not frames:
            raise FileProblem(Reason.GONE)
        return await sheet_of_frames(self._children, frames, outlines, citations.video.label)

    async def _decode_exactly(
        self, thread: Thread, video: Video, times: Sequence[float]
    ) -> dict[int, Picture]:
        """Decode frames at full size, and store them."""
        side = self._files.photo_side
        async with self._attachments.original(thread, video.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            all_times = await self._children.run(frame_times, path, self._files)
            plan = [plan_frame(all_times, at) for at in sorted(times)]
            frames, _ = await self._decode(path, plan, side, QUALITY, _ignore_progress)
        pictures = {}
        for frame in frames:
            number = frame_number(video.number, frame.at)
            pictures[number] = _picture(number, frame.jpeg)
            await self._blobs.put(self._frame_key(thread, video, number), frame.jpeg)
        return pictures

    async def _survey(
        self,
        thread: Thread,
        video: Video,
        path: Path,
        spans: Sequence[Span],
        progress: DecodeProgress,
    ) -> Survey:
        progress(spans[0][0])
        most = self._videos.video_candidates
        times = await self._children.run(frame_times, path, self._files)
        pixels = video.facts.width * video.facts.height
        plan: Sequence[PlannedFrame] = ()
        if self._can_sample(video.facts, _count_frames(times, spans) * pixels):
            parts = await self._children.run(split_spans, times, spans)
            slot = max(SLOT, sum(end - start for start, end in parts) / (SLOTS * most))
            frames, partial = await self._sample(path, parts, slot, progress)
        else:
            # In a child process too, as a stranger's file may have any number of packets.
            budget = self._videos.video_decoded // pixels
            plan = await self._children.run(plan_frames, times, spans, most, budget)
            plan = [_with_full_size(one, self._files.photo_side) for one in plan]
            frames, partial = await self._decode(
                path, plan, CANDIDATE_SIDE, CANDIDATE_QUALITY, progress
            )
            await self._keep_full_size(thread, video, frames)
        # Of a truncated file the user reads already that frames are missing.
        partial = partial and not (plan and video.facts.incomplete)
        return await asyncio.to_thread(build_survey, spans, plan, frames, most, partial=partial)

    def _can_sample(self, facts: VideoFacts, pixels: int) -> bool:
        """Return whether to decode all of so many pixels; animated pictures never are."""
        return facts.codec not in ANIMATIONS and pixels <= self._videos.video_watched

    async def _keep_full_size(
        self, thread: Thread, video: Video, frames: Iterable[VideoFrame]
    ) -> None:
        for frame in frames:
            if frame.full_jpeg:
                number = frame_number(video.number, frame.at)
                await self._blobs.put(self._frame_key(thread, video, number), frame.full_jpeg)

    async def _sample(
        self, path: Path, parts: Sequence[Span], slot: float, progress: DecodeProgress
    ) -> tuple[list[VideoFrame], bool]:
        """Sample stretches side by side; return their frames, and whether some are missing."""

        async def one(part: Span) -> _Frames:
            how = (*part, slot, CANDIDATE_SIDE, CANDIDATE_QUALITY)
            result = await self._children.run(sample, path, self._files, *how)
            progress(part[1])
            return result.frames, result.is_complete

        return await self._side_by_side(one, parts)

    async def _decode(
        self,
        path: Path,
        plan: Sequence[PlannedFrame],
        side: int,
        quality: int,
        progress: DecodeProgress,
    ) -> tuple[list[VideoFrame], bool]:
        """Decode frames side by side; return them, and whether some are missing."""

        async def one(group: Sequence[PlannedFrame]) -> _Frames:
            specs = [each.spec for each in group]
            frames = await self._children.run(
                decode_frames, path, self._files, specs, side, quality
            )
            progress(max(each.at for each in specs))
            return frames, len(frames) == len(specs)

        return await self._side_by_side(one, group_by_cost(plan, FRAMES_PER_CALL))

    async def _side_by_side(
        self, decode: Callable[[Part], Awaitable[_Frames]], parts: Sequence[Part]
    ) -> tuple[list[VideoFrame], bool]:
        """Decode parts while there is time; return their frames, and whether some are missing.

        Raises `FileProblem` if all are.
        """

        async def one(part: Part) -> _Frames | FileProblem:
            try:
                return await decode(part)
            except FileProblem as problem:
                return problem

        results = await fan_out(one, parts, seconds=self._videos.survey_seconds)
        problems = [one for one in results.values() if isinstance(one, FileProblem)]
        successes = [one for one in results.values() if not isinstance(one, FileProblem)]
        frames = [frame for frames, _ in successes for frame in frames]
        late = len(parts) - len(results)
        if not frames:
            reason = Reason.TOO_SLOW if late else Reason.DAMAGED
            raise problems[0] if problems else FileProblem(reason, "no frames")
        some_missing = bool(late or problems) or not all(complete for _, complete in successes)
        if some_missing:
            log.warning("frames_missing", late=late, problems=[str(p) for p in problems])
        return frames, some_missing

    def _frame_key(self, thread: Thread, video: Video, number: int) -> str:
        milliseconds = round(seconds_of(number) * 1000)
        return f"{blob_key(thread, video.sha256)}.{milliseconds}.{self._files.photo_side}.jpg"

    def _survey_key(self, thread: Thread, video: Video, spans: Sequence[Span]) -> str:
        """Return the key of the survey of some stretches, in milliseconds."""
        ranges = ".".join(f"{round(start * 1000)}-{round(stop * 1000)}" for start, stop in spans)
        return f"{blob_key(thread, video.sha256)}.{ranges}.{self._videos.video_candidates}.survey"


def _count_frames(times: FrameTimes, spans: Sequence[Span]) -> int:
    """Count the frames of some stretches."""
    return sum(len(times.within(*span).at) for span in spans)


def _with_full_size(frame: PlannedFrame, side: int) -> PlannedFrame:
    """Plan a frame at full size too, as it may be sent, and decoding it again is expensive."""
    return replace(frame, spec=replace(frame.spec, full_side=side))


def _ignore_progress(_: float) -> None:
    """Ignore the progress: single frames are decoded quickly."""


def _picture(number: int, jpeg: bytes) -> Picture:
    """Make a picture of a frame; its digest is that of its own bytes."""
    with Image.open(io.BytesIO(jpeg)) as image:
        width, height = image.size
    digest = hashlib.sha256(jpeg).hexdigest()
    return Picture(label(number), digest, jpeg, width, height, (number,))
