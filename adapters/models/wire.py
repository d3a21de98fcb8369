"""The chat completions format: how a request is written, and how an answer is read."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import openai

from adapters.models.errors import reported
from bot.history import Usage
from bot.model import Finished, Text
from bot.problems import ModelProblem, ModelReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.model import Part, Request, Said

OPTIONAL = ("max_completion_tokens", "stream_options", "temperature")
"""Parameters that some compatible servers and models refuse."""


class Dialect:
    """The parameters of a request, without those that a model's server was seen to refuse."""

    def __init__(self, answer_tokens: int, temperature: float | None = None) -> None:
        self._answer_tokens = answer_tokens
        self._temperature = temperature
        self._refused: defaultdict[str, set[str]] = defaultdict(set)

    def parameters(self, model: str) -> dict[str, Any]:
        """Write all of a request but its messages."""
        refused = self._refused[model]
        limit = "max_tokens" if "max_completion_tokens" in refused else "max_completion_tokens"
        parameters: dict[str, Any] = {"model": model, "stream": True, limit: self._answer_tokens}
        if "stream_options" not in refused:
            parameters["stream_options"] = {"include_usage": True}
        if self._temperature is not None and "temperature" not in refused:
            parameters["temperature"] = self._temperature
        return parameters

    def learns(self, model: str, error: Exception) -> bool:
        """Tell whether an error names a parameter that can be done without from now on."""
        if not isinstance(error, openai.APIStatusError) or error.status_code not in {400, 422}:
            return False
        sent = self.parameters(model)
        named = {
            name
            for name in OPTIONAL
            if name in sent and (error.param == name or name in error.message)
        }
        self._refused[model] |= named
        return bool(named)


def body(request: Request, parameters: Mapping[str, Any]) -> bytes:
    """Write the JSON of a request, about 1.4 bytes for each byte of a picture.

    Pictures are encoded one by one and never pass through `json`, which would hold the
    interpreter for as long as all of them take.
    """
    head = json.dumps(dict(parameters)).encode()[:-1]
    messages = b",".join(_message(said) for said in request.messages)
    return b"".join((head, b', "messages": [', messages, b"]}"))


def _message(said: Said) -> bytes:
    role = said.role.encode()
    if all(isinstance(part, Text) for part in said.parts):
        words = "\n".join(part.text for part in said.parts if isinstance(part, Text))
        return b'{"role": "%s", "content": %s}' % (role, json.dumps(words).encode())
    parts = b", ".join(_part(part) for part in said.parts)
    return b'{"role": "%s", "content": [%s]}' % (role, parts)


def _part(part: Part) -> bytes:
    if isinstance(part, Text):
        return json.dumps({"type": "text", "text": part.text}).encode()
    head = b'{"type": "image_url", "image_url": {"detail": "auto", "url": "'
    return b"".join((head, b"data:image/jpeg;base64,", base64.b64encode(part.jpeg), b'"}}'))


class Reading:
    """An answer as it arrives, in chunks or whole; what a server leaves out is not missed."""

    def __init__(self) -> None:
        self.begun = False
        self.said = False
        self.finish = ""
        self._model = ""
        self._refusal = ""
        self._usage = Usage()

    def take(self, chunk: object) -> str:
        """Take a chunk in and return its words; raises `ModelProblem` when it is an error."""
        told = _mapping(chunk)
        self._raise_error(told)
        self.begun = True
        self._model = _string(told.get("model")) or self._model
        self._usage = _usage(_mapping(told.get("usage"))) or self._usage
        choices = told.get("choices")
        choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
        self.finish = _string(choice.get("finish_reason")) or self.finish
        words = "".join(self._words(choice, field) for field in ("delta", "message"))
        self.said = self.said or bool(words)
        return words

    def finished(self) -> Finished:
        """Return the end of the answer; raises `ModelProblem` for one that is none."""
        if not self.begun:
            raise ModelProblem(ModelReason.FAILED, "nothing of an answer in the response")
        if self.finish == "content_filter":
            raise ModelProblem(
                ModelReason.FILTERED_ANSWER,
                f"finish_reason content_filter {self._refusal}".rstrip(),
            )
        if not self.finish:
            raise ModelProblem(ModelReason.CUT, "no finish_reason")
        if not self.said:
            raise ModelProblem(ModelReason.EMPTY, f"finish_reason {self.finish[:40]}")
        return Finished(self._model, self._usage, self.finish, self._refusal)

    def _words(self, choice: Mapping[str, Any], field: str) -> str:
        """Return what a choice says, or the refusal that it says instead."""
        message = _mapping(choice.get(field))
        refusal = _string(message.get("refusal"))
        if refusal:
            self._refusal = f"{field}.refusal"
        return _string(message.get("content")) + refusal

    @staticmethod
    def _raise_error(told: Mapping[str, Any]) -> None:
        error = told if told.get("object") == "error" else told.get("error")
        if error:
            raise reported(error)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _usage(told: Mapping[str, Any]) -> Usage | None:
    """Read the service's count of tokens; None when there is none."""
    if not told:
        return None
    details = _mapping(told.get("prompt_tokens_details"))
    values = (
        told.get("prompt_tokens"),
        told.get("completion_tokens"),
        details.get("cached_tokens"),
    )
    return Usage(*(value if isinstance(value, int) else 0 for value in values))
