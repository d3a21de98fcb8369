"""The videos of a question, as they go to the model: an overview, the chosen frames, the words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from bot import strings as texts
from bot.aio import end
from bot.domain.files import ChosenFrame, SpokenPassage, Video
from bot.domain.frame_ids import clock, frame_number, seconds_of
from bot.domain.sightings import Sighting
from bot.errors import FileProblem
from bot.ports.model import VideoIntroduction
from bot.prompt.messages import VideoPart
from bot.prompt.vision_context import spoken
from bot.video.time_ranges import spans_of, window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.history import ThreadHistory
    from bot.domain.threads import Thread
    from bot.limits import FileLimits, RequestLimits, VideoLimits
    from bot.ports.model import Picture
    from bot.video.chooser import Chooser, FrameRequest
    from bot.video.footage import FrameStore
    from bot.video.sampling import Span
    from bot.video.survey import Survey
    from bot.video.transcription import Transcriber, Transcript

log = structlog.get_logger()

Say = Callable[[str], None]
"""Is told in words how far the work is."""


@dataclass(frozen=True, slots=True)
class PreparedVideo:
    """A video brought to a question: what goes to the model, and what is to be remembered.

    `heard` is what was newly transcribed. `notes` stand above the answer and `tail` below it.
    `seen` is what was seen in small copies of the frames, by number.
    """

    video: Video
    film: VideoPart
    chosen: tuple[ChosenFrame, ...] = ()
    heard: tuple[SpokenPassage, ...] = ()
    notes: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    seen: Mapping[int, Sighting] = field(default_factory=dict)


class _Selection(NamedTuple):
    """What was chosen of a video, with what was found out about it meanwhile."""

    survey: Survey
    chosen: tuple[ChosenFrame, ...]
    pictures: tuple[Picture, ...]
    overview: Picture | None


class VideoContexts:
    """Brings videos; what fails of one costs only that."""

    def __init__(
        self,
        footage: FrameStore,
        chooser: Chooser,
        hearing: Transcriber,
        files: FileLimits,
        videos: VideoLimits,
        requests: RequestLimits,
    ) -> None:
        self._footage = footage
        self._chooser = chooser
        self._hearing = hearing
        self._files = files
        self._videos = videos
        self._requests = requests

    async def bring(
        self, thread: Thread, video: Video, wish: FrameRequest, past: ThreadHistory, say: Say
    ) -> PreparedVideo:
        """Survey a video, choose frames of it, and have its sound track transcribed meanwhile."""
        spans = spans_of(wish.words, video.facts.seconds, self._videos.max_video_seconds)
        listening = asyncio.create_task(self._hearing.hear(thread, video, spans, past))
        try:
            survey = await self._footage.survey(thread, video, spans, _DecodeProgress(video, say))
            taken = await self._taken(thread, video, survey, wish, say)
            if not listening.done():
                say(texts.listening_progress(video.label))
            listened = await listening
        except FileProblem as problem:
            note = texts.file_problem(video.label, 0, problem, self._files)
            return PreparedVideo(
                video, VideoPart(self._clip(video, spans, _sound(video))), notes=(note,)
            )
        finally:
            await end(listening)
        phrases = tuple(phrase for each in listened.heard for phrase in each.phrases)
        words = spoken(video.number, phrases, self._requests.speech_tokens)
        sound = _sound(video, listened.heard, words)
        clip = replace(
            self._clip(video, spans, sound, taken.survey, taken.pictures), phrases=phrases
        )
        seen = {frame_number(video.number, at): one for at, one in taken.survey.seen.items()}
        return PreparedVideo(
            video,
            VideoPart(clip, words, taken.overview, taken.pictures),
            taken.chosen,
            listened.fresh,
            _notes(video, spans, survey, wish),
            _unheard(video, listened),
            seen,
        )

    async def _taken(
        self, thread: Thread, video: Video, survey: Survey, wish: FrameRequest, say: Say
    ) -> _Selection:
        """Choose frames and decode them exactly; of a model that leads, an overview goes first."""

        def looked(done: int, total: int) -> None:
            say(texts.choosing_progress(video.label, done, total))

        say(texts.choosing_progress(video.label))
        chosen, known = await self._chooser.choose(video.number, survey, wish, looked)
        if known is not survey:
            await self._footage.keep(thread, video, known)
        times = [seconds_of(one.frame) for one in chosen]
        pictures = await self._footage.frames(thread, video, times) if times else {}
        overview = None
        if wish.overview and len(survey.candidates) > len(pictures):
            try:
                overview = await self._footage.overview(video, survey)
            except FileProblem as problem:
                log.warning("no_overview", reason=problem.reason.value)
        chosen = _as_decoded(chosen, tuple(pictures))
        return _Selection(known, chosen, tuple(pictures.values()), overview)

    def _clip(
        self,
        video: Video,
        spans: Sequence[Span],
        sound: str,
        survey: Survey | None = None,
        pictures: Sequence[Picture] = (),
    ) -> VideoIntroduction:
        """Introduce a video in words."""
        changes = survey.changes if survey else ()
        told = [_about(video), *_parts(video, spans), sound]
        told += [f"it changes most at {', '.join(map(clock, changes))}"] if changes else []
        told += [] if pictures else ["none of its frames could be had"]
        return VideoIntroduction(
            text=f"[{video.label}: {'; '.join(told)}.]",
            name=video.label,
            sha256=video.sha256,
            facts=video.facts,
            frames=tuple(number for picture in pictures for number in picture.numbers),
            changes=changes,
        )


class _DecodeProgress:
    """Tells how far a video was decoded, never less than before."""

    def __init__(self, video: Video, say: Say) -> None:
        self._video = video
        self._say = say
        self._until = 0.0

    def __call__(self, until: float) -> None:
        self._until = max(self._until, until)
        self._say(
            texts.decoding_progress(self._video.label, self._until, self._video.facts.seconds)
        )


def _as_decoded(chosen: Sequence[ChosenFrame], numbers: Sequence[int]) -> tuple[ChosenFrame, ...]:
    """Number chosen frames as they were decoded: a time that was named lies within a frame."""
    exact = {one.frame: one for one in chosen if one.frame in numbers}
    for one in chosen:
        if one.frame not in exact and numbers:
            number = max((n for n in numbers if n <= one.frame), default=numbers[0])
            # That it was asked for tells more than why it was a candidate.
            if one.why == "asked" or number not in exact:
                exact[number] = replace(one, frame=number)
    return tuple(exact[number] for number in sorted(exact))


def _about(video: Video) -> str:
    facts = video.facts
    rate = f", {facts.rate:g} frames a second" if facts.rate else ""
    taken = f", taken {facts.taken}" if facts.taken else ""
    return f"video, {clock(facts.seconds)} long, {facts.width} x {facts.height} pixels{rate}{taken}"


def _parts(video: Video, spans: Sequence[Span]) -> list[str]:
    if len(spans) == 1 and spans[0][0] <= 0 and spans[0][1] >= video.facts.seconds:
        return []
    parts = ", ".join(f"{clock(a)} to {clock(min(b, video.facts.seconds))}" for a, b in spans)
    return [f"only {parts} was looked at"]


def _sound(video: Video, heard: Sequence[SpokenPassage] = (), words: str = "") -> str:
    if not video.facts.sound:
        return "no sound track"
    if not heard:
        return "its sound was not listened to"
    if not any(each.phrases for each in heard):
        return "no words were heard in its sound"
    return "its words follow" if words else "there is no room for its words"


def _unheard(video: Video, listened: Transcript) -> tuple[str, ...]:
    problem = listened.problem
    return (texts.without_speech(video.label, problem),) if problem else ()


def _notes(
    video: Video, spans: Sequence[Span], survey: Survey, wish: FrameRequest
) -> tuple[str, ...]:
    seconds = video.facts.seconds
    notes = [texts.video_cut(video.label, seconds)] if video.facts.incomplete else []
    if survey.partial:
        notes.append(texts.video_partial(video.label))
    if len(spans) > 1 or (_parts(video, spans) and not window(wish.words, seconds)):
        notes.append(texts.parts_seen(video.label, seconds, spans))
    return tuple(notes)
