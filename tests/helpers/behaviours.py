"""A script played: one conversation, on one channel, and what came of it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.redis.history import RedisHistory
from bot.commands.registry import GRAMMAR
from bot.domain.turn_record import record_of
from bot.limits import RetentionLimits
from tests.helpers.conversation import File
from tests.servers.openai import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.helpers.conversation import ChannelSetup, Conversation, ShownMessage
    from tests.servers.openai import ReceivedRequest

VARYING_FIELDS = {"id", "at", "messages", "sent", "first", "seconds", "sightings", "frames"}
"""Fields of a turn that tell when it was and by which ids, or what vision measured."""

_POST_STAMP = re.compile(r"posted( by \w+)? [\d-]{10} [\d:]{5} UTC")
_HERE = re.compile(r"in this (chat|thread)")
_COMMAND = re.compile(rf"!(?=({'|'.join(spec.name for spec in GRAMMAR.specs)})\b)")
_NAME = re.compile(r"\b([PV]\d+) [\w-]+\.(jpg|png|mp4)")


@dataclass(frozen=True)
class Step:
    """Something that is said or pressed in a thread, and what the model answers.

    With `until` the answer is left under way once that is shown; with `wait` off nothing is
    waited for.
    """

    say: str = ""
    files: tuple[File, ...] = ()
    answers: tuple[Reply, ...] = ()
    by: str = "Alex"
    mention: bool = True
    press: str = ""
    thread: int = 0
    until: str = ""
    wait: bool = True


@dataclass(frozen=True)
class Behaviour:
    """A conversation, and what comes of it: what is told, the turns, what the model is asked.

    The threads of one that is `shared` stand in one channel; `told` and `turns` are those of all
    threads, in their order. `asked` are the words of each request behind the system message.
    """

    name: str
    steps: tuple[Step, ...]
    told: tuple[str, ...]
    turns: tuple[dict[str, Any], ...] = ()
    asked: tuple[tuple[str, ...], ...] = ()
    pictures: int = 0
    buttons: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True)
class PlayResult:
    """What came of a conversation; `bodies` are the whole requests to the model."""

    told: tuple[str, ...]
    turns: tuple[dict[str, Any], ...]
    asked: tuple[tuple[str, ...], ...]
    pictures: int
    buttons: tuple[str, ...]
    bodies: list[str] = field(repr=False)


async def play(behaviour: Behaviour, stage: ChannelSetup) -> PlayResult:
    """Hold a conversation on a stage."""
    bot, talks = stage.bot, dict[int, "Conversation"]()
    for step in behaviour.steps:
        if step.thread not in talks:
            beside = talks.get(0)
            talks[step.thread] = stage.shared(beside) if behaviour.shared else stage.private()
        await _take(step, talks[step.thread], stage)
    messages = [one for talk in talks.values() for one in await talk.messages()]
    requests = bot.model.requests
    return PlayResult(
        told=tuple(_plain(one.text, behaviour) for one in messages),
        turns=tuple(
            [turn for talk in talks.values() for turn in await _turns(talk, stage, behaviour)]
        ),
        asked=tuple(tuple(_words(request, behaviour)) for request in requests),
        pictures=sum([await talk.pictures() for talk in talks.values()]),
        buttons=_titles(messages),
        bodies=[_plain(repr(request.body), behaviour) for request in requests],
    )


async def _take(step: Step, talk: Conversation, stage: ChannelSetup) -> None:
    stage.bot.model.then(*step.answers)
    if step.press:
        await talk.press(step.press)
    else:
        await talk.post(step.say, *step.files, by=step.by, mention=step.mention)
    if step.until:
        await talk.until(step.until)
    elif step.wait:
        await stage.bot.settled()


def _titles(messages: Iterable[ShownMessage]) -> tuple[str, ...]:
    return tuple(title for one in messages for title in one.buttons)


def _words(request: ReceivedRequest, behaviour: Behaviour) -> Iterable[str]:
    return (_plain(text, behaviour) for text in request.texts[1:])


def _plain(text: str, behaviour: Behaviour) -> str:
    """Leave out what cannot be the same: the time, and what each platform calls a conversation.

    Commands begin with `!` in Slack's threads, and so Loupe names them there. A picture that is
    pasted in a Teams channel has no name, so that none counts where many write.
    """
    text = _COMMAND.sub("/", _POST_STAMP.sub("posted", text))
    return _NAME.sub(r"\1", text) if behaviour.shared else _HERE.sub("here", text)


async def _turns(
    talk: Conversation, stage: ChannelSetup, behaviour: Behaviour
) -> list[dict[str, Any]]:
    """The turns that the store holds, in the fields that are not as they are by default.

    Who asked counts where several people may.
    """
    past = await RedisHistory(stage.bot.redis, RetentionLimits()).past(talk.thread)
    left_out = VARYING_FIELDS if behaviour.shared else VARYING_FIELDS | {"author"}
    return [
        {
            name: value
            for name, value in asdict(record_of(turn)).items()
            if name not in left_out and value
        }
        for turn in past.turns
    ]


NEVER_SET = asyncio.Event()
"""Holds an answer back for good."""
