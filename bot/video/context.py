"""The videos of a question as the model gets them: an overview, chosen frames, and the speech."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from bot import strings as texts
from bot.aio import end
from bot.domain.frame_ids import clock, frame_number, seconds_of
from bot.errors import FileProblem
from bot.ports.model import VideoIntroduction
from bot.prompt.video_part import VideoPart
from bot.prompt.vision_context import transcript_text
from bot.video.prepared_video import PreparedVideo, Say
from bot.video.time_ranges import named_span, spans_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.files import ChosenFrame, SpokenPassage, Video
    from bot.domain.history import ThreadHistory
    from bot.domain.threads import Thread
    from bot.limits import FileLimits, RequestLimits, VideoLimits
    from bot.ports.model import Picture
    from bot.video.candidates import FrameRequest, Span, Survey
    from bot.video.chooser import Chooser
    from bot.video.footage import FrameStore
    from bot.video.transcription import Transcriber, Transcript

log = structlog.get_logger()


class _Selection(NamedTuple):
    """The frames that were chosen of a video, and its survey with the results of engines."""

    survey: Survey
    frames: tuple[ChosenFrame, ...]
    pictures: tuple[Picture, ...]
    overview: Picture | None


class VideoContexts:
    """Prepares videos for questions; a part that fails is left out."""

    def __init__(
        self,
        frames: FrameStore,
        chooser: Chooser,
        transcriber: Transcriber,
        files: FileLimits,
        videos: VideoLimits,
        requests: RequestLimits,
    ) -> None:
        self._frames = frames
        self._chooser = chooser
        self._transcriber = transcriber
        self._files = files
        self._videos = videos
        self._requests = requests

    async def prepare(
        self, thread: Thread, video: Video, request: FrameRequest, past: ThreadHistory, say: Say
    ) -> PreparedVideo:
        """Survey a video and choose frames of it, and transcribe its sound track meanwhile."""
        spans = spans_of(request.words, video.facts.seconds, self._videos.max_video_seconds)
        transcription = asyncio.create_task(
            self._transcriber.transcribe(thread, video, spans, past)
        )
        try:
            survey = await self._frames.survey(thread, video, spans, _DecodeProgress(video, say))
            selection = await self._select(thread, video, survey, request, say)
            if not transcription.done():
                say(texts.listening_progress(video.label))
            transcript = await transcription
        except FileProblem as problem:
            note = texts.file_problem(video.label, 0, problem, self._files)
            return PreparedVideo(
                video, VideoPart(self._introduce(video, spans, _sound(video))), notes=(note,)
            )
        finally:
            await end(transcription)
        phrases = tuple(phrase for passage in transcript.passages for phrase in passage.phrases)
        words = transcript_text(video.number, phrases, self._requests.speech_tokens)
        sound = _sound(video, transcript.passages, words)
        introduction = replace(
            self._introduce(video, spans, sound, selection.survey, selection.pictures),
            phrases=phrases,
        )
        sightings = {
            frame_number(video.number, at): sighting
            for at, sighting in selection.survey.sightings_by_time.items()
        }
        return PreparedVideo(
            video,
            VideoPart(introduction, words, selection.overview, selection.pictures),
            selection.frames,
            transcript.new_passages,
            _notes(video, spans, survey, request),
            _speech_notes(video, transcript),
            sightings,
        )

    async def _select(
        self, thread: Thread, video: Video, survey: Survey, request: FrameRequest, say: Say
    ) -> _Selection:
        """Choose frames and decode them exactly; a model that leads gets an overview as well."""

        def progress(count: int, total: int) -> None:
            say(texts.choosing_progress(video.label, count, total))

        say(texts.choosing_progress(video.label))
        frames, new_survey = await self._chooser.choose(video.number, survey, request, progress)
        if new_survey is not survey:
            await self._frames.keep(thread, video, new_survey)
        times = [seconds_of(one.frame) for one in frames]
        pictures = await self._frames.frames(thread, video, times) if times else {}
        overview = None
        if request.overview and len(survey.candidates) > len(pictures):
            try:
                overview = await self._frames.overview(video, survey)
            except FileProblem as problem:
                log.warning("no_overview", reason=problem.reason.value)
        frames = _as_decoded(frames, tuple(pictures))
        return _Selection(new_survey, frames, tuple(pictures.values()), overview)

    def _introduce(
        self,
        video: Video,
        spans: Sequence[Span],
        sound: str,
        survey: Survey | None = None,
        pictures: Sequence[Picture] = (),
    ) -> VideoIntroduction:
        """Introduce a video in words."""
        changes = survey.changes if survey else ()
        sentences = [_about(video), *_parts(video, spans), sound]
        sentences += [f"it changes most at {', '.join(map(clock, changes))}"] if changes else []
        sentences += [] if pictures else ["none of its frames could be had"]
        return VideoIntroduction(
            text=f"[{video.label}: {'; '.join(sentences)}.]",
            name=video.label,
            sha256=video.sha256,
            facts=video.facts,
            frames=tuple(number for picture in pictures for number in picture.numbers),
            changes=changes,
        )


class _DecodeProgress:
    """Shows up to which time a video is decoded, never less than before."""

    def __init__(self, video: Video, say: Say) -> None:
        self._video = video
        self._say = say
        self._until = 0.0

    def __call__(self, until: float) -> None:
        self._until = max(self._until, until)
        self._say(
            texts.decoding_progress(self._video.label, self._until, self._video.facts.seconds)
        )


def _as_decoded(frames: Sequence[ChosenFrame], numbers: Sequence[int]) -> tuple[ChosenFrame, ...]:
    """Give frames the numbers of the decoded ones: a time that people name lies within a frame."""
    exact = {one.frame: one for one in frames if one.frame in numbers}
    for one in frames:
        if one.frame not in exact and numbers:
            number = max((n for n in numbers if n <= one.frame), default=numbers[0])
            # That people asked for a frame says more than why it was a candidate.
            if one.why == "asked" or number not in exact:
                exact[number] = replace(one, frame=number)
    return tuple(exact[number] for number in sorted(exact))


def _about(video: Video) -> str:
    facts = video.facts
    rate = f", {facts.rate:g} frames a second" if facts.rate else ""
    time = f", taken {facts.taken}" if facts.taken else ""
    return f"video, {clock(facts.seconds)} long, {facts.width} x {facts.height} pixels{rate}{time}"


def _parts(video: Video, spans: Sequence[Span]) -> list[str]:
    if len(spans) == 1 and spans[0][0] <= 0 and spans[0][1] >= video.facts.seconds:
        return []
    parts = ", ".join(f"{clock(a)} to {clock(min(b, video.facts.seconds))}" for a, b in spans)
    return [f"only {parts} was looked at"]


def _sound(video: Video, passages: Sequence[SpokenPassage] = (), words: str = "") -> str:
    if not video.facts.sound:
        return "no sound track"
    if not passages:
        return "its sound was not listened to"
    if not any(each.phrases for each in passages):
        return "no words were heard in its sound"
    return "its words follow" if words else "there is no room for its words"


def _speech_notes(video: Video, transcript: Transcript) -> tuple[str, ...]:
    problem = transcript.problem
    return (texts.without_speech(video.label, problem),) if problem else ()


def _notes(
    video: Video, spans: Sequence[Span], survey: Survey, request: FrameRequest
) -> tuple[str, ...]:
    seconds = video.facts.seconds
    notes = [texts.video_cut(video.label, seconds)] if video.facts.incomplete else []
    if survey.partial:
        notes.append(texts.video_partial(video.label))
    if len(spans) > 1 or (_parts(video, spans) and not named_span(request.words, seconds)):
        notes.append(texts.parts_seen(video.label, seconds, spans))
    return tuple(notes)
