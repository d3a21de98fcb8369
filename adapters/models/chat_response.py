"""The chat completions format as it is read: words, calls of tools, the end, errors."""

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
"""Calls of one answer that are kept; a service allows 128 tools, a person waits for none."""
MAX_ARGUMENTS = 20_000
"""Characters kept of a call's arguments: what is longer never ends."""


class ChatResponse:
    """An answer as it arrives, in chunks or whole; what a server leaves out is not missed.

    `offered` tells whether the model was offered tools.
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
        """Take a chunk in and return its words; raises `ModelProblem` when it is an error."""
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
        """List the messages that a choice holds, or their pieces, by the name of the field."""
        for field in ("delta", "message"):
            yield field, mapping(choice.get(field))

    def ending(self, choice: Mapping[str, Any]) -> str:
        """Return why the answer ends, if it does."""
        return string(choice.get("finish_reason"))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls of tools, in the order in which they began."""
        return self._calls.made()

    def finished(self) -> Finished:
        """Return the end of the answer; raises `ModelProblem` for one that is none."""
        if not self.has_begun:
            raise ModelProblem(ModelReason.FAILED, "nothing of an answer in the response")
        if self.finish == "content_filter":
            raise ModelProblem(
                ModelReason.FILTERED_ANSWER,
                f"finish_reason content_filter {self._refusal}".rstrip(),
            )
        if not self.finish:
            raise ModelProblem(ModelReason.CUT, "no finish_reason")
        if not self.has_words and not self.calls:
            raise ModelProblem(ModelReason.EMPTY, f"finish_reason {self.finish[:40]}")
        has_calls = self.calls and self.finish != "length"  # some say "stop" after calls
        finish = "tool_calls" if has_calls else self.finish
        return Finished(self._model, self._usage, finish, self._refusal, self._with_tools)

    def _words_of(self, field: str, message: Mapping[str, Any]) -> str:
        """Take in what a message says, or the refusal that it says instead, and its calls."""
        self._calls.take(message.get("tool_calls"))
        refusal = string(message.get("refusal"))
        if refusal:
            self._refusal = f"{field}.refusal"
        return string(message.get("content")) + refusal


@dataclass(slots=True)
class _PartialCall:
    """A call of which pieces have come."""

    index: object
    id: str = ""
    name: str = ""
    arguments: str = ""


class CallAssembler:
    """Calls put together from their pieces.

    By the format a piece belongs to the call of its index, and only a call's first piece has an
    id and a name. Servers were seen to leave the index out, to give all calls the same one, to
    count it on, and to give each piece an id of its own.
    """

    def __init__(self) -> None:
        self._partial_calls: list[_PartialCall] = []

    def take(self, pieces: object) -> None:
        """Take in what stands in `tool_calls`; what is no piece of a call is passed over."""
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
        """Find the call that a piece belongs to, or begin it; None when there are too many."""
        if call := self._find(index, id_, name):
            call.id = call.id or id_
            return call
        if len(self._partial_calls) == MAX_CALLS:
            return None
        self._partial_calls.append(_PartialCall(index, id_))
        return self._partial_calls[-1]

    def _find(self, index: object, id_: str, name: str) -> _PartialCall | None:
        """Find the latest call with this id, else with this index; None where a new one begins."""
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
    """Return arguments, or a piece of them, as JSON; some servers send the object itself."""
    if isinstance(arguments, dict):
        return json.dumps(arguments)
    return string(arguments)


def _raise_error(fields: Mapping[str, Any]) -> None:
    error = fields if fields.get("object") == "error" else fields.get("error")
    if error:
        raise reported_problem(error)


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def string(value: object) -> str:
    """Return a string, an empty one in place of anything else."""
    return value if isinstance(value, str) else ""


def _usage(counts: Mapping[str, Any]) -> Usage | None:
    """Read the service's count of tokens; None when there is none."""
    if not counts:
        return None
    details = mapping(counts.get("prompt_tokens_details"))
    values = (
        counts.get("prompt_tokens"),
        counts.get("completion_tokens"),
        details.get("cached_tokens"),
    )
    return Usage(*(value if isinstance(value, int) else 0 for value in values))
