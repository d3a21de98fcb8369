"""Questions about videos in Teams, what the model is asked then, and what people are shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.helpers.images import open_jpeg
from tests.helpers.scene_videos import scene_video
from tests.servers.openai import say

if TYPE_CHECKING:
    from PIL import Image

    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat
    from tests.servers.openai import ReceivedRequest

CLIP = "vtest12_h264.mp4"
FRAME = re.compile(r"\[Frame at (\d+:\d\d\.\d) of V(\d+)\]")


def attach_clip(bot: RunningBot, data: bytes = b"", name: str = "clip.mp4") -> dict[str, Any]:
    """Attach a tiny video of three scenes of a second, or another."""
    return bot.teams.file(data or scene_video(), name)


def frame_times(request: ReceivedRequest, video: int = 1) -> list[str]:
    """Return the times of the frames of a video in a request, as they are headed."""
    matches = [FRAME.fullmatch(text) for text in request.texts]
    return [match[1] for match in matches if match and int(match[2]) == video]


def video_introduction(request: ReceivedRequest, video: int = 1) -> str:
    """Return how a request introduces a video."""
    (line,) = (text for text in request.texts[1:] if re.match(rf"\[V{video} [^:]*: video, ", text))
    return line


async def ask_model(
    bot: RunningBot, chat: Chat, *question: Any, says: str = "", **how: Any
) -> ReceivedRequest:
    """Ask something, and return what the model was asked."""
    if says:
        bot.model.then(say(says))
    await chat.ask(*question, **how)
    return bot.model.requests[-1]


def bot_pictures(chat: Chat) -> list[Image.Image]:
    """Return the pictures that the bot has shown, in order."""
    return [open_jpeg(data) for message in chat.messages for data in message.pictures]
