"""A model that asks for frames of a video, looks closer at one, and points at what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.tools import toolbox as tools
from bot.tools import video_frames as reels
from bot.tools.loop import NOT_SHOWN
from tests.helpers.images import open_jpeg
from tests.helpers.running_bot import run_bot
from tests.helpers.scene_videos import scene_video, share
from tests.helpers.tool_calls import frames_call, look_call, outline_call, tool_results
from tests.helpers.transcripts import full_transcript
from tests.helpers.video_questions import CLIP, attach_clip, bot_pictures, frame_times
from tests.servers.openai import call_tools, say, tool_call_start

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
SCENES = scene_video(*((1.0, colour, "") for colour in ("navy", "darkred", "olive") * 4))


async def test_a_model_asks_for_frames_and_gets_them_exactly(video_bot: RunningBot) -> None:
    call = call_tools("I look closer.", frames_call("0:03.55", "0:04.75", 4))
    video_bot.model.then(call, say("It turns red at 0:04.4."))
    chat = video_bot.group()
    await chat.ask("When?", attach_clip(video_bot, SCENES))
    first, second = video_bot.model.requests
    assert [one["function"]["name"] for one in first.body["tools"]] == ["look", "outline", "frames"]
    times = ["0:03.5", "0:03.9", "0:04.3", "0:04.7"]
    names = ", ".join(f"V1 {time}" for time in times)
    assert tool_results(second) == [reels.FRAMES_RESULT.format(frames=names)]
    assert second.body["messages"][-1]["role"] == "user"
    assert frame_times(second)[-4:] == times
    pictures = [open_jpeg(jpeg) for jpeg in second.pictures[-4:]]
    assert [share(one, "navy") > 0.9 for one in pictures] == [True, True, False, False]
    assert [share(one, "darkred") > 0.9 for one in pictures] == [False, False, True, True]
    assert chat.texts[0] == "I look closer.\n\nIt turns red at 0:04.4."


async def test_frames_that_a_model_asked_for_are_recorded_and_shown_when_cited(
    video_bot: RunningBot,
) -> None:
    video_bot.model.then(call_tools(frames_call("0:07.3", "0:07.3")), say("It is red at 0:07.3."))
    chat = video_bot.group()
    await chat.ask("When?", attach_clip(video_bot, SCENES))
    (sheet,) = bot_pictures(chat)
    assert share(sheet, "darkred") > 0.8
    (turn,) = (await full_transcript(chat))["turns"]
    frames = [one for one in turn["frames"] if one["why"] == "asked"]
    assert [(one["video"], one["at"], one["means"]) for one in frames] == [(1, 7.3, "tool")]


async def test_what_is_pointed_at_in_a_frame_is_outlined_on_it(video_bot: RunningBot) -> None:
    box = [200, 300, 400, 600]
    video_bot.model.then(
        call_tools(frames_call("0:01.2", "0:01.2")),
        call_tools(outline_call("door", box, photo="V1 0:01.2")),
        say("A door [1] stands open."),
    )
    chat = video_bot.group()
    await chat.ask("What is it?", attach_clip(video_bot))
    assert tool_results(video_bot.model.requests[-1])[-1].startswith(
        tools.OUTLINE_RESULT.format(number=1)
    )
    text, picture = chat.messages
    assert text.citations == {1: "door"}
    (sheet,) = bot_pictures(chat)
    assert picture.cards[0]["name"].startswith("V1 clip.mp4")
    assert share(sheet, "darkred") < share(_frame_of(sheet), "darkred") < 0.995
    (turn,) = (await full_transcript(chat))["turns"]
    (drawing,) = turn["outlines"]
    assert drawing["photo"] == 1_000_001_200


def _frame_of(sheet: Image.Image) -> Image.Image:
    """The lower part of a sheet with one frame, without the bar that names its time."""
    return sheet.crop((10, sheet.height // 4, sheet.width - 10, sheet.height - 10))


async def test_a_look_at_a_frame_shows_it_at_full_resolution(tmp_path: Path) -> None:
    limits = {"photo_side": 256}
    async with run_bot(tmp_path, registered=False, limits=limits) as bot:
        box = [0, 0, 300, 300]
        bot.model.then(
            call_tools(frames_call("0:01.6", "0:01.6")),
            call_tools(look_call("V1 0:01.6", box)),
            say("A wall."),
        )
        await bot.group().ask("What is in the corner?", bot.file(CLIP))
        last = bot.model.requests[-1]
        assert tool_results(last)[-1] == tools.CROP_RESULT.format(label="V1 0:01.6", box=box)
        assert f"[V1 0:01.6, region {box}]" in last.texts
        whole, crop = open_jpeg(last.pictures[-2]), open_jpeg(last.pictures[-1])
        assert max(whole.size) == 256
        assert crop.width > 0.28 * 768


async def test_what_is_wrong_with_a_call_is_told(video_bot: RunningBot) -> None:
    video_bot.model.then(
        call_tools(
            frames_call("0:01", "0:02", video="V7"),
            frames_call("0:01", "1:30", at=1),
            frames_call("soon", "later", at=2),
            tool_call_start("frames", "[]", at=3),
            look_call("V1 0:00.7", [1, 1, 500, 500], at=4),
            outline_call("door", [1, 1, 500, 500], at=5, photo="V9 0:01.0"),
            frames_call("0:02.0", "0:01.0", "many", at=6),
        ),
        say("I see."),
    )
    chat = video_bot.group()
    await chat.ask("When?", attach_clip(video_bot))
    results = tool_results(video_bot.model.requests[-1])
    assert results == [
        reels.NO_VIDEO.format(known="V1"),
        reels.NO_TIME.format(end="0:03.0"),
        reels.NO_TIME.format(end="0:03.0"),
        tools.NOT_JSON,
        reels.NOT_SEEN.format(video=1),
        reels.NOT_SEEN.format(video=9),
        reels.FRAMES_RESULT.format(frames="V1 0:01.5"),
    ]
    assert chat.texts == ["I see."]


async def test_calls_without_end_are_ended_within_the_pictures(tmp_path: Path) -> None:
    limits = {"max_tool_calls": 3, "max_pictures": 4}
    async with run_bot(tmp_path, registered=False, limits=limits) as bot:
        bot.model.then(*[call_tools(frames_call("0:00", "0:09", 99))] * 3, say("Enough."))
        chat = bot.group()
        assert await chat.ask("?", attach_clip(bot, SCENES)) == "Enough."
        last = bot.model.requests[-1]
        assert len(bot.model.requests) == 4
        assert last.body["tool_choice"] == "none"
        assert len(last.pictures) == 4
        assert NOT_SHOWN in last.texts
        assert all(len(request.pictures) <= 4 for request in bot.model.requests)


async def test_frames_of_an_earlier_video_can_be_asked_for(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    await chat.ask("When?", attach_clip(video_bot, SCENES))
    await chat.ask("And this?", video_bot.photo("fruits.jpg"))
    video_bot.model.requests.clear()
    video_bot.model.then(call_tools(frames_call("0:07.3", "0:07.3")), say("Red at 0:07.3."))
    await chat.ask("How was it at the end again?")
    assert frame_times(video_bot.model.requests[0]) == []
    assert frame_times(video_bot.model.requests[1]) == ["0:07.3"]
    assert share(bot_pictures(chat)[-1], "darkred") > 0.8


async def test_frames_of_a_video_that_is_gone_are_told_to_be_gone(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    before = set(video_bot.files())
    await chat.ask("When?", attach_clip(video_bot, SCENES))
    files = set(video_bot.files()) - before
    await chat.ask("And this?", video_bot.photo("fruits.jpg"))
    for path in files:
        path.unlink()
    video_bot.model.then(call_tools(frames_call("0:07.3", "0:07.3")), say("I cannot tell."))
    assert await chat.ask("How was it at the end again?") == "I cannot tell."
    assert tool_results(video_bot.model.requests[-1]) == [reels.VIDEO_GONE.format(video=1)]


async def test_frames_that_teams_refuses_are_told_in_words(registered: RunningBot) -> None:
    registered.model.then(say("It is red at 0:01.0."))
    chat = registered.group()
    registered.teams.refuse(413, "MessageSizeTooBig", times=2, pictures=True)
    await chat.ask("When?", attach_clip(registered))
    assert chat.texts == ["It is red at 0:01.0.", texts.frames_not_shown("V1 clip.mp4")]
