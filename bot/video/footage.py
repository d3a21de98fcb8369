"""The videos of a thread: surveyed once, and frames of them decoded when they are wanted."""

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
from bot.grounding.pointing import sheet_of_frames
from bot.media.contact_sheet import contact_sheet
from bot.media.frame_marks import choose_varied
from bot.media.pixels import QUALITY
from bot.media.video_frames import crop_frame, decode_frames
from bot.media.video_probe import frame_times
from bot.media.video_sampler import sample
from bot.ports.model import Picture
from bot.video.sampling import plan, planned_at, shares, stretches
from bot.video.survey import Survey, read, surveyed, written

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
    from bot.video.sampling import PlannedFrame, Span

THUMB_SIDE = 768
"""Long side of a candidate in pixels: a sign that people can read in the video stays readable."""
THUMB_QUALITY = 80
CELLS = 24
"""Frames of an overview: in 6 x 4 cells of 340 pixels people and vehicles can be told apart."""
SLOT = 0.5
"""Seconds of a watched video of which one frame is kept, at least."""
SLOTS = 3
"""Frames that are kept while watching, for each that is to be a candidate at last."""
WORTH = 40
"""Frames that a child decodes for one call, about: enough to be worth opening the file."""

BOOKS = {"gif", "webp"}
"""Animated pictures: each of their frames is made from all before it, whichever is wanted."""

Decoded = Callable[[float], None]
"""Is told up to which second a video was decoded."""

_Seen = tuple[Sequence["VideoFrame"], bool]
"""Frames, and whether they are all that were to be had."""

Part = TypeVar("Part")

log = structlog.get_logger()


class FrameStore:
    """Surveys videos, keeps the surveys beside them, and brings single frames."""

    def __init__(
        self,
        children: ChildProcesses,
        blobs: Blobs,
        gallery: AttachmentStore,
        files: FileLimits,
        videos: VideoLimits,
    ) -> None:
        self._children = children
        self._blobs = blobs
        self._gallery = gallery
        self._files = files
        self._videos = videos

    async def survey(
        self, thread: Thread, video: Video, spans: Sequence[Span], decoded: Decoded
    ) -> Survey:
        """Survey some stretches of a video, or bring back the survey that is kept.

        Raises `FileProblem`: `GONE`, or why nothing of it could be decoded.
        """
        kept = await self._blobs.get(self._key(thread, video, spans))
        known = await asyncio.to_thread(read, kept) if kept else None
        if known is not None:
            return known
        async with self._gallery.original(thread, video.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            survey = await self._survey(thread, video, path, spans, decoded)
        await self.keep(thread, video, survey)
        return survey

    async def keep(self, thread: Thread, video: Video, survey: Survey) -> None:
        """Keep a survey, with what engines made of it, for later questions."""
        data = await asyncio.to_thread(written, survey)
        await self._blobs.put(self._key(thread, video, survey.spans), data)

    async def frames(
        self, thread: Thread, video: Video, times: Iterable[float]
    ) -> dict[int, Picture]:
        """Bring frames exactly as they are shown at some times, by their numbers, in order.

        Those that the file does not hold are left out. Raises `FileProblem`.
        """
        numbers = [frame_number(video.number, at) for at in dict.fromkeys(times)]
        found = {n: await self._kept(thread, video, n) for n in numbers}
        lacking = [seconds_of(n) for n, picture in found.items() if picture is None]
        made = await self._exactly(thread, video, lacking) if lacking else {}
        pictures = {n: picture for n, picture in found.items() if picture is not None} | made
        return {number: pictures[number] for number in sorted(pictures)}

    async def closer(self, thread: Thread, video: Video, number: int, box: Box) -> Picture:
        """Cut a box out of a frame at full resolution; raises `FileProblem`."""
        async with self._gallery.original(thread, video.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            at, side = seconds_of(number), self._files.photo_side
            made = await self._children.run(crop_frame, path, self._files, at, box, side)
        name = f"{label(number)} {box.sides}"
        return Picture(name, made.sha256, made.jpeg, made.width, made.height, (number,))

    async def overview(self, video: Video, survey: Survey) -> Picture:
        """Put small frames of a survey on one contact sheet; raises `FileProblem`."""
        marks = [one.mark for one in survey.candidates]
        places = await asyncio.to_thread(choose_varied, marks, CELLS)
        shown = [survey.candidates[place] for place in places]
        cells = [(clock(one.at), one.jpeg) for one in shown]
        made = await self._children.run(contact_sheet, cells, self._files.photo_side)
        numbers = tuple(frame_number(video.number, one.at) for one in shown)
        name = f"V{video.number} overview"
        return Picture(name, made.sha256, made.jpeg, made.width, made.height, numbers)

    async def shown(
        self, thread: Thread, cited: CitedFrames, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        """Show frames of a video with the outlines on them; raises `FileProblem`."""
        times = [seconds_of(number) for number in cited.frames]
        pictures = await self.frames(thread, cited.video, times)
        shown = [picture for number, picture in pictures.items() if number in cited.frames]
        if not shown:
            raise FileProblem(Reason.GONE)
        return await sheet_of_frames(self._children, shown, outlines, cited.video.label)

    async def _exactly(
        self, thread: Thread, video: Video, times: Sequence[float]
    ) -> dict[int, Picture]:
        """Decode frames at full size, and keep them."""
        async with self._gallery.original(thread, video.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            listed = await self._children.run(frame_times, path, self._files)
            planned = [planned_at(listed, at) for at in sorted(times)]
            made, _ = await self._shots(path, planned, self._files.photo_side, QUALITY, _unheard)
        pictures = {}
        for shot in made:
            number = frame_number(video.number, shot.at)
            pictures[number] = _picture(number, shot.jpeg)
            await self._blobs.put(self._frame_key(thread, video, number), shot.jpeg)
        return pictures

    async def _kept(self, thread: Thread, video: Video, number: int) -> Picture | None:
        jpeg = await self._blobs.get(self._frame_key(thread, video, number))
        return _picture(number, jpeg) if jpeg else None

    async def _survey(
        self, thread: Thread, video: Video, path: Path, spans: Sequence[Span], decoded: Decoded
    ) -> Survey:
        decoded(spans[0][0])
        most = self._videos.video_candidates
        listed = await self._children.run(frame_times, path, self._files)
        pixels = video.facts.width * video.facts.height
        planned: Sequence[PlannedFrame] = ()
        if self._is_watched(video.facts, _frames_of(listed, spans) * pixels):
            parts = await self._children.run(stretches, listed, spans)
            slot = max(SLOT, sum(end - start for start, end in parts) / (SLOTS * most))
            made, partial = await self._watched(path, parts, slot, decoded)
        else:
            # In a child too: a stranger's file may have any number of packets.
            budget = self._videos.video_decoded // pixels
            planned = await self._children.run(plan, listed, spans, most, budget)
            planned = [_kept(one, self._files.photo_side) for one in planned]
            made, partial = await self._shots(path, planned, THUMB_SIDE, THUMB_QUALITY, decoded)
            await self._keep_whole(thread, video, made)
        # What a file that is cut does not hold is told of the whole file.
        partial = partial and not (planned and video.facts.incomplete)
        return await asyncio.to_thread(surveyed, spans, planned, made, most, partial=partial)

    def _is_watched(self, facts: VideoFacts, pixels: int) -> bool:
        """Tell whether so many pixels are watched whole; an animated picture never is."""
        return facts.codec not in BOOKS and pixels <= self._videos.video_watched

    async def _keep_whole(self, thread: Thread, video: Video, made: Iterable[VideoFrame]) -> None:
        for shot in made:
            if shot.full_jpeg:
                number = frame_number(video.number, shot.at)
                await self._blobs.put(self._frame_key(thread, video, number), shot.full_jpeg)

    async def _watched(
        self, path: Path, parts: Sequence[Span], slot: float, decoded: Decoded
    ) -> tuple[list[VideoFrame], bool]:
        """Watch stretches side by side, and tell whether some is missing."""

        async def one(part: Span) -> _Seen:
            how = (*part, slot, THUMB_SIDE, THUMB_QUALITY)
            seen = await self._children.run(sample, path, self._files, *how)
            decoded(part[1])
            return seen.frames, seen.is_complete

        return await self._side_by_side(one, parts)

    async def _shots(
        self,
        path: Path,
        planned: Sequence[PlannedFrame],
        side: int,
        quality: int,
        decoded: Decoded,
    ) -> tuple[list[VideoFrame], bool]:
        """Decode frames side by side, and tell whether some is missing."""

        async def one(part: Sequence[PlannedFrame]) -> _Seen:
            wanted = [each.wanted for each in part]
            seen = await self._children.run(decode_frames, path, self._files, wanted, side, quality)
            decoded(max(each.at for each in wanted))
            return seen, len(seen) == len(wanted)

        return await self._side_by_side(one, shares(planned, WORTH))

    async def _side_by_side(
        self, decode: Callable[[Part], Awaitable[_Seen]], parts: Sequence[Part]
    ) -> tuple[list[VideoFrame], bool]:
        """Decode parts in the time for it; return their frames, and whether some are missing.

        Raises `FileProblem` if all are.
        """

        async def one(part: Part) -> _Seen | FileProblem:
            try:
                return await decode(part)
            except FileProblem as problem:
                return problem

        results = await fan_out(one, parts, seconds=self._videos.survey_seconds)
        problems = [one for one in results.values() if isinstance(one, FileProblem)]
        decoded = [one for one in results.values() if not isinstance(one, FileProblem)]
        frames = [frame for frames, _ in decoded for frame in frames]
        late = len(parts) - len(results)
        if not frames:
            reason = Reason.TOO_SLOW if late else Reason.DAMAGED
            raise problems[0] if problems else FileProblem(reason, "no frames")
        missing = bool(late or problems) or not all(whole for _, whole in decoded)
        if missing:
            log.warning("frames_missing", late=late, problems=[str(p) for p in problems])
        return frames, missing

    def _frame_key(self, thread: Thread, video: Video, number: int) -> str:
        milliseconds = round(seconds_of(number) * 1000)
        return f"{blob_key(thread, video.sha256)}.{milliseconds}.{self._files.photo_side}.jpg"

    def _key(self, thread: Thread, video: Video, spans: Sequence[Span]) -> str:
        """Name the survey of some stretches, in milliseconds."""
        told = ".".join(f"{round(start * 1000)}-{round(stop * 1000)}" for start, stop in spans)
        return f"{blob_key(thread, video.sha256)}.{told}.{self._videos.video_candidates}.survey"


def _frames_of(listed: FrameTimes, spans: Sequence[Span]) -> int:
    """Count the frames of some stretches."""
    return sum(len(listed.within(*span).at) for span in spans)


def _kept(planned: PlannedFrame, side: int) -> PlannedFrame:
    """Have a frame made at full size too, as it may be sent and is dear to decode once more."""
    return replace(planned, wanted=replace(planned.wanted, full_side=side))


def _unheard(_: float) -> None:
    """Tell nobody."""


def _picture(number: int, jpeg: bytes) -> Picture:
    """Make a picture of a frame; it is known by the digest of its own bytes."""
    with Image.open(io.BytesIO(jpeg)) as image:
        width, height = image.size
    digest = hashlib.sha256(jpeg).hexdigest()
    return Picture(label(number), digest, jpeg, width, height, (number,))
