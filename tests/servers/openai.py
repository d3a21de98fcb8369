"""A chat completions server for tests: checks requests as the real ones do, answers as told.

    async with OpenAIServer() as server:
        server.then(fail(429, retry_after_ms=10), say("A red ", "car."))
        ...
        assert server.requests[0].pictures == [jpeg]

It serves OpenAI's path (`/v1/`) and that of Azure OpenAI (`/openai/v1/`), where streams begin
with a chunk without choices, as Azure's do. What no `then` foresees is answered with `default`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from multidict import CIMultiDict

from tests.servers.loopback import Loopback

if TYPE_CHECKING:
    from tests.servers.transcriptions import TranscriptionServer

KEY = "key-of-the-tests"
MAX_PICTURES = 10
REASONING = re.compile(r"(gpt-5|o\d)")
UNSUPPORTED = {"minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "pattern"}
"""Keywords that Azure OpenAI refuses in a strict schema."""


@dataclass(frozen=True)
class Forever:
    """A chunk that comes again and again, until the client leaves."""

    chunk: dict[str, Any]


Step = str | float | bytes | dict[str, Any] | asyncio.Event | Forever
"""Words; a pause in seconds; a raw line; a raw chunk; something to wait for; no end."""


@dataclass(frozen=True)
class Answer:
    """A streamed answer; with `cut` the connection breaks instead of ending."""

    steps: tuple[Step, ...]
    finish: str | None = "stop"
    usage: dict[str, Any] | None = field(default_factory=lambda: usage(1000, 20))
    model: str = ""
    done: bool = True
    cut: bool = False


@dataclass(frozen=True)
class Plain:
    """An answer that is no stream: an error, or JSON of a server that does not stream."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class Hang:
    """Take the request and stay silent, without even headers, until the client leaves."""


Reply = Answer | Plain | Hang


def usage(prompt: int, completion: int, cached: int = 0) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def say(*steps: Step, **how: Any) -> Answer:
    """Answer with words, with pauses and oddities between them; see `Answer`."""
    return Answer(steps, **how)


def call_tools(*steps: Step, **how: Any) -> Answer:
    """Answer with tool calls (`tool_call_start`, `tool_call_rest`), and words between them."""
    return Answer(steps, **{"finish": "tool_calls", **how})


def tool_call_start(
    name: str,
    arguments: str = "",
    *,
    at: int = 0,
    id: str | None = None,  # noqa: A002
) -> dict[str, Any]:
    """The first piece of a call, which alone has its id and name."""
    function = {"name": name, "arguments": arguments}
    id = f"call_{'abcdefgh'[at]}" if id is None else id  # noqa: A001
    return choice(tool_calls=[{"index": at, "id": id, "type": "function", "function": function}])


def tool_call_rest(arguments: str, *, at: int = 0) -> dict[str, Any]:
    """A further piece of a call's arguments."""
    return choice(tool_calls=[{"index": at, "function": {"arguments": arguments}}])


def cut_answer(*steps: Step) -> Answer:
    """Say something, then break the connection."""
    return Answer(steps, finish=None, done=False, cut=True)


def fail(
    status: int,
    code: str | None = None,
    *,
    message: str = "It did not work.",
    retry_after: float | None = None,
    retry_after_ms: float | None = None,
    **more: Any,
) -> Plain:
    """Fail with an error body; `more` are further fields of it, such as `param`."""
    headers = {"x-ratelimit-remaining-requests": "0"} if status == 429 else {}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    if retry_after_ms is not None:
        headers["retry-after-ms"] = str(retry_after_ms)
    error = {"message": message, "type": None, "param": None, "code": code, **more}
    return Plain(status, {"error": error}, headers)


def content_filter() -> Plain:
    """Refuse the prompt as Azure's content filter does."""
    harmless = {"filtered": False, "severity": "safe"}
    results = {"hate": harmless, "violence": {"filtered": True, "severity": "medium"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}
    error = {"message": "The prompt was filtered.", "type": None, "param": "prompt"}
    body = {"error": {**error, "code": "content_filter", "status": 400, "innererror": inner}}
    return Plain(400, body)


def choice(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk with one choice; without a delta it is one of Azure's annotations."""
    fields: dict[str, Any] = {"index": 0, "finish_reason": finish}
    if delta:
        fields["delta"] = delta
    else:
        fields["content_filter_results"] = {"hate": {"filtered": False, "severity": "safe"}}
    return {"id": "", "object": "chat.completion.chunk", "model": "", "choices": [fields]}


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it came."""

    path: str
    headers: CIMultiDict[str]
    body: dict[str, Any]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """All content parts of all messages, in order; a plain text counts as one."""
        parts: list[dict[str, Any]] = []
        for message in self.body["messages"]:
            content = message["content"] or []
            parts += content if isinstance(content, list) else [{"type": "text", "text": content}]
        return parts

    @property
    def texts(self) -> list[str]:
        return [part["text"] for part in self.parts if part["type"] == "text"]

    @property
    def pictures(self) -> list[bytes]:
        urls = [part["image_url"]["url"] for part in self.parts if part["type"] == "image_url"]
        return [base64.b64decode(url.partition(",")[2]) for url in urls]


class OpenAIServer(Loopback):
    """The server; `url` is its root, `requests` what it was asked, also what it refused.

    `models` are the known ones (None: any), `tokens` the accepted keys and bearer tokens. What is
    spoken is transcribed by `speech`, if there is one.
    """

    def __init__(
        self,
        models: set[str] | None = None,
        tokens: tuple[str, ...] = (KEY,),
        speech: TranscriptionServer | None = None,
    ) -> None:
        super().__init__()
        self.speech = speech
        self.models = models
        self.tokens = set(tokens)
        self.default: Reply = say("A red car ", "with the plate ", "KRW 301.")
        self.requests: list[ReceivedRequest] = []
        self.open_streams = 0
        self.left_early = 0
        self._script: deque[Reply] = deque()
        self._changed = asyncio.Condition()

    def then(self, *replies: Reply) -> None:
        """Answer the next requests with these, in turn."""
        self._script.extend(replies)

    def forget(self) -> None:
        """Drop what was asked, and what was to be answered."""
        self.requests.clear()
        self._script.clear()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=200 * 2**20)
        for prefix in ("/v1", "/openai/v1"):
            app.router.add_post(f"{prefix}/chat/completions", self._completions)
        if self.speech:
            self.speech.route(app)
        await self.start(app)
        return self

    async def until_asked(self, times: int = 1, seconds: float = 30) -> None:
        """Wait for that many requests in all."""
        await self._until(lambda: len(self.requests) >= times, seconds)

    async def until_closed(self, seconds: float = 30) -> None:
        """Wait until no request is open any more: all are answered or the client has left."""
        await self._until(lambda: self.open_streams == 0, seconds)

    async def _until(self, true: Any, seconds: float) -> None:
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(true)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            return _refusal(fail(400, message="The body is no JSON."))
        self.requests.append(ReceivedRequest(request.path, request.headers.copy(), body))
        self.open_streams += 1
        try:
            await self._tell()
            if refusal := self._refusal(request, body):
                return _refusal(refusal)
            return await self._reply(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.left_early += 1
            raise
        finally:
            self.open_streams -= 1
            await self._tell()

    async def _reply(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        reply = self._script.popleft() if self._script else self.default
        if isinstance(reply, Plain):
            return _refusal(reply)
        if isinstance(reply, Hang):
            await asyncio.Event().wait()
            raise AssertionError
        if not body.get("stream"):
            return web.json_response(_whole(reply, body))
        return await _stream(request, reply, body)

    def _refusal(self, request: web.Request, body: dict[str, Any]) -> Plain | None:
        """Refuse what the real services refuse."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not {bearer, request.headers.get("api-key", "")} & self.tokens:
            return fail(401, "invalid_api_key", message=f"Incorrect API key provided: {bearer}.")
        if self.models is not None and body.get("model") not in self.models:
            azure = request.path.startswith("/openai/")
            return fail(404, "DeploymentNotFound" if azure else "model_not_found")
        return _complaint(body)


def _complaint(body: dict[str, Any]) -> Plain | None:
    def wrong(param: str, code: str = "invalid_value") -> Plain:
        return fail(400, code, param=param, message=f"'{param}' is not right.")

    if not isinstance(body.get("model"), str) or not body["model"]:
        return wrong("model", "missing_required_parameter")
    if not _are_messages(body.get("messages")) or not _are_answered(body["messages"]):
        return wrong("messages")
    if "tools" in body and not (body["tools"] and all(map(_is_tool, body["tools"]))):
        return wrong("tools", "invalid_function_parameters")
    if "tool_choice" in body and "tools" not in body:
        return wrong("tool_choice")
    if REASONING.match(body["model"]) and "max_tokens" in body:
        return wrong("max_tokens", "unsupported_parameter")
    if REASONING.match(body["model"]) and body.get("temperature", 1) != 1:
        return wrong("temperature", "unsupported_value")
    if "stream_options" in body and not body.get("stream"):
        return wrong("stream_options")
    pictures = [
        part for part in ReceivedRequest("", CIMultiDict(), body).parts if "image_url" in part
    ]
    if len(pictures) > MAX_PICTURES:
        return wrong("messages", "too_many_images")
    return None


def _are_messages(messages: Any) -> bool:
    if not isinstance(messages, list) or not messages:
        return False
    roles = [message.get("role") for message in messages]
    if not set(roles) <= {"system", "developer", "user", "assistant", "tool"}:
        return False
    if {"system", "developer"} <= set(roles):
        return False
    return all(
        _is_content(message.get("content"))
        or (message.get("content") is None and message.get("tool_calls"))
        for message in messages
    )


def _are_answered(messages: list[dict[str, Any]]) -> bool:
    """Return whether the results of all calls, and of them only, follow at once and are words."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                return False
            if not isinstance(message["content"], str):
                return False
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            return False
        calls = message.get("tool_calls", [])
        if not all(_is_call(call) for call in calls):
            return False
        open_calls = open_calls | {call["id"] for call in calls}
    return not open_calls


def _is_call(call: dict[str, Any]) -> bool:
    try:
        json.loads(call["function"]["arguments"])
    except ValueError:
        return False
    match = re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call["function"]["name"])
    return call["type"] == "function" and bool(call["id"]) and bool(match)


def _is_tool(tool: dict[str, Any]) -> bool:
    """Return whether a tool is one, and if it is strict, follows the rules of strict schemas."""
    function = tool.get("function", {})
    schema = function.get("parameters", {})
    if tool.get("type") != "function" or not re.fullmatch(r"[\w-]{1,64}", function.get("name", "")):
        return False
    strict = (
        schema.get("additionalProperties") is False
        and sorted(schema.get("required", [])) == sorted(schema["properties"])
        and not _keywords(schema) & UNSUPPORTED
    )
    return schema.get("type") == "object" and (strict or not function.get("strict"))


def _keywords(schema: Any) -> set[str]:
    """List all keywords of a schema and of those within it."""
    if isinstance(schema, list):
        return set().union(*map(_keywords, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema).union(*map(_keywords, schema.values()))


def _is_content(content: Any) -> bool:
    if isinstance(content, str):
        return True
    return isinstance(content, list) and bool(content) and all(map(_is_part, content))


def _is_part(part: dict[str, Any]) -> bool:
    if part.get("type") == "text":
        return isinstance(part.get("text"), str)
    if part.get("type") != "image_url":
        return False
    head, _, data = part["image_url"]["url"].partition(",")
    try:
        picture = base64.b64decode(data, validate=True)
    except ValueError:
        return False
    return head == "data:image/jpeg;base64" and picture.startswith(b"\xff\xd8\xff")


def _refusal(reply: Plain) -> web.Response:
    if isinstance(reply.body, str):
        return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
    return web.json_response(reply.body, status=reply.status, headers=reply.headers)


def _whole(answer: Answer, body: dict[str, Any]) -> dict[str, Any]:
    words = "".join(step for step in answer.steps if isinstance(step, str))
    message = {"role": "assistant", "content": words, "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": answer.model or body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish}],
        "usage": answer.usage,
    }


async def _stream(request: web.Request, answer: Answer, body: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    for chunk in _opening(request.path):
        await _send(response, answer, body, chunk)
    for step in answer.steps:
        await _take_step(response, answer, body, step)
    if answer.cut:
        assert request.transport is not None
        request.transport.abort()
        return response
    if answer.finish:
        await _send(response, answer, body, choice(answer.finish, role="assistant"))
    if answer.usage and body.get("stream_options", {}).get("include_usage"):
        await _send(response, answer, body, {"choices": [], "usage": answer.usage})
    if answer.done:
        await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _take_step(
    response: web.StreamResponse, answer: Answer, body: dict[str, Any], step: Any
) -> None:
    """Wait for an event or for seconds, or send a chunk, once or until the client leaves."""
    if isinstance(step, asyncio.Event):
        await step.wait()
    elif isinstance(step, float | int):
        await asyncio.sleep(step)
    elif isinstance(step, Forever):
        while True:
            await _send(response, answer, body, step.chunk)
            await asyncio.sleep(0)
    else:
        await _send(response, answer, body, step)


def _opening(path: str) -> list[dict[str, Any]]:
    azure = [{"id": "", "model": "", "choices": [], "prompt_filter_results": []}]
    return [*(azure if path.startswith("/openai/") else []), choice(role="assistant", content="")]


async def _send(
    response: web.StreamResponse, answer: Answer, body: dict[str, Any], step: Any
) -> None:
    if isinstance(step, bytes):
        await response.write(step)
        return
    chunk = choice(content=step) if isinstance(step, str) else dict(step)
    if chunk.get("choices"):
        chunk["model"] = answer.model or body["model"]
    await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
