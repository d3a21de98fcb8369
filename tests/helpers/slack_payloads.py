"""What Slack sends, as its documentation shows it, and the objects that receive it in tests.

The shapes follow https://docs.slack.dev/reference/events/ and
https://docs.slack.dev/reference/interaction-payloads/.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakeredis import FakeAsyncRedis, FakeServer

from adapters.slack.bolt_app import SlackBot
from adapters.slack.thread_index import ThreadIndex
from adapters.slack.workspaces import UnknownTeam, Workspace, WorkspaceUnknown
from bot.commands.registry import GRAMMAR
from bot.domain.messages import Message
from bot.errors import StoreDown

if TYPE_CHECKING:
    from redis.asyncio import Redis

TEAM, BOT, ALEX, SAM = "T1", "UBOT", "UALEX", "USAM"
CHANNEL, DIRECT = "C1", "D1"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
WORKSPACE = Workspace(TEAM, "https://acme.slack.com/", BOT, "B1", "xoxb-not-a-real-one")
MENTION = f"<@{BOT}>"


def event_callback(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event with what comes around it."""
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A1",
        "event_id": "Ev1",
        "event_time": 1_700_000_000,
        "is_ext_shared_channel": False,
        "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        "event": event,
        **more,
    }


def message_event(text: str = f"{MENTION} what is it?", **more: Any) -> dict[str, Any]:
    """The event of a post in a channel."""
    ts = more.get("ts", "1700000000.000100")
    post = {"type": "message", "channel": CHANNEL, "channel_type": "channel", "user": ALEX}
    return {**post, "team": TEAM, "ts": ts, "event_ts": ts, "text": text, **more}


def edit_event(new: str, old: str, **more: Any) -> dict[str, Any]:
    """The event of an edit of a post, whose fields are those of `message_event`."""
    post = message_event(old, **more)
    after = {**post, "text": new, "edited": {"user": ALEX, "ts": "1700000050.000000"}}
    return message_changed(after, post)


def message_changed(after: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The event of any change of a post."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": before["channel"],
        "ts": "1700000050.000100",
        "event_ts": "1700000050.000100",
        "message": {key: value for key, value in after.items() if key != "channel"},
        "previous_message": {key: value for key, value in before.items() if key != "channel"},
    }


def message_deleted(**more: Any) -> dict[str, Any]:
    """The event of a post that is gone."""
    post = message_event(**more)
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": post["channel"],
        "ts": "1700000060.000100",
        "event_ts": "1700000060.000100",
        "deleted_ts": post["ts"],
        "previous_message": post,
    }


def photo(number: int = 1, **more: Any) -> dict[str, Any]:
    """A file object of a photo."""
    url = f"https://files.slack.com/files-pri/T1-F{number}"
    return {
        "id": f"F{number}",
        "name": f"IMG_{number}.jpg",
        "mimetype": "image/jpeg",
        "filetype": "jpg",
        "mode": "hosted",
        "size": 1234,
        "is_external": False,
        "url_private": f"{url}/img.jpg",
        "url_private_download": f"{url}/download/img.jpg",
        "thumb_360": f"{url}/img_360.jpg",
        "thumb_720": f"{url}/img_720.jpg",
        **more,
    }


def slash(text: str = "", **more: Any) -> dict[str, str]:
    """The form of a slash command."""
    return {
        "command": "/loupe",
        "text": text,
        "team_id": TEAM,
        "team_domain": "acme",
        "channel_id": CHANNEL,
        "channel_name": "general",
        "user_id": ALEX,
        "user_name": "alex",
        "trigger_id": "123.456.abc",
        "response_url": "https://hooks.slack.com/commands/T1/1/x",
        **more,
    }


def button(value: str = "/photos", **more: Any) -> dict[str, Any]:
    """The payload of a pressed button below an answer in a thread."""
    return {
        "type": "block_actions",
        "trigger_id": "123.456.def",
        "user": {"id": ALEX, "name": "alex", "team_id": TEAM},
        "team": {"id": TEAM, "domain": "acme"},
        "channel": {"id": CHANNEL, "name": "general"},
        "container": {
            "type": "message",
            "message_ts": "1700000001.000200",
            "channel_id": CHANNEL,
            "thread_ts": "1700000000.000100",
            "is_ephemeral": False,
        },
        "message": {"ts": "1700000001.000200", "thread_ts": "1700000000.000100"},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"type": "button", "action_id": "loupe:0", "value": value, "action_ts": "1"}],
        **more,
    }


def shortcut(post: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The payload of the shortcut "Analyse with Loupe" on somebody's post."""
    post = post or message_event("the dent", user=SAM, files=[photo()])
    return {
        "type": "message_action",
        "callback_id": "analyse",
        "trigger_id": "123.456.ghi",
        "message_ts": post["ts"],
        "message": post,
        "channel": {"id": CHANNEL, "name": "general"},
        "user": {"id": ALEX, "name": "alex"},
        "team": {"id": TEAM, "domain": "acme"},
        "response_url": "https://hooks.slack.com/app/T1/1/x",
        "action_ts": "1700000002.000000",
        **more,
    }


def signature(body: bytes, stamp: str, secret: str = SECRET) -> str:
    """Sign as Slack does: https://docs.slack.dev/authentication/verifying-requests-from-slack/."""
    base = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


@dataclass
class RecordingInbox:
    """Takes what is accepted, unless it is down or holds back; `keeps` is what it answers."""

    messages: list[Message] = field(default_factory=list)
    down: bool = False
    keeps: bool = True
    arrival: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None

    async def accept(self, message: Message) -> bool:
        self.arrival.set()
        if self.gate:
            await self.gate.wait()
        if self.down:
            raise StoreDown("the store is away")
        self.messages.append(message)
        return self.keeps

    @property
    def message(self) -> Message:
        """The only one."""
        [message] = self.messages
        return message


@dataclass
class OneWorkspace:
    """Workspaces as they would be after Slack's answer, or before it."""

    workspace: Workspace | None = WORKSPACE

    async def of(self, team: str) -> Workspace:
        if self.workspace is None:
            raise WorkspaceUnknown("Slack has not answered yet")
        if team != self.workspace.team:
            raise UnknownTeam("another workspace's")
        return self.workspace

    async def start(self) -> None:
        """There is nothing to ask."""

    async def stop(self) -> None:
        """There is nothing to end."""


class SlackReceiver:
    """A bot with a recording inbox and an index of its own."""

    def __init__(self, reaction: str = "mag") -> None:
        self.inbox = RecordingInbox()
        self.workspaces = OneWorkspace()
        self.server = FakeServer()
        self.redis: Redis = FakeAsyncRedis(server=self.server, decode_responses=True)
        self.index = ThreadIndex(self.redis, 3600, GRAMMAR)
        self.bot = SlackBot(self.workspaces, self.inbox.accept, self.index, GRAMMAR, reaction)

    def break_index(self) -> None:
        """Disconnect Redis."""
        self.server.connected = False

    async def close(self) -> None:
        """Close the store."""
        await self.redis.aclose()
