"""Videos later in a conversation: asked on about, named, gone, erased, and in the transcript."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.domain.frame_ids import clock
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from tests.helpers.images import MEDIA
from tests.helpers.running_bot import run_bot
from tests.helpers.scene_videos import scene_video, share
from tests.helpers.transcripts import full_transcript
from tests.helpers.video_questions import (
    CLIP,
    ask_model,
    attach_clip,
    bot_pictures,
    frame_times,
    video_introduction,
)
from tests.servers.openai import say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
LONG = scene_video(*((1.0, colour, "") for colour in ("navy", "darkred", "olive") * 4))


async def test_a_question_afterwards_chooses_frames_anew_from_the_kept_video(
    video_bot: RunningBot,
) -> None:
    chat = video_bot.group()
    first = await ask_model(
        video_bot, chat, "What happens?", attach_clip(video_bot, LONG), says="Red at 0:01.0."
    )
    count = len(video_bot.vision.requests)
    second = await ask_model(video_bot, chat, "And at 0:07.35?", says="It is red at 0:07.3.")
    assert "0:07.3" not in frame_times(first)
    assert "0:07.3" in frame_times(second)
    assert video_introduction(second) == video_introduction(first)
    assert "Red at 0:01.0." in second.texts
    frames_looked_at = len(video_bot.vision.requests) - count
    assert frames_looked_at <= len(frame_times(second)) + 1, "the survey was made anew"
    assert share(bot_pictures(chat)[-1], "darkred") > 0.8


async def test_an_earlier_video_is_looked_at_again_when_it_is_named(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    await chat.ask("What happens?", attach_clip(video_bot))
    other = await ask_model(video_bot, chat, "And this?", video_bot.photo("fruits.jpg"))
    assert frame_times(other) == []
    assert any("[Shown then, not now: V1 clip.mp4]" in text for text in other.texts)
    assert frame_times(await ask_model(video_bot, chat, "How many fruits?")) == []
    request = await ask_model(video_bot, chat, "When does V1 turn red?")
    assert frame_times(request)
    assert video_introduction(request).startswith("[V1 clip.mp4: ")


@pytest.mark.parametrize("quoting", ["the post", "the answer"])
async def test_quoting_a_message_brings_its_video_back(
    registered: RunningBot, quoting: str
) -> None:
    chat = registered.group()
    await chat.ask("What happens?", attach_clip(registered))
    message_id = chat.posts[0] if quoting == "the post" else chat.messages[0].id
    await chat.ask("And this?", registered.photo("fruits.jpg"))
    entity: dict[str, Any] = {"type": "quotedReply", "quotedReply": {"messageId": message_id}}
    assert frame_times(await ask_model(registered, chat, "And now?", entities=[entity]))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("What happens from 0:02 to 0:05?", "0:02.0 to 0:05.0"),
        ("What happens in the last 3 seconds?", "0:09.0 to 0:12.0"),
        ("What happens between 8 and 10 seconds?", "0:08.0 to 0:10.0"),
    ],
)
async def test_only_the_part_that_a_question_names_is_looked_at(
    video_bot: RunningBot, words: str, part: str
) -> None:
    chat = video_bot.group()
    request = await ask_model(video_bot, chat, words, attach_clip(video_bot, LONG))
    assert f"only {part} was looked at" in video_introduction(request)
    first, last = part.split(" to ")
    assert all(first <= time <= last for time in frame_times(request))
    assert chat.texts == [ANSWER]
    assert frame_times(await ask_model(video_bot, chat, "And the first 2 seconds?"))[-1] <= "0:02.0"


async def test_of_a_long_video_the_first_and_the_last_part_are_offered(tmp_path: Path) -> None:
    limits = {"max_video_seconds": 4}
    async with run_bot(tmp_path, registered=False, limits=limits) as bot:
        chat = bot.group()
        answer = await chat.ask("What happens?", attach_clip(bot, LONG))
        note = texts.parts_seen("V1 clip.mp4", 12, ((0, 2), (10, 12)))
        assert answer == f"{note}\n\n{ANSWER}"
        request = bot.model.requests[-1]
        assert "only 0:00.0 to 0:02.0, 0:10.0 to 0:12.0 was looked at" in video_introduction(
            request
        )
        assert not [time for time in frame_times(request) if "0:02.0" <= time < "0:10.0"]
        assert await chat.ask("And from 0:04 to 0:06?") == ANSWER
        assert all("0:04.0" <= time <= "0:06.0" for time in frame_times(bot.model.requests[-1]))


async def test_a_video_that_is_gone_is_asked_for_again(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    before = set(video_bot.files())
    await chat.ask("What happens?", attach_clip(video_bot))
    for path in set(video_bot.files()) - before:
        path.unlink()
    answer = await chat.ask("And then?")
    problem = texts.file_problem("V1 clip.mp4", 1, FileProblem(Reason.GONE), FileLimits())
    assert answer == f"{problem}\n\nA red car with the plate KRW 301."
    request = video_bot.model.requests[-1]
    assert request.pictures == []
    assert "none of its frames could be had" in video_introduction(request)


@pytest.mark.parametrize("command", ["/forget", "/reset"])
async def test_what_is_kept_of_a_video_is_erased(video_bot: RunningBot, command: str) -> None:
    chat = video_bot.group()
    before = set(video_bot.files())
    await ask_model(video_bot, chat, "What happens?", video_bot.file(CLIP), says="See 0:01.6.")
    files = set(video_bot.files()) - before
    endings = {path.suffix for path in files}
    assert {".jpg", ".survey"} <= endings
    assert (MEDIA / CLIP).read_bytes() in {path.read_bytes() for path in files}
    response = await chat.ask(command)
    if command == "/forget":
        assert response == texts.forget_receipt(1, 0, 1, 0)
    assert set(video_bot.files()) <= before
    await chat.ask("And then?")
    assert video_bot.model.requests[-1].pictures == []


async def test_a_video_is_swept_with_all_that_was_made_of_it(tmp_path: Path) -> None:
    limits = {"retention_days": 2.5 / 86400}
    async with run_bot(tmp_path, registered=False, limits=limits) as bot:
        chat = bot.group()
        bot.model.then(say("See 0:01.0."))
        await chat.ask("What happens?", attach_clip(bot))
        assert {path.suffix for path in bot.files()} >= {".survey", ".jpg"}
        async with asyncio.timeout(10):
            while bot.files():
                await asyncio.sleep(0.05)


async def test_the_transcript_names_videos_and_frames(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    request = await ask_model(
        video_bot, chat, "When is it red?", attach_clip(video_bot), says="At 0:01.0."
    )
    response = await chat.ask("/json")
    item, question = _messages(response)[1]["content"]
    assert question == "When is it red?"
    assert (item["name"], len(item["video"])) == ("V1 clip.mp4", len("sha256:") + 64)
    assert [clock(at) for at in item["frames"]] == frame_times(request)
    (turn,) = (await full_transcript(chat))["turns"]
    assert [sorted(one) for one in turn["frames"]] == [
        ["at", "frame", "means", "score", "video", "why"]
    ] * len(item["frames"])
    (video,) = turn["videos"]
    assert (video["number"], video["facts"]["codec"]) == (1, "h264")
    assert turn["sightings"] == [] or all("photo" in one for one in turn["sightings"])


def _messages(response: str) -> Any:
    return json.loads(response.removeprefix("```json\n").removesuffix("\n```"))
