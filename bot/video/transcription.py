"""What is spoken in a video: transcribed once, and remembered with the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import structlog

from bot.domain.files import Phrase, SpokenPassage
from bot.errors import FileProblem, ModelProblem
from bot.media.audio import extract_sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.attachments.store import AttachmentStore
    from bot.domain.files import Video
    from bot.domain.history import ThreadHistory
    from bot.domain.threads import Thread
    from bot.limits import FileLimits, VideoLimits
    from bot.ports.speech import Speech
    from bot.sandbox import ChildProcesses
    from bot.video.sampling import Span

log = structlog.get_logger()


class Transcript(NamedTuple):
    """What is spoken in stretches of a video, and which of that was newly transcribed.

    `problem` is why the model told no more.
    """

    heard: tuple[SpokenPassage, ...] = ()
    fresh: tuple[SpokenPassage, ...] = ()
    problem: ModelProblem | None = None


class Transcriber:
    """Has sound tracks transcribed, where there is a model for it."""

    def __init__(
        self,
        speech: Speech | None,
        children: ChildProcesses,
        gallery: AttachmentStore,
        files: FileLimits,
        videos: VideoLimits,
    ) -> None:
        self._speech = speech
        self._children = children
        self._gallery = gallery
        self._files = files
        self._longest = videos.max_video_seconds

    async def hear(
        self, thread: Thread, video: Video, spans: Sequence[Span], past: ThreadHistory
    ) -> Transcript:
        """Tell what is spoken in stretches of a video, from memory as far as it is there.

        Nothing where there is no model or no sound track.
        """
        if self._speech is None or not video.facts.sound:
            return Transcript()
        known = {span: _remembered(past, video, span) for span in spans}
        lacking = [span for span, heard in known.items() if heard is None]
        fresh: dict[Span, SpokenPassage] = {}
        problem = None
        try:
            await self._transcribe(self._speech, thread, video, lacking, fresh)
        except ModelProblem as failed:
            problem = failed
        found = known | fresh
        heard = tuple(one for span in spans if (one := found[span]) is not None)
        return Transcript(heard, tuple(fresh.values()), problem)

    async def _transcribe(
        self,
        speech: Speech,
        thread: Thread,
        video: Video,
        spans: Sequence[Span],
        into: dict[Span, SpokenPassage],
    ) -> None:
        """Have stretches transcribed; those whose sound cannot be read are left out."""
        if not spans:
            return
        async with self._gallery.original(thread, video.sha256) as path:
            for start, end in spans if path else ():
                until = min(end, start + self._longest)
                try:
                    wav = await self._children.run(extract_sound, path, self._files, start, until)
                except FileProblem as problem:
                    log.warning("sound_not_read", reason=problem.reason.value)
                    continue
                phrases = await speech.hear(wav) if wav else ()
                into[start, end] = _placed(video.number, start, end, phrases)


def _remembered(past: ThreadHistory, video: Video, span: Span) -> SpokenPassage | None:
    """Find what was heard in a stretch, or in one that it is a part of."""
    start, end = span
    for heard in (one for turn in past.turns for one in turn.evidence.passages):
        if heard.video == video.number and heard.start <= start and end <= heard.end:
            there = (one for one in heard.phrases if one.start < end and one.end > start)
            return SpokenPassage(video.number, start, end, tuple(there))
    return None


def _placed(video: int, start: float, end: float, phrases: Sequence[Phrase]) -> SpokenPassage:
    """Count times from the start of the video."""
    moved = (Phrase(p.text, round(p.start + start, 2), round(p.end + start, 2)) for p in phrases)
    return SpokenPassage(video, start, end, tuple(moved))
