"""A workspace with the whole bot in it, and people who write there."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from tests.helpers.images import MEDIA
from tests.helpers.running_bot import RunningBot, run_bot
from tests.helpers.slack_payloads import button, event_callback, message_event, slash
from tests.servers.slack import SlackServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.slack import SlackMessage

CAR = (MEDIA / "fruits.jpg").read_bytes()
_events = itertools.count(1)


class SlackWorkspace:
    """The bot and the workspace, and people who write there."""

    def __init__(self, bot: RunningBot, slack: SlackServer, *, socket: bool) -> None:
        self.bot = bot
        self.slack = slack
        self._socket = socket

    async def event(self, event: dict[str, Any], **headers: str) -> int:
        """Deliver an event, and return the status: 200 too for an acknowledged envelope."""
        return await self.deliver(event_callback(event, event_id=f"Ev{next(_events)}"), **headers)

    async def deliver(self, payload: dict[str, Any], **headers: str) -> int:
        if self._socket:
            return 200 if await self.slack.send(payload) else 503
        return await self.slack.deliver(self.bot.session, self.bot.origin, payload, **headers)

    async def say(self, text: str, *files: dict[str, Any], **where: Any) -> str:
        """Write something; returns the root of its thread."""
        ts = self.slack.stamp()
        how = {"files": list(files), "subtype": "file_share"} if files else {}
        post = message_event(text, **{"channel": "D1", "ts": ts, **how, **where})
        self.slack.posts.append(post)
        assert await self.event(post) == 200
        return str(post.get("thread_ts", ts))

    async def answered(self, thread: str, count: int = 1) -> list[SlackMessage]:
        """Wait for so many finished answers in a thread."""

        def done() -> list[SlackMessage]:
            messages = [one for one in self.slack.shown(thread) if one.text and not one.streaming]
            return messages if len(messages) >= count else []

        await self.slack.until(done)
        await self.bot.settled()
        return done()

    async def ask(self, text: str, *files: dict[str, Any], **where: Any) -> str:
        """Ask something; returns the last answer in its thread."""
        before = len(self.slack.shown(str(where.get("thread_ts", "-"))))
        thread = await self.say(text, *files, **where)
        return (await self.answered(thread, before + 1))[-1].text

    async def clear(self) -> None:
        """Forget all that was said, on both sides."""
        await self.bot.settled()
        await self.bot.redis.flushdb()
        for file in self.bot.files():
            file.unlink()
        self.bot.model.forget()
        self.bot.vision.forget()
        self.slack.forget()

    async def slash(self, text: str, **where: str) -> str:
        """Call `/loupe …` and return the answer, which only its author sees."""
        before = len(self.private)
        form = slash(text, **{"channel_id": "D1", "trigger_id": self.slack.stamp(), **where})
        assert await self.deliver(form) == 200
        await self.slack.until(lambda: len(self.private) > before)
        await self.bot.settled()
        return self.private[-1].text

    @property
    def private(self) -> list[SlackMessage]:
        """What was shown to one person alone."""
        return [message for message in self.slack.messages if message.only_for]

    async def press(self, thread: str, title: str, channel: str = "D1") -> None:
        """Press the last button of that title in a thread."""
        buttons = [
            (message, each)
            for message in self.slack.shown(thread)
            for block in message.blocks
            for each in block.get("elements", ())
            if each.get("type") == "button" and each["text"]["text"] == title
        ]
        message, element = buttons[-1]
        where = {"message_ts": message.ts, "channel_id": channel, "thread_ts": thread}
        payload = button(
            element["value"],
            trigger_id=self.slack.stamp(),
            channel={"id": channel},
            container={"type": "message", "is_ephemeral": False, **where},
            message={"ts": message.ts, "thread_ts": thread},
        )
        assert await self.deliver(payload) == 200


class SlackWorkspaces:
    """Workspaces that tests share, each opened when it is first needed.

    "http" and "socket" are named by how Slack delivers; "troubles" is like the first, for tests
    after which Slack is to be left alone for a while.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._workspaces: dict[str, SlackWorkspace] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def get(self, name: str) -> SlackWorkspace:
        """Return a workspace in which nothing has happened yet."""
        if name not in self._workspaces:
            opening = open_workspace(self._folder / name, socket=name == "socket")
            self._workspaces[name] = await self._stack.enter_async_context(opening)
        workspace = self._workspaces[name]
        await workspace.clear()
        return workspace


@asynccontextmanager
async def open_workspace(
    folder: Path, *, socket: bool = False, **how: Any
) -> AsyncIterator[SlackWorkspace]:
    """Run the bot in a workspace; at the end nothing live may have been said there."""
    how = {"limits": {"burst_seconds": 0.2}, **how}
    async with SlackServer() as slack:
        async with run_bot(folder, registered=False, slack=slack, socket=socket, **how) as bot:
            yield SlackWorkspace(bot, slack, socket=socket)
        assert slack.alarms == []
