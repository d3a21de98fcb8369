"""The retired format of GPT-4 Turbo with Vision, over HTTP, in both of its versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession

from adapters.models.gpt4v import Gpt4vModel, VisionResource, grounding_spans
from adapters.models.settings import GPT4V_VERSIONS, ModelSettings
from bot.domain.history import Usage
from bot.domain.outlines import Span
from bot.errors import ModelProblem, ModelReason
from bot.limits import RequestLimits
from bot.ports.model import ChatMessage, Delta, Finished, Picture, Request, TextPart, Tool
from tests.servers.gpt4v import (
    SQUARE,
    VISION_ENDPOINT,
    VISION_KEY,
    WITH_EXTENSIONS,
    WITHOUT,
    Gpt4vServer,
    GroundedAnswer,
    GroundedSpan,
    InBand,
)
from tests.servers.openai import KEY, fail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

JPEG = b"\xff\xd8\xff\xe0 picture"
RESOURCE = VisionResource(VISION_ENDPOINT, VISION_KEY)
PERSON = "A close-up of an individual. The person has dark hair."
SPAN = GroundedSpan("the person", 29, 10)
BOTH = pytest.mark.parametrize("version", GPT4V_VERSIONS)


@pytest.fixture
async def server() -> AsyncIterator[Gpt4vServer]:
    async with Gpt4vServer() as running:
        yield running


@pytest.fixture
async def build(server: Gpt4vServer) -> AsyncIterator[Callable[..., Gpt4vModel]]:
    """Build models of the server, by settings; they are closed in the end."""
    built: list[Gpt4vModel] = []

    def build(
        version: str = WITH_EXTENSIONS,
        resource: VisionResource | None = RESOURCE,
        tokens: int = 800,
        **changes: Any,
    ) -> Gpt4vModel:
        settings = ModelSettings(
            api="gpt4v-extensions",
            azure_endpoint=changes.pop("endpoint", server.url),
            azure_key=changes.pop("key", KEY),
            azure_deployment="vision",
            gpt4v_version=version,
            tries=changes.pop("tries", 1),
            **changes,
            _env_file=None,
        )
        limits = RequestLimits(max_answer_tokens=tokens, _env_file=None)
        built.append(Gpt4vModel(settings, limits, resource))
        return built[-1]

    yield build
    for model in built:
        await model.close()


def picture(*numbers: int) -> Picture:
    return Picture(f"P{numbers[0]} a.jpg", "", JPEG, 8, 8, numbers)


def question(*pictures: Picture, model: str = "vision", **more: Any) -> Request:
    system = ChatMessage("system", (TextPart("Be kind."),))
    asked = ChatMessage("user", (TextPart("Describe this picture:"), *(pictures or (picture(3),))))
    return Request(model, (system, asked), **more)


async def answer(model: Gpt4vModel, request: Request | None = None) -> tuple[list[str], Finished]:
    pieces = [piece async for piece in model.answer(request or question())]
    end = pieces.pop()
    assert isinstance(end, Finished)
    assert all(isinstance(piece, Delta) for piece in pieces)
    return [piece.text for piece in pieces if isinstance(piece, Delta)], end


async def failure(model: Gpt4vModel, request: Request | None = None) -> ModelProblem:
    with pytest.raises(ModelProblem) as caught:
        await answer(model, request)
    return caught.value


# The request


@pytest.mark.parametrize(
    ("version", "path", "sources"),
    [
        (
            WITH_EXTENSIONS,
            "/openai/deployments/vision/extensions/chat/completions",
            "dataSources",
        ),
        (WITHOUT, "/openai/deployments/vision/chat/completions", "data_sources"),
    ],
)
async def test_the_two_forms_are_written_to_the_letter(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel], version: str, path: str, sources: str
) -> None:
    await answer(build(version))
    (asked,) = server.requests
    assert (asked.path, asked.version) == (path, version)
    assert asked.headers["api-key"] == KEY
    assert "Authorization" not in asked.headers
    parameters = {"endpoint": VISION_ENDPOINT, "key": VISION_KEY}
    body = {name: value for name, value in asked.body.items() if name != "messages"}
    assert body == {
        "enhancements": {"ocr": {"enabled": True}, "grounding": {"enabled": True}},
        sources: [{"type": "AzureComputerVision", "parameters": parameters}],
        "max_tokens": 800,
        "stream": False,
    }
    assert asked.body["messages"][0] == {"role": "system", "content": "Be kind."}
    assert [part["type"] for part in asked.parts] == ["text", "text", "image_url"]
    assert asked.pictures == [JPEG]


PLAIN_CASES = {
    "several pictures": (question(picture(1), picture(2)), RESOURCE),
    "a contact sheet": (question(picture(1, 2)), RESOURCE),
    "vision is off": (question(vision=False), RESOURCE),
    "no resource": (question(), None),
    "no picture": (Request("vision", (ChatMessage("user", (TextPart("Hello?"),)),)), RESOURCE),
}


@BOTH
@pytest.mark.parametrize(("request_", "resource"), PLAIN_CASES.values(), ids=PLAIN_CASES)
async def test_without_enhancements_it_is_a_plain_stream(
    server: Gpt4vServer,
    build: Callable[..., Gpt4vModel],
    version: str,
    request_: Request,
    resource: VisionResource | None,
) -> None:
    words, end = await answer(build(version, resource), request_)
    assert "".join(words) == "A red car."
    assert len(words) > 1
    assert (end.finish, end.grounding) == ("stop", None)
    (asked,) = server.requests
    assert asked.path == "/openai/deployments/vision/chat/completions"
    assert set(asked.body) == {"messages", "max_tokens", "stream"}


async def test_more_tokens_than_the_model_had_are_not_asked_for(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel]
) -> None:
    await answer(build(tokens=8000, temperature=0))
    assert server.requests[0].body["max_tokens"] == 4096
    assert server.requests[0].body["temperature"] == 0


async def test_tools_are_not_offered(server: Gpt4vServer, build: Callable[..., Gpt4vModel]) -> None:
    tool = Tool("weigh", "", {"type": "object", "properties": {}})
    _, end = await answer(build(), question(tools=(tool,)))
    assert "tools" not in server.requests[0].body
    assert not end.had_tools


@pytest.mark.parametrize("suffix", ["/", "/openai/deployments/vision/chat/completions"])
async def test_the_endpoint_is_taken_as_people_write_it(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel], suffix: str
) -> None:
    await answer(build(endpoint=server.url + suffix))
    assert server.requests[0].path == "/openai/deployments/vision/extensions/chat/completions"


# The answer


@BOTH
@pytest.mark.parametrize("stream", [True, False])
async def test_grounding_names_the_words_by_their_place(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel], version: str, stream: bool
) -> None:
    server.then(GroundedAnswer(PERSON, (SPAN,)))
    words, end = await answer(build(version, gpt4v_stream=stream))
    assert "".join(words) == PERSON
    assert (len(words) > 1) is stream
    assert end.grounding == (Span("The person", 29, 10, SQUARE, photo=3),)
    assert (end.model, end.finish) == ("gpt-4", "stop")


async def test_the_end_tells_what_it_cost(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel]
) -> None:
    _, end = await answer(build())
    assert end.usage == Usage(816, 49)


@pytest.mark.parametrize(
    "told", [GroundedAnswer(PERSON, plain_delta=True), GroundedAnswer(PERSON, end_turn=True)]
)
async def test_streams_are_read_as_they_were_seen(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel], told: GroundedAnswer
) -> None:
    server.then(told)
    words, end = await answer(build(gpt4v_stream=True))
    assert ("".join(words), end.finish) == (PERSON, "stop")


async def test_an_answer_that_was_too_long_says_so(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel]
) -> None:
    server.then(GroundedAnswer("word " * 30))
    words, end = await answer(build(tokens=20))
    assert len("".join(words).split()) == 20
    assert end.finish == "length"


def line(text: str, *spans: GroundedSpan) -> dict[str, Any]:
    written = [
        {
            "text": span.text,
            "offset": span.offset,
            "length": span.length,
            "polygon": [{"x": x, "y": y} for x, y in span.polygon],
        }
        for span in spans
    ]
    return {"text": text, "spans": written}


def test_places_are_counted_in_code_points_within_their_line() -> None:
    words = "🚗 A car.\n🚗 A car and a dog."
    lines = [
        line("🚗 A car.", GroundedSpan("a car", 2, 5)),
        line("🚗 A car and a dog.", GroundedSpan("a car", 2, 5), GroundedSpan("a dog", 12, 5)),
    ]
    found = list(grounding_spans(words, lines, 1))
    assert [(span.text, span.offset) for span in found] == [
        ("A car", 2),
        ("A car", 11),
        ("a dog", 21),
    ]


def test_corners_are_kept_within_the_picture() -> None:
    beyond = ((-0.1, 0.0), (1.2, 0.0), (1.0, 0.5), (0.0, 0.5))
    (found,) = grounding_spans("A car.", [line("A car.", GroundedSpan("car", 2, 3, beyond))], 1)
    assert found.polygon == ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "?",
        {"text": "Something else."},
        line("Something else.", GroundedSpan("x", 0, 4)),
        {"text": "A car.", "spans": "?"},
        {"text": "A car.", "spans": [None, {"offset": "0", "length": 3}]},
        line("A car.", GroundedSpan("car", 2, 3, ())),
        line("A car.", GroundedSpan("car", 2, 30)),
        line("A car.", GroundedSpan("car", -2, 3)),
        line("A car.", GroundedSpan("car", 2, 0)),
        {"text": "A car.", "spans": [{"offset": 2, "length": 3, "polygon": [{"x": "0"}] * 4}]},
    ],
)
def test_grounding_that_does_not_fit_is_passed_over(odd: object) -> None:
    assert list(grounding_spans("A car.", [odd], 1)) == []


# Failures

IN_BAND = [
    (InBand(400), ModelReason.BAD_REQUEST),
    (InBand(401), ModelReason.UNAUTHORIZED),
    (InBand(404), ModelReason.BAD_REQUEST),
    (InBand(429), ModelReason.BUSY),
    (InBand(500), ModelReason.FAILED),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("error", "reason"), IN_BAND)
async def test_an_error_in_a_message_of_a_tool_is_one(
    server: Gpt4vServer,
    build: Callable[..., Gpt4vModel],
    error: InBand,
    reason: ModelReason,
    stream: bool,
) -> None:
    server.then(error)
    trouble = await failure(build(gpt4v_stream=stream))
    assert trouble.reason is reason
    assert trouble.detail == f"{error.code} in a message of a tool"


async def test_an_error_of_a_tool_that_may_pass_is_tried_again(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel]
) -> None:
    server.then(InBand(429))
    assert (await answer(build(tries=2)))[0] == ["A red car."]
    assert len(server.requests) == 2


async def test_a_wrong_key_of_the_vision_resource_is_named(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel], capsys: Any
) -> None:
    trouble = await failure(build(resource=VisionResource(VISION_ENDPOINT, "wrong-key")))
    assert trouble.reason is ModelReason.UNAUTHORIZED
    logged = capsys.readouterr()
    assert "wrong-key" not in logged.out + logged.err + repr(trouble)


@pytest.mark.parametrize(
    ("changes", "request_", "reason"),
    [
        ({"key": "wrong"}, question(), ModelReason.UNAUTHORIZED),
        ({}, question(model="other"), ModelReason.NO_DEPLOYMENT),
        ({}, question(*[picture(n) for n in range(1, 12)]), ModelReason.BAD_REQUEST),
    ],
)
async def test_refusals_have_their_reason(
    build: Callable[..., Gpt4vModel],
    changes: dict[str, str],
    request_: Request,
    reason: ModelReason,
) -> None:
    assert (await failure(build(**changes), request_)).reason is reason


async def test_a_retired_service_is_named(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel]
) -> None:
    server.then(fail(404, "404", message="Resource not found"))
    assert (await failure(build())).reason is ModelReason.BAD_REQUEST


async def test_the_check_needs_no_picture(
    server: Gpt4vServer, build: Callable[..., Gpt4vModel]
) -> None:
    assert "known there as gpt-4" in await build().check("vision")
    assert "enhancements" not in server.requests[0].body


def test_the_resource_does_not_show_its_key() -> None:
    assert VISION_KEY not in repr(RESOURCE)


# The server itself holds to the letter


def right(version: str, **changes: Any) -> dict[str, Any]:
    source = {
        "type": "AzureComputerVision",
        "parameters": {"endpoint": VISION_ENDPOINT, "key": VISION_KEY},
    }
    data = "data:image/jpeg;base64,/9j/"
    body = {
        "enhancements": {"ocr": {"enabled": True}, "grounding": {"enabled": True}},
        "dataSources" if version == WITH_EXTENSIONS else "data_sources": [source],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Describe this picture:"},
                    {"type": "image_url", "image_url": {"url": data}},
                ],
            }
        ],
        "max_tokens": 100,
        "stream": False,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def status(server: Gpt4vServer, path: str, version: str, body: dict[str, Any]) -> Any:
    url = f"{server.url}/openai/deployments/vision/{path}?api-version={version}"
    async with (
        ClientSession() as session,
        session.post(url, data=json.dumps(body), headers=HEADERS) as response,
    ):
        return response.status, await response.json()


HEADERS = {"api-key": KEY, "Content-Type": "application/json"}
OLD, NEW = "extensions/chat/completions", "chat/completions"


@pytest.mark.parametrize(
    ("path", "version", "changes", "expected", "words"),
    [
        (OLD, WITH_EXTENSIONS, {}, 200, '"Success"'),
        (NEW, WITHOUT, {}, 200, '"Success"'),
        (OLD, WITHOUT, {}, 404, "Resource not found"),
        (OLD, "2024-04-01-preview", {}, 404, "Resource not found"),
        ("Extensions/chat/completions", WITH_EXTENSIONS, {}, 404, "Resource not found"),
        (NEW, WITH_EXTENSIONS, {}, 400, "body -> enhancements"),
        (OLD, WITH_EXTENSIONS, {"data_sources": []}, 400, "body -> data_sources"),
        (NEW, WITHOUT, {"dataSources": []}, 400, "extra fields not permitted"),
        (NEW, WITHOUT, {"stream_options": {}}, 400, "body -> stream_options"),
        (NEW, WITHOUT, {"max_completion_tokens": 9}, 400, "body -> max_completion_tokens"),
        (NEW, WITHOUT, {"tools": []}, 400, "body -> tools"),
        (NEW, WITHOUT, {"data_sources": None}, 200, '"ErrorCode\\": 400'),
        (NEW, WITHOUT, {"enhancements": {"OCR": {"enabled": True}}}, 200, '"ErrorCode\\": 400'),
        (NEW, WITHOUT, {"max_tokens": 4097}, 400, "max_tokens"),
        (NEW, WITHOUT, {"messages": [{"role": "user", "content": ["Hi"]}]}, 400, "messages"),
    ],
)
async def test_the_server_takes_nothing_but_the_format(
    server: Gpt4vServer,
    path: str,
    version: str,
    changes: dict[str, Any],
    expected: int,
    words: str,
) -> None:
    server.then(GroundedAnswer(PERSON, (SPAN,)))
    found, body = await status(server, path, version, right(version, **changes))
    assert (found, words in json.dumps(body)) == (expected, True)


async def test_the_server_cuts_answers_without_max_tokens(server: Gpt4vServer) -> None:
    server.then(GroundedAnswer("word " * 30))
    _, body = await status(server, NEW, WITHOUT, right(WITHOUT, max_tokens=None))
    (choice,) = body["choices"]
    assert len(choice["message"]["content"].split()) == 16
    assert choice["finish_details"] == {"type": "max_tokens"}
    assert "finish_reason" not in choice
