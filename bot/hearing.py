"""What is spoken in a video: transcribed once, and remembered with the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.history import Heard
from bot.media.sound import sound
from bot.problems import FileProblem
from bot.speech import Phrase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.candidates import Span
    from bot.children import Children
    from bot.gallery import Gallery
    from bot.history import Past, Video
    from bot.settings import Limits
    from bot.speech import Speech
    from bot.threads import Thread

log = structlog.get_logger()


class Hearing:
    """Has sound tracks transcribed, where there is a model for it."""

    def __init__(
        self, speech: Speech | None, children: Children, gallery: Gallery, limits: Limits
    ) -> None:
        self._speech = speech
        self._children = children
        self._gallery = gallery
        self._limits = limits

    @property
    def works(self) -> bool:
        """Whether there is a model that transcribes."""
        return self._speech is not None

    async def hear(
        self, thread: Thread, video: Video, spans: Sequence[Span], past: Past
    ) -> tuple[Heard, ...]:
        """Tell what is spoken in stretches of a video, from memory as far as it is there.

        Nothing where there is no model or no sound track. Raises `ModelProblem`.
        """
        if self._speech is None or not video.facts.sound:
            return ()
        known = {(h.start, h.end): h for h in _remembered(past) if h.video == video.number}
        lacking = [span for span in spans if span not in known]
        if lacking:
            async with self._gallery.original(thread, video.sha256) as path:
                for start, end in lacking:
                    if path is None:
                        break
                    wav = await self._sound(path, start, end)
                    phrases = await self._speech.hear(wav) if wav else ()
                    known[start, end] = _placed(video.number, start, end, phrases)
        return tuple(known[span] for span in spans if span in known)

    async def _sound(self, path: Path, start: float, end: float) -> bytes | None:
        try:
            return await self._children.run(sound, path, self._limits, start, end)
        except FileProblem as problem:
            log.warning("sound_not_read", reason=problem.reason.value)
            return None


def _remembered(past: Past) -> list[Heard]:
    return [heard for turn in past.turns for heard in turn.heard]


def _placed(video: int, start: float, end: float, phrases: Sequence[Phrase]) -> Heard:
    """Count times from the start of the video."""
    moved = (Phrase(p.text, round(p.start + start, 2), round(p.end + start, 2)) for p in phrases)
    return Heard(video, start, end, tuple(moved))
