"""The model that the settings ask for, and nothing imported for another one."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from adapters.models.build import build_model, build_speech
from adapters.models.gpt4v import Gpt4vModel
from adapters.models.offline import OfflineAnalyst
from adapters.models.settings import ModelSettings
from adapters.models.streaming_client import ChatModel
from bot.limits import RequestLimits
from bot.ports.model import ChatMessage, Picture, Request, TextPart
from tests.servers.gpt4v import VISION_ENDPOINT, VISION_KEY, WITH_EXTENSIONS, Gpt4vServer
from tests.servers.openai import KEY, OpenAIServer
from tests.servers.transcriptions import TranscriptionServer, speak

LENT = (VISION_ENDPOINT, VISION_KEY)
PICTURE = Picture("P1 a.jpg", "", b"\xff\xd8\xff\xe0 picture", 8, 8, (1,))


def settings(**changes: Any) -> ModelSettings:
    return ModelSettings(**changes, tries=1, _env_file=None)


async def asked(model: ChatModel | Gpt4vModel | OfflineAnalyst, name: str) -> None:
    """Ask about one picture, and close the model."""
    said = (
        ChatMessage("system", (TextPart("Be kind."),)),
        ChatMessage("user", (PICTURE, TextPart("What is it?"))),
    )
    try:
        assert [piece async for piece in model.answer(Request(name, said))]
    finally:
        await model.close()


async def test_without_a_provider_the_facts_are_told() -> None:
    model = build_model(settings(api="offline"), RequestLimits(), LENT)
    assert isinstance(model, OfflineAnalyst)
    await asked(model, "offline")


async def test_a_provider_s_model_is_asked() -> None:
    async with OpenAIServer() as server:
        model = build_model(
            settings(openai_url=f"{server.url}/v1", openai_key=KEY, openai_model="gpt-4o"),
            RequestLimits(max_answer_tokens=77),
            LENT,
        )
        assert isinstance(model, ChatModel)
        await asked(model, "gpt-4o")
    (request,) = server.requests
    assert 77 in request.body.values()
    assert VISION_KEY not in str(request.body)


@pytest.mark.parametrize("lent", [LENT, None])
async def test_the_retired_format_is_lent_the_vision_resource(lent: tuple[str, str] | None) -> None:
    async with Gpt4vServer() as server:
        model = build_model(
            settings(
                api="gpt4v-extensions",
                azure_endpoint=server.url,
                azure_key=KEY,
                azure_deployment="vision",
                gpt4v_version=WITH_EXTENSIONS,
            ),
            RequestLimits(),
            lent,
        )
        assert isinstance(model, Gpt4vModel)
        await asked(model, "vision")
    (request,) = server.requests
    sources = request.body.get("dataSources", [])
    resources = [{"endpoint": VISION_ENDPOINT, "key": VISION_KEY}] if lent else []
    assert [source["parameters"] for source in sources] == resources


async def test_without_a_transcription_model_there_is_no_speech() -> None:
    assert build_speech(settings(openai_url="http://localhost/v1", openai_model="m")) is None


async def test_the_transcription_model_is_asked() -> None:
    async with TranscriptionServer() as server:
        speech = build_speech(
            settings(
                openai_url=f"{server.url}/v1",
                openai_key=KEY,
                openai_model="m",
                openai_transcribe="whisper-1",
            )
        )
        assert speech is not None
        try:
            assert await speech.hear(speak(("stop", 0.2, 0.5), seconds=1.0))
        finally:
            await speech.close()
    assert [asked["model"] for asked in server.requests] == ["whisper-1"]


async def test_without_a_provider_no_client_is_imported() -> None:
    code = (
        "import sys\n"
        "from adapters.models.build import build_model, build_speech\n"
        "from adapters.models.settings import ModelSettings\n"
        "from bot.limits import RequestLimits\n"
        "settings = ModelSettings(api='offline', _env_file=None)\n"
        "build_model(settings, RequestLimits(_env_file=None))\n"
        "assert build_speech(settings) is None\n"
        "print(sorted({'openai', 'azure.identity'} & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    assert (process.returncode, printed.decode().strip()) == (0, "[]")
