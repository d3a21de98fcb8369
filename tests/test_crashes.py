"""Answered once: a process may be killed at any step, and people see one answer all the same."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot import texts
from bot.channel import Stage
from bot.history import Photo, PhotoFacts, Turn, Usage
from bot.mailbox import Answered, Letter
from bot.messages import Attachment, Author, Message
from bot.model import Delta, Finished
from tests.fakes import Clock, Shown
from tests.fuse import Fuse
from tests.house import THREAD, House, Outside
from tests.pictures import corners, encoded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from bot.model import Request

ANNA = Author("a", "Anna")
QUESTION = Message("m1", THREAD, ANNA, "What is it?")
PIECES = ("A red ", "car by ", "the road.")
ANSWER = "A red car by the road."
LONG = tuple(f"{word} " + "and so on " * 16 + "it goes.\n\n" for word in ("First", "Second", "Third"))


class PatientModel:
    """Says a piece when people have seen the one before, so that all runs are alike."""

    def __init__(self, pieces: tuple[str, ...]) -> None:
        self._pieces = pieces
        self.outside: Outside
        self.house: House
        self.asked = 0

    async def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        self.asked += 1
        for piece in self._pieces:
            yield Delta(piece)
            while not self._seen(piece.split()[0]):
                self.house.fuse.check()
                await asyncio.sleep(0)
        yield await self._end()

    def _seen(self, word: str) -> bool:
        channel = self.outside.channel
        if not channel.abilities({}).edits:
            return True
        return bool(channel.messages) and word in channel.messages[-1].text

    async def _end(self) -> Finished:
        return Finished("gpt-test", Usage(10, 5), "stop")


class StoppedModel(PatientModel):
    """Falls silent; then the user says /stop, which another replica accepts."""

    async def _end(self) -> Finished:
        stop = Message("s1", THREAD, ANNA, "/stop")
        receipt = await self.outside.accept(Letter(stop, express=True, stops=True, joins=False))
        assert self.house.holding is not None
        self.house.holding.stop_up_to(receipt.seq)
        while True:
            self.house.fuse.check()
            await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


class Story:
    """A message that is answered by processes which die, each at a step of its own."""

    def __init__(self, folder: Path, clock: Clock, model: PatientModel, **abilities: Any) -> None:
        self._clock = clock
        self.model = model
        self.outside = Outside(folder, model, **abilities)
        model.outside = self.outside
        self.fuses: list[Fuse] = []

    async def process(self, fuse: Fuse) -> bool:
        """Let a process work; tells whether it lived to the end. Then its leases expire."""
        self.fuses.append(fuse)
        self.model.house = House(self.outside, fuse)
        await self.model.house.work()
        self._clock.forward(self.outside.limits.lease_seconds + 1)
        return not fuse.blown

    @property
    def shown(self) -> list[Shown]:
        return self.outside.channel.messages

    @property
    def finals(self) -> list[str]:
        """What people see in the end, placeholders that dangle left out."""
        return [m.text for m in self.shown if m.posts[-1].stage is Stage.FINAL]

    @property
    def dangling(self) -> list[str]:
        return [m.text for m in self.shown if m.posts[-1].stage is not Stage.FINAL]

    @property
    def answered(self) -> bool:
        """Whether a process that died had stored its finished turn."""
        return any("answered" in fuse.done for fuse in self.fuses if fuse.blown)

    def __str__(self) -> str:
        told = [[(post.stage.value, post.text) for post in message.posts] for message in self.shown]
        return "\n".join([*map(str, self.fuses), *map(str, told)])


async def every_crash(begin: Callable[[], Story], message: Message = QUESTION) -> list[Story]:
    """Kill a process before and after each of its steps, and let a successor finish."""
    stories = []
    for step, after in itertools.product(itertools.count(), (False, True)):
        story = begin()
        await story.accept(message)
        if await story.process(Fuse(step, after=after)):
            break
        assert await story.process(Fuse()), story
        stories.append(story)
    assert len(stories) > 10
    return stories


def grows(message: Shown) -> bool:
    return all(b.startswith(a) for a, b in itertools.pairwise(message.growing))


async def verify(story: Story) -> None:
    """Check what holds after every crash."""
    assert all(map(grows, story.shown)), story
    assert len(story.dangling) <= 1, story
    assert await story.outside.queued() == [], story
    if story.answered:
        assert story.model.asked == 1, story


async def verify_turn(story: Story, answer: str = ANSWER, status: str = "answered") -> Turn:
    """Check that the turn is in the history once, and shown once."""
    await verify(story)
    (turn,) = (await story.outside.past()).turns
    assert (turn.question, turn.answer, turn.status) == ("What is it?", answer, status), story
    return turn


async def test_an_answer_is_shown_once(tmp_path: Path, clock: Clock) -> None:
    for story in await every_crash(lambda: Story(tmp_path, clock, PatientModel(PIECES))):
        turn = await verify_turn(story)
        (final,) = story.finals
        assert final.endswith(ANSWER), story
        assert final.count(texts.RESUMED) == (final != ANSWER), story
        assert turn.sent == tuple(m.id for m in story.shown if m.text == final), story


async def test_an_answer_is_shown_once_after_two_crashes(tmp_path: Path, clock: Clock) -> None:
    for first, second in itertools.product(range(3, 20, 2), range(1, 20, 3)):
        story = Story(tmp_path, clock, PatientModel(PIECES))
        await story.accept(QUESTION)
        for fuse in (Fuse(first), Fuse(second, after=True), Fuse()):
            await story.process(fuse)
        turn = await verify_turn_after_two(story)
        assert turn.answer == ANSWER
