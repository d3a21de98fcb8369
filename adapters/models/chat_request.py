"""Requests in the chat completions format: parameters, messages, pictures, tools."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import openai

from adapters.models.chat_response import ChatResponse, mapping
from adapters.models.errors import problem
from bot.errors import ModelReason
from bot.ports.model import TextPart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.ports.model import ChatMessage, Part, Request, Tool, ToolCall

PARAMETER_PATTERNS = {
    "max_completion_tokens": re.compile(r"max_completion_tokens"),
    "stream_options": re.compile(r"stream_options"),
    "temperature": re.compile(r"temperature"),
    "strict": re.compile(r"\bstrict\b"),
    "tool_choice": re.compile(r"\btool_choice\b"),
    "tools": re.compile(r"\btools?\b|\bfunction.call", re.IGNORECASE),
}
"""Parameters that some compatible servers and models refuse, and how their errors name them.

Some refuse tools in words only: "does not support tools" (Ollama), '"auto" tool choice requires
--enable-auto-tool-choice' (vLLM), "No endpoints found that support tool use" (OpenRouter).
"""
REFUSING_STATUSES = {400, 404, 422, 500, 501}
"""HTTP statuses of such errors; 500 is llama.cpp's answer to tools that it does not know."""
OTHER_REASONS = {ModelReason.FILTERED, ModelReason.TOO_LONG, ModelReason.BUSY}
"""Reasons that have nothing to do with a parameter, whatever words the error contains."""

_NOT_OF_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class RequestParameters:
    """The parameters of a request, without those that the model's server has refused before."""

    def __init__(self, answer_tokens: int, temperature: float | None = None) -> None:
        self._answer_tokens = answer_tokens
        self._temperature = temperature
        self._refused_names: defaultdict[str, set[str]] = defaultdict(set)

    def path(self, request: Request) -> str:
        """Return the path of a request, below the client's address."""
        return "/chat/completions"

    def reading(self, request: Request) -> ChatResponse:
        """Return an empty response to a request, which then takes its chunks."""
        return ChatResponse(with_tools="tools" in self.parameters(request))

    def parameters(self, request: Request) -> dict[str, Any]:
        """Return all fields of a request but its messages."""
        without = self._refused_names[request.model]
        limit = "max_tokens" if "max_completion_tokens" in without else "max_completion_tokens"
        parameters: dict[str, Any] = {
            "model": request.model,
            "stream": True,
            limit: self._answer_tokens,
            "stream_options": {"include_usage": True},
        }
        if self._temperature is not None:
            parameters["temperature"] = self._temperature
        if request.tools and "tools" not in without:
            parameters["tools"] = [
                _tool(tool, strict="strict" not in without) for tool in request.tools
            ]
            if not request.may_call:
                parameters["tool_choice"] = "none"
        return {name: value for name, value in parameters.items() if name not in without}

    def takes_tools(self, model: str) -> bool:
        """Return whether a model's server has never refused tools."""
        return "tools" not in self._refused_names.get(model, ())

    def learns(self, request: Request, error: Exception) -> bool:
        """Return whether an error names a optional parameter, which is left out from now on."""
        if (
            not isinstance(error, openai.APIStatusError)
            or error.status_code not in REFUSING_STATUSES
        ):
            return False
        if problem(error).reason in OTHER_REASONS:
            return False
        names = {name for name in self._dispensable(request) if _names(error, name)}
        if names & {"strict", "tool_choice"}:
            names.discard("tools")
        self._refused_names[request.model] |= names
        return bool(names)

    def _dispensable(self, request: Request) -> set[str]:
        """Return what could be left out; tools only if the messages hold no results of them."""
        names = set(self.parameters(request))
        if "tools" in names and "strict" not in self._refused_names[request.model]:
            names.add("strict")
        if any(message.answers for message in request.messages):
            names.discard("tools")
        return names & set(PARAMETER_PATTERNS)


def _names(error: openai.APIStatusError, name: str) -> bool:
    """Return whether an error is about a parameter; a 5xx only if it calls it one."""
    if error.status_code >= 500 and "param" not in error.message:
        return False
    places = mapping(error.body).get("detail")  # FastAPI lists the fields that it refuses.
    places = [mapping(place).get("loc") for place in places] if isinstance(places, list) else []
    return bool(PARAMETER_PATTERNS[name].search(f"{error.param} {error.message} {places}"))


def _tool(tool: Tool, *, strict: bool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        **({"strict": True} if strict else {}),
    }
    return {"type": "function", "function": function}


def body(request: Request, parameters: Mapping[str, Any]) -> bytes:
    """Return the JSON of a request, about 1.4 bytes for each byte of a picture.

    Pictures are encoded one by one and never pass through `json`, which would hold the
    interpreter lock until all of them are encoded.
    """
    head = json.dumps(dict(parameters)).encode()[:-1]
    messages = b",".join(_message(message) for message in request.messages)
    return b"".join((head, b', "messages": [', messages, b"]}"))


def _message(message: ChatMessage) -> bytes:
    fields = [b'"role": "%s"' % message.role.encode(), b'"content": %s' % _content(message)]
    if message.calls:
        calls = json.dumps([_call(call) for call in message.calls]).encode()
        fields.append(b'"tool_calls": %s' % calls)
    if message.answers:
        fields.append(b'"tool_call_id": %s' % json.dumps(message.answers).encode())
    return b"{%s}" % b", ".join(fields)


def _content(message: ChatMessage) -> bytes:
    if message.calls and not message.parts:
        return b"null"
    if all(isinstance(part, TextPart) for part in message.parts):
        words = "\n".join(part.text for part in message.parts if isinstance(part, TextPart))
        return json.dumps(words).encode()
    return b"[%s]" % b", ".join(_part(part) for part in message.parts)


def _part(part: Part) -> bytes:
    if isinstance(part, TextPart):
        return json.dumps({"type": "text", "text": part.text}).encode()
    head = b'{"type": "image_url", "image_url": {"detail": "auto", "url": "'
    return b"".join((head, b"data:image/jpeg;base64,", base64.b64encode(part.jpeg), b'"}}'))


def _call(call: ToolCall) -> dict[str, Any]:
    """Repeat a call as services accept it: with a valid name, and arguments that can be parsed."""
    name = _NOT_OF_NAMES.sub("_", call.name)[:64]
    try:
        arguments = call.arguments if isinstance(json.loads(call.arguments), dict) else "{}"
    except (ValueError, RecursionError):
        arguments = "{}"
    return {"id": call.id, "type": "function", "function": {"name": name, "arguments": arguments}}
