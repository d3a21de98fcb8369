"""Videos as people have them in a chat: what the model sees of them, and what people are shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media.draw_outlines import PICTURE_SIDE
from tests.helpers.images import open_jpeg
from tests.helpers.running_bot import question_words
from tests.helpers.scene_videos import scene_video, share
from tests.helpers.video_questions import (
    CLIP,
    ask_model,
    attach_clip,
    bot_pictures,
    frame_times,
    video_introduction,
)

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat

pytestmark = pytest.mark.asyncio(loop_scope="session")

NIGHT = scene_video((1.0, "black", ""), (1.0, "indigo", ""), (1.0, "teal", ""))


async def test_a_video_goes_as_an_overview_and_frames_with_their_times(
    video_bot: RunningBot,
) -> None:
    chat = video_bot.personal()
    answer = "Two people come at 0:01.2, a third at 0:05.2."
    request = await ask_model(video_bot, chat, "Who comes?", video_bot.file(CLIP), says=answer)
    assert request.texts[1:] == [
        f"[V1 {CLIP}: video, 0:12.0 long, 768 x 576 pixels, 10 frames a second; no sound track; "
        "it changes most at 0:05.2.]",
        "[V1 overview (contact sheet)]",
        *(f"[Frame at {time} of V1]" for time in ("0:01.2", "0:05.2", "0:08.6", "0:11.9")),
        "Who comes?",
    ]
    overview, *singles = map(open_jpeg, request.pictures)
    assert 2000 < max(overview.size) <= 2048
    assert {single.size for single in singles} == {(768, 576)}
    assert "Videos are numbered V1" in request.texts[0]
    assert chat.texts == [answer, ""]
    sheet = chat.messages[1]
    assert len(sheet.pictures) == 1
    assert sheet.cards[0]["name"].startswith(f"V1 {CLIP}")
    assert max(bot_pictures(chat)[0].size) <= PICTURE_SIDE


@pytest.mark.parametrize("scope", ["personal", "group"])
async def test_a_video_is_answered_wherever_teams_hands_it_over(
    registered: RunningBot, scope: str
) -> None:
    chat: Chat = getattr(registered, scope)()
    answer = "It turns red at 0:01.0."
    request = await ask_model(registered, chat, "When?", attach_clip(registered), says=answer)
    assert len(request.pictures) <= 4
    assert "0:01.0" in frame_times(request) or "overview" in "".join(request.texts)
    assert answer in chat.texts
    assert len(bot_pictures(chat)) == 1


async def test_a_video_in_a_channel_is_kept_from_apps_and_named_with_the_remedy(
    registered: RunningBot,
) -> None:
    chat = registered.thread()
    twin = {"contentType": "text/html", "content": '<attachment id="1"></attachment>'}
    activity = chat.activity("What happens?") | {"attachments": [twin]}
    assert await registered.deliver(activity) == 202
    await registered.settled()
    problem = texts.file_problem("", 1, FileProblem(Reason.HTML_ONLY), FileLimits())
    assert chat.texts[0].startswith(problem)


async def test_a_frame_of_the_overview_is_shown_as_well_when_it_is_cited(
    video_bot: RunningBot,
) -> None:
    chat = video_bot.group()
    colours = ("navy", "darkred", "olive", "teal", "indigo", "maroon", "black", "peru", "plum")
    data = scene_video(*((1.0, colour, "") for colour in colours))
    first = await ask_model(video_bot, chat, "What comes?", attach_clip(video_bot, data))
    unseen = next(at for at in range(9) if f"0:0{at}.0" not in frame_times(first))
    answer = f"See 0:0{unseen}.0, but never 0:09.5."
    again = await ask_model(video_bot, chat, "What comes then?", says=answer)
    assert f"0:0{unseen}.0" not in frame_times(again)
    (sheet,) = bot_pictures(chat)
    assert share(sheet, colours[unseen]) > 0.8


async def test_an_answer_without_times_shows_no_frames(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    await ask_model(
        video_bot, chat, "Who comes?", attach_clip(video_bot), says="Nobody, not even at 0:02.55."
    )
    assert len(chat.messages) == 1


async def test_a_video_without_words_is_described(video_bot: RunningBot) -> None:
    request = await ask_model(video_bot, video_bot.group(), "", attach_clip(video_bot))
    assert question_words(request).endswith(texts.DESCRIBE_VIDEO)


async def test_several_videos_are_told_apart(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    answer = "Red at V1 0:01.0; teal at V2 0:02.0, which V1 has not at 0:02.0."
    files = attach_clip(video_bot, name="day.mp4"), attach_clip(video_bot, NIGHT, "night.mp4")
    request = await ask_model(video_bot, chat, "Compare them", *files, says=answer)
    assert video_introduction(request, 1).startswith("[V1 day.mp4: ")
    assert video_introduction(request, 2).startswith("[V2 night.mp4: ")
    assert "0:01.0" in frame_times(request, 1)
    day, night = bot_pictures(chat)
    assert share(day, "darkred") > 0.3
    assert share(day, "olive") > 0.3
    assert share(night, "teal") > 0.8


async def test_photos_and_a_video_share_one_message(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    files = video_bot.photo("fruits.jpg"), attach_clip(video_bot), video_bot.photo("motorway.jpg")
    request = await ask_model(video_bot, chat, "Compare them", *files)
    introductions = [text for text in request.texts[1:] if text.startswith("[")]
    assert introductions[:2] == ["[P1]", "[P2]"]
    assert frame_times(request)
    assert "Looking at 2 photos and 1 video…" in _seen(video_bot, chat)


def _seen(bot: RunningBot, chat: Chat) -> list[str]:
    """All texts that were shown in a chat while it was at work."""
    requests = [one for one in bot.teams.requests if one.conversation == chat.conversation]
    return [str(one.activity.get("text", "")) for one in requests]


async def test_more_pictures_than_a_request_holds_are_shared_out(video_bot: RunningBot) -> None:
    names = ("fruits.jpg", "motorway.jpg", "leuvenA.jpg", "copy_centre.jpg", "plate_KRW301.png")
    photos = [video_bot.file(name) for name in (*names, "passat_cc.webp", "sign_sports_centre.jpg")]
    videos = [
        attach_clip(video_bot, scene_video(*_shades(at), (1.0, "white", str(at))))
        for at in range(3)
    ]
    request = await ask_model(video_bot, video_bot.group(), "Compare them", *photos, *videos)
    assert len(request.pictures) == 10
    assert all(frame_times(request, number) for number in (1, 2, 3))
    sheets = [text for text in request.texts if re.match(r"\[P\d+–P\d+ \(contact sheet\)\]", text)]
    assert sheets


def _shades(at: int) -> tuple[tuple[float, str, str], ...]:
    return tuple((0.5, f"hsl({at * 90 + step * 25}, 80%, 40%)", "") for step in range(9))


async def test_videos_that_there_is_no_room_for_are_named(bot: RunningBot) -> None:
    videos = [attach_clip(bot, scene_video((1.0, "navy", str(at))), f"{at}.mp4") for at in range(6)]
    chat = bot.group()
    answer = await chat.ask("Compare them", *videos)
    (request,) = bot.model.requests
    assert len(request.pictures) <= 4
    assert answer.startswith(texts.videos_left_out(["V5 4.mp4", "V6 5.mp4"]))


async def test_frames_of_a_rotated_video_stand_upright(video_bot: RunningBot) -> None:
    chat = video_bot.group()
    video = video_bot.file("vtest12_rotated90.mp4")
    request = await ask_model(video_bot, chat, "Who comes?", video)
    assert "576 x 768 pixels" in video_introduction(request)
    assert {open_jpeg(jpeg).size for jpeg in request.pictures[1:]} == {(576, 768)}
    await ask_model(video_bot, chat, "When?", says=f"See {frame_times(request)[0]}.")
    (sheet,) = bot_pictures(chat)
    assert sheet.height > sheet.width
