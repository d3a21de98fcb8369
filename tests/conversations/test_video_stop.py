"""What people see while a video is worked on, and that a stop ends every part of the work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import strings as texts
from tests.helpers import child_calls
from tests.helpers.child_processes import PidPipe, is_alive
from tests.helpers.scene_videos import DAY, scene_video
from tests.helpers.tool_calls import frames_call
from tests.helpers.video_questions import attach_clip, bot_pictures
from tests.servers.openai import Hang, call_tools, say
from tests.servers.transcriptions import speak

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.helpers.running_bot import RunningBot
    from tests.helpers.teams_chat import Chat

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "V1 clip.mp4"
WITH_SOUND = scene_video(*DAY, sound=speak(("stop", 0.5, 1.0), seconds=3.0))


@pytest.fixture
def note(video_bot: RunningBot) -> Iterator[PidPipe]:
    """The pipe on which the child that hangs says which process it is."""
    paper = PidPipe(video_bot.data / "note")
    yield paper
    paper.close()
    paper.path.unlink()


async def stopped(chat: Chat) -> None:
    """Say /stop, which is done within a second."""
    async with asyncio.timeout(1):
        await chat.ask("/stop")


async def nothing_began(chat: Chat) -> None:
    await stopped(chat)
    assert chat.texts == [texts.STOPPED_EARLY, texts.STOPPING]
    assert chat.bot.model.requests == []
    assert not list((chat.bot.data / "spool").iterdir())


async def test_a_stop_ends_the_download(video_bot: RunningBot) -> None:
    drive = video_bot.teams.drive
    drive.gate = asyncio.Event()
    try:
        chat, before = video_bot.group(), len(drive.downloads)
        await chat.post("What happens?", attach_clip(video_bot))
        await chat.until(texts.placeholder(0, 1))
        async with asyncio.timeout(5):
            while len(drive.downloads) == before:
                await asyncio.sleep(0.01)
        await nothing_began(chat)
    finally:
        drive.gate.set()
        drive.gate = None


@pytest.mark.parametrize(
    ("work", "progress"),
    [
        ("bot.attachments.store.open_file", texts.placeholder(0, 1)),
        ("bot.video.footage.frame_times", texts.decoding_progress(NAME, 0, 3)),
        ("bot.video.footage.sample", texts.decoding_progress(NAME, 0, 3)),
        ("bot.video.transcription.extract_sound", texts.decoding_progress(NAME, 0, 3)),
    ],
)
async def test_a_stop_ends_the_child_that_decodes(
    video_bot: RunningBot, note: PidPipe, monkeypatch: pytest.MonkeyPatch, work: str, progress: str
) -> None:
    monkeypatch.setattr(work, child_calls.hang_over_video)
    chat = video_bot.group()
    await chat.post("What happens?", attach_clip(video_bot, WITH_SOUND))
    pid = await note.pid()
    await chat.until(progress)
    assert is_alive(pid)
    await nothing_began(chat)
    async with asyncio.timeout(1):
        while is_alive(pid):
            await asyncio.sleep(0.01)
    monkeypatch.undo()
    assert "KRW 301" in await chat.ask("What happens now?", attach_clip(video_bot))


async def test_a_stop_ends_the_choosing(video_bot: RunningBot) -> None:
    video_bot.vision.gate = asyncio.Event()
    chat = video_bot.group()
    await chat.post("What happens?", attach_clip(video_bot))
    await chat.until(texts.choosing_progress(NAME))
    await nothing_began(chat)
    assert len(video_bot.vision.requests) == 1


async def test_a_stop_ends_the_reading_of_the_frames(video_bot: RunningBot) -> None:
    embedded = 0

    def embed(_: bytes) -> Sequence[float]:
        nonlocal embedded
        embedded += 1
        video_bot.vision.gate = asyncio.Event() if embedded == 3 else None
        return (1.0,)

    video_bot.vision.of_picture = embed
    chat = video_bot.group()
    await chat.post("What happens?", attach_clip(video_bot))
    await chat.until(texts.choosing_progress(NAME, 3, 3))
    async with asyncio.timeout(5):
        while not any(one.features > {"read"} for one in video_bot.vision.requests):
            await asyncio.sleep(0.01)
    await nothing_began(chat)


async def test_a_stop_ends_the_asking(video_bot: RunningBot) -> None:
    video_bot.model.then(Hang())
    chat = video_bot.group()
    await chat.post("What happens?", attach_clip(video_bot))
    await video_bot.model.until_asked()
    await chat.until(texts.THINKING)
    await stopped(chat)
    await video_bot.model.until_closed(1)
    assert chat.texts == [texts.STOPPED_EARLY, texts.STOPPING]


async def test_a_stop_ends_the_child_that_fetches_frames_for_the_model(
    video_bot: RunningBot, note: PidPipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = asyncio.Event()
    video_bot.model.then(
        call_tools("See 0:01.0. ", hold, frames_call("0:01.7", "0:01.7")), say("Done.")
    )
    chat = video_bot.group()
    await chat.post("What happens?", attach_clip(video_bot))
    await chat.until("See 0:01.0.")
    monkeypatch.setattr("bot.video.footage.decode_frames", child_calls.hang_over_video)
    hold.set()
    pid = await note.pid()
    await stopped(chat)
    assert chat.texts == [f"See 0:01.0.\n\n{texts.STOPPED_HERE}", texts.STOPPING]
    assert bot_pictures(chat) == []
    async with asyncio.timeout(1):
        while is_alive(pid):
            await asyncio.sleep(0.01)
    monkeypatch.undo()
    assert await chat.ask("And now?") == "Done."
