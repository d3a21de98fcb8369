"""Photos that are sent one by one, as phones do: they wait for each other and for the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.running_bot import question_words, run_bot
from tests.helpers.teams_chat import ROBIN
from tests.servers.redis_server import ENGINES, RedisServer, find_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
PATIENT = {"burst_seconds": 15, "burst_max_seconds": 15}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=ENGINES)
async def patient_bot(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningBot]:
    """A bot that waits for words longer than any test takes."""
    if find_engine(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    server = RedisServer(request.param).start()
    folder = tmp_path_factory.mktemp("patient")
    async with run_bot(folder, redis_url=server.url, limits=PATIENT) as bot:
        yield bot
    server.stop()


@pytest.fixture
def patient(patient_bot: RunningBot, fast_rates: None) -> RunningBot:
    """The same bot, whose model remembers no other test."""
    patient_bot.model.requests.clear()
    return patient_bot


async def test_photos_wait_for_each_other_and_are_one_question_with_the_words_that_follow(
    patient: RunningBot,
) -> None:
    chat = patient.personal()
    await chat.post("", patient.photo("fruits.jpg"))
    await chat.until("Looking at 1 photo…")
    await chat.post("", patient.photo("copy_centre.jpg"))
    await chat.until("Looking at 2 photos…")
    await chat.ask("What do they have in common?")
    assert chat.texts == [ANSWER]
    (request,) = patient.model.requests
    assert len(request.pictures) == 2
    assert question_words(request) == "What do they have in common?"


async def test_nobody_else_waits_and_the_words_of_others_do_not_end_the_wait(
    patient: RunningBot,
) -> None:
    chat, other = patient.group(), patient.group()
    await chat.post("", patient.photo("fruits.jpg"))
    await chat.until("Looking at 1 photo…")
    await chat.post("Good morning", by=ROBIN)
    await other.post("Hello")
    await other.until(ANSWER)
    await chat.ask("What is this?")
    questions = [question_words(request).partition("\n")[2] for request in patient.model.requests]
    assert questions == ["Hello", "What is this?", "Good morning"]
    assert chat.texts == [ANSWER, ANSWER]


async def test_stop_ends_the_wait(patient: RunningBot) -> None:
    chat = patient.group()
    await chat.post("", patient.photo("fruits.jpg"))
    await chat.until("Looking at 1 photo…")
    await chat.ask("/stop")
    assert sorted(chat.texts) == sorted([texts.STOPPED_EARLY, texts.STOPPING])
    assert patient.model.requests == []


async def test_a_photo_that_nobody_says_a_word_about_is_described(tmp_path: Path) -> None:
    limits = {"burst_seconds": 10, "burst_max_seconds": 0.5}
    async with run_bot(tmp_path, limits=limits) as bot:
        chat = bot.group()
        assert await chat.ask("", bot.photo("fruits.jpg")) == ANSWER
        assert question_words(bot.model.requests[0]).endswith(texts.DESCRIBE)
