"""Answers with tools, round after round, with scripted models."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from bot.domain.history import Usage
from bot.errors import ModelProblem, ModelReason
from bot.limits import ToolLimits
from bot.ports.model import ChatMessage, Delta, Finished, Picture, Request, TextPart, ToolCall
from bot.tools import toolbox as tools
from bot.tools.loop import NOT_SHOWN, ToolLoop, within
from bot.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.domain.boxes import Box

Event = Delta | ToolCall | Finished
USAGE = Usage(10, 5, 1)


class Script:
    """A model that says what is written, one list for each request, the last again and again."""

    def __init__(self, *rounds: list[str | ToolCall | ModelProblem]) -> None:
        self.rounds = rounds
        self.requests: list[Request] = []
        self.closed = 0

    async def answer(self, request: Request) -> AsyncGenerator[Event]:
        script = self.rounds[min(len(self.requests), len(self.rounds) - 1)]
        self.requests.append(request)
        try:
            for step in script:
                if isinstance(step, ModelProblem):
                    raise step
                yield Delta(step) if isinstance(step, str) else step
            calls = any(isinstance(step, ToolCall) for step in script)
            yield Finished("gpt-test", USAGE, "tool_calls" if calls else "stop", had_tools=True)
        finally:
            self.closed += 1


def picture(number: int, name: str = "") -> Picture:
    return Picture(name or f"P{number}", "", b"jpeg", 512, 512, (number,))


async def cut(number: int, _: Box) -> Picture:
    return picture(number, f"crop of P{number}")


def look(number: int = 1, id_: str = "a") -> ToolCall:
    return ToolCall(id_, "look", json.dumps({"photo": f"P{number}", "box": [1, 2, 300, 400]}))


OUTLINE = ToolCall(
    "b", "outline", json.dumps({"photo": "P1", "label": "dent", "box": [10, 20, 30, 40]})
)
QUESTION = Request(
    "m",
    (
        ChatMessage("system", (TextPart("Be kind."),)),
        ChatMessage("user", (picture(1), TextPart("What is broken?"))),
    ),
)


def rounds(script: Script, pictures: int = 10, request: Request = QUESTION) -> ToolLoop:
    toolbox = Toolbox({1, 2}, cut, ToolLimits(max_tool_calls=3, _env_file=None))
    return ToolLoop(script, request, toolbox, pictures)


async def heard(asked: ToolLoop) -> tuple[str, Finished]:
    events = [event async for event in asked.answer()]
    end = events.pop()
    assert isinstance(end, Finished)
    assert all(isinstance(event, Delta) for event in events)
    return "".join(event.text for event in events if isinstance(event, Delta)), end


def names(request: Request) -> list[str]:
    parts = [part for said in request.messages for part in said.parts]
    return [part.name for part in parts if isinstance(part, Picture)]


async def test_without_calls_the_answer_is_that_of_the_model() -> None:
    script = Script(["A ", "dent."])
    assert await heard(rounds(script)) == (
        "A dent.",
        Finished("gpt-test", USAGE, "stop", had_tools=True),
    )
    assert script.requests[0].tools == tools.TOOLS


async def test_results_and_crops_follow_the_calls() -> None:
    script = Script([look(1, "a"), OUTLINE], ["The dent [1]."])
    asked = rounds(script)
    text, end = await heard(asked)
    assert text == "The dent [1]."
    assert end.usage == USAGE + USAGE
    assert asked.request == script.requests[1]
    first, second = script.requests
    assert second.messages[:2] == first.messages
    called, *results, crops = second.messages[2:]
    assert (called.role, called.parts, called.calls) == ("assistant", (), (look(1, "a"), OUTLINE))
    assert [(said.role, said.answers) for said in results] == [("tool", "a"), ("tool", "b")]
    assert crops.role == "user"
    assert names(second) == ["P1", "crop of P1"]
    assert second.may_call


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("Let me look.", "It is broken.", "Let me look.\n\nIt is broken."),
        ("The dent", "on the door.", "The dent on the door."),
        ("A dent,", "and rust.", "A dent, and rust."),
        ("Parts:\n", "- door", "Parts:\n- door"),
    ],
)
async def test_words_of_rounds_are_kept_apart(before: str, after: str, text: str) -> None:
    script = Script([before, look()], [after])
    assert (await heard(rounds(script)))[0] == text
    assert script.requests[1].messages[2].parts == (TextPart(before),)


async def test_words_are_handed_on_while_the_round_goes_on() -> None:
    gate = asyncio.Event()

    class Slow(Script):
        async def answer(self, request: Request) -> AsyncGenerator[Event]:
            yield Delta("Let me look.")
            await gate.wait()
            yield Finished("m", USAGE, "stop")

    answer = rounds(Slow()).answer()
    assert await anext(answer) == Delta("Let me look.")
    await answer.aclose()


async def test_endless_calls_end() -> None:
    script = Script([look()])
    _, end = await heard(rounds(script))
    assert len(script.requests) == 4
    assert [request.may_call for request in script.requests] == [True, True, True, False]
    assert end.usage == Usage(40, 20, 4)


async def test_the_last_round_may_still_answer() -> None:
    script = Script([look()], [look()], [look()], ["That is all I know."])
    assert (await heard(rounds(script)))[0] == "That is all I know."


async def test_wrong_calls_are_told_and_the_answer_goes_on() -> None:
    script = Script([ToolCall("a", "look", "{")], ["I cannot see it."])
    assert (await heard(rounds(script)))[0] == "I cannot see it."
    assert script.requests[1].messages[-1].parts == (TextPart(tools.NOT_JSON),)


async def test_a_problem_in_a_later_round_comes_through() -> None:
    script = Script(["Let me look.", look()], [ModelProblem(ModelReason.BUSY)])
    answer = rounds(script).answer()
    assert await anext(answer) == Delta("Let me look.")
    assert await anext(answer) == Delta("\n\n")
    with pytest.raises(ModelProblem):
        await anext(answer)


async def test_closing_the_answer_closes_the_model_s() -> None:
    script = Script(["Let me look.", look()])
    answer = rounds(script).answer()
    await anext(answer)
    await answer.aclose()
    assert script.closed == 1


# Pictures within the limit

EARLIER = Request(
    "m",
    (
        ChatMessage("user", (picture(2), TextPart("And this?"))),
        ChatMessage("assistant", (TextPart("A cat."),)),
        ChatMessage("user", (picture(1), TextPart("What is broken?"))),
    ),
)


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (9, ["P2", "P1", "crop of P1", "crop of P2"]),
        (3, ["P1", "crop of P1", "crop of P2"]),
        (2, ["P1", "crop of P2"]),
        (1, ["crop of P2"]),
    ],
)
async def test_pictures_of_least_use_make_room(limit: int, left: list[str]) -> None:
    script = Script([look(1)], [look(2)], ["Done."])
    await heard(rounds(script, limit, EARLIER))
    assert names(script.requests[2]) == left
    texts = [part for said in script.requests[2].messages for part in said.parts]
    assert texts.count(TextPart(NOT_SHOWN)) == 4 - len(left)


def test_pictures_within_the_limit_stay() -> None:
    assert within(EARLIER.messages, 2, 2) == EARLIER.messages
    assert names(Request("m", within(EARLIER.messages, 1, 2))) == ["P1"]
