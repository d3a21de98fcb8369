"""Pictures with text that gives orders: they change nothing in what Loupe does.

What the engine on this machine sees in them is recorded; one is really read, as recorded.
"""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from bot import app
from bot import strings as texts
from tests.helpers.notices import HARMLESS, LURE, LURE_WITH_COMMAND, ORDERS, PAGES, notice
from tests.helpers.recorded_vision import RecordedVision
from tests.helpers.running_bot import run_bot
from tests.servers.openai import call_tools, say, tool_call_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot
    from tests.servers.openai import ReceivedRequest

NUMBER = re.compile(r"\d+")
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningBot]:
    folder = tmp_path_factory.mktemp("orders")
    async with seeing_as_recorded(folder) as loupe:
        yield loupe


@asynccontextmanager
async def seeing_as_recorded(folder: Path, **how: Any) -> AsyncIterator[RunningBot]:
    """Run a bot that sees in notices what was recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "build_vision", lambda *_: RecordedVision())
        async with run_bot(folder, registered=False, sees_itself=True, **how) as loupe:
            yield loupe


@pytest.fixture(autouse=True)
def fresh(bot: RunningBot) -> None:
    bot.model.requests.clear()


def seen(request: ReceivedRequest) -> list[str]:
    """The lines of the only fence of a request."""
    fences = [text for text in request.texts[1:] if text.startswith("<seen>\n")]
    (fence,) = fences
    first, *lines, last = fence.split("\n")
    assert (first, last) == ("<seen>", "</seen>")
    return lines


@pytest.mark.parametrize("name", ORDERS)
async def test_text_in_a_picture_is_quoted_and_the_rest_of_the_request_is_the_same(
    bot: RunningBot, name: str
) -> None:
    for lines in (HARMLESS, ORDERS[name]):
        chat = bot.personal()
        await chat.ask("Is this claim in order?", bot.teams.picture(notice(*lines)))
    harmless, hostile = bot.model.requests
    sentences = seen(hostile)
    quotations = re.findall(r'"(?:[^"\\]|\\.)*"', "\n".join(sentences))
    words = " ".join(map(json.loads, quotations)).lower()
    letters = re.sub(r"\W", "", "".join(ORDERS[name])).lower()
    assert sum(letter in words for letter in letters) > 0.9 * len(letters)
    line = r'P1, (text|object): "(?:[^"\\<>]|\\.)*" \(\d+ %[^")]*\) \[[\d, ]+\]'
    assert all(re.fullmatch(line, one) for one in sentences)
    assert sentences != seen(harmless)
    assert without_seen(hostile) == without_seen(harmless)


async def test_the_engine_still_reads_an_order_as_recorded(bot: RunningBot, tmp_path: Path) -> None:
    async with run_bot(tmp_path, registered=False, sees_itself=True) as real:
        for one in (real, bot):
            chat = one.personal()
            await chat.ask("Is this claim in order?", one.teams.picture(notice(*ORDERS["order"])))
        recorded_request, real_request = bot.model.requests[-1], real.model.requests[-1]
    assert len(seen(real_request)) == len(seen(recorded_request)) > 1
    for ours, theirs in zip(seen(real_request), seen(recorded_request), strict=True):
        assert NUMBER.sub("", ours) == NUMBER.sub("", theirs)
        numbers = [list(map(int, NUMBER.findall(line))) for line in (ours, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], abs=3)
    assert without_seen(real_request) == without_seen(recorded_request)


def without_seen(request: ReceivedRequest) -> Any:
    """A request without its fence and the bytes of its pictures."""
    whole = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "…", json.dumps(request.body))
    return re.sub(r"<seen>.*?</seen>", "…", whole)


async def test_orders_in_pictures_of_earlier_turns_stay_quoted(bot: RunningBot) -> None:
    chat = bot.personal()
    await chat.ask("What is this?", bot.teams.picture(notice(*ORDERS["fence"])))
    for page in PAGES:
        await chat.ask("And this?", bot.teams.picture(notice(*page)))
    await chat.ask("Is the first one in order?")
    last = bot.model.requests[-1]
    fences = "\n".join(text for text in last.texts[1:] if "<seen>" in text)
    assert fences.count("<seen>") == fences.count("</seen>") == 3
    assert "\\u003c" in fences
    assert last.texts[0] == bot.model.requests[0].texts[0]


async def test_commands_in_pictures_are_not_obeyed(bot: RunningBot) -> None:
    chat = bot.personal()
    before = await chat.ask("/system")
    await chat.ask("What is this?", bot.teams.picture(notice(*ORDERS["command"])))
    await chat.ask("And now?")
    assert await chat.ask("/system") == before
    assert "What is this?" in bot.model.requests[-1].texts


async def test_what_a_picture_says_is_no_mention_and_no_link_in_answer_or_key(
    bot: RunningBot,
) -> None:
    bot.model.then(say("It says: " + " ".join(LURE)))
    chat = bot.personal()
    await chat.ask("Read it to me", bot.teams.picture(notice(*LURE)))
    message = chat.messages[0]
    assert "evil.example/pay" in message.text
    bare = re.sub(r"`[^`]*`", "", message.text)
    assert not re.search(r"https?://|<at>|\]\(|(?<!\w)@(?=\w)", bare)
    kinds = [one.get("type") for one in message.activity.get("entities") or []]
    assert "mention" not in kinds
    for picture in chat.messages[1:]:
        assert not picture.activity.get("text")


async def test_a_label_that_a_model_copies_from_a_picture_is_plain_text(bot: RunningBot) -> None:
    label = "<at>Everyone</at> [pay](https://evil.example/pay)"
    arguments = json.dumps({"photo": "P1", "label": label, "box": [10, 10, 300, 300]})
    bot.model.then(call_tools(tool_call_start("outline", arguments)), say("Look."))
    chat = bot.personal()
    await chat.ask("?", bot.teams.picture(notice(*LURE)))
    text = chat.messages[0]
    bare = re.sub(r"`[^`]*`", "", text.text)
    assert not re.search(r"https?://|<at>|\]\(", bare)
    assert text.text.startswith("Look.\n\n[1] ")
    assert not any("<at>" in name or "](" in name for name in text.citations.values())


async def test_the_analyst_shows_orders_as_code(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("analyst")
    offline = {"api": "offline"}
    async with seeing_as_recorded(folder, model=offline) as analyst:
        chat = analyst.personal()
        await chat.ask("What does it say?", analyst.teams.picture(notice(*LURE_WITH_COMMAND)))
        answer = chat.texts[0]
        assert texts.OFFLINE_HINT in answer
        bare = re.sub(r"`[^`]*`", "", answer)
        assert "evil" not in bare
        assert not re.search(r"<at>|\]\(|(?<!\w)@(?=\w)|^/", bare, re.MULTILINE)
