"""What people see when the model's service fails: one message that ends in one sentence."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.errors import ModelReason
from tests.helpers.running_bot import run_bot
from tests.servers.openai import (
    KEY,
    Hang,
    Plain,
    choice,
    content_filter,
    cut_answer,
    fail,
    say,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot
    from tests.servers.openai import Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
TOO_LONG = "context_length_exceeded"

REFUSALS: dict[str, tuple[Reply, ModelReason]] = {
    "content filter": (content_filter(), ModelReason.FILTERED),
    "wrong key": (fail(401, "invalid_api_key"), ModelReason.UNAUTHORIZED),
    "no role": (fail(403, "PermissionDenied"), ModelReason.UNAUTHORIZED),
    "no deployment": (fail(404, "DeploymentNotFound"), ModelReason.NO_DEPLOYMENT),
    "too long": (fail(400, TOO_LONG), ModelReason.TOO_LONG),
    "bad request": (fail(400, "invalid_value", param="messages"), ModelReason.BAD_REQUEST),
    "no quota": (fail(429, "insufficient_quota"), ModelReason.BUSY),
    "a web page": (Plain(404, "<html>Not here</html>"), ModelReason.BAD_REQUEST),
    "nothing said": (say(), ModelReason.EMPTY),
    "nothing but spaces": (say(" \n", "  "), ModelReason.EMPTY),
    "filtered at once": (say(finish="content_filter"), ModelReason.FILTERED_ANSWER),
}


@pytest.mark.parametrize("trouble", REFUSALS)
async def test_a_refusal_ends_in_one_sentence(registered: RunningBot, trouble: str) -> None:
    reply, reason = REFUSALS[trouble]
    chat = registered.group()
    registered.model.then(reply)
    await chat.ask("What is this?", registered.photo("fruits.jpg"))
    assert chat.texts == [texts.WHY_MODEL[reason]]
    assert len(registered.model.requests) == 1
    assert not chat.messages[0].has_ai_label


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (fail(429, retry_after_ms=10), ModelReason.BUSY),
        (fail(500), ModelReason.FAILED),
        (fail(503, retry_after=0.01), ModelReason.FAILED),
        (cut_answer(), ModelReason.UNREACHABLE),
    ],
)
async def test_a_failure_in_passing_is_tried_again_before_it_is_told(
    registered: RunningBot, reply: Reply, reason: ModelReason
) -> None:
    chat = registered.group()
    registered.model.then(reply, reply)
    await chat.ask("What is this?")
    assert chat.texts == [texts.WHY_MODEL[reason]]
    assert len(registered.model.requests) == 2


@pytest.mark.parametrize("status", [429, 500])
async def test_a_failure_that_passes_is_not_seen(bot: RunningBot, status: int) -> None:
    chat = bot.group()
    bot.model.then(fail(status, retry_after_ms=10))
    await chat.ask("What is this?", bot.photo("fruits.jpg"))
    assert chat.texts == [ANSWER]
    assert len(bot.model.requests) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (cut_answer("A red car. "), ModelReason.CUT),
        (say("A red car. ", finish=None, done=False), ModelReason.CUT),
        (say("A red car. ", finish="content_filter"), ModelReason.FILTERED_ANSWER),
        (say("A red car. ", {"error": {"code": "server_error"}}), ModelReason.FAILED),
    ],
)
@pytest.mark.parametrize("scope", ["personal", "group"])
async def test_what_was_said_stays_and_one_sentence_follows(
    registered: RunningBot, scope: str, reply: Reply, reason: ModelReason
) -> None:
    chat = getattr(registered, scope)()
    registered.model.then(reply)
    await chat.ask("What is this?")
    assert chat.texts == [f"A red car.\n\n{texts.WHY_MODEL[reason]}"]
    assert len(registered.model.requests) == 1
    (message,) = chat.messages
    assert message.has_ai_label
    assert not message.streaming


async def test_oddities_of_a_stream_are_not_seen(registered: RunningBot) -> None:
    chat = registered.group()
    odd: list[Any] = [choice(), {"choices": []}, b": keep-alive\n\n", choice(role="assistant")]
    registered.model.then(say(*odd, "A red ", choice(), "car.", {"choices": []}))
    assert await chat.ask("What is this?") == "A red car."


async def test_in_which_field_a_refusal_came_is_recorded(registered: RunningBot) -> None:
    chat = registered.group()
    registered.model.then(say(choice(refusal="I cannot help with that.")))
    assert await chat.ask("Who is this?") == "I cannot help with that."
    whole = "".join(await replies(registered, "/json full", chat))
    assert '"refusal": "delta.refusal"' in whole.replace('"refusal"], "', '"refusal": "')


async def replies(bot: RunningBot, command: str, chat: Any) -> list[str]:
    before = len(chat.texts)
    await chat.ask(command)
    return [str(text) for text in chat.texts[before:]]


async def test_a_question_after_a_failure_is_answered(registered: RunningBot) -> None:
    chat = registered.group()
    registered.model.then(content_filter())
    await chat.ask("Describe the crime")
    assert await chat.ask("Describe the car") == ANSWER
    assert "crime" not in json.dumps(registered.model.requests[-1].body)


async def test_time_outs_end_in_one_sentence(tmp_path: Path) -> None:
    quick = {"first_seconds": 0.5, "idle_seconds": 0.5, "tries": 1}
    async with run_bot(tmp_path, model=quick) as bot:
        silent, halting = bot.group(), bot.group()
        bot.model.then(Hang())
        await silent.ask("What is this?")
        bot.model.then(say("A red car. ", asyncio.Event()))
        await halting.ask("What is this?")
        await bot.model.until_closed()
        assert silent.texts == [texts.WHY_MODEL[ModelReason.TIMED_OUT]]
        assert halting.texts == [f"A red car.\n\n{texts.WHY_MODEL[ModelReason.CUT]}"]


async def test_a_service_that_is_not_there_ends_in_one_sentence(tmp_path: Path) -> None:
    nowhere = {"openai_url": "http://127.0.0.1:9/v1", "openai_key": KEY, "tries": 1}
    async with run_bot(tmp_path, model=nowhere) as bot:
        chat = bot.group()
        await chat.ask("What is this?")
        assert chat.texts == [texts.WHY_MODEL[ModelReason.UNREACHABLE]]


async def test_without_a_model_the_bot_tells_what_the_files_prove(tmp_path: Path) -> None:
    async with run_bot(
        tmp_path, registered=False, model={"api": "offline"}, sees_itself=True
    ) as bot:
        chat = bot.group()
        answer = await chat.ask("", bot.file("plate_KRW301.png", "plate.png"))
        assert "- File: PNG, " in answer
        assert "301" in answer
        assert texts.OFFLINE_HINT in answer
        assert await chat.ask("/model") == texts.OFFLINE_STATUS
