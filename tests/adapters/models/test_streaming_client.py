"""Answers over HTTP: the request, the stream, every failure, and what is tried again."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ClientAuthenticationError

from adapters.models.chat_request import body
from adapters.models.errors import REMEDIES
from adapters.models.settings import ModelSettings
from adapters.models.streaming_client import ChatModel
from bot.domain.history import Usage
from bot.errors import ModelProblem, ModelReason
from bot.limits import RequestLimits
from bot.ports.model import ChatMessage, Delta, Finished, Picture, Request, TextPart
from bot.strings import WHY_MODEL
from tests.helpers.fakes import FakeClock
from tests.servers.openai import (
    KEY,
    Hang,
    OpenAIServer,
    Plain,
    choice,
    content_filter,
    cut_answer,
    fail,
    say,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

JPEG = b"\xff\xd8\xff\xe0 picture"
SECRET_WORDS = "what does my doctor's letter say?"
TOKEN = "token-of-entra"


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(tokens=(KEY, TOKEN)) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def build(server: OpenAIServer, clock: FakeClock) -> AsyncIterator[Callable[..., ChatModel]]:
    """Build models of the server, by settings; they are closed in the end."""
    built: list[ChatModel] = []

    def build(token: Callable[[], Awaitable[str]] | None = None, **changes: Any) -> ChatModel:
        provider = {"openai_url": f"{server.url}/v1", "openai_key": KEY, "openai_model": "m"}
        if changes.pop("azure", False):
            provider = {"azure_endpoint": server.url, "azure_key": KEY, "azure_deployment": "m"}
        settings = ModelSettings(**{**provider, **changes}, _env_file=None)
        built.append(ChatModel(settings, RequestLimits(_env_file=None), token, clock))
        return built[-1]

    yield build
    for model in built:
        await model.close()


@pytest.fixture
def model(build: Callable[..., ChatModel]) -> ChatModel:
    return build()


def question(*pictures: bytes, model: str = "m", words: str = SECRET_WORDS) -> Request:
    shown = [Picture(f"P{n} a.jpg", "", jpeg, 8, 8) for n, jpeg in enumerate(pictures, 1)]
    asked = ChatMessage("user", (*shown, TextPart(words)))
    return Request(model, (ChatMessage("system", (TextPart("Be kind."),)), asked))


async def answer(model: ChatModel, request: Request | None = None) -> tuple[str, Finished]:
    pieces = [piece async for piece in model.answer(request or question(JPEG))]
    assert isinstance(pieces[-1], Finished)
    return "".join(piece.text for piece in pieces[:-1] if isinstance(piece, Delta)), pieces[-1]


async def failure(model: ChatModel, request: Request | None = None) -> tuple[str, ModelProblem]:
    """Return what was said until the one problem."""
    said = ""
    try:
        async for piece in model.answer(request or question(JPEG)):
            assert isinstance(piece, Delta)
            said += piece.text
    except ModelProblem as trouble:
        return said, trouble
    raise AssertionError(said)


# The request


async def test_system_words_and_pictures_go_in_their_order(
    server: OpenAIServer, model: ChatModel
) -> None:
    await answer(model, question(JPEG, JPEG + b"2", words='Quote "this" – ümläut\n'))
    (asked,) = server.requests
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]
    assert asked.body["messages"][0]["content"] == "Be kind."
    assert [part["type"] for part in asked.parts] == ["text", "image_url", "image_url", "text"]
    assert asked.texts[-1] == 'Quote "this" – ümläut\n'
    assert asked.pictures == [JPEG, JPEG + b"2"]
    assert asked.parts[1]["image_url"]["detail"] == "auto"


async def test_only_what_every_model_takes_is_sent(server: OpenAIServer, model: ChatModel) -> None:
    await answer(model)
    body = {name: value for name, value in server.requests[0].body.items() if name != "messages"}
    assert body == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": RequestLimits(_env_file=None).max_answer_tokens,
    }


async def test_a_temperature_is_sent_when_it_is_set(
    server: OpenAIServer, build: Callable[..., ChatModel]
) -> None:
    await answer(build(temperature=0.2))
    assert server.requests[0].body["temperature"] == 0.2


async def test_the_models_are_told_apart_by_name(server: OpenAIServer, model: ChatModel) -> None:
    await answer(model, question(model="other"))
    assert server.requests[0].body["model"] == "other"


@pytest.mark.parametrize("suffix", ["", "/", "/openai/v1/"])
async def test_azure_is_asked_with_its_key_at_the_v1_api(
    server: OpenAIServer, build: Callable[..., ChatModel], suffix: str
) -> None:
    text, _ = await answer(build(azure=True, azure_endpoint=server.url + suffix))
    assert text == "A red car with the plate KRW 301."
    assert server.requests[0].path == "/openai/v1/chat/completions"
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_azure_is_asked_with_a_fresh_token_each_time(
    server: OpenAIServer, build: Callable[..., ChatModel]
) -> None:
    given = iter([TOKEN, "expired"])

    async def token() -> str:
        return next(given)

    model = build(token, azure=True, azure_key=None)
    await answer(model)
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    _, trouble = await failure(model)
    assert trouble.reason is ModelReason.UNAUTHORIZED


async def test_without_a_key_the_machine_s_identity_is_used(
    server: OpenAIServer, build: Callable[..., ChatModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """azure-identity itself gets the token, from a token endpoint as App Service has one."""
    wanted: list[tuple[str, str]] = []

    async def give(request: web.Request) -> web.Response:
        wanted.append((request.query["resource"], request.headers["X-IDENTITY-HEADER"]))
        token = {"access_token": TOKEN, "expires_on": str(int(time.time()) + 3600)}
        return web.json_response({**token, "resource": "r", "token_type": "Bearer"})

    app = web.Application()
    app.router.add_get("/token", give)
    async with TestServer(app) as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(identity.make_url("/token")))
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        model = build(azure=True, azure_key=None)
        await answer(model)
        await answer(model)
    assert wanted == [("https://ai.azure.com", "header-secret")]
    tokens = [asked.headers["Authorization"] for asked in server.requests]
    assert tokens == [f"Bearer {TOKEN}"] * 2


async def test_an_identity_that_gives_no_token_is_named(
    server: OpenAIServer, build: Callable[..., ChatModel]
) -> None:
    async def token() -> str:
        raise ClientAuthenticationError("DefaultAzureCredential failed")

    _, trouble = await failure(build(token, azure=True, azure_key=None))
    assert trouble.reason is ModelReason.UNAUTHORIZED
    assert server.requests == []


async def test_a_server_without_keys_is_asked_without_one(
    server: OpenAIServer, build: Callable[..., ChatModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server.tokens.add("no-key")
    await answer(build(openai_key=None))
    assert len(server.requests) == 1


# The answer


async def test_words_come_as_they_are_generated(server: OpenAIServer, model: ChatModel) -> None:
    gate = asyncio.Event()
    server.then(say("A red ", gate, "car."))
    async with aclosing(model.answer(question(JPEG))) as pieces:
        assert await anext(pieces) == Delta("A red ")
        gate.set()
        assert await anext(pieces) == Delta("car.")


async def test_the_end_tells_model_usage_and_finish(server: OpenAIServer, model: ChatModel) -> None:
    server.then(say("Hi.", model="gpt-5.1-2025-11-13", usage=usage(812, 9, cached=512)))
    _, end = await answer(model)
    assert end == Finished("gpt-5.1-2025-11-13", Usage(812, 9, 512), "stop")


@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls"])
async def test_the_reason_of_the_end_is_kept(
    server: OpenAIServer, model: ChatModel, finish: str
) -> None:
    server.then(say("As far as it goes", finish=finish))
    text, end = await answer(model)
    assert (text, end.finish) == ("As far as it goes", finish)


@pytest.mark.parametrize(
    "oddity",
    [
        {"choices": [], "usage": None},
        {"choices": None},
        {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
        {"choices": ["?"], "usage": "?"},
        choice(),
        choice(reasoning_content="The user shows me a car."),
        choice(content=None, tool_calls=[]),
        choice(content=["not", "text"]),
        b": keep-alive\n\n",
        b'data: ["unknown"]\n\n',
        b"event: ping\ndata: {}\n\n",
    ],
)
async def test_chunks_without_words_do_no_harm(
    server: OpenAIServer, model: ChatModel, oddity: dict[str, Any] | bytes
) -> None:
    server.then(say(oddity, "A red ", oddity, "car.", oddity))
    text, end = await answer(model)
    assert (text, end.finish) == ("A red car.", "stop")
    assert end.usage == Usage(1000, 20)


async def test_a_refusal_is_the_answer_and_its_field_is_kept(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(say(choice(refusal="I cannot "), choice(refusal="identify people.")))
    text, end = await answer(model)
    assert (text, end.refusal) == ("I cannot identify people.", "delta.refusal")


async def test_an_answer_without_a_stream_is_read(server: OpenAIServer, model: ChatModel) -> None:
    message = {"role": "assistant", "content": "A red car."}
    whole = {
        "model": "local",
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": usage(5, 4),
    }
    server.then(Plain(200, whole))
    text, end = await answer(model)
    assert (text, end) == ("A red car.", Finished("local", Usage(5, 4), "stop"))


async def test_a_refusal_without_a_stream_names_its_field(
    server: OpenAIServer, model: ChatModel
) -> None:
    message = {"role": "assistant", "content": None, "refusal": "No."}
    server.then(Plain(200, {"choices": [{"message": message, "finish_reason": "stop"}]}))
    text, end = await answer(model)
    assert (text, end.refusal) == ("No.", "message.refusal")


async def test_a_stream_without_its_last_line_is_whole(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(say("All said.", done=False, usage=None))
    assert (await answer(model))[0] == "All said."


async def test_an_answer_is_whole_though_the_server_hangs_after_it(
    server: OpenAIServer, build: Callable[..., ChatModel]
) -> None:
    server.then(say("All said.", choice("stop", content=""), asyncio.Event()))
    assert (await answer(build(idle_seconds=0.2)))[0] == "All said."
    await server.until_closed()


# Stop


async def test_closing_the_answer_closes_the_connection(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(say("A red ", asyncio.Event()))
    async with aclosing(model.answer(question(JPEG))) as pieces:
        await anext(pieces)
    await server.until_closed(1)
    assert server.left_early == 1


@pytest.mark.parametrize("reply", [Hang(), say(asyncio.Event()), say("A ", asyncio.Event())])
async def test_a_cancelled_answer_closes_the_connection(
    server: OpenAIServer, model: ChatModel, reply: Any
) -> None:
    server.then(reply)
    task = asyncio.create_task(answer(model))
    await server.until_asked()
    task.cancel()
    await server.until_closed(1)
    assert server.left_early == 1
    with pytest.raises(asyncio.CancelledError):
        await task


# Failures before the first word, each one sentence

FAILURES = [
    (content_filter(), ModelReason.FILTERED),
    (fail(400, "content_policy_violation"), ModelReason.FILTERED),
    (fail(400, "invalid_prompt"), ModelReason.FILTERED),
    (fail(401, "invalid_api_key"), ModelReason.UNAUTHORIZED),
    (fail(403), ModelReason.UNAUTHORIZED),
    (fail(404, "DeploymentNotFound"), ModelReason.NO_DEPLOYMENT),
    (fail(404, "model_not_found"), ModelReason.NO_DEPLOYMENT),
    (fail(404, message='model "m" not found, try pulling it'), ModelReason.NO_DEPLOYMENT),
    (fail(404, "404", message="Resource not found"), ModelReason.BAD_REQUEST),
    (Plain(404, "<html>Not here</html>"), ModelReason.BAD_REQUEST),
    (fail(400, "context_length_exceeded", param="messages"), ModelReason.TOO_LONG),
    (
        Plain(400, {"object": "error", "message": "maximum context length is 8192", "code": 400}),
        ModelReason.TOO_LONG,
    ),
    (Plain(413, "too large"), ModelReason.TOO_LONG),
    (fail(400, "invalid_image_format"), ModelReason.BAD_REQUEST),
    (fail(422), ModelReason.BAD_REQUEST),
    (fail(429, "insufficient_quota", type="insufficient_quota"), ModelReason.BUSY),
]


@pytest.mark.parametrize(("reply", "reason"), FAILURES)
async def test_what_cannot_get_better_is_asked_once(
    server: OpenAIServer, model: ChatModel, reply: Plain, reason: ModelReason
) -> None:
    server.default = reply
    said, trouble = await failure(model)
    assert (said, trouble.reason) == ("", reason)
    assert len(server.requests) == 1
    assert WHY_MODEL[trouble.reason]


PASSING = [
    (fail(429, "429", retry_after_ms=1), ModelReason.BUSY),
    (fail(500), ModelReason.FAILED),
    (Plain(503, "overloaded", {"retry-after": "0"}), ModelReason.FAILED),
    (Plain(200, {"error": {"code": "server_error"}}), ModelReason.FAILED),
    (say({"error": {"message": "x", "type": "server_error"}}), ModelReason.FAILED),
    (say({"object": "error", "message": "out of memory", "code": 500}), ModelReason.FAILED),
    (say({"error": {"code": "rate_limit_exceeded"}}), ModelReason.BUSY),
    (say(b"data: {garbage\n\n"), ModelReason.FAILED),
    (Plain(200, "<html>Please log in</html>"), ModelReason.FAILED),
    (cut_answer(), ModelReason.UNREACHABLE),
    (say(finish=None, done=False, usage=None), ModelReason.CUT),
]


@pytest.mark.parametrize(("reply", "reason"), PASSING)
async def test_what_may_pass_is_tried_again(
    server: OpenAIServer,
    build: Callable[..., ChatModel],
    clock: FakeClock,
    reply: Any,
    reason: ModelReason,
) -> None:
    model = build(tries=3)
    server.then(reply, reply)
    assert (await answer(model))[0] == "A red car with the plate KRW 301."
    server.then(reply, reply, reply)
    said, trouble = await failure(model)
    assert (said, trouble.reason) == ("", reason)
    assert len(server.requests) == 6
    assert len(clock.waits) == 4
    assert min(clock.waits) >= 0.25


async def test_the_service_says_how_long_to_wait(
    server: OpenAIServer, model: ChatModel, clock: FakeClock
) -> None:
    server.then(fail(429, retry_after_ms=700, retry_after=9), fail(429, retry_after=2), fail(429))
    await answer(model)
    assert clock.waits[:2] == [0.7, 2.0]
    assert 0.25 <= clock.waits[2] <= 1


async def test_a_wait_beyond_the_patience_is_not_begun(
    server: OpenAIServer, build: Callable[..., ChatModel]
) -> None:
    server.then(fail(429, retry_after=3600))
    _, trouble = await failure(build(retry_seconds=60))
    assert trouble.reason is ModelReason.BUSY
    assert len(server.requests) == 1


async def test_a_server_that_is_down_is_unreachable(
    build: Callable[..., ChatModel], unused_tcp_port: int, clock: FakeClock
) -> None:
    model = build(openai_url=f"http://127.0.0.1:{unused_tcp_port}/v1", tries=2)
    _, trouble = await failure(model)
    assert trouble.reason is ModelReason.UNREACHABLE
    assert len(clock.waits) == 1


@pytest.mark.parametrize("reply", [Hang(), say(asyncio.Event())])
async def test_silence_ends_in_time(
    server: OpenAIServer, build: Callable[..., ChatModel], clock: FakeClock, reply: Any
) -> None:
    server.then(reply, reply)
    _, trouble = await failure(build(first_seconds=0.2, tries=2))
    assert trouble.reason is ModelReason.TIMED_OUT
    assert len(server.requests) == 2
    await server.until_closed()


@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls"])
async def test_an_answer_of_no_words_is_none(
    server: OpenAIServer, model: ChatModel, finish: str
) -> None:
    server.then(say(finish=finish))
    _, trouble = await failure(model)
    assert trouble.reason is ModelReason.EMPTY
    assert finish in trouble.detail
    assert len(server.requests) == 1


# Failures after the first word: the words stay, one sentence follows, nothing is asked again


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (say("A red ", finish="content_filter"), ModelReason.FILTERED_ANSWER),
        (say("A red ", {"error": {"code": "content_filter"}}), ModelReason.FILTERED_ANSWER),
        (say("A red ", {"error": {"code": "server_error"}}), ModelReason.FAILED),
        (cut_answer("A red "), ModelReason.CUT),
        (say("A red ", finish=None, done=False, usage=None), ModelReason.CUT),
        (say("A red ", asyncio.Event()), ModelReason.CUT),
        (say("A red ", b"data: {garbage\n\n"), ModelReason.FAILED),
    ],
)
async def test_words_stay_when_the_rest_fails(
    server: OpenAIServer, build: Callable[..., ChatModel], reply: Any, reason: ModelReason
) -> None:
    server.then(reply)
    said, trouble = await failure(build(idle_seconds=0.3))
    assert (said, trouble.reason) == ("A red ", reason)
    assert len(server.requests) == 1
    await server.until_closed()


async def test_an_answer_filtered_from_its_start_is_named(
    server: OpenAIServer, model: ChatModel
) -> None:
    server.then(say(choice("content_filter"), finish=None))
    _, trouble = await failure(model)
    assert trouble.reason is ModelReason.FILTERED_ANSWER


# What is said of a failure


async def test_the_filter_tells_what_it_objected_to(server: OpenAIServer, model: ChatModel) -> None:
    server.then(content_filter())
    _, trouble = await failure(model)
    assert trouble.detail == "400 content_filter ResponsibleAIPolicyViolation prompt violence"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_no_failure_tells_keys_words_or_pictures(
    server: OpenAIServer, build: Callable[..., ChatModel], status: int, capsys: Any
) -> None:
    echo = f"{KEY} {SECRET_WORDS} {JPEG!r}"
    server.then(fail(status, echo, message=echo, param=echo, type=echo))
    _, trouble = await failure(build(tries=1))
    assert trouble.detail == str(status)
    logged = capsys.readouterr()
    assert "model_failed" in logged.out + logged.err
    assert not any(word in logged.out + logged.err for word in (KEY, "doctor", "picture"))


# Servers that know fewer parameters


@pytest.mark.parametrize(
    ("refused", "gone", "instead"),
    [
        ("max_completion_tokens", "max_completion_tokens", "max_tokens"),
        ("stream_options", "stream_options", None),
        ("temperature", "temperature", None),
    ],
)
async def test_a_refused_parameter_is_left_out_from_then_on(
    server: OpenAIServer,
    build: Callable[..., ChatModel],
    refused: str,
    gone: str,
    instead: str | None,
) -> None:
    message = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{refused}')}}]"
    server.then(Plain(400, {"object": "error", "message": message, "code": 400}))
    model = build(temperature=0, tries=1)
    await answer(model)
    await answer(model)
    bodies = [asked.body for asked in server.requests]
    assert [gone in body for body in bodies] == [True, False, False]
    assert instead is None or instead in bodies[1]


async def test_a_reasoning_model_is_asked_without_a_temperature(
    server: OpenAIServer, build: Callable[..., ChatModel]
) -> None:
    text, _ = await answer(build(temperature=0.5), question(JPEG, model="gpt-5.1"))
    assert text
    assert ["temperature" in asked.body for asked in server.requests] == [True, False]


async def test_a_parameter_is_given_up_only_once(server: OpenAIServer, model: ChatModel) -> None:
    server.default = fail(400, "unsupported_parameter", param="stream_options")
    _, trouble = await failure(model)
    assert trouble.reason is ModelReason.BAD_REQUEST
    assert len(server.requests) == 2


# Beside


async def test_the_check_names_host_and_model(server: OpenAIServer, model: ChatModel) -> None:
    server.then(say("OK", model="gpt-5.1-2025-11-13"))
    sentence = await model.check("m")
    assert "The model m, known there as gpt-5.1-2025-11-13, answered" in sentence
    assert server.url.removeprefix("http://") in sentence
    assert server.requests[0].pictures == []


async def test_a_failed_check_says_what_to_do(server: OpenAIServer, model: ChatModel) -> None:
    server.models = {"another"}
    with pytest.raises(ModelProblem) as caught:
        await model.check("m")
    assert caught.value.reason is ModelReason.NO_DEPLOYMENT
    assert "404 model_not_found" in str(caught.value)
    assert REMEDIES[ModelReason.NO_DEPLOYMENT] in str(caught.value)


async def test_pictures_are_encoded_beside_the_loop(
    model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def watched(request: Request, parameters: dict[str, Any]) -> bytes:
        threads.append(threading.current_thread())
        return body(request, parameters)

    monkeypatch.setattr("adapters.models.streaming_client.body", watched)
    await answer(model, question(*[JPEG + bytes(1_000_000)] * 10))
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()
