"""Transcription of a sound track by Azure OpenAI or any server of the same kind.

Whisper returns when each phrase begins and ends. Other models refuse the format with times, or
leave them out: they get the sound in short pieces, each of which becomes a phrase.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from openai import APIStatusError, NotFoundError, omit

from adapters.models import transcript_segments as phrases
from adapters.models.audio import AudioSamples, tone
from adapters.models.errors import REMEDIES, problem, with_advice
from adapters.models.openai_client import ProviderClients, host_of
from adapters.models.retry import retry_budget, wait_before_retry
from bot.aio import fan_out
from bot.clock import Clock
from bot.errors import ModelProblem, ModelReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import AsyncOpenAI

    from adapters.models.openai_client import Token
    from adapters.models.settings import ModelSettings
    from bot.domain.files import Phrase
    from bot.retry import RetryBudget

DATED_VERSION = "2024-10-21"
"""Azure's API before v1, since its v1 API does not find some deployments of Whisper."""
LARGEST = 24_000_000
"""Most bytes of a file that is sent; services accept 25 MB."""
PIECE_SECONDS = 15.0
"""Most seconds of a piece, and so of a phrase, if the model returns no times."""
AT_ONCE = 4
"""Pieces that are transcribed side by side."""
REFUSING_STATUSES = {400, 404, 415, 422, 501}
"""HTTP statuses with which servers refuse a format."""
SPEECH_REMEDIES = REMEDIES | {
    ModelReason.BAD_REQUEST: "Check that the model is one that transcribes sound."
}

_OF_FORMAT = re.compile(r"response_format|verbose_json|timestamp_granularities")

log = structlog.get_logger()


class TimesUnsupported(Exception):
    """The model returns no times."""


class TranscriptionModel:
    """A `Speech` of a provider's transcription model."""

    def __init__(
        self, settings: ModelSettings, token: Token | None = None, clock: Clock | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._connection = ProviderClients(settings, token)
        self._clients: tuple[AsyncOpenAI, ...] = (self._connection.client,)
        if settings.provider == "azure":
            self._clients += (self._connection.dated(DATED_VERSION),)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._tells_times = True

    async def hear(self, wav: bytes) -> tuple[Phrase, ...]:
        """Transcribe a WAV file of one channel of 16 bit; silence is not sent.

        Raises `ModelProblem`, and `ValueError` for another file.
        """
        sound = await asyncio.to_thread(AudioSamples.read, wav)
        try:
            async with asyncio.timeout(self._settings.transcribe_seconds):
                heard_phrases = await self._transcribe(sound)
        except TimeoutError:
            raise ModelProblem(ModelReason.TIMED_OUT, "transcription") from None
        return phrases.in_order(heard_phrases, sound.end)

    async def check(self) -> str:
        """Have a second of a tone transcribed and return a sentence about it.

        Raises `ModelProblem`, whose detail then says what whoever runs Loupe can do.
        """
        start, model = time.monotonic(), self._settings.transcribe_model
        try:
            await self.hear(tone(1.0).wav())
        except ModelProblem as trouble:
            host = host_of(self._clients[0])
            raise with_advice(trouble, host, model, SPEECH_REMEDIES) from None
        seconds, host = time.monotonic() - start, host_of(self._clients[0])
        times = "with times" if self._tells_times else f"in pieces of {PIECE_SECONDS:g} seconds"
        return f"The model {model} transcribed at {host} within {seconds:.1f} seconds, {times}."

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def _transcribe(self, sound: AudioSamples) -> list[Phrase]:
        if self._tells_times:
            try:
                return await self._by_pieces(sound, LARGEST / (2 * sound.rate), with_times=True)
            except TimesUnsupported:
                self._tells_times = False
                log.info("speech_without_times", model=self._settings.transcribe_model)
        return await self._by_pieces(sound, PIECE_SECONDS, with_times=False)

    async def _by_pieces(
        self, sound: AudioSamples, seconds: float, *, with_times: bool
    ) -> list[Phrase]:
        """Transcribe all pieces; the first problem with one ends the others."""
        pieces = await asyncio.to_thread(sound.pieces, seconds)
        results = await fan_out(partial(self._piece, with_times=with_times), pieces)
        return [phrase for one in results.values() for phrase in one]

    async def _piece(self, piece: AudioSamples, *, with_times: bool) -> list[Phrase]:
        """Transcribe one piece; raises `TimesUnsupported` if times are missing."""
        async with self._at_once:
            fields = await self._answer(await asyncio.to_thread(piece.wav), with_times=with_times)
        if not with_times:
            return phrases.whole_phrase(fields, piece)
        timed_phrases = await asyncio.to_thread(phrases.timed_phrases, fields, piece)
        if timed_phrases is None:
            raise TimesUnsupported
        return timed_phrases

    async def _answer(self, wav: bytes, *, with_times: bool) -> Mapping[str, Any]:
        """Ask until there is an answer.

        Raises `ModelProblem`, or `TimesUnsupported` if it is that.
        """
        budget = retry_budget(self._settings, self._clock)
        while True:
            try:
                async with asyncio.timeout(self._settings.first_seconds):
                    return phrases.check_transcription(
                        await self._ask_any(wav, with_times=with_times)
                    )
            except Exception as error:  # Whatever a service sends has to end in one sentence.
                if with_times and _refuses_format(error):
                    raise TimesUnsupported from None
                delay = self._delay(budget, error)
            await self._clock.sleep(delay)

    def _delay(self, budget: RetryBudget, error: Exception) -> float:
        """Return the seconds to wait before the next attempt; raises `ModelProblem` without one."""
        trouble = problem(error)
        delay = wait_before_retry(budget, trouble, error)
        event = "speech_failed" if delay is None else "speech_tried_again"
        reason = trouble.reason.value
        log.warning(
            event,
            model=self._settings.transcribe_model,
            reason=reason,
            detail=trouble.detail,
            delay=delay,
        )
        if delay is None:
            raise ModelProblem(trouble.reason, trouble.detail) from None
        return delay

    async def _ask_any(self, wav: bytes, *, with_times: bool) -> object:
        """Ask each API until one knows the model; the one that answers is asked from then on."""
        *others, last = self._clients
        for client in others:
            try:
                answer = await self._ask(client, wav, with_times=with_times)
            except NotFoundError:
                continue
            self._clients = (client,)
            return answer
        answer = await self._ask(last, wav, with_times=with_times)
        self._clients = (last,)
        return answer

    async def _ask(self, client: AsyncOpenAI, wav: bytes, *, with_times: bool) -> object:
        answer = await client.audio.transcriptions.with_raw_response.create(
            file=("sound.wav", wav, "audio/wav"),
            model=self._settings.transcribe_model,
            response_format="verbose_json" if with_times else "json",
            timestamp_granularities=["segment"] if with_times else omit,
        )
        return json.loads(answer.content)


def _refuses_format(error: Exception) -> bool:
    return (
        isinstance(error, APIStatusError)
        and error.status_code in REFUSING_STATUSES
        and bool(_OF_FORMAT.search(str(error.body)))
    )
