"""How frames of a video are chosen: by vectors, by what is seen, or by what changes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from PIL import Image
from pydantic import SecretStr

from adapters.models.settings import GPT4V_VERSIONS
from bot import strings as texts
from bot.errors import VisionProblem, VisionReason
from tests.helpers.running_bot import run_bot
from tests.helpers.scene_videos import scene_video, share
from tests.helpers.transcripts import full_transcript
from tests.helpers.video_questions import ask_model, attach_clip, bot_pictures, frame_times
from tests.servers.gpt4v import Gpt4vServer, GroundedAnswer
from tests.servers.image_analysis import KEY as VISION_KEY
from tests.servers.image_analysis import OF_PICTURES, OF_TEXTS, PictureContent, fail
from tests.servers.openai import KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWER = "A red car with the plate KRW 301."
COLOURS = ("navy", "olive", "teal", "darkred", "indigo", "peru", "black", "plum")
SCENES = scene_video(*((1.0, colour, "") for colour in COLOURS))


def red_or_not(jpeg: bytes) -> Sequence[float]:
    """Embed a picture by how red it is."""
    red = share(Image.open(io.BytesIO(jpeg)), "darkred")
    return (red, 1.0 - red)


def of_words(_: str) -> Sequence[float]:
    return (1.0, 0.1)


@pytest.fixture
def discerning(video_bot: RunningBot) -> RunningBot:
    """An engine to which only what is dark red fits a question."""
    video_bot.vision.of_picture, video_bot.vision.of_text = red_or_not, of_words
    return video_bot


async def test_frames_are_chosen_by_their_likeness_to_the_question(discerning: RunningBot) -> None:
    chat = discerning.group()
    request = await ask_model(
        discerning, chat, "When does it stop?", attach_clip(discerning, SCENES)
    )
    assert "0:03.0" in frame_times(request)
    (turn,) = (await full_transcript(chat))["turns"]
    assert {one["means"] for one in turn["frames"]} == {"embedding"}
    fits = {one["at"]: (one["why"], one["score"]) for one in turn["frames"]}
    assert fits.pop(3.0) == ("question", 1.0)
    assert all(why in {"change", "spread"} and score < 0.5 for why, score in fits.values())
    asked_for = [one.path for one in discerning.vision.requests]
    assert asked_for.count(OF_TEXTS) == 1
    assert asked_for.count(OF_PICTURES) == len(COLOURS)


async def test_a_question_afterwards_embeds_its_words_only(discerning: RunningBot) -> None:
    chat = discerning.group()
    await chat.ask("What happens?", attach_clip(discerning, SCENES))
    discerning.vision.requests.clear()
    await ask_model(discerning, chat, "When does it stop?")
    asked_for = [request.path for request in discerning.vision.requests]
    assert (asked_for.count(OF_TEXTS), asked_for.count(OF_PICTURES)) == (1, 0)


@pytest.mark.parametrize(
    "trouble",
    [
        [fail(401, "PermissionDenied")],
        [fail(500, "InternalServerError", retry_after=0.01)] * 4,
    ],
)
async def test_where_nothing_embeds_the_question_is_answered_all_the_same(
    video_bot: RunningBot, trouble: list[Any]
) -> None:
    video_bot.vision.then(*trouble)
    chat = video_bot.group()
    request = await ask_model(video_bot, chat, "Why does it stop?", attach_clip(video_bot, SCENES))
    assert frame_times(request)
    assert chat.texts == [ANSWER]
    (turn,) = (await full_transcript(chat))["turns"]
    assert {one["means"] for one in turn["frames"]} == {"changes"}
    asked_for = [one.path for one in video_bot.vision.requests]
    assert OF_PICTURES not in asked_for


async def test_a_region_without_embeddings_is_asked_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with run_bot(tmp_path_factory.mktemp("region"), registered=False) as bot:
        bot.vision.embeddings = False
        chat = bot.group()
        for question in (["Why?", attach_clip(bot, SCENES)], ["And then?"]):
            assert frame_times(await ask_model(bot, chat, *question))
        asked_for = [request.path for request in bot.vision.requests]
        assert (asked_for.count(OF_TEXTS), asked_for.count(OF_PICTURES)) == (1, 0)
        assert chat.texts == [ANSWER, ANSWER]


async def test_an_engine_that_fails_altogether_is_told_once(video_bot: RunningBot) -> None:
    wrong = fail(401, "PermissionDenied")
    video_bot.vision.then(*[wrong] * 40)
    chat = video_bot.group()
    request = await ask_model(video_bot, chat, "Why does it stop?", attach_clip(video_bot, SCENES))
    assert frame_times(request)
    problem = texts.without_vision(VisionProblem(VisionReason.UNAUTHORIZED))
    assert chat.texts == [f"{ANSWER}\n\n{problem}"]


async def test_what_is_seen_in_frames_joins_the_question(video_bot: RunningBot) -> None:
    line = ((0.1, 0.1, 0.2, 0.1), (("KRW", 0.99), ("301", 0.95)))
    video_bot.vision.seen = PictureContent(lines=(line,))
    chat = video_bot.group()
    request = await ask_model(video_bot, chat, "Which plate?", attach_clip(video_bot))
    fences = [text for text in request.texts[1:] if text.startswith("<seen>")]
    assert len(fences) == len(frame_times(request))
    assert fences[0] == (
        f'<seen>\nV1 {frame_times(request)[0]}, text: "KRW 301" (95 %) [99, 99, 300, 200]\n</seen>'
    )
    (turn,) = (await full_transcript(chat))["turns"]
    assert len(turn["sightings"]) == len(fences)


async def test_vision_off_looks_at_nothing_and_still_shows_frames(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    await chat.ask("/vision off")
    request = await ask_model(video_bot, chat, "When?", attach_clip(video_bot), says="At 0:01.0.")
    assert frame_times(request)
    assert "tools" not in request.body
    assert video_bot.vision.requests == []
    assert len(bot_pictures(chat)) == 1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def analyst(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningBot]:
    """The bot without any model, which sees by itself."""
    folder = tmp_path_factory.mktemp("analyst")
    offline = {"api": "offline"}
    async with run_bot(folder, registered=False, model=offline, sees_itself=True) as bot:
        yield bot


async def test_the_analyst_tells_what_the_file_proves_and_what_is_read_when(
    analyst: RunningBot,
) -> None:
    chat = analyst.group()
    data = scene_video((1.0, "navy", ""), (1.0, "darkred", "STOP HERE"), (1.0, "olive", ""))
    answer = await chat.ask("When can STOP be read?", attach_clip(analyst, data))
    assert "**V1** `clip.mp4`" in chat.texts[0]
    assert "MP4 video, H264, 0:03.0 long, 320 × 240 pixels" in (
        await chat.ask("What file is it? Which format and size?")
    )
    assert "- Biggest changes: 0:01.0, 0:02.0" in chat.texts[0]
    assert "- At 0:01.0: Text: `STOP HERE`" in chat.texts[0].replace("**", "")
    assert answer
    (turn, *_) = (await full_transcript(chat))["turns"]
    (best,) = (one for one in turn["frames"] if one["at"] == 1.0)
    assert (best["why"], best["means"]) == ("question", "words")


async def test_the_analyst_shows_the_moments_that_it_tells_of(analyst: RunningBot) -> None:
    chat = analyst.group()
    await chat.ask("What changes?", attach_clip(analyst))
    (sheet,) = bot_pictures(chat)
    assert all(share(sheet, colour) > 0.15 for colour in ("navy", "darkred", "olive"))


async def test_the_analyst_answers_a_question_afterwards(analyst: RunningBot) -> None:
    chat = analyst.group()
    await chat.ask("", attach_clip(analyst))
    answer = await chat.ask("What is there at 0:01.5?")
    assert "- At 0:01.5" in answer


@pytest.mark.parametrize("version", GPT4V_VERSIONS)
async def test_the_retired_service_gets_frames_without_enhancements(
    tmp_path_factory: pytest.TempPathFactory, version: str
) -> None:
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
        folder = tmp_path_factory.mktemp("legacy")
        async with run_bot(folder, registered=False, model=legacy) as bot:
            service.resource = (bot.vision.url, VISION_KEY)
            service.then(GroundedAnswer("It turns red at 0:01.0."))
            chat = bot.group()
            assert await chat.ask("When?", attach_clip(bot))
            (request,) = service.requests
            assert frame_times(request) == ["0:00.0", "0:01.0", "0:02.0"]
            assert len(request.pictures) == 3
            assert not {"enhancements", "dataSources", "data_sources"} & set(request.body)
            assert chat.texts[0] == "It turns red at 0:01.0."
            assert len(bot_pictures(chat)) == 1
