"""Calls of tools over HTTP: how they are offered, how they come, and servers without them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.models.chat_response import MAX_ARGUMENTS, MAX_CALLS
from adapters.models.settings import ModelSettings
from adapters.models.streaming_client import ChatModel
from bot.domain.history import Usage
from bot.errors import ModelProblem, ModelReason
from bot.limits import RequestLimits, ToolLimits
from bot.ports.model import ChatMessage, Delta, Finished, Picture, Request, TextPart, Tool, ToolCall
from bot.tools.loop import ToolLoop
from bot.tools.toolbox import Toolbox
from tests.servers.openai import (
    KEY,
    Forever,
    OpenAIServer,
    Plain,
    call_tools,
    choice,
    cut_answer,
    fail,
    say,
    tool_call_rest,
    tool_call_start,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.domain.boxes import Box

PICTURE = Picture("P1, enlarged", "", b"\xff\xd8\xff\xe0 picture", 8, 8, (1,))
WEIGH = Tool(
    "weigh",
    "Weigh something.",
    {
        "type": "object",
        "properties": {"what": {"type": "string"}},
        "required": ["what"],
        "additionalProperties": False,
    },
)
ASKED = ChatMessage("user", (TextPart("How heavy are the stones and tools?"),))
QUESTION = Request("m", (ASKED,), tools=(WEIGH,))
STONE = ToolCall("call_a", "weigh", '{"what": "stone"}')
AFTER = Request(
    "m",
    (
        ASKED,
        ChatMessage("assistant", (), (STONE,)),
        ChatMessage("tool", (TextPart("12 kg"),), answers="call_a"),
        ChatMessage("user", (TextPart("[P1, enlarged]"), PICTURE)),
    ),
    tools=(WEIGH,),
)


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


@pytest.fixture
async def model(server: OpenAIServer) -> AsyncIterator[ChatModel]:
    settings = ModelSettings(
        openai_url=f"{server.url}/v1", openai_key=KEY, openai_model="m", tries=2, _env_file=None
    )
    model = ChatModel(settings, RequestLimits(_env_file=None))
    yield model
    await model.close()


async def answer(
    model: ChatModel, request: Request = QUESTION
) -> tuple[str, list[ToolCall], Finished]:
    pieces = [piece async for piece in model.answer(request)]
    end = pieces.pop()
    assert isinstance(end, Finished)
    words = [piece.text for piece in pieces if isinstance(piece, Delta)]
    calls = [piece for piece in pieces if isinstance(piece, ToolCall)]
    assert pieces[len(words) :] == calls
    return "".join(words), calls, end


# The request


async def test_tools_are_offered_with_strict_schemas(
    server: OpenAIServer, model: ChatModel
) -> None:
    _, _, end = await answer(model)
    (tool,) = server.requests[0].body["tools"]
    assert tool["type"] == "function"
    assert tool["function"] == {
        "name": "weigh",
        "description": "Weigh something.",
        "parameters": WEIGH.parameters,
        "strict": True,
    }
    assert "tool_choice" not in server.requests[0].body
    assert end.had_tools


async def test_without_tools_nothing_is_said_of_them(
    server: OpenAIServer, model: ChatModel
) -> None:
    _, _, end = await answer(model, Request("m", (ASKED,)))
    assert not {"tools", "tool_choice"} & set(server.requests[0].body)
    assert not end.had_tools


async def test_calls_and_their_results_are_told_again(
    server: OpenAIServer, model: ChatModel
) -> None:
    await answer(model, AFTER)
    _, assistant, tool, user = server.requests[0].body["messages"]
    function = {"name": "weigh", "arguments": '{"what": "stone"}'}
    assert assistant == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_a", "type": "function", "function": function}],
    }
    assert tool == {"role": "tool", "content": "12 kg", "tool_call_id": "call_a"}
    assert user["role"] == "user"
    assert server.requests[0].pictures == [PICTURE.jpeg]


async def test_words_beside_calls_are_told_again(server: OpenAIServer, model: ChatModel) -> None:
    said = ChatMessage("assistant", (TextPart("Let me see."),), (STONE,))
    await answer(model, Request("m", (ASKED, said, *AFTER.messages[2:]), tools=(WEIGH,)))
    assert server.requests[0].body["messages"][1]["content"] == "Let me see."


@pytest.mark.parametrize("arguments", ["", '{"what": ', "[1]", "stone", "[" * 20_000])
async def test_arguments_that_are_no_object_are_not_sent_back(
    server: OpenAIServer, model: ChatModel, arguments: str
) -> None:
    said = ChatMessage("assistant", (), (ToolCall("call_a", "weigh", arguments),))
    await answer(model, Request("m", (ASKED, said, *AFTER.messages[2:]), tools=(WEIGH,)))
    (call,) = server.requests[0].body["messages"][1]["tool_calls"]
    assert call["function"]["arguments"] == "{}"


async def test_a_tool_of_a_wrong_name_is_told_by_one_that_services_take(
    server: OpenAIServer, model: ChatModel
) -> None:
    said = ChatMessage(
        "assistant", (), (ToolCall("call_a", "functions.wiegen ü" + "x" * 60, "{}"),)
    )
    await answer(model, Request("m", (ASKED, said, *AFTER.messages[2:]), tools=(WEIGH,)))
    (call,) = server.requests[0].body["messages"][1]["tool_calls"]
    assert call["function"]["name"] == "functions_wiegen__" + "x" * 46


async def test_tools_can_be_shown_without_being_offered(
    server: OpenAIServer, model: ChatModel
) -> None:
    await answer(model, Request("m", AFTER.messages, (WEIGH,), may_call=False))
    assert server.requests[0].body["tools"]
    assert server.requests[0].body["tool_choice"] == "none"


# The answer


async def test_a_call_is_put_together_from_its_pieces(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(
        call_tools(
            tool_call_start("weigh"),
            tool_call_rest('{"wh'),
            choice(),
            tool_call_rest('at": "st'),
            tool_call_rest('one"}'),
        )
    )
    text, calls, end = await answer(model)
    assert (text, calls) == ("", [STONE])
    assert end.finish == "tool_calls"
    assert end.usage.prompt == 1000


async def test_several_calls_are_told_apart_by_their_index(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(
        call_tools(
            tool_call_start("weigh", '{"what"', at=0),
            tool_call_start("weigh", '{"wha', at=1),
            tool_call_rest(': "stone"}', at=0),
            tool_call_rest('t": "wood"}', at=1),
        )
    )
    _, calls, _ = await answer(model)
    assert calls == [STONE, ToolCall("call_b", "weigh", '{"what": "wood"}')]


async def test_words_and_calls_come_mixed(server: OpenAIServer, model: ChatModel) -> None:
    server.then(
        call_tools(
            "Let me ", tool_call_start("weigh"), "weigh it.", tool_call_rest(STONE.arguments)
        )
    )
    text, calls, end = await answer(model)
    assert (text, calls, end.finish) == ("Let me weigh it.", [STONE], "tool_calls")


async def test_words_come_before_the_calls_are_whole(
    server: OpenAIServer, model: ChatModel
) -> None:
    gate = asyncio.Event()
    server.then(
        call_tools("Let me see.", tool_call_start("weigh"), gate, tool_call_rest(STONE.arguments))
    )
    pieces = model.answer(QUESTION)
    assert await anext(pieces) == Delta("Let me see.")
    gate.set()
    assert [type(piece) async for piece in pieces] == [ToolCall, Finished]


@pytest.mark.parametrize("arguments", ["", '{"what": "st', "stone", "[]", "\ud83d"])
async def test_arguments_are_handed_on_as_they_are(
    server: OpenAIServer, model: ChatModel, arguments: str
) -> None:
    server.then(call_tools(tool_call_start("weigh", arguments)))
    _, calls, _ = await answer(model)
    assert calls == [ToolCall("call_a", "weigh", arguments)]


def piece(id_: str | None, name: str | None, arguments: Any, **place: int) -> dict[str, Any]:
    """A piece of a call of a server that goes its own ways."""
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {**place, **({"id": id_} if id_ else {}), "function": function}


WOOD = '{"what": "wood"}'
ODDITIES = {
    "no index": [piece("a", "weigh", "{"), piece(None, None, "}"), piece("b", "weigh", WOOD)],
    "no index, whole": [piece("a", "weigh", "{}"), piece("b", "weigh", WOOD)],
    "no index, no id": [piece(None, "weigh", "{}"), piece(None, "weigh", WOOD)],
    "one index": [
        piece("a", "weigh", "{", index=0),
        piece(None, None, "}", index=0),
        piece("b", "weigh", WOOD, index=0),
    ],
    "index counted on": [
        piece("a", "weigh", "{", index=0),
        piece(None, None, "}", index=1),
        piece("b", "weigh", WOOD, index=2),
    ],
    "an id for each piece": [
        piece("a", "weigh", "{", index=0),
        piece("x", None, "}", index=0),
        piece("b", "weigh", '{"what": ', index=1),
        piece("y", None, '"wood"}', index=1),
    ],
    "id and name repeated": [
        piece("a", "weigh", "{", index=0),
        piece("a", "weigh", "}", index=0),
        piece("b", "weigh", WOOD, index=1),
    ],
    "arguments as an object": [
        piece("a", "weigh", {}, index=0),
        piece("b", "weigh", {"what": "wood"}, index=1),
    ],
    "other things between": [None, 5, {}, piece("a", "weigh", "{}"), piece("b", "weigh", WOOD)],
}


@pytest.mark.parametrize("apart", [True, False], ids=["in chunks", "in one chunk"])
@pytest.mark.parametrize("pieces", ODDITIES.values(), ids=ODDITIES)
async def test_servers_that_go_their_own_ways_are_understood(
    server: OpenAIServer, model: ChatModel, pieces: list[Any], apart: bool
) -> None:
    chunks = [[one] for one in pieces] if apart else [pieces]
    server.then(call_tools(*(choice(tool_calls=chunk) for chunk in chunks)))
    _, calls, _ = await answer(model)
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("weigh", {}),
        ("weigh", {"what": "wood"}),
    ]
    assert len({call.id for call in calls}) == 2
    assert all(call.id for call in calls)


async def test_calls_of_a_server_without_streams_are_read(
    server: OpenAIServer, model: ChatModel
) -> None:
    function = {"name": "weigh", "arguments": STONE.arguments}
    calls = [{"id": "call_a", "type": "function", "function": function}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    server.then(Plain(200, {"choices": [{"message": message, "finish_reason": "tool_calls"}]}))
    assert (await answer(model))[1] == [STONE]


async def test_a_call_of_nothing_is_none(server: OpenAIServer, model: ChatModel) -> None:
    server.then(call_tools("Well.", tool_call_start("", "{}")))
    text, calls, _ = await answer(model)
    assert (text, calls) == ("Well.", [])


@pytest.mark.parametrize(("finish", "told"), [("stop", "tool_calls"), ("length", "length")])
async def test_calls_count_whatever_the_end_is_called(
    server: OpenAIServer, model: ChatModel, finish: str, told: str
) -> None:
    server.then(call_tools(tool_call_start("weigh", STONE.arguments), finish=finish))
    _, calls, end = await answer(model)
    assert (calls, end.finish) == ([STONE], told)


async def test_calls_are_few_and_short_enough_to_be_held(
    server: OpenAIServer, model: ChatModel
) -> None:
    many = [piece(f"c{n}", "weigh", "{}", index=n) for n in range(1, MAX_CALLS + 20)]
    long = [tool_call_rest("x" * 1000, at=0)] * (MAX_ARGUMENTS // 1000 + 5)
    server.then(call_tools(tool_call_start("weigh"), *long, choice(tool_calls=many)))
    _, calls, _ = await answer(model)
    assert len(calls) == MAX_CALLS
    assert len(calls[0].arguments) == MAX_ARGUMENTS


async def test_a_call_without_end_ends_with_its_reader(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(call_tools(tool_call_start("weigh"), Forever(tool_call_rest("x"))))
    task = asyncio.create_task(answer(model))
    await server.until_asked()
    task.cancel()
    await server.until_closed()
    assert server.left_early == 1


async def test_a_call_that_breaks_off_is_asked_for_again(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(cut_answer(tool_call_start("weigh"), tool_call_rest('{"wh')))
    server.then(call_tools(tool_call_start("weigh", STONE.arguments)))
    text, calls, _ = await answer(model)
    assert (text, calls) == ("", [STONE])
    assert len(server.requests) == 2


async def test_a_call_that_breaks_off_after_words_is_not_asked_for_again(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(cut_answer("Let me see.", tool_call_start("weigh")))
    with pytest.raises(ModelProblem) as caught:
        await answer(model)
    assert caught.value.reason is ModelReason.CUT
    assert len(server.requests) == 1


# Servers that do not take tools

REFUSALS = {
    "a parameter that is not known": fail(400, "unsupported_parameter", param="tools"),
    "the schema": fail(400, "invalid_function_parameters", param="tools[0].function.parameters"),
    "Ollama": fail(400, message="registry.ollama.ai/library/llava:7b does not support tools"),
    "the same as 404": fail(404, message="llava:7b does not support tools"),
    "OpenRouter": fail(404, message="No endpoints found that support tool use."),
    "vLLM": Plain(
        400,
        {
            "object": "error",
            "message": '"auto" tool choice requires --enable-auto-tool-choice and '
            "--tool-call-parser to be set",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    "FastAPI": Plain(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "tools"]}]}),
    "llama.cpp": fail(500, message="tools param requires --jinja flag", type="server_error"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_model_without_tools_is_asked_without_them_from_then_on(
    server: OpenAIServer, model: ChatModel, refusal: Plain
) -> None:
    server.then(refusal, say("About "), say("12 kg."))
    end = Finished("m", Usage(1000, 20), "stop", had_tools=False)
    assert await answer(model) == ("About ", [], end)
    assert await answer(model) == ("12 kg.", [], end)
    assert ["tools" in asked.body for asked in server.requests] == [True, False, False]


async def test_another_model_of_the_server_is_still_offered_tools(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(REFUSALS["Ollama"])
    await answer(model)
    _, _, end = await answer(model, Request("other", (ASKED,), (WEIGH,)))
    assert end.had_tools


@pytest.mark.parametrize(
    ("refused", "left"),
    [("strict", ["tools", "tool_choice"]), ("tool_choice", ["tools", "strict"])],
)
async def test_what_belongs_to_tools_is_given_up_without_them(
    server: OpenAIServer, model: ChatModel, refused: str, left: list[str]
) -> None:
    message = f"Unknown parameter: 'tools[0].function.{refused}'."
    server.then(fail(400, "unknown_parameter", message=message))
    _, _, end = await answer(model, Request("m", AFTER.messages, (WEIGH,), may_call=False))
    again = server.requests[1].body
    found = {"tools", "tool_choice"} & set(again)
    found |= {"strict"} & set(again["tools"][0]["function"])
    assert found == set(left)
    assert end.had_tools


@pytest.mark.parametrize(
    "failure",
    [
        fail(400, "content_filter", message="The words about tools were filtered."),
        fail(400, "context_length_exceeded", message="Too long, with tools."),
        fail(401, message="no tools for you"),
        fail(400, message="This toolbox is empty"),
    ],
)
async def test_failures_about_other_things_leave_the_tools(
    server: OpenAIServer, model: ChatModel, failure: Plain
) -> None:
    server.then(failure)
    with pytest.raises(ModelProblem):
        await answer(model)
    assert (await answer(model))[2].had_tools


async def test_a_failure_of_the_server_leaves_the_tools(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(fail(500, message="the tool parser crashed"))
    _, _, end = await answer(model)
    assert end.had_tools


async def test_tools_stay_where_their_results_are_told(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(fail(400, message="messages with role 'tool' are not supported"))
    with pytest.raises(ModelProblem) as caught:
        await answer(model, AFTER)
    assert caught.value.reason is ModelReason.BAD_REQUEST
    assert len(server.requests) == 1


# Whole answers, with the tools of Loupe

LOOK = '{"photo": "P1", "box": [1, 2, 300, 400]}'


def rounds(model: ChatModel, calls: int = 3) -> ToolLoop:
    async def cut(number: int, box: Box) -> Picture:
        return PICTURE

    toolbox = Toolbox({1}, cut, ToolLimits(max_tool_calls=calls, _env_file=None))
    request = Request("m", (ChatMessage("user", (PICTURE, TextPart("What is written there?"))),))
    return ToolLoop(model, request, toolbox, 10)


async def test_an_answer_goes_on_after_a_closer_look(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(
        call_tools(
            "Let me look.",
            tool_call_start("look", LOOK, at=0),
            tool_call_start("look", '{"photo": "P9"', at=1),
        ),
        say("It says KRW 301."),
    )
    pieces = [piece async for piece in rounds(model).answer()]
    words = "".join(piece.text for piece in pieces if isinstance(piece, Delta))
    assert words == "Let me look.\n\nIt says KRW 301."
    roles = [message["role"] for message in server.requests[1].body["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "user"]
    assert len(server.requests[1].pictures) == 2


async def test_endless_calls_end_at_the_limit(server: OpenAIServer, model: ChatModel) -> None:
    server.default = call_tools(tool_call_start("look", LOOK))
    pieces = [piece async for piece in rounds(model, calls=2).answer()]
    assert [type(piece) for piece in pieces] == [Finished]
    choices = [asked.body.get("tool_choice") for asked in server.requests]
    assert choices == [None, None, "none"]


async def test_without_tools_the_answer_comes_all_the_same(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(REFUSALS["Ollama"], say("It says KRW 301."))
    *_, end = [piece async for piece in rounds(model).answer()]
    assert isinstance(end, Finished)
    assert not end.had_tools


async def test_stop_in_a_later_round_closes_the_connection(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(call_tools(tool_call_start("look", LOOK)), say("It ", asyncio.Event()))
    answer = rounds(model).answer()
    assert await anext(answer) == Delta("It ")
    await answer.aclose()
    await server.until_closed(1)
    assert server.left_early == 1
