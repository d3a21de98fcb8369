"""Azure OpenAI as it was with GPT-4 Turbo with Vision: the retired form, held to the letter.

    async with Gpt4vServer() as server:
        server.then(Told("The person smiles.", (Marked("the person", 0, 10, SQUARE),)))
        ...
        assert server.requests[0].body["dataSources"]

What was documented is refused as documented: a wrong address with 404, unknown fields with 400,
problems of the enhancements by a message of a tool whose content only looks like JSON. Without
`max_tokens` an answer has 16 tokens (here words).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from multidict import CIMultiDict

from tests.servers.loopback import Loopback
from tests.servers.openai import KEY, Plain, ReceivedRequest, fail

VISION_KEY = "vision-key-of-the-tests"
VISION_ENDPOINT = "https://contoso-vision.cognitiveservices.azure.com"
WITH_EXTENSIONS, WITHOUT = "2023-12-01-preview", "2024-02-15-preview"
DEFAULT_TOKENS, MOST_TOKENS, MOST_PICTURES = 16, 4096, 10
PLAIN_FIELDS = {"messages", "max_tokens", "stream", "temperature", "top_p", "stop", "n", "user"}
SOURCES = {WITH_EXTENSIONS: "dataSources", WITHOUT: "data_sources"}
SQUARE = ((0.1, 0.4), (0.8, 0.4), (0.8, 0.6), (0.1, 0.6))
NOT_FOUND = Plain(404, {"error": {"code": "404", "message": "Resource not found"}})
USAGE = {"prompt_tokens": 816, "completion_tokens": 49, "total_tokens": 865}


@dataclass(frozen=True)
class GroundedSpan:
    """A span of grounding; its text is what the service calls it, in a case of its own."""

    text: str
    offset: int
    length: int
    polygon: tuple[tuple[float, float], ...] = SQUARE


@dataclass(frozen=True)
class GroundedAnswer:
    """An answer: lines of grounding are its own whole text, or `lines` of (text, spans)."""

    content: str
    spans: tuple[GroundedSpan, ...] = ()
    lines: tuple[tuple[str, tuple[GroundedSpan, ...]], ...] = ()
    plain_delta: bool = False
    end_turn: bool = False


@dataclass(frozen=True)
class InBand:
    """An error that comes with status 200, as what a tool says."""

    code: int
    message: str = "Document does not exist or has been deleted"


@dataclass(frozen=True)
class ExtensionsRequest(ReceivedRequest):
    """A request as it came, with its API version."""

    version: str = ""


Reply = GroundedAnswer | InBand | Plain


class Gpt4vServer(Loopback):
    """The server; `url` is its root, `requests` what it was asked, also what it refused.

    `resource` is endpoint and key of the only Vision resource that there is.
    """

    def __init__(self, deployments: tuple[str, ...] = ("vision",)) -> None:
        super().__init__()
        self.deployments = deployments
        self.resource = (VISION_ENDPOINT, VISION_KEY)
        self.default: Reply = GroundedAnswer("A red car.")
        self.requests: list[ExtensionsRequest] = []
        self._script: deque[Reply] = deque()

    def then(self, *replies: Reply) -> None:
        """Answer the next requests that are right with these, in turn."""
        self._script.extend(replies)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        await self.start(app)
        return self

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        version = request.query.get("api-version", "")
        body = await request.json()
        question = ExtensionsRequest(request.path, CIMultiDict(request.headers), body, version)
        self.requests.append(question)
        if refusal := self._refusal(request, question):
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        reply = _complaint_in_band(question, self.resource) or (
            self._script.popleft() if self._script else self.default
        )
        if isinstance(reply, Plain):
            return web.json_response(reply.body, status=reply.status, headers=reply.headers)
        if not body.get("stream", False):
            return web.json_response(_whole(question, reply))
        return await _stream(request, question, reply)

    def _refusal(self, request: web.Request, question: ExtensionsRequest) -> Plain | None:
        """Refuse what the service refused before any model was asked."""
        match = re.fullmatch(
            r"/openai/deployments/([^/]+)(/extensions)?/chat/completions", question.path
        )
        if request.method != "POST" or not match or question.version not in SOURCES:
            return NOT_FOUND
        if request.headers.get("api-key") != KEY or "Authorization" in request.headers:
            return fail(401, "401", message="Access denied due to invalid subscription key.")
        if match[1] not in self.deployments:
            return fail(404, "DeploymentNotFound")
        if match[2] and question.version != WITH_EXTENSIONS:
            return NOT_FOUND
        if request.headers.get("Content-Type") != "application/json":
            return fail(415, message="Unsupported media type")
        return _complaint(question, enhancing=bool(match[2]) or question.version == WITHOUT)


def _complaint(question: ExtensionsRequest, *, enhancing: bool) -> Plain | None:
    """Refuse what the service found wrong in the body."""
    source = SOURCES[question.version]
    fields = PLAIN_FIELDS | ({"enhancements", source} if enhancing else set())
    for name in question.body:
        if name not in fields:
            return _invalid(f"{name}\n  extra fields not permitted (type=value_error.extra)")
    if not isinstance(question.body.get("messages"), list) or not question.body["messages"]:
        return _invalid("messages\n  field required (type=value_error.missing)")
    if not all(map(_is_part, question.parts)):
        return _invalid("messages\n  value is not a valid list of parts")
    if question.body.get("max_tokens", 1) > MOST_TOKENS:
        return _invalid("max_tokens is too large")
    if len(question.pictures) > MOST_PICTURES:
        return _invalid("messages\n  too many images")
    return None


def _invalid(what: str) -> Plain:
    message = f"1 validation error for Request\nbody -> {what}"
    return fail(400, None, message=message, type="invalid_request_error")


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    if part.get("type") == "text":
        return set(part) == {"type", "text"} and isinstance(part["text"], str)
    if part.get("type") != "image_url" or set(part) != {"type", "image_url"}:
        return False
    return (
        set(part["image_url"]) <= {"url", "detail"}
        and part["image_url"].get("detail", "auto") in {"auto", "low", "high"}
        and part["image_url"]["url"].startswith("data:image/jpeg;base64,")
    )


def _complaint_in_band(question: ExtensionsRequest, resource: tuple[str, str]) -> InBand | None:
    """Refuse what the enhancements found wrong: with status 200."""
    enhancements = question.body.get("enhancements")
    sources = question.body.get(SOURCES[question.version])
    if enhancements is None and sources is None:
        return None
    if not _are_enhancements(enhancements):
        return InBand(400, "The enhancements are not valid")
    if not sources or len(sources) != 1 or not _is_source(sources[0], resource[0]):
        return InBand(400, "The 'ocr' enhancement requires an AzureComputerVision data source")
    if sources[0]["parameters"]["key"] != resource[1]:
        return InBand(401, "Access denied due to invalid subscription key")
    if len(question.pictures) != 1:
        return InBand(400, "The 'grounding' enhancement requires one image")
    return None


def _are_enhancements(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and set(value) <= {"ocr", "grounding"}
        and all(
            set(one) == {"enabled"} and one["enabled"] in {True, False} for one in value.values()
        )
    )


def _is_source(source: Any, endpoint: str) -> bool:
    return (
        set(source) == {"type", "parameters"}
        and source["type"] == "AzureComputerVision"
        and set(source["parameters"]) == {"endpoint", "key"}
        and source["parameters"]["endpoint"] == endpoint
    )


def _cut(question: ExtensionsRequest, content: str) -> tuple[str, dict[str, str]]:
    """Cut an answer to its tokens, and tell how it ends."""
    words = re.findall(r"\s*\S+|\s+$", content)
    most = question.body.get("max_tokens", DEFAULT_TOKENS)
    if len(words) > most:
        return "".join(words[:most]), {"type": "max_tokens"}
    return content, {"type": "stop", "stop": "<|fim_suffix|>"}


def _grounding(question: ExtensionsRequest, answer: GroundedAnswer) -> dict[str, Any]:
    """The enhancements of a choice, as far as they were asked for."""
    is_enabled = question.body.get("enhancements", {}).get("grounding", {}).get("enabled")
    lines = answer.lines or (((answer.content, answer.spans),) if answer.spans else ())
    if not is_enabled:
        return {}
    lines_json = [{"text": text, "spans": [_span(span) for span in spans]} for text, spans in lines]
    return {"enhancements": {"grounding": {"lines": lines_json, "status": "Success"}}}


def _span(span: GroundedSpan) -> dict[str, Any]:
    return {
        "text": span.text,
        "length": span.length,
        "offset": span.offset,
        "polygon": [{"x": x, "y": y} for x, y in span.polygon],
    }


def _in_band(error: InBand) -> dict[str, str]:
    content = f'{{"ErrorMessage":{error.message},"ErrorCode": {error.code}}}'
    return {"role": "tool", "content": content}


def _whole(question: ExtensionsRequest, reply: GroundedAnswer | InBand) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0}
    if isinstance(reply, InBand):
        choice |= {"messages": [_in_band(reply)], "finish_details": {"type": "stop"}}
    else:
        content, ending = _cut(question, reply.content)
        message = {"role": "assistant", "content": content}
        choice |= {"finish_details": ending, "message": message, **_grounding(question, reply)}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1702394683,
        "model": "gpt-4",
        "choices": [choice],
        "usage": USAGE,
    }


async def _stream(
    request: web.Request, question: ExtensionsRequest, reply: GroundedAnswer | InBand
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for choice in _chunks(question, reply):
        chunk = {"id": "chatcmpl-1", "object": "extensions.chat.completion.chunk"}
        chunk |= {"model": "gpt-4", "choices": [{"index": 0, **choice}]}
        await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await asyncio.sleep(0)
    await response.write(b"data: [DONE]\n\n")
    return response


def _chunks(question: ExtensionsRequest, reply: GroundedAnswer | InBand) -> list[dict[str, Any]]:
    """An answer in pieces: those of the extensions in `messages`, as reported."""
    if isinstance(reply, InBand):
        error = _in_band(reply)
        middle = len(error["content"]) - 4
        first, rest = error["content"][:middle], error["content"][middle:]
        return [
            {"messages": [{"delta": {"role": "tool", "content": first}}]},
            {"messages": [{"delta": {"content": rest}}]},
        ]
    content, ending = _cut(question, reply.content)
    end = {"finish_details": ending, **_grounding(question, reply)}
    if reply.plain_delta or "extensions" not in question.path:
        deltas = [{"delta": {"content": piece}} for piece in re.findall(r".{1,6}", content)]
        return [{"delta": {"role": "assistant"}}, *deltas, end]
    pieces = [
        {"messages": [{"delta": {"content": piece}}]} for piece in re.findall(r".{1,6}", content)
    ]
    intent = {"role": "tool", "content": '{"citations": [], "intent": "[]"}'}
    opening = [{"messages": [{"delta": delta}]} for delta in (intent, {"role": "assistant"})]
    if reply.end_turn:
        end = {"messages": [{"delta": {"content": "[DONE]"}, "end_turn": True}]}
    return [*opening, *pieces, end]
