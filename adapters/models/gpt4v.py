"""GPT-4 Turbo with Vision and its vision enhancements: a wire format that Azure has retired.

The forms are those of the API versions 2023-12-01-preview and 2024-02-15-preview, as documented
then in "Use GPT-4 Turbo with Vision" and in the service's TypeSpec (Azure/azure-rest-api-specs,
specification/cognitiveservices/OpenAI.Inference); see docs/gpt4v.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from openai import AsyncAzureOpenAI

from adapters.models.chat_response import ChatResponse, mapping, string
from adapters.models.errors import reported_problem
from adapters.models.openai_client import timeouts
from adapters.models.settings import EXTENSIONS_VERSION
from adapters.models.streaming_client import StreamingModel
from bot.domain.frame_ids import is_frame
from bot.domain.outlines import Span
from bot.errors import ModelProblem
from bot.ports.model import Finished, Picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.models.settings import ModelSettings
    from bot.domain.sightings import Polygon
    from bot.limits import RequestLimits
    from bot.ports.model import Request

MOST_TOKENS = 4096
"""Most tokens of an answer; the service refused requests for more."""
ENDINGS = {"max_tokens": "length"}
"""Names in `finish_details` that differ from those in `finish_reason`."""

_ERROR_CODE = re.compile(r'"ErrorCode"\s*:\s*"?(\d{3})')


@dataclass(frozen=True, slots=True)
class VisionResource:
    """The address and key of the Azure AI Vision resource that the enhancements use."""

    endpoint: str
    key: str = field(repr=False)


class Gpt4vModel(StreamingModel):
    """Deployments of GPT-4 Turbo with Vision; without a resource there are no enhancements."""

    def __init__(
        self, settings: ModelSettings, limits: RequestLimits, resource: VisionResource | None
    ) -> None:
        assert settings.azure_key is not None, "the settings insist on a key"
        client = AsyncAzureOpenAI(
            azure_endpoint=settings.azure_root,
            api_version=settings.gpt4v_version,
            api_key=settings.azure_key.get_secret_value(),
            max_retries=0,
            timeout=timeouts(settings),
        )
        super().__init__(settings, client, ExtensionsFormat(settings, limits, resource))


class ExtensionsFormat:
    """The wire format of the two API versions."""

    def __init__(
        self, settings: ModelSettings, limits: RequestLimits, resource: VisionResource | None
    ) -> None:
        self._with_extensions = settings.gpt4v_version == EXTENSIONS_VERSION
        self._streams = settings.gpt4v_stream
        self._temperature = settings.temperature
        self._tokens = min(limits.max_answer_tokens, MOST_TOKENS)
        self._resource = resource

    def path(self, request: Request) -> str:
        """Return the path of a request: the older version has its own path for enhancements."""
        extensions = "/extensions" if self._with_extensions and self._enhanced(request) else ""
        return f"/deployments/{quote(request.model, safe='')}{extensions}/chat/completions"

    def parameters(self, request: Request) -> dict[str, Any]:
        """Return all fields of a request but its messages.

        Grounding is documented for whole answers only, so that enhanced ones are not streamed.
        """
        enhanced = self._enhanced(request)
        parameters: dict[str, Any] = {
            "max_tokens": self._tokens,
            "stream": self._streams or not enhanced,
        }
        if self._temperature is not None:
            parameters["temperature"] = self._temperature
        if enhanced:
            name = "dataSources" if self._with_extensions else "data_sources"
            parameters["enhancements"] = {"ocr": {"enabled": True}, "grounding": {"enabled": True}}
            parameters[name] = [self._source()]
        return parameters

    def reading(self, request: Request) -> ChatResponse:
        """Return an empty response to a request, which then takes its chunks."""
        photos = _photos(request)
        return ExtensionsResponse(photos[0] if len(photos) == 1 else 0)

    def takes_tools(self, model: str) -> bool:
        """Return False: the format has no tools."""
        return False

    def learns(self, request: Request, error: Exception) -> bool:
        """Return False: no parameter of the format can be left out."""
        return False

    def _enhanced(self, request: Request) -> bool:
        """Return whether a request gets enhancements, which take exactly one photo.

        Frames of videos get none: the service for them ended on 2025-06-30.
        """
        photos = _photos(request)
        one = len(photos) == 1 and not is_frame(photos[0])
        return bool(self._resource and request.vision and one)

    def _source(self) -> dict[str, Any]:
        assert self._resource is not None
        parameters = {"endpoint": self._resource.endpoint, "key": self._resource.key}
        return {"type": "AzureComputerVision", "parameters": parameters}


def _photos(request: Request) -> list[int]:
    """Return the numbers of the photos that a request shows."""
    parts = (part for message in request.messages for part in message.parts)
    return [number for part in parts if isinstance(part, Picture) for number in part.numbers]


class ExtensionsResponse(ChatResponse):
    """An answer in the form of either version, streamed or whole.

    `photo` is the number of the photo that grounding refers to. Streams come both as
    `choices[].delta` and as `choices[].messages[].delta`.
    """

    def __init__(self, photo: int) -> None:
        super().__init__()
        self._photo = photo
        self._words = ""
        self._role = ""
        self._tool_words = ""
        self._lines: Sequence[Any] = ()

    def take(self, chunk: object) -> str:
        """Read a chunk and return its words; raises `ModelProblem` if it is an error."""
        words = super().take(chunk)
        self._words += words
        return words

    def messages(self, choice: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the messages of the assistant, after checking those of tools for errors."""
        grounding = mapping(mapping(choice.get("enhancements")).get("grounding"))
        self._lines = _list(grounding.get("lines")) or self._lines
        for name, message in (*super().messages(choice), *_extension_messages(choice)):
            self._role = string(message.get("role")) or self._role
            if self._role == "tool":
                self._check_tool(string(message.get("content")))
            else:
                yield name, message

    def ending(self, choice: Mapping[str, Any]) -> str:
        """Return why the answer ends, by the names of `finish_reason`; empty while it goes on."""
        details = string(mapping(choice.get("finish_details")).get("type"))
        ends = any(mapping(message).get("end_turn") for message in _list(choice.get("messages")))
        return super().ending(choice) or ENDINGS.get(details, details) or ("stop" if ends else "")

    def finished(self) -> Finished:
        """Return the end of the answer, with the grounding; raises `ModelProblem`."""
        spans = tuple(grounding_spans(self._words, self._lines, self._photo))
        return replace(super().finished(), grounding=spans or None)

    def _check_tool(self, content: str) -> None:
        """Raise the error that a tool's message reports; it looks like JSON but is not valid."""
        self._tool_words += content
        if code := _ERROR_CODE.search(self._tool_words):
            trouble = reported_problem({}, int(code[1]))
            raise ModelProblem(trouble.reason, f"{trouble.detail} in a message of a tool")


def _extension_messages(choice: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the messages in the form of the extensions, without the mark of the end."""
    for message in map(mapping, _list(choice.get("messages"))):
        fields = mapping(message.get("delta")) or message
        if string(fields.get("content")) != "[DONE]":
            yield "messages", fields


def grounding_spans(words: str, lines: Sequence[Any], photo: int) -> Iterator[Span]:
    """Return the spans of grounding, with words of the answer, since their own differ in case.

    `offset` and `length` count code points within the text of the line; `polygon` holds fractions
    of the picture. What does not match the words is ignored.
    """
    after = 0
    for line in map(mapping, lines):
        text = string(line.get("text"))
        start = words.find(text, after)
        if text and start >= 0:
            after = start + len(text)
            for span in map(mapping, _list(line.get("spans"))):
                yield from _span(words, start, after, span, photo)


def _span(
    words: str, start: int, end: int, fields: Mapping[str, Any], photo: int
) -> Iterator[Span]:
    offset, length = fields.get("offset"), fields.get("length")
    polygon = _polygon(fields.get("polygon"))
    if isinstance(offset, int) and isinstance(length, int) and polygon:
        at = start + offset
        if start <= at < at + length <= end:
            yield Span(words[at : at + length], at, length, polygon, photo)


def _polygon(value: object) -> Polygon:
    """Return the corners, clamped to the picture; empty if the value has none."""
    corners = [(mapping(corner).get("x"), mapping(corner).get("y")) for corner in _list(value)]
    points = tuple(
        (min(1.0, max(0.0, x)), min(1.0, max(0.0, y)))
        for x, y in corners
        if isinstance(x, int | float) and isinstance(y, int | float)
    )
    return points if len(points) == len(corners) >= 3 else ()


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
