"""Reading, looking closer and pointing, as people have it in a chat."""

from __future__ import annotations

import asyncio
import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from pydantic import SecretStr

from adapters.models.settings import GPT4V_VERSIONS
from bot import strings as texts
from bot.errors import VisionProblem, VisionReason
from bot.media.draw_outlines import PICTURE_BYTES, PICTURE_SIDE
from bot.tools import toolbox as tools
from bot.tools.loop import NOT_SHOWN
from tests.helpers.images import MEDIA, open_jpeg
from tests.helpers.running_bot import question_words, run_bot
from tests.helpers.tool_calls import (
    CAR_BOX,
    PLATE_BOX,
    box_arguments,
    look_call,
    outline_call,
    tool_results,
)
from tests.helpers.transcripts import full_transcript
from tests.helpers.video_questions import bot_pictures
from tests.servers.gpt4v import SQUARE, Gpt4vServer, GroundedAnswer, GroundedSpan
from tests.servers.image_analysis import KEY as VISION_KEY
from tests.servers.image_analysis import PictureContent, fail, throttling
from tests.servers.openai import KEY, Hang, call_tools, say, tool_call_rest, tool_call_start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
PLATE = (0.1, 0.6, 0.2, 0.05)
STREET = PictureContent(
    lines=((PLATE, (("KRW", 0.99), ("301", 0.93))),),
    objects=(((0.05, 0.3, 0.5, 0.4), "car", 0.88), ((0.7, 0.1, 0.2, 0.2), "tree", 0.71)),
)


async def test_what_is_read_and_seen_joins_the_question_as_data(bot: RunningBot) -> None:
    bot.vision.seen = STREET
    chat = bot.personal()
    await chat.ask("What is this?", bot.photo("motorway.jpg"))
    (request,) = bot.model.requests
    assert request.texts[1:] == [
        "[P1]",
        "<seen>\n"
        'P1, object: "car" (88 %) [49, 299, 550, 700]\n'
        'P1, object: "tree" (71 %) [699, 99, 900, 300]\n'
        'P1, text: "KRW 301" (93 %) [100, 599, 301, 650]\n'
        "</seen>",
        "What is this?",
    ]
    assert "It is data" in request.texts[0]
    (analysis,) = bot.vision.requests
    assert {"read", "objects", "people"} <= analysis.features


async def test_without_outlines_of_the_model_its_words_are_matched_with_what_was_seen(
    bot: RunningBot,
) -> None:
    bot.vision.seen = STREET
    chat = bot.group()
    answer = await chat.ask("What is this?", bot.photo("motorway.jpg"))
    doubt = texts.uncertain_code("KRW 301", 0.93)
    assert answer == f"{ANSWER}\n\n[1] car · [2] KRW 301\n\n{doubt}"
    text, picture = chat.messages
    assert text.citations == {1: "car", 2: "KRW 301"}
    assert picture.text == ""
    assert picture.id > text.id
    assert len(picture.pictures) == 1


async def test_a_model_looks_closer_and_outlines_before_it_cites(bot: RunningBot) -> None:
    bot.model.then(
        call_tools("Let me look closer.", look_call()),
        call_tools(outline_call("car", CAR_BOX), outline_call("plate", PLATE_BOX, at=1)),
        say("The car [1] has the plate KRW 301 [2]."),
    )
    chat = bot.group()
    answer = await chat.ask("Read the plate", bot.photo("motorway.jpg"))
    assert answer == "Let me look closer.\n\nThe car [1] has the plate KRW 301 [2]."
    first, second, third = bot.model.requests
    assert [tool["function"]["name"] for tool in first.body["tools"]] == ["look", "outline"]
    assert tool_results(second) == [tools.CROP_RESULT.format(label="P1", box=PLATE_BOX)]
    crop = open_jpeg(second.pictures[-1])
    assert max(crop.size) >= 512
    assert second.body["messages"][-1]["role"] == "user"
    assert tool_results(third)[1:] == [tools.OUTLINE_RESULT.format(number=n) for n in (1, 2)]
    text, picture = chat.messages
    assert text.citations == {1: "car", 2: "plate"}
    assert picture.pictures


async def test_a_crop_shows_the_original_at_full_resolution(bot: RunningBot) -> None:
    photo = Image.open(MEDIA / "motorway.jpg").resize((4032, 3024))
    photo.paste("white", (0, 0, 400, 300))
    for column in range(0, 400, 4):
        photo.paste("black", (column, 0, column + 2, 300))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=95)
    bot.model.then(call_tools(look_call(box=[0, 0, 90, 90])), say("Stripes."))
    await bot.group().ask("What is in the corner?", bot.teams.picture(file.getvalue()))
    whole, crop = (open_jpeg(data).convert("L") for data in bot.model.requests[1].pictures)
    assert max(whole.size) <= 2048
    assert crop.crop((0, 0, 300, 200)).getextrema()[1] > 230
    row = [crop.getpixel((x, 100)) for x in range(300)]
    edges = sum((a < 128) != (b < 128) for a, b in pairwise(row))  # type: ignore[operator]
    assert edges > 100


async def test_the_picture_shows_the_photo_with_outlines_on_a_copy(bot: RunningBot) -> None:
    bot.model.then(call_tools(outline_call("car", CAR_BOX)), say("A car [1]."))
    chat = bot.group()
    await chat.ask("?", bot.photo("motorway.jpg"))
    (picture,) = bot_pictures(chat)
    assert max(picture.size) == PICTURE_SIDE
    original = open_jpeg((MEDIA / "motorway.jpg").read_bytes()).resize(picture.size)
    assert near(picture, original, (0.2, 0.4))
    assert not near(picture, original, (0.05, 0.5))
    files = {path.read_bytes() for path in bot.files()}
    assert (MEDIA / "motorway.jpg").read_bytes() in files


def near(one: Image.Image, other: Image.Image, at: tuple[float, float]) -> bool:
    """Return whether two pictures of one size look alike around a place."""
    x, y = at[0] * one.width, at[1] * one.height
    spot = (int(x) - 6, int(y) - 6, int(x) + 6, int(y) + 6)
    pairs = zip(one.crop(spot).tobytes(), other.crop(spot).tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (12 * 12 * 3) < 20


async def test_an_earlier_photo_is_looked_at_again(bot: RunningBot) -> None:
    bot.vision.seen = STREET
    chat = bot.group()
    await chat.ask("What is this?", bot.photo("motorway.jpg"))
    for name in ("fruits.jpg", "leuvenA.jpg", "copy_centre.jpg"):
        await chat.ask("And this?", bot.photo(name))
    bot.model.requests.clear()
    bot.vision.requests.clear()
    bot.model.then(call_tools(look_call("P1")), say("KRW 301."))
    answer = await chat.ask("What was the first plate again?")
    assert answer == f"KRW 301.\n\n{texts.uncertain_code('KRW 301', 0.93)}"
    request = bot.model.requests[0]
    assert any('P1, text: "KRW 301" (93 %)\n' in text for text in request.texts)
    assert tool_results(bot.model.requests[1]) == [
        tools.CROP_RESULT.format(label="P1", box=PLATE_BOX)
    ]
    assert bot.vision.requests == []


async def test_vision_off_reads_nothing_and_offers_no_tools(bot: RunningBot) -> None:
    bot.vision.seen = STREET
    chat = bot.personal()
    assert "Vision is now off" in await chat.ask("/vision off")
    assert await chat.ask("What is this?", bot.photo("motorway.jpg")) == ANSWER
    (request,) = bot.model.requests
    assert request.texts[1:] == ["[P1]", "What is this?"]
    assert "tools" not in request.body
    assert bot.vision.requests == []
    assert bot_pictures(chat) == []
    await chat.ask("/vision on")
    await chat.ask("And P1 now?")
    assert any("<seen>" in text for text in bot.model.requests[1].texts[1:])


@pytest.mark.parametrize("reason", [VisionReason.UNAUTHORIZED, VisionReason.BAD_REQUEST])
async def test_an_engine_that_fails_is_told_once(
    registered: RunningBot, reason: VisionReason
) -> None:
    bot = registered
    unauthorized = reason is VisionReason.UNAUTHORIZED
    wrong = fail(401, "PermissionDenied") if unauthorized else fail(400, "InvalidRequest")
    bot.vision.then(*[wrong] * 6)
    chat = bot.group()
    photos = [bot.photo("motorway.jpg"), bot.photo("fruits.jpg")]
    answer = await chat.ask("What are they?", *photos)
    assert answer == f"{ANSWER}\n\n{texts.without_vision(VisionProblem(reason))}"


async def test_a_throttled_engine_is_waited_for(registered: RunningBot) -> None:
    bot = registered
    bot.vision.seen = STREET
    bot.vision.then(throttling(0.05))
    chat = bot.group()
    assert "[1] car" in await chat.ask("What is this?", bot.photo("motorway.jpg"))


async def test_a_stop_while_the_engine_looks_ends_the_turn(registered: RunningBot) -> None:
    bot = registered
    bot.vision.gate = asyncio.Event()
    chat = bot.group()
    await chat.post("What is this?", bot.photo("motorway.jpg"))
    async with asyncio.timeout(5):
        while not bot.vision.requests:
            await asyncio.sleep(0.01)
    await chat.ask("/stop")
    assert chat.texts == [texts.STOPPED_EARLY, texts.STOPPING]
    assert bot.model.requests == []


async def test_a_stop_in_the_middle_of_the_tools_ends_the_answer(bot: RunningBot) -> None:
    bot.model.then(call_tools("I look closer.", look_call()), Hang())
    chat = bot.group()
    await chat.post("What is this?", bot.photo("motorway.jpg"))
    await chat.until("I look closer.")
    await bot.model.until_asked(2)
    await chat.ask("/stop")
    await bot.model.until_closed(1)
    assert chat.texts == [f"I look closer.\n\n{texts.STOPPED_HERE}", texts.STOPPING]
    assert bot_pictures(chat) == []


async def test_calls_without_end_are_ended(tmp_path: Path) -> None:
    limits = {"max_tool_calls": 3, "max_pictures": 2}
    async with run_bot(tmp_path, registered=False, limits=limits) as bot:
        bot.model.then(*[call_tools(look_call())] * 3, say("Enough."))
        chat = bot.group()
        assert await chat.ask("?", bot.photo("motorway.jpg")) == "Enough."
        last = bot.model.requests[-1]
        assert last.body["tool_choice"] == "none"
        assert len(last.pictures) == 2
        assert any(NOT_SHOWN in text for text in last.texts)


async def test_what_is_wrong_with_a_call_is_told_the_model(bot: RunningBot) -> None:
    bot.model.then(
        call_tools(
            tool_call_start("look", '{"photo": "P1", "box": [1, 2'),
            tool_call_start("approve", "{}", at=1),
            look_call("P9", at=2),
            outline_call("car", [0, 0, 2000, 2000], at=3),
            outline_call("all", [0, 0, 999, 999], at=4),
        ),
        call_tools(
            tool_call_start("look", "", at=0),
            tool_call_rest(box_arguments("P1", [300, 300, 100, 100])),
        ),
        say("Done."),
    )
    chat = bot.group()
    assert await chat.ask("?", bot.photo("motorway.jpg")) == "Done."
    results = tool_results(bot.model.requests[1])
    assert results[:2] == [tools.NOT_JSON, tools.NO_TOOL.format(names="look and outline")]
    assert results[2].startswith("There is no such photo")
    assert "0 to 999" in results[3]
    assert "nearly the whole picture" in results[4]
    assert "swapped" in tool_results(bot.model.requests[2])[-1]
    assert bot_pictures(chat) == []


async def test_an_outline_that_is_not_cited_gets_a_key(bot: RunningBot) -> None:
    calls = [outline_call("car", CAR_BOX), outline_call("plate", PLATE_BOX, at=1)]
    bot.model.then(call_tools(*calls), say("See the car [1]."))
    chat = bot.group()
    assert await chat.ask("?", bot.photo("motorway.jpg")) == "See the car [1].\n\n[2] plate"
    assert len(bot_pictures(chat)) == 1


async def test_a_picture_that_is_refused_is_told_in_words(registered: RunningBot) -> None:
    bot = registered
    bot.model.then(call_tools(outline_call("car", CAR_BOX)), say("A car [1]."))
    chat = bot.group()
    await chat.post("?", bot.photo("motorway.jpg"))
    bot.teams.refuse(413, "MessageSizeTooBig", times=2, pictures=True)
    await bot.settled()
    assert chat.texts == ["A car [1].", texts.picture_not_shown("P1")]


async def test_the_picture_keeps_to_the_limits_of_teams(bot: RunningBot) -> None:
    bot.model.then(call_tools(outline_call("car", CAR_BOX)), say("A car [1]."))
    chat = bot.group()
    await chat.ask("?", bot.file("passat_cc.webp"))
    (data,) = [data for message in chat.messages for data in message.pictures]
    assert len(data) <= PICTURE_BYTES
    assert max(open_jpeg(data).size) <= PICTURE_SIDE


async def test_the_full_transcript_says_which_words_stand_for_what(bot: RunningBot) -> None:
    bot.vision.seen = STREET
    bot.model.then(
        call_tools(outline_call("Auto 🚗", CAR_BOX)), say("Ein Schild 🚗🚗 und ein **Auto** [1].")
    )
    chat = bot.group()
    await chat.ask("?", bot.photo("motorway.jpg"))
    (turn,) = (await full_transcript(chat))["turns"]
    (span,) = turn["grounding"]
    start, end = span["offset"], span["offset"] + span["length"]
    assert turn["answer"][start:end] == span["text"]
    assert (span["photo"], span["number"]) == (1, 1)
    assert span["polygon"][0] == [0.05005, 0.3003]
    assert turn["outlines"][0]["label"].startswith("Auto")
    (sighting,) = turn["sightings"]
    assert sighting["lines"][0]["text"] == "KRW 301"
    assert sighting["engine"].startswith("Azure AI Vision")


@pytest.mark.parametrize("version", GPT4V_VERSIONS)
async def test_what_the_retired_service_grounds_is_outlined(tmp_path: Path, version: str) -> None:
    async with Gpt4vServer() as service:
        legacy = {
            "api": "gpt4v-extensions",
            "azure_endpoint": service.url,
            "azure_key": SecretStr(KEY),
            "gpt4v_version": version,
            "models": "vision",
            "openai_url": "",
            "openai_key": None,
        }
        async with run_bot(tmp_path, registered=False, model=legacy) as bot:
            service.resource = (bot.vision.url, VISION_KEY)
            service.then(
                GroundedAnswer("A red car stands there.", (GroundedSpan("Red car", 2, 7, SQUARE),))
            )
            chat = bot.group()
            answer = await chat.ask("What is this?", bot.photo("motorway.jpg"))
            assert answer == "A red car stands there.\n\n[1] red car"
            assert len(bot_pictures(chat)) == 1
            (span,) = (await full_transcript(chat))["turns"][0]["grounding"]
            assert (span["text"], span["offset"], span["length"]) == ("red car", 2, 7)
            assert [tuple(corner) for corner in span["polygon"]] == list(SQUARE)
            await chat.ask("/vision off")
            await chat.ask("And now?")
            assert "enhancements" not in service.requests[-1].body


async def test_words_of_two_photos_are_outlined_on_the_right_one(bot: RunningBot) -> None:
    bot.vision.seen = STREET
    bot.model.then(
        call_tools(outline_call("car", CAR_BOX), outline_call("tree", CAR_BOX, at=1, photo="P2")),
        say("The car [1] hit the tree [2]."),
    )
    chat = bot.group()
    await chat.ask("?", bot.photo("motorway.jpg"), bot.photo("leuvenA.jpg"))
    assert len(bot_pictures(chat)) == 2
    assert question_words(bot.model.requests[0]).endswith("?")
