"""An answer with tools: the model calls them, gets the results, and goes on, round after round."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.history import Usage
from bot.ports.model import ChatMessage, Delta, Finished, Picture, TextPart, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.ports.model import Model, Request
    from bot.tools.toolbox import Toolbox

NOT_SHOWN = "(not shown any more)"
"""Replaces a picture that was dropped to make room for a closer look."""


class ToolLoop:
    """Asks a model until it calls no more tools; `request` is the last that was made."""

    def __init__(self, model: Model, request: Request, toolbox: Toolbox, pictures: int) -> None:
        """Take the first request, and how many pictures each may hold."""
        self.request = replace(request, tools=toolbox.tools)
        self._model = model
        self._toolbox = toolbox
        self._pictures = pictures
        self._question = len(request.messages) - 1

    async def answer(self) -> AsyncGenerator[Delta | Finished]:
        """Stream the words of all rounds, and end with the last `Finished` and the whole usage.

        Raises `ModelProblem`. When the toolbox closes, the model is asked once more, without it.
        """
        usage = Usage()
        while True:
            round_text = _RoundText()
            async with aclosing(self._model.answer(self.request)) as events:
                async for event in events:
                    if isinstance(event, Delta):
                        round_text.words += event.text
                        yield event
                    else:
                        round_text.take(event)
            usage += round_text.ending.usage
            if not round_text.calls or not self.request.may_call:
                break
            if gap := _gap(round_text.words):
                yield Delta(gap)
            await self._go_on(round_text)
        yield replace(round_text.ending, usage=usage)

    async def _go_on(self, round_text: _RoundText) -> None:
        """Follow the calls, and make the next request."""
        results = await self._toolbox.follow(round_text.calls)
        words = (TextPart(round_text.words),) if round_text.words else ()
        message = ChatMessage("assistant", words, tuple(round_text.calls))
        messages = within(
            (*self.request.messages, message, *results), self._pictures, self._question
        )
        self.request = replace(
            self.request, messages=messages, may_call=not self._toolbox.is_closed
        )


class _RoundText:
    """The words and calls of a model in one round."""

    def __init__(self) -> None:
        self.words = ""
        self.calls: list[ToolCall] = []
        self.ending = Finished()

    def take(self, event: ToolCall | Finished) -> None:
        if isinstance(event, ToolCall):
            self.calls.append(event)
        else:
            self.ending = event


def _gap(text: str) -> str:
    """Return what separates the words of two rounds: a paragraph after a sentence, else a space.

    It is sent before the tools are used, so that the last word can be shown meanwhile.
    """
    words = text.rstrip()
    if not words or text.endswith("\n"):
        return ""
    if words[-1].isalnum() or words[-1] in ",;-–—(":
        return "" if text[-1].isspace() else " "
    return "\n\n"


def within(messages: Sequence[ChatMessage], limit: int, question: int) -> tuple[ChatMessage, ...]:
    """Drop pictures until `limit` remain, the least useful first.

    Those of earlier turns are dropped first, then earlier looks, then those of the question (the
    message at that index), the oldest of each first.
    """
    last = len(messages) - 1
    order = dict.fromkeys((*range(question), *range(question + 1, last), question, last))
    places = [
        (at, place)
        for at in order
        for place, part in enumerate(messages[at].parts)
        if isinstance(part, Picture)
    ]
    omitted_places = set(places[: max(0, len(places) - limit)])
    return tuple(
        replace(
            message,
            parts=tuple(
                TextPart(NOT_SHOWN) if (at, place) in omitted_places else part
                for place, part in enumerate(message.parts)
            ),
        )
        for at, message in enumerate(messages)
    )
