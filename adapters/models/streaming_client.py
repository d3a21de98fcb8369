"""Models that stream their answers over HTTP: retries, time-outs, closing of connections."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from openai import AsyncOpenAI, AsyncStream

from adapters.models.chat_request import RequestParameters, body
from adapters.models.errors import problem, with_advice
from adapters.models.openai_client import ProviderClients, host_of
from adapters.models.retry import retry_budget, wait_before_retry
from bot.clock import Clock
from bot.errors import ModelProblem, ModelReason
from bot.ports.model import ChatMessage, Delta, Finished, Request, TextPart, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from adapters.models.chat_response import ChatResponse
    from adapters.models.openai_client import Token
    from adapters.models.settings import ModelSettings
    from bot.limits import RequestLimits
    from bot.retry import RetryBudget

END = object()
REASONS_AFTER_WORDS = {
    ModelReason.FILTERED: ModelReason.FILTERED_ANSWER,
    ModelReason.TIMED_OUT: ModelReason.CUT,
    ModelReason.UNREACHABLE: ModelReason.CUT,
}
"""What the reason of a problem becomes once the answer has begun."""

log = structlog.get_logger()


class WireFormat(Protocol):
    """How requests to a service are written, and its responses read."""

    def path(self, request: Request) -> str:
        """Return the path of a request, below the client's address."""
        ...

    def parameters(self, request: Request) -> dict[str, Any]:
        """Return all fields of a request but its messages."""
        ...

    def reading(self, request: Request) -> ChatResponse:
        """Return an empty response to a request, which then takes its chunks."""
        ...

    def takes_tools(self, model: str) -> bool:
        """Return whether a model may call tools, as far as is known."""
        ...

    def learns(self, request: Request, error: Exception) -> bool:
        """Return whether, because of an error, the next request will be written differently."""
        ...


class StreamingModel:
    """The models of one service; the client makes no retries of its own."""

    def __init__(
        self,
        settings: ModelSettings,
        client: AsyncOpenAI,
        format_: WireFormat,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._client = client
        self._format = format_
        self._clock = clock or Clock()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def takes_tools(self, model: str) -> bool:
        """Return whether a model may call tools, as far as is known."""
        return self._format.takes_tools(model)

    async def check(self, model: str) -> str:
        """Ask a model for one word and return a sentence about it.

        Raises `ModelProblem`, whose detail then says what whoever runs Loupe can do.
        """
        start = time.monotonic()
        host = host_of(self._client)
        request = Request(model, (ChatMessage("user", (TextPart("Reply with the word OK."),)),))
        try:
            ends = [piece async for piece in self.answer(request) if isinstance(piece, Finished)]
        except ModelProblem as trouble:
            raise with_advice(trouble, host, model) from None
        known_as = f", known there as {ends[-1].model}," if ends[-1].model else ""
        seconds = time.monotonic() - start
        return f"The model {model}{known_as} answered at {host} within {seconds:.1f} seconds."

    async def answer(self, request: Request) -> AsyncGenerator[Delta | ToolCall | Finished]:
        """Stream the answer and end with `Finished`; raises `ModelProblem`.

        An attempt that fails before its first words is retried if that may help, after the time
        that the service asks for; one that fails later is not.
        """
        budget = retry_budget(self._settings, self._clock)
        while True:
            reading = self._format.reading(request)
            try:
                async with aclosing(self._once(request, reading)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except Exception as error:  # Whatever a service sends has to end in one sentence.
                delay = self._delay(request, reading, budget, error)
            await self._clock.sleep(delay)

    def _delay(
        self, request: Request, reading: ChatResponse, budget: RetryBudget, error: Exception
    ) -> float:
        """Return the seconds to wait before the next attempt; raises `ModelProblem` without one."""
        model = request.model
        if not reading.has_words and self._format.learns(request, error):
            parameters = sorted(self._format.parameters(request))
            log.info("model_parameters_changed", model=model, parameters=parameters)
            return 0.0
        trouble = problem(error)
        delay = None if reading.has_words else wait_before_retry(budget, trouble, error)
        reason = (
            REASONS_AFTER_WORDS.get(trouble.reason, trouble.reason)
            if reading.has_words
            else trouble.reason
        )
        event = "model_failed" if delay is None else "model_tried_again"
        log.warning(event, model=model, reason=reason.value, detail=trouble.detail, delay=delay)
        if delay is None:
            raise ModelProblem(reason, trouble.detail) from None  # The cause quotes the service.
        return delay

    async def _once(
        self, request: Request, reading: ChatResponse
    ) -> AsyncGenerator[Delta | ToolCall | Finished]:
        """Make one attempt; its connection is closed however it ends."""
        async with asyncio.timeout(self._settings.first_seconds):
            stream = await self._open(request)
        try:
            while (chunk := await self._next(stream, reading)) is not END:
                if words := reading.take(chunk):
                    yield Delta(words)
        finally:
            await stream.close()
        last = reading.finished()
        for call in reading.calls:
            yield call
        yield last

    async def _open(self, request: Request) -> AsyncStream[object]:
        """Send the request, whose body is encoded in a thread so as not to block the event loop."""
        parameters = self._format.parameters(request)
        return await self._client.post(
            self._format.path(request),
            content=await asyncio.to_thread(body, request, parameters),
            cast_to=object,
            options={"headers": {"Content-Type": "application/json"}},
            stream=True,
            stream_cls=AsyncStream[object],
        )

    async def _next(self, stream: AsyncStream[object], reading: ChatResponse) -> object:
        """Wait for the next chunk, or the whole answer of a server that does not stream."""
        settings = self._settings
        try:
            async with asyncio.timeout(
                settings.idle_seconds if reading.has_words else settings.first_seconds
            ):
                if "application/json" in stream.response.headers.get("content-type", ""):
                    return END if reading.has_begun else json.loads(await stream.response.aread())
                return await anext(stream, END)
        except Exception:
            if reading.finish:  # The answer is complete; at most the count of tokens is missing.
                return END
            raise


class ChatModel(StreamingModel):
    """The models of Azure OpenAI, or of any server of the same kind, by chat completions.

    `token` returns a token of Microsoft Entra ID in place of a key.
    """

    def __init__(
        self,
        settings: ModelSettings,
        limits: RequestLimits,
        token: Token | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._connection = ProviderClients(settings, token)
        parameters = RequestParameters(limits.max_answer_tokens, settings.temperature)
        super().__init__(settings, self._connection.client, parameters, clock)

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()
