"""A transcription server for tests: checks requests as the real ones do, hears words of tones.

    async with TranscriptionServer() as server:
        server.then(fail(429, retry_after=1))
        ...
        assert server.requests[0].format == "verbose_json"

In `speak` each word is a tone of its own, and the server transcribes what it finds in the WAV file.
It serves OpenAI's path (`/v1/`), that of Azure OpenAI (`/openai/v1/`), which knows no Whisper, and
the one that Azure had before (`/openai/deployments/`). Models named `gpt-4o-…` tell no times.
"""

from __future__ import annotations

import asyncio
import io
import wave
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from aiohttp import web
from multidict import CIMultiDict

from tests.servers.loopback import Loopback
from tests.servers.openai import KEY, Hang, Plain, fail

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16_000
WORDS = ("stop", "left", "right", "brake", "watch", "light", "green", "crash", "police", "phone")
"""Each is a tone, of 300 Hz and 100 Hz more for each next one."""
MOST_BYTES = 25_000_000
BLOCK = 0.05
FORMATS = {"json", "text", "srt", "verbose_json", "vtt"}

SpokenWord = tuple[str, float, float]
"""A word, with the seconds at which it begins and ends."""


class Cut:
    """Break the connection in the midst of an answer."""


Reply = Plain | Hang | Cut


def speak(*words: SpokenWord, seconds: float, hiss: float = 0.0, rate: int = RATE) -> bytes:
    """Make a WAV file with words, and else silence, or a hiss of this loudness."""
    random = np.random.default_rng(1)
    samples = (
        random.normal(0.0, hiss, round(seconds * rate)) if hiss else np.zeros(round(seconds * rate))
    )
    for word, start, end in words:
        at = np.arange(round(start * rate), round(end * rate))
        samples[at] += 0.3 * np.sin(2 * np.pi * (300 + 100 * WORDS.index(word)) * at / rate)
    return wav_bytes(samples, rate)


def wav_bytes(samples: NDArray[np.float64], rate: int = RATE, channels: int = 1) -> bytes:
    """Make a WAV file of samples between -1 and 1."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it came; `fields` are the form's, without the file."""

    path: str
    headers: CIMultiDict[str] = field(repr=False)
    fields: dict[str, list[str]]
    filename: str = ""
    wav: bytes = field(default=b"", repr=False)

    def __getitem__(self, name: str) -> str:
        """The one value of a field; empty where there is none."""
        return next(iter(self.fields.get(name, [])), "")

    @property
    def samples(self) -> NDArray[np.float64]:
        """What was sent; raises `wave.Error` or `EOFError` for no WAV file."""
        with wave.open(io.BytesIO(self.wav)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
            data = file.readframes(file.getnframes())
            assert len(data) == 2 * file.getnframes() == len(self.wav) - 44
        return np.frombuffer(data, "<i2") / 32767

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def heard(self) -> list[SpokenWord]:
        """The words that are in the sound, with their times."""
        size = round(RATE * BLOCK)
        blocks = self.samples[: len(self.samples) // size * size].reshape(-1, size)
        numbers = [_word(block) for block in blocks]
        words: list[SpokenWord] = []
        for number, word in enumerate(numbers):
            at = number * BLOCK
            if word and number and numbers[number - 1] == word:
                words[-1] = (word, words[-1][1], at + BLOCK)
            elif word:
                words.append((word, at, at + BLOCK))
        return words


def _word(block: NDArray[np.float64]) -> str:
    if np.sqrt(np.mean(block**2)) < 0.1:
        return ""
    frequency = int(np.argmax(np.abs(np.fft.rfft(block)))) / BLOCK
    return WORDS[round((frequency - 300) / 100)]


class TranscriptionServer(Loopback):
    """The server; `url` is its root, `requests` what it was asked, also what it refused.

    `models` are the known ones (None: any), `keys` and `tokens` what is accepted. While `gate` is
    an event, answers wait for it.
    """

    def __init__(self, models: set[str] | None = None) -> None:
        super().__init__()
        self.models = models
        self.keys, self.tokens = {KEY}, {"token-of-the-tests"}
        self.requests: list[ReceivedRequest] = []
        self.at_once = self.most_at_once = self.left_early = 0
        self.gate: asyncio.Event | None = None
        self._script: deque[Reply] = deque()
        self._changed = asyncio.Condition()

    def then(self, *replies: Reply) -> None:
        """Answer the next requests that nothing is wrong with with these, in turn."""
        self._script.extend(replies)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2 * MOST_BYTES)
        self.route(app)
        await self.start(app)
        return self

    def route(self, app: web.Application) -> None:
        """Serve beside whatever else an application serves."""
        for prefix in ("/v1", "/openai/v1", "/openai/deployments/{name}"):
            app.router.add_post(f"{prefix}/audio/transcriptions", self._transcriptions)

    def forget(self) -> None:
        """Drop what was asked, and what was to be answered."""
        self.requests.clear()
        self._script.clear()
        self.gate = None

    async def until(self, true: Any, seconds: float = 30) -> None:
        """Wait until something is true of the requests."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(true)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        record = await _received(request)
        self.requests.append(record)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._tell()
            return await self._reply(request, record)
        except (asyncio.CancelledError, ConnectionError):
            self.left_early += 1
            raise
        finally:
            self.at_once -= 1
            await self._tell()

    async def _reply(self, request: web.Request, record: ReceivedRequest) -> web.StreamResponse:
        if refusal := self._refusal(request, record) or _complaint(record):
            return _plain(refusal)
        if self.gate is not None:
            await self.gate.wait()
        reply = self._script.popleft() if self._script else _transcription(record)
        if isinstance(reply, Hang):
            await asyncio.Event().wait()
            raise AssertionError
        if isinstance(reply, Cut):
            return await _cut(request)
        return _plain(reply)

    def _refusal(self, request: web.Request, record: ReceivedRequest) -> Plain | None:
        """Refuse whom the real services refuse, and models they do not know."""
        bearer = record.headers.get("Authorization", "").removeprefix("Bearer ")
        dated = "name" in request.match_info
        is_authorized = bearer in self.tokens or record.headers.get("api-key", "") in self.keys
        if dated and (bearer in self.keys or not is_authorized):
            return fail(401, "401", message="Access denied due to invalid subscription key.")
        if not dated and not is_authorized and bearer not in self.keys:
            return fail(401, "invalid_api_key", message=f"Incorrect API key provided: {bearer}.")
        model = request.match_info.get("name", record["model"])
        if dated and request.query.get("api-version") != "2024-10-21":
            return fail(404, "404", message="Resource not found")
        whisper_at_v1 = "whisper" in model and request.path.startswith("/openai/v1/")
        if whisper_at_v1 or (self.models is not None and model not in self.models):
            azure = request.path.startswith("/openai/")
            return fail(404, "DeploymentNotFound" if azure else "model_not_found")
        return None


async def _received(request: web.Request) -> ReceivedRequest:
    fields: dict[str, list[str]] = {}
    filename, wav = "", b""
    async for part in await request.multipart():
        if part.name == "file":
            filename, wav = part.filename, bytes(await part.read())
        else:
            fields.setdefault(part.name, []).append(await part.text())
    return ReceivedRequest(request.path, request.headers.copy(), fields, filename, wav)


def _complaint(record: ReceivedRequest) -> Plain | None:
    def wrong(param: str, message: str, code: str = "invalid_value") -> Plain:
        return fail(400, code, param=param, message=message, type="invalid_request_error")

    if not record["model"]:
        return wrong("model", "you must provide a model parameter")
    if len(record.wav) > MOST_BYTES:
        message = f"Maximum content size limit (26214400) exceeded ({len(record.wav)} bytes read)"
        return fail(413, None, message=message, type="server_error")
    try:
        seconds = record.seconds
    except (wave.Error, EOFError, AssertionError):
        return wrong("file", "The audio file could not be decoded or its format is not supported.")
    if not record.filename.endswith(".wav"):
        return wrong("file", "Unrecognized file format.")
    if seconds < 0.1:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        return wrong("file", message, "audio_too_short")
    return _format_complaint(record, wrong)


def _format_complaint(record: ReceivedRequest, wrong: Any) -> Plain | None:
    form, model = record["response_format"] or "json", record["model"]
    if form not in FORMATS:
        return wrong("response_format", f"Invalid value: '{form}'.")
    if model.startswith("gpt-4o-") and form not in {"json", "text"}:
        message = (
            f"response_format '{form}' is not compatible with model '{model}'. "
            "Use 'json' or 'text' instead."
        )
        return wrong("response_format", message, "unsupported_value")
    if "timestamp_granularities[]" in record.fields and form != "verbose_json":
        message = "timestamp_granularities is only supported with verbose_json"
        return wrong("timestamp_granularities", message)
    return None


def _transcription(record: ReceivedRequest) -> Plain:
    words = record.heard
    answer: dict[str, Any] = {"text": " ".join(word for word, _, _ in words)}
    if record["response_format"] == "verbose_json":
        segments = [segment(*spoken, id=number) for number, spoken in enumerate(words)]
        duration = round(record.seconds, 2)
        answer = {
            "task": "transcribe",
            "language": "english",
            "duration": duration,
            **answer,
            "segments": segments,
            "usage": {"type": "duration", "seconds": duration},
        }
    return Plain(200, answer)


def segment(text: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    """A phrase as Whisper tells it; `more` are further fields of it, such as `no_speech_prob`."""
    fields = {
        "id": 0,
        "seek": 0,
        "start": start,
        "end": end,
        "text": f" {text}",
        "tokens": [50364],
        "temperature": 0.0,
        "avg_logprob": -0.3,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.02,
    }
    return {**fields, **more}


def tell(*segments: dict[str, Any], **more: Any) -> Plain:
    """Answer with these segments, whatever the sound."""
    text = "".join(str(one.get("text", "")) for one in segments)
    return Plain(200, {"task": "transcribe", "text": text, "segments": [*segments], **more})


def _plain(reply: Plain) -> web.Response:
    if isinstance(reply.body, str):
        return web.Response(
            status=reply.status,
            text=reply.body,
            content_type="application/json",
            headers=reply.headers,
        )
    return web.json_response(reply.body, status=reply.status, headers=reply.headers)


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 100
    await response.prepare(request)
    await response.write(b'{"text": "le')
    assert request.transport is not None
    request.transport.abort()
    return response
