"""Conversations in Slack, over the tests' workspace, delivered by HTTP or through a socket."""

from __future__ import annotations

import itertools
import mimetypes
from typing import TYPE_CHECKING, Any

from adapters.slack.addresses import thread_of
from tests.helpers.conversation import ShownMessage
from tests.helpers.slack_payloads import (
    MENTION,
    TEAM,
    button,
    event_callback,
    message_changed,
    message_event,
    slash,
)

if TYPE_CHECKING:
    from bot.domain.threads import Thread
    from tests.helpers.conversation import File
    from tests.helpers.running_bot import RunningBot
    from tests.servers.slack import SlackMessage, SlackServer

PEOPLE = {"Alex": "UALEX", "Robin": "UROBIN"}
_numbers = itertools.count(1)
"""Makes ids of places, events and buttons, which no two setups may share."""


class SlackConversation:
    """A thread; the first post opens it, and later ones reply to that."""

    def __init__(self, stage: SlackSetup, channel: str, root: str = "") -> None:
        self.stage = stage
        self.slack = stage.slack
        self.channel = channel
        self.root = root

    @property
    def thread(self) -> Thread:
        return thread_of(TEAM, self.channel, self.root)

    @property
    def bot_messages(self) -> list[SlackMessage]:
        """The messages of Loupe's, as they stand."""
        return self.slack.shown(self.root)

    async def post(self, text: str, *files: File, by: str = "Alex", mention: bool = True) -> None:
        ts, kind = self.slack.stamp(), "im" if self.channel.startswith("D") else "channel"
        text = f"{MENTION} {text}".rstrip() if mention and kind == "channel" else text
        post = message_event(text, channel=self.channel, channel_type=kind, ts=ts, user=PEOPLE[by])
        if files:
            objects = [self.slack.file(file.data, file.name, _type(file)) for file in files]
            post |= {"subtype": "file_share", "files": objects}
        if self.root:
            post["thread_ts"] = self.root
        self.root = self.root or ts
        self.slack.posts.append(post)
        await self.event(post)

    async def attach(self, text: str, file: File) -> None:
        await self.post(text, file)

    async def edit(self, text: str) -> None:
        old = self.slack.posts[-1]
        mark = {"user": old["user"], "ts": f"9.{next(_numbers)}"}
        mention = f"{MENTION} " if MENTION in old["text"] else ""
        await self.event(message_changed({**old, "text": mention + text, "edited": mark}, old))

    async def event(self, event: dict[str, Any]) -> None:
        await self.stage.deliver(event_callback(event, event_id=f"Ev{next(_numbers)}"))

    async def press(self, title: str) -> None:
        element = next(one for one in reversed(self._buttons()) if one["text"]["text"] == title)
        place = {"channel": {"id": self.channel, "name": "somewhere"}}
        container = {"type": "message", "channel_id": self.channel, "thread_ts": self.root}
        more = {**place, "container": container, "message": {"thread_ts": self.root}}
        payload = button(element["value"], trigger_id=f"9.{next(_numbers)}", **more)
        await self.stage.deliver(payload)

    def _buttons(self) -> list[dict[str, Any]]:
        return [button for message in self.bot_messages for button in _buttons_of(message)]

    async def stop(self) -> None:
        """Press Slack's Stop, which ends the stream before the app is told."""
        streams = [message for message in self.bot_messages if message.streaming]
        for message in streams:
            message.streaming = False
        event = {"type": "agent_session_stopped", "channel": self.channel, "user": "UALEX"}
        marks = [message.ts for message in streams]
        await self.event({**event, "thread_ts": self.root, "streaming_message_ts": marks})

    async def until(self, text: str) -> None:
        await self.slack.until(lambda: any(text in message.text for message in self.bot_messages))

    async def messages(self) -> list[ShownMessage]:
        return [
            ShownMessage(message.text, tuple(one["text"]["text"] for one in _buttons_of(message)))
            for message in self.bot_messages
            if message.text
        ]

    async def is_streamed(self) -> bool:
        return any(message.was_streamed for message in self.bot_messages)

    async def pictures(self) -> int:
        return sum(name.endswith(".jpg") for name, _ in self._uploads())

    async def files(self) -> dict[str, bytes]:
        return {name: data for name, data in self._uploads() if not name.endswith(".jpg")}

    def _uploads(self) -> list[tuple[str, bytes]]:
        return [(name, data) for root, name, data in self.slack.uploads if root == self.root]


class SlashConversation(SlackConversation):
    """What one person has by `/loupe`, about the latest thread in which they asked something."""

    @property
    def bot_messages(self) -> list[SlackMessage]:
        """What only that person sees."""
        private = (one for one in self.slack.messages if one.only_for == PEOPLE["Alex"])
        return [one for one in private if one.channel == self.channel]

    async def order(self, text: str) -> None:
        """Call `/loupe` with what stands behind it."""
        where = {"channel_id": self.channel, "user_id": PEOPLE["Alex"]}
        await self.stage.deliver(slash(text, trigger_id=f"9.{next(_numbers)}", **where))


class SlackSetup:
    """A workspace whose deliveries go to a bot, by HTTP or through the socket that it opened."""

    def __init__(self, bot: RunningBot, slack: SlackServer, *, socket: bool) -> None:
        self.bot = bot
        self.slack = slack
        self._socket = socket

    def private(self) -> SlackConversation:
        return SlackConversation(self, f"D{next(_numbers)}")

    def shared(self, beside: Any = None) -> SlackConversation:
        return SlackConversation(self, beside.channel if beside else f"C{next(_numbers)}")

    def slash(self) -> SlashConversation:
        return SlashConversation(self, f"C{next(_numbers)}")

    async def deliver(self, payload: dict[str, Any]) -> None:
        """Deliver as Slack does; it has to be taken."""
        if self._socket:
            assert await self.slack.send(payload)
        else:
            assert await self.slack.deliver(self.bot.session, self.bot.origin, payload) == 200


def _type(file: File) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _buttons_of(message: SlackMessage) -> list[dict[str, Any]]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [button for row in rows for button in row]
