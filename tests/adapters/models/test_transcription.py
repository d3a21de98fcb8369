"""Words of a sound track over HTTP: times, pieces, silence, failures, and what is tried again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from adapters.models import transcription as speech
from adapters.models.errors import REMEDIES
from adapters.models.settings import ModelSettings
from adapters.models.transcription import AT_ONCE, TranscriptionModel
from bot.errors import ModelProblem, ModelReason
from tests.helpers.fakes import FakeClock
from tests.servers.openai import KEY, Hang, Plain, content_filter, fail
from tests.servers.transcriptions import Cut, TranscriptionServer, segment, speak, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.domain.files import Phrase

    Build = Callable[..., TranscriptionModel]

WHISPER, GPT = "whisper-1", "gpt-4o-transcribe"
TOKEN = "token-of-the-tests"
SAID = speak(("stop", 2.0, 2.5), ("left", 6.0, 7.0), seconds=10)
LONG = speak(
    ("stop", 2.0, 2.5), ("left", 20.0, 21.0), ("right", 50.0, 51.0), seconds=60, hiss=0.002
)


@pytest.fixture
async def server() -> AsyncIterator[TranscriptionServer]:
    async with TranscriptionServer() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def build(server: TranscriptionServer, clock: FakeClock) -> AsyncIterator[Build]:
    """Build models of the server, by settings; they are closed in the end."""
    built: list[TranscriptionModel] = []

    def build(
        model: str = WHISPER,
        token: Callable[[], Awaitable[str]] | None = None,
        *,
        azure: bool = False,
        **changes: Any,
    ) -> TranscriptionModel:
        provider = {
            "openai_url": f"{server.url}/v1",
            "openai_key": KEY,
            "openai_model": "m",
            "openai_transcribe": model,
        }
        if azure:
            provider = {
                "azure_endpoint": server.url,
                "azure_key": KEY,
                "azure_deployment": "m",
                "azure_transcribe": model,
            }
        settings = ModelSettings(**{**provider, **changes}, _env_file=None)
        built.append(TranscriptionModel(settings, token, clock))
        return built[-1]

    yield build
    for model in built:
        await model.close()


def about(*spoken: tuple[str, float, float], slack: float = 0.06) -> list[Any]:
    """What phrases say, with times that the server tells to a twentieth of a second."""
    return [
        (text, pytest.approx(start, abs=slack), pytest.approx(end, abs=slack))
        for text, start, end in spoken
    ]


def told(phrases: tuple[Phrase, ...]) -> list[tuple[str, float, float]]:
    return [(phrase.text, phrase.start, phrase.end) for phrase in phrases]


async def failure(model: TranscriptionModel, wav: bytes = SAID) -> ModelProblem:
    with pytest.raises(ModelProblem) as caught:
        await model.hear(wav)
    return caught.value


# The request


async def test_segments_with_times_are_asked_for(server: TranscriptionServer, build: Build) -> None:
    assert told(await build().hear(SAID)) == about(("stop", 2.0, 2.5), ("left", 6.0, 7.0))
    (asked,) = server.requests
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.filename == "sound.wav"
    assert asked.fields == {
        "model": [WHISPER],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["segment"],
    }


async def test_a_server_that_asks_for_no_key_gets_none(
    server: TranscriptionServer, build: Build
) -> None:
    server.keys = {"no-key"}
    assert await build(openai_key=None).hear(SAID)


async def test_silence_is_not_sent(server: TranscriptionServer, build: Build) -> None:
    model = build()
    assert await model.hear(speak(seconds=30)) == ()
    assert await model.hear(speak(seconds=30, hiss=0.0005)) == ()
    assert await model.hear(speak(seconds=0)) == ()
    assert await model.hear(speak(("stop", 0.0, 0.09), seconds=0.09)) == ()
    assert server.requests == []


async def test_silence_around_the_words_is_not_sent(
    server: TranscriptionServer, build: Build
) -> None:
    wav = speak(("stop", 100.0, 101.0), seconds=180)
    assert told(await build().hear(wav)) == about(("stop", 100.0, 101.0))
    assert server.requests[0].seconds < 2.0


async def test_words_that_nobody_spoke_are_not_told(
    server: TranscriptionServer, build: Build
) -> None:
    thanks = segment("Thanks for watching!", 4.0, 6.0, no_speech_prob=0.9)
    server.then(tell(segment("Stop!", 0.3, 0.8), thanks))
    assert told(await build().hear(SAID)) == about(("Stop!", 2.0, 2.5))


async def test_a_file_that_is_no_wav_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="no WAV file"):
        await build().hear(b"RIFF")


async def test_a_file_too_large_to_send_goes_in_pieces(
    server: TranscriptionServer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "LARGEST", 800_000)
    found = await build().hear(LONG)
    assert told(found) == about(("stop", 2.0, 2.5), ("left", 20.0, 21.0), ("right", 50.0, 51.0))
    assert len(server.requests) == 3
    assert all(len(asked.wav) < 801_000 for asked in server.requests)
    assert {asked["response_format"] for asked in server.requests} == {"verbose_json"}


# Models that tell no times


async def test_a_model_that_refuses_times_gets_pieces(
    server: TranscriptionServer, build: Build
) -> None:
    found = await build(GPT).hear(LONG)
    assert [phrase.text for phrase in found] == ["stop", "left", "right"]
    for phrase, (start, end) in zip(found, [(2.0, 2.5), (20.0, 21.0), (50.0, 51.0)], strict=True):
        assert phrase.start <= start < end <= phrase.end
        assert phrase.end - phrase.start <= 15.0
    refused, *pieces = server.requests
    assert refused["response_format"] == "verbose_json"
    assert {piece["response_format"] for piece in pieces} == {"json"}
    assert sum(piece.seconds for piece in pieces) == pytest.approx(60.0, abs=0.01)


async def test_a_piece_is_as_long_as_what_is_heard_in_it(build: Build) -> None:
    wav = speak(("stop", 4.0, 5.0), ("left", 40.0, 41.0), seconds=60)
    found = await build(GPT).hear(wav)
    assert told(found) == about(("stop", 3.7, 5.3), ("left", 39.7, 41.3))


async def test_what_a_model_refuses_is_learned_once(
    server: TranscriptionServer, build: Build
) -> None:
    model = build(GPT)
    await model.hear(SAID)
    await model.hear(SAID)
    assert [asked["response_format"] for asked in server.requests] == [
        "verbose_json",
        "json",
        "json",
    ]


async def test_two_that_find_out_at_once_both_get_phrases(
    server: TranscriptionServer, build: Build
) -> None:
    model = build(GPT)
    both = await asyncio.gather(model.hear(LONG), model.hear(LONG))
    assert [[phrase.text for phrase in found] for found in both] == [["stop", "left", "right"]] * 2
    assert (
        max(asked.seconds for asked in server.requests if asked["response_format"] == "json") <= 15
    )


@pytest.mark.parametrize(
    "refusal",
    [
        fail(400, None, message="Currently only support response_format `text` or `json`"),
        fail(400, "invalid_value", param="timestamp_granularities", message="Not supported."),
        Plain(
            422, {"detail": [{"loc": ["body", "response_format"], "msg": "Input should be json"}]}
        ),
        fail(501, None, message="verbose_json is not implemented"),
    ],
)
async def test_compatible_servers_refuse_times_in_other_words(
    server: TranscriptionServer, build: Build, refusal: Plain
) -> None:
    server.then(refusal)
    assert [phrase.text for phrase in await build().hear(LONG)] == ["stop", "left", "right"]
    assert [asked["response_format"] for asked in server.requests].count("verbose_json") == 1


async def test_a_server_that_leaves_the_times_out_gets_pieces(
    server: TranscriptionServer, build: Build
) -> None:
    server.then(Plain(200, {"text": "stop left right"}))
    found = await build().hear(LONG)
    assert [phrase.text for phrase in found] == ["stop", "left", "right"]
    assert len(server.requests) > 3


async def test_another_complaint_is_not_taken_for_one_about_times(
    server: TranscriptionServer, build: Build
) -> None:
    server.then(fail(400, "invalid_value", param="file", message="Not supported."))
    model = build()
    assert (await failure(model)).reason is ModelReason.BAD_REQUEST
    assert len(server.requests) == 1
    await model.hear(SAID)
    assert server.requests[-1]["response_format"] == "verbose_json"


async def test_only_so_many_pieces_go_side_by_side(
    server: TranscriptionServer, build: Build
) -> None:
    server.gate = asyncio.Event()
    hearing = asyncio.create_task(build(GPT).hear(speak(seconds=150, hiss=0.01)))
    await server.until(lambda: server.at_once == AT_ONCE)
    server.gate.set()
    assert await hearing == ()
    assert server.most_at_once == AT_ONCE
    assert len(server.requests) > 2 * AT_ONCE


# Azure


async def test_azure_is_asked_at_the_v1_api(server: TranscriptionServer, build: Build) -> None:
    assert [phrase.text for phrase in await build(GPT, azure=True).hear(SAID)] == ["stop left"]
    assert {asked.path for asked in server.requests} == {"/openai/v1/audio/transcriptions"}
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_whisper_of_azure_is_found_at_its_earlier_api(
    server: TranscriptionServer, build: Build
) -> None:
    model = build("whisper", azure=True)
    for _ in range(2):
        assert told(await model.hear(SAID)) == about(("stop", 2.0, 2.5), ("left", 6.0, 7.0))
    dated = "/openai/deployments/whisper/audio/transcriptions"
    assert [asked.path for asked in server.requests] == [
        "/openai/v1/audio/transcriptions",
        dated,
        dated,
    ]
    assert server.requests[-1].headers["api-key"] == KEY
    assert "Authorization" not in server.requests[-1].headers


@pytest.mark.parametrize("name", [GPT, "whisper"])
async def test_azure_is_asked_with_a_token(
    server: TranscriptionServer, build: Build, name: str
) -> None:
    async def token() -> str:
        return TOKEN

    assert await build(name, token, azure=True, azure_key=None).hear(SAID)
    assert {asked.headers["Authorization"] for asked in server.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("azure", [True, False])
async def test_a_model_that_is_not_there_is_named(
    server: TranscriptionServer, build: Build, azure: bool
) -> None:
    server.models = {"other"}
    model = build(azure=azure)
    assert (await failure(model)).reason is ModelReason.NO_DEPLOYMENT
    server.models = None
    assert await model.hear(SAID)


async def test_the_api_that_answered_is_asked_from_then_on(
    server: TranscriptionServer, build: Build
) -> None:
    model = build(GPT, azure=True)
    await model.hear(SAID)
    server.models = {"other"}
    asked = len(server.requests)
    assert (await failure(model)).reason is ModelReason.NO_DEPLOYMENT
    assert len(server.requests) == asked + 1


# Failures


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (content_filter(), ModelReason.FILTERED),
        (fail(403), ModelReason.UNAUTHORIZED),
        (fail(404, "model_not_found"), ModelReason.NO_DEPLOYMENT),
        (fail(413), ModelReason.TOO_LONG),
        (fail(429, "insufficient_quota"), ModelReason.BUSY),
        (fail(429, retry_after=3000), ModelReason.BUSY),
    ],
)
async def test_what_does_not_pass_is_reported_at_once(
    server: TranscriptionServer, build: Build, reply: Plain, reason: ModelReason
) -> None:
    server.then(reply)
    assert (await failure(build())).reason is reason
    assert len(server.requests) == 1


async def test_a_wrong_key_is_named_and_not_told(server: TranscriptionServer, build: Build) -> None:
    trouble = await failure(build(openai_key="wrong-key"))
    assert trouble.reason is ModelReason.UNAUTHORIZED
    assert "wrong-key" not in str(trouble)


@pytest.mark.parametrize(
    "reply",
    [
        fail(500),
        fail(503, retry_after=0),
        fail(429, retry_after_ms=10),
        Cut(),
        Plain(200, '{"text": "sto'),
        Plain(200, "<html>"),
        Plain(200, {}),
        Plain(200, []),
        Plain(200, {"error": {"message": "overloaded"}}),
    ],
    ids=lambda reply: str(getattr(reply, "body", "cut"))[:20],
)
async def test_what_may_pass_is_tried_again(
    server: TranscriptionServer, build: Build, reply: Plain | Cut
) -> None:
    server.then(reply)
    assert told(await build().hear(SAID)) == about(("stop", 2.0, 2.5), ("left", 6.0, 7.0))
    assert len(server.requests) == 2
    assert server.requests[0].wav == server.requests[1].wav


async def test_a_wait_that_is_asked_for_is_kept(
    server: TranscriptionServer, build: Build, clock: FakeClock
) -> None:
    server.then(fail(429, retry_after=1))
    assert await build().hear(SAID)
    assert clock.waits == [1.0]


async def test_tries_come_to_an_end(server: TranscriptionServer, build: Build) -> None:
    server.then(*[fail(500, retry_after_ms=1)] * 9)
    assert (await failure(build(tries=3))).reason is ModelReason.FAILED
    assert len(server.requests) == 3


async def test_silence_of_the_server_ends_a_try(server: TranscriptionServer, build: Build) -> None:
    server.then(Hang())
    assert await build(first_seconds=0.5).hear(SAID)
    assert len(server.requests) == 2


async def test_a_transcription_has_an_end(server: TranscriptionServer, build: Build) -> None:
    model = build(GPT, transcribe_seconds=2.0)
    await model.hear(SAID)
    server.gate = asyncio.Event()
    assert (await failure(model, LONG)).reason is ModelReason.TIMED_OUT
    await server.until(lambda: server.left_early == AT_ONCE)
    assert server.at_once == 0


async def test_a_piece_that_fails_ends_the_others(
    server: TranscriptionServer, build: Build
) -> None:
    """Half of the words would pass for all of them."""
    server.gate = asyncio.Event()
    server.then(fail(403), Hang(), Hang(), Hang())
    hearing = asyncio.create_task(failure(build(GPT), LONG))
    await server.until(lambda: server.at_once == AT_ONCE)
    server.gate.set()
    assert (await hearing).reason is ModelReason.UNAUTHORIZED
    await server.until(lambda: server.left_early == AT_ONCE - 1)
    assert server.at_once == 0
    assert len(server.requests) == 1 + AT_ONCE


async def test_whoever_is_stopped_leaves_at_once(server: TranscriptionServer, build: Build) -> None:
    server.then(Hang())
    hearing = asyncio.create_task(build().hear(SAID))
    await server.until(lambda: server.at_once == 1)
    hearing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hearing
    await server.until(lambda: server.left_early == 1)


async def test_nobody_at_the_address_is_unreachable(build: Build) -> None:
    model = build(openai_url="http://127.0.0.1:9/v1", tries=1)
    assert (await failure(model)).reason is ModelReason.UNREACHABLE


# The check


@pytest.mark.parametrize(
    ("name", "times"), [(WHISPER, "with times"), (GPT, "in pieces of 15 seconds")]
)
async def test_a_check_says_how_the_model_stands(
    server: TranscriptionServer, build: Build, name: str, times: str
) -> None:
    host = server.url.removeprefix("http://")
    sentence = await build(name).check()
    assert sentence.startswith(f"The model {name} transcribed at {host} within 0.")
    assert sentence.endswith(f"seconds, {times}.")
    assert server.requests[-1].seconds == 1.0


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        (fail(403), REMEDIES[ModelReason.UNAUTHORIZED]),
        (fail(400), "Check that the model is one that transcribes sound."),
        (fail(500), "Try again later."),
    ],
)
async def test_a_check_says_what_to_do(
    server: TranscriptionServer, build: Build, reply: Plain, remedy: str
) -> None:
    server.then(reply)
    with pytest.raises(ModelProblem) as caught:
        await build(tries=1).check()
    host = server.url.removeprefix("http://")
    assert f"{reply.status} from {host} for the model {WHISPER}. " in caught.value.detail
    assert caught.value.detail.endswith(remedy)
