"""Responses in the chat completions format: words, tool calls, the end, errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.models.errors import reported_problem
from bot.domain.history import Usage
from bot.errors import ModelProblem, ModelReason
from bot.ports.model import Finished, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_CALLS = 64
"""Most calls of one answer that are read; services allow 128 tools."""
MAX_ARGUMENTS = 20_000
"""Most characters of a call's arguments that are read: longer ones are endless repetition."""


class ChatResponse:
    """An answer as it arrives, in chunks or whole; fields that a server leaves out are optional.

    `with_tools`: whether the request offered tools.
    """

    def __init__(self, *, with_tools: bool = False) -> None:
        self.has_begun = False
        self.has_words = False
        self.finish = ""
        self._with_tools = with_tools
        self._calls = CallAssembler()
        self._model = ""
        self._refusal = ""
        self._usage = Usage()

    def take(self, chunk: object) -> str:
        """Read a chunk and return its words; raises `ModelProblem` if it is an error."""
        fields = mapping(chunk)
        _raise_error(fields)
        self.has_begun = True
        self._model = string(fields.get("model")) or self._model
        self._usage = _usage(mapping(fields.get("usage"))) or self._usage
        choices = fields.get("choices")
        choice = mapping(choices[0]) if isinstance(choices, list) and choices else {}
        words = "".join(self._words_of(field, message) for field, message in self.messages(choice))
        self.finish = self.ending(choice) or self.finish
        self.has_words = self.has_words or bool(words)
        return words

    def messages(self, choice: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the messages of a choice, or pieces of them, with the name of their field."""
        for field in ("delta", "message"):
            yield field, mapping(choice.get(field))

    def ending(self, choice: Mapping[str, Any]) -> str:
        """Return why the answer ends; empty while it goes on."""
        return string(choice.get("finish_reason"))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in the order in which they began."""
        return self._calls.made()

    def finished(self) -> Finished:
        """Return the end of the answer; raises `ModelProblem` if there was no valid answer."""
        if not self.has_begun:
            raise ModelProblem(ModelReason.FAILED, "the response contains no answer")
        if self.finish == "content_filter":
            raise ModelProblem(
                ModelReason.FILTERED_ANSWER,
                f"finish_reason content_filter {self._refusal}".rstrip(),
            )
        if not self.finish:
            raise ModelProblem(ModelReason.CUT, "no finish_reason")
        if not self.has_words and not self.calls:
            raise ModelProblem(ModelReason.EMPTY, f"finish_reason {self.finish[:40]}")
        has_calls = self.calls and self.finish != "length"  # Some servers say "stop" after calls.
        finish = "tool_calls" if has_calls else self.finish
        return Finished(self._model, self._usage, finish, self._refusal, self._with_tools)

    def _words_of(self, field: str, message: Mapping[str, Any]) -> str:
        """Read the calls of a message, and return its words or those of its refusal."""
        self._calls.take(message.get("tool_calls"))
        refusal = string(message.get("refusal"))
        if refusal:
            self._refusal = f"{field}.refusal"
        return string(message.get("content")) + refusal


@dataclass(slots=True)
class _PartialCall:
    """A call of which some pieces have arrived."""

    index: object
    id: str = ""
    name: str = ""
    arguments: str = ""


class CallAssembler:
    """Assembles tool calls from their pieces.

    According to the format, a piece belongs to the call with its index, and only the first piece
    of a call has an id and a name. Some servers leave the index out, give all calls the same one,
    increase it with each piece, or give each piece its own id.
    """

    def __init__(self) -> None:
        self._partial_calls: list[_PartialCall] = []

    def take(self, pieces: object) -> None:
        """Read the pieces in `tool_calls`, ignoring what is none."""
        for fields in filter(None, map(mapping, pieces if isinstance(pieces, list) else [])):
            function = mapping(fields.get("function"))
            name = string(function.get("name"))
            call = self._call(fields.get("index"), string(fields.get("id")), name)
            if call is not None:
                call.name = call.name or name
                call.arguments += _as_json(function.get("arguments"))
                call.arguments = call.arguments[:MAX_ARGUMENTS]

    def made(self) -> tuple[ToolCall, ...]:
        """Return the calls so far that name a tool; one without an id gets one."""
        return tuple(
            ToolCall(call.id or f"call_{place}", call.name, call.arguments)
            for place, call in enumerate(self._partial_calls, start=1)
            if call.name
        )

    def _call(self, index: object, id_: str, name: str) -> _PartialCall | None:
        """Return the call that a piece belongs to, or a new one; None if there are too many."""
        if call := self._find(index, id_, name):
            call.id = call.id or id_
            return call
        if len(self._partial_calls) == MAX_CALLS:
            return None
        self._partial_calls.append(_PartialCall(index, id_))
        return self._partial_calls[-1]

    def _find(self, index: object, id_: str, name: str) -> _PartialCall | None:
        """Return the latest call with this id, else with this index; None if a new one begins."""
        latest = self._partial_calls[::-1]
        same = next((call for call in latest if id_ and call.id == id_), None)
        here = next((call for call in latest if index is None or call.index == index), None)
        if same is not None:
            return same
        if here is None:
            return None if name or id_ else next(iter(latest), None)
        another = name and (index is None or (id_ and here.id))
        return None if another else here


def _as_json(arguments: object) -> str:
    """Return arguments, or a piece of them, as JSON text; some servers send an object instead."""
    if isinstance(arguments, dict):
        return json.dumps(arguments)
    return string(arguments)


def _raise_error(fields: Mapping[str, Any]) -> None:
    error = fields if fields.get("object") == "error" else fields.get("error")
    if error:
        raise reported_problem(error)


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def string(value: object) -> str:
    """Return a string as it is, and an empty one for anything else."""
    return value if isinstance(value, str) else ""


def _usage(counts: Mapping[str, Any]) -> Usage | None:
    """Return the service's count of tokens; None if there is none."""
    if not counts:
        return None
    details = mapping(counts.get("prompt_tokens_details"))
    values = (
        counts.get("prompt_tokens"),
        counts.get("completion_tokens"),
        details.get("cached_tokens"),
    )
    return Usage(*(value if isinstance(value, int) else 0 for value in values))
