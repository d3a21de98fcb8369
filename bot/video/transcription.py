"""Speech in videos: transcribed once, and stored with the turn."""

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
    from bot.video.candidates import Span

log = structlog.get_logger()


class Transcript(NamedTuple):
    """The speech in stretches of a video, and the part of it that was transcribed just now.

    `problem` is why the rest is missing.
    """

    passages: tuple[SpokenPassage, ...] = ()
    new_passages: tuple[SpokenPassage, ...] = ()
    problem: ModelProblem | None = None


class Transcriber:
    """Transcribes sound tracks, if there is a model for it."""

    def __init__(
        self,
        speech: Speech | None,
        children: ChildProcesses,
        attachments: AttachmentStore,
        files: FileLimits,
        videos: VideoLimits,
    ) -> None:
        self._speech = speech
        self._children = children
        self._attachments = attachments
        self._files = files
        self._max_seconds = videos.max_video_seconds

    async def transcribe(
        self, thread: Thread, video: Video, spans: Sequence[Span], past: ThreadHistory
    ) -> Transcript:
        """Return the speech in stretches of a video, from earlier turns as far as they stored it.

        The result is empty without a model or a sound track.
        """
        if self._speech is None or not video.facts.sound:
            return Transcript()
        passages = {span: _passage_in(past, video, span) for span in spans}
        missing_spans = [span for span, passage in passages.items() if passage is None]
        new_passages: dict[Span, SpokenPassage] = {}
        problem = None
        try:
            await self._transcribe(self._speech, thread, video, missing_spans, new_passages)
        except ModelProblem as error:
            problem = error
        passages |= new_passages
        return Transcript(
            tuple(passage for span in spans if (passage := passages[span]) is not None),
            tuple(new_passages.values()),
            problem,
        )

    async def _transcribe(
        self,
        speech: Speech,
        thread: Thread,
        video: Video,
        spans: Sequence[Span],
        passages: dict[Span, SpokenPassage],
    ) -> None:
        """Add the passages of stretches; those whose sound cannot be decoded are left out."""
        if not spans:
            return
        async with self._attachments.original(thread, video.sha256) as path:
            for start, end in spans if path else ():
                until = min(end, start + self._max_seconds)
                try:
                    wav = await self._children.run(extract_sound, path, self._files, start, until)
                except FileProblem as problem:
                    log.warning("sound_not_read", reason=problem.reason.value)
                    continue
                phrases = await speech.hear(wav) if wav else ()
                passages[start, end] = _passage(video.number, start, end, phrases)


def _passage_in(past: ThreadHistory, video: Video, span: Span) -> SpokenPassage | None:
    """Return the stored passage of a stretch, or of one that contains it."""
    start, end = span
    for passage in (one for turn in past.turns for one in turn.evidence.passages):
        if passage.video == video.number and passage.start <= start and end <= passage.end:
            phrases = (one for one in passage.phrases if one.start < end and one.end > start)
            return SpokenPassage(video.number, start, end, tuple(phrases))
    return None


def _passage(video: int, start: float, end: float, phrases: Sequence[Phrase]) -> SpokenPassage:
    """Make a passage of phrases whose times count from its start, not from that of the video."""
    in_video = (
        Phrase(one.text, round(one.start + start, 2), round(one.end + start, 2)) for one in phrases
    )
    return SpokenPassage(video, start, end, tuple(in_video))
