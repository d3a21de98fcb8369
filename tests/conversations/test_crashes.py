"""Answered once: a process may be killed at any step, and people see one answer all the same.

Each test runs the same message again and again, and kills the process that works on it before
and after each of its steps: every call that reaches the store, the platform, the pictures or the
model. Then its lease expires, and a second process finishes the work.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.attachments.store import blob_key
from bot.domain.history import ThreadHistory, Turn, Usage
from bot.domain.messages import Attachment, Author, Message
from bot.domain.preferences import ThreadSettings
from bot.domain.sightings import DetectedObject, Sighting
from bot.ports.channel import Stage
from bot.ports.model import Delta, Finished
from tests.helpers.crash_injection import CrashInjector
from tests.helpers.dispatcher_setup import THREAD, DispatcherProcess, Surroundings
from tests.helpers.fakes import FakeTime, RecordedMessage
from tests.helpers.images import corners_image, encode_image
from tests.helpers.scene_videos import scene_video

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.ports.model import Request

QUESTION = Message("m1", THREAD, Author("a", "Anna"), "What is it?", at=time.time())
STOP = replace(QUESTION, id="m2", text="/stop")
FORGET = replace(QUESTION, id="m3", text="/forget")
JSON = replace(QUESTION, id="m4", text="/json")
JPEG = encode_image(corners_image())
SHA256 = hashlib.sha256(JPEG).hexdigest()
PHOTO = Attachment("car.jpg", "image/jpeg", {"id": "car"})
CLIP = Attachment("day.mp4", "video/mp4", {"id": "day"})
ROAD = DetectedObject("road", ((0.1, 0.5), (0.9, 0.5), (0.9, 0.9), (0.1, 0.9)), 0.9)

SHORT = ("A red ", "car by ", "the road.")
LONG = tuple(f"{word} paragraph, {'and so on, ' * 14}to its end.\n\n" for word in ("One", "Two"))


class PatientModel:
    """Says a piece when people have seen the one before, so that all runs are alike.

    Asked anew it says the same in other words, as models do.
    """

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self.asked = 0
        self.said = ""
        self.outside: Surroundings
        self.house: DispatcherProcess

    def takes_tools(self, model: str) -> bool:
        return True

    async def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        self.asked += 1
        pieces = ("Well: ", *self._pieces) if self.asked > 1 else self._pieces
        self.said = "".join(pieces).strip()
        for piece in pieces:
            yield Delta(piece)
            word = piece.split()[0]
            while not self._seen(word):
                await self.patience()
        yield await self.end()

    async def patience(self) -> None:
        """Let others work, unless the process that asked is dead."""
        self.house.fuse.check()
        await asyncio.sleep(0)

    def _seen(self, word: str) -> bool:
        channel = self.outside.channel
        return not channel.capabilities({}).edits or word in channel.messages[-1].text

    async def end(self) -> Finished:
        return Finished("gpt-test", Usage(10, 5), "stop")


class StoppedModel(PatientModel):
    """Falls silent in the end, so that the user says /stop, to another replica."""

    async def end(self) -> Finished:
        assert self.house.holding is not None
        await self.outside.inbox.receive(STOP)
        self.house.holding.stop.set()
        while True:
            await self.patience()


class Story:
    """A message that is answered by processes which die, each at a step of its own.

    `doubtful` are the texts that people saw when a process died before it could record so.
    """

    def __init__(
        self, folder: Path, clock: FakeTime, model: PatientModel, **capabilities: Any
    ) -> None:
        self._clock = clock
        self.model = model
        self.outside = model.outside = Surroundings(folder, model, **capabilities)
        self.shown = self.outside.channel.messages
        self.outside.channel.uploads |= {"car": JPEG, "day": scene_video(size=(64, 48))}
        self.fuses: list[CrashInjector] = []
        self.doubtful: list[str] = []

    async def process(self, fuse: CrashInjector | None = None) -> bool:
        """Let a process work; tells whether it lived to the end. Then its lease expires."""
        house = self.model.house = DispatcherProcess(self.outside, fuse)
        self.fuses.append(house.fuse)
        await house.work()
        if house.fuse.blown and house.fuse.done[-1:] == ["post"]:
            self.doubtful += [m.text for m in self.finals if m is self.shown[-1]]
        self._clock.forward(self.outside.limits.workers.lease_seconds + 1)
        return not house.fuse.blown

    @property
    def finals(self) -> list[RecordedMessage]:
        """The messages that people are left with, but for placeholders that dangle."""
        return [m for m in self.shown if m.posts[-1].stage is Stage.FINAL]

    @property
    def grows(self) -> bool:
        return all(b.startswith(a) for m in self.shown for a, b in itertools.pairwise(m.growing))

    def __str__(self) -> str:
        posts = [
            [(post.stage.value, post.text) for post in message.posts] for message in self.shown
        ]
        return "\n".join(["", *map(str, self.fuses), *map(str, posts)])


Begin = Callable[[], Awaitable[Story]]
Beginning = Callable[..., Begin]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Beginning:
    """Return how to begin a story with a message that waits to be answered."""
    clock = FakeTime()
    monkeypatch.setattr(time, "time", clock)

    def beginning(
        model: type[PatientModel], *pieces: str, message: Message = QUESTION, **capabilities: Any
    ) -> Begin:
        async def begun() -> Story:
            story = Story(tmp_path, clock, model(*pieces), **capabilities)
            await story.outside.inbox.receive(message)
            return story

        return begun

    return beginning


async def every_crash(begin: Begin) -> list[Story]:
    """Tell a story once for each step that its next process can die at."""
    stories = []
    for step, after in ((number // 2, bool(number % 2)) for number in itertools.count()):
        story = await begin()
        if await story.process(CrashInjector(step, after=after)):
            break
        assert await story.process(), story
        stories.append(story)
    assert len(stories) > 10
    return stories


async def verify(story: Story) -> None:
    """Check what holds after every crash."""
    assert story.grows, story
    assert len(story.shown) - len(story.finals) <= len(story.fuses) - 1, story
    assert await story.outside.queued() == [], story
    if "store_result" in story.fuses[0].done:
        assert story.model.asked == 1, story


async def the_turn(story: Story) -> Turn:
    """Check that history holds the turn once, and return it."""
    await verify(story)
    (turn,) = (await story.outside.past()).turns
    assert (turn.question, turn.posts.questions) == ("What is it?", ("m1",)), story
    return turn


async def test_an_answer_is_shown_once(begin: Beginning) -> None:
    for story in await every_crash(begin(PatientModel, *SHORT)):
        turn = await the_turn(story)
        (final,) = story.finals
        assert (turn.answer, turn.posts.answers) == (story.model.said, (final.id,)), story
        assert final.text.endswith(turn.answer), story
        assert final.text.count(texts.RESUME_NOTICE) == (final.text != turn.answer), story


async def test_an_answer_is_shown_once_after_two_crashes(begin: Beginning) -> None:
    for first, second in itertools.product(range(1, 20, 3), repeat=2):
        story = await begin(PatientModel, *SHORT)()
        for fuse in (CrashInjector(first), CrashInjector(second, after=True), CrashInjector()):
            await story.process(fuse)
        turn = await the_turn(story)
        (final,) = story.finals
        assert final.text.endswith(turn.answer), story


async def test_the_photo_of_a_question_is_kept_before_it_is_named(begin: Beginning) -> None:
    question = replace(QUESTION, attachments=(PHOTO,))
    for story in await every_crash(begin(PatientModel, *SHORT, message=question)):
        turn = await the_turn(story)
        (photo,) = (await story.outside.past()).photos
        assert (turn.pictures.photos, photo.label, photo.message) == ((1,), "P1 car.jpg", "m1"), (
            story
        )
        assert await story.outside.blobs.get(blob_key(THREAD, photo.sha256)) == JPEG, story


async def test_a_picture_is_shown_below_the_answer_and_again_only_in_doubt(
    begin: Beginning,
) -> None:
    message = replace(QUESTION, attachments=(PHOTO,))
    plain = begin(PatientModel, *SHORT, message=message, pictures=True)

    async def begun() -> Story:
        story = await plain()
        story.outside.vision.always = Sighting(things=(ROAD,))
        return story

    for story in await every_crash(begun):
        turn = await the_turn(story)
        assert [outline.label for outline in turn.grounding.outlines] == ["road"], story
        doubt = story.fuses[0].done[-1:] == ["send_picture"]
        assert len(story.outside.channel.pictures) == 1 + doubt, story


async def test_a_video_is_answered_once_and_its_frames_are_shown_again_only_in_doubt(
    begin: Beginning,
) -> None:
    question = replace(QUESTION, attachments=(CLIP,))
    pieces = ("It turns ", "red at 0:01.0, ", "then green.")
    for story in await every_crash(begin(PatientModel, *pieces, message=question, pictures=True)):
        turn = await the_turn(story)
        (final,) = story.finals
        assert final.text.endswith(turn.answer), story
        past = await story.outside.past()
        (video,) = past.videos
        assert (turn.pictures.videos, video.label, video.message) == ((1,), "V1 day.mp4", "m1"), (
            story
        )
        assert [one.frame % 10**9 for one in turn.pictures.frames] == [0, 1000, 2000], story
        assert await story.outside.blobs.get(blob_key(THREAD, video.sha256)), story
        names = [picture.name for picture in story.outside.channel.pictures]
        doubt = story.fuses[0].done[-1:] == ["send_picture"]
        assert names == ["V1 day.mp4"] * (1 + doubt), story


async def test_a_long_answer_is_shown_once_in_its_parts(begin: Beginning) -> None:
    for story in await every_crash(begin(PatientModel, *LONG, text_limit=200)):
        turn = await the_turn(story)
        text = " ".join(" ".join(message.text for message in story.finals).split())
        assert turn.answer == story.model.said, story
        assert text.endswith(" ".join(turn.answer.split())), story
        assert turn.posts.answers == tuple(message.id for message in story.finals), story


async def test_a_stopped_turn_stays_stopped_with_what_was_shown(begin: Beginning) -> None:
    for story in await every_crash(begin(StoppedModel, *SHORT)):
        turn = await the_turn(story)
        answer, *notices = story.finals
        assert turn.status == "stopped", story
        assert turn.answer, story
        assert answer.text.endswith(f"{turn.answer}\n\n{texts.STOPPED_HERE}"), story
        assert [m.text for m in notices] == [texts.STOPPING, *story.doubtful], story


async def test_a_text_that_cannot_be_edited_is_repeated_only_in_doubt(begin: Beginning) -> None:
    """No platform tells whether a post of a dead process arrived; a lost answer would be worse."""
    for story in await every_crash(begin(PatientModel, *SHORT, edits=False)):
        turn = await the_turn(story)
        assert [m.text for m in story.finals] == [turn.answer, *story.doubtful], story


async def test_forget_erases_all_and_gives_its_receipt(begin: Beginning) -> None:
    question = replace(QUESTION, attachments=(PHOTO,))

    async def forgetting() -> Story:
        story = await begin(PatientModel, *SHORT, message=question)()
        assert await story.process()
        await story.outside.history.change(THREAD, model="gpt-other")
        await story.outside.inbox.receive(FORGET)
        return story

    for story in await every_crash(forgetting):
        await verify(story)
        past, settings = await story.outside.past(), await story.outside.history.settings(THREAD)
        assert (past, settings) == (ThreadHistory(), ThreadSettings()), story
        assert await story.outside.blobs.get(blob_key(THREAD, SHA256)) is None, story
        _, receipt, *more = story.finals
        assert receipt.text.startswith(
            "I have erased 1 question and answer, 1 photo, 0 videos, 1 setting,"
        ), story
        assert [m.text for m in more] == story.doubtful, story


async def test_a_transcript_is_handed_over_once(begin: Beginning) -> None:
    async def asking() -> Story:
        story = await begin(PatientModel, *LONG, text_limit=200, files=True)()
        assert await story.process()
        await story.outside.inbox.receive(JSON)
        return story

    for story in await every_crash(asking):
        await verify(story)
        in_doubt = story.fuses[1].done[-1:] == ["send_file"]
        assert len(story.outside.channel.files) == 1 + in_doubt, story
        count = [message.text for message in story.finals].count(texts.JSON_AS_FILE)
        assert count == 1 + len(story.doubtful), story
