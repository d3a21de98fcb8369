"""A conversation as people have it with the bot, in Teams or elsewhere."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.payloads import payload
from tests.servers.teams import TENANT
from tests.servers.teams_services import APP_ID

if TYPE_CHECKING:
    from tests.helpers.running_bot import RunningBot
    from tests.servers.teams_chats import TeamsMessage

ALEX = {"id": "29:alex", "name": "Alex", "aadObjectId": "9f1c0a00"}
ROBIN = {"id": "29:robin", "name": "Robin", "aadObjectId": "9f1c0a01"}
BOT = {"id": f"28:{APP_ID}", "name": "Loupe"}
TIMEOUT = 30.0
"""Seconds that a condition is waited for; nothing takes that long on an idle machine."""
IMAGE = '<img itemtype="http://schema.skype.com/AMSImage" src="https://as.asm.skype.com/1">'

_ids = count(int(time.time() * 1000) - 3_600_000)
"""Milliseconds, as Teams makes ids of them; an hour old, as threads begin before replies."""


def new_id() -> str:
    """Make the id of a post, which may name a thread too."""
    return str(next(_ids))


TEMPLATES = {
    "personal": "teams_personal_text",
    "groupChat": "teams_group_mention",
    "channel": "teams_channel_post",
    "emulator": "emulator_text",
    "webchat": "webchat_text",
}


class Chat:
    """A conversation; the first post in a channel's thread is the one that opens it."""

    def __init__(
        self, bot: RunningBot, scope: str, place: str, root: str = "", tenant: str = TENANT
    ) -> None:
        self.bot = bot
        self.scope = scope
        self.place = place
        self.root = root
        self.tenant = tenant
        self.posts: list[str] = []

    @property
    def conversation(self) -> str:
        """Where Teams shows it."""
        return f"{self.place};messageid={self.root}" if self.root else self.place

    @property
    def messages(self) -> list[TeamsMessage]:
        """The bot's messages as they stand."""
        return self.bot.teams.messages(self.conversation)

    @property
    def texts(self) -> list[str]:
        """What these messages say."""
        return self.bot.teams.texts(self.conversation)

    def activity(
        self,
        text: str = "",
        *files: dict[str, Any],
        by: dict[str, str] = ALEX,
        mention: bool = True,
        **changes: Any,
    ) -> dict[str, Any]:
        """Write a message as Teams sends it, its `text/html` twin included."""
        first = self.root and not self.posts
        made = {
            "id": self.root if first else new_id(),
            "timestamp": datetime.now(UTC).isoformat(),
            "serviceUrl": self.bot.teams.url,
            "from": by,
            "recipient": BOT,
            "text": text,
            "attachments": [*files],
            **changes,
        }
        template = payload(TEMPLATES[self.scope])
        if self.scope in {"personal", "groupChat", "channel"}:
            pictures = sum(file["contentType"].startswith("image/") for file in files)
            twin = {"contentType": "text/html", "content": f"<p>{escape(text)}</p>"}
            twin["content"] += IMAGE * pictures
            made["attachments"] += [twin]
            made["channelData"] = template["channelData"] | {"tenant": {"id": self.tenant}}
            place = {"id": self.conversation, "tenantId": self.tenant}
        else:
            place = {"id": self.conversation}
        made["conversation"] = template["conversation"] | place
        made["entities"] = [*changes.get("entities", ())]
        if mention and self.scope in {"groupChat", "channel"}:
            made["text"] = f"<at>Loupe</at> {text}"
            made["entities"] += [{"type": "mention", "mentioned": BOT, "text": "<at>Loupe</at>"}]
        return template | made

    async def post(self, text: str = "", *files: dict[str, Any], **how: Any) -> str:
        """Write a message, which the bot takes; returns its id."""
        activity = self.activity(text, *files, **how)
        assert await self.bot.deliver(activity) == 202
        self.posts.append(activity["id"])
        return str(activity["id"])

    async def ask(self, text: str = "", *files: dict[str, Any], **how: Any) -> str:
        """Write a message and wait until it is done; returns the last words that came."""
        await self.post(text, *files, **how)
        await self.bot.settled()
        return next(filter(None, reversed(self.texts)), "")

    async def until(self, text: str, seconds: float = TIMEOUT) -> TeamsMessage:
        """Wait for a message that shows a text."""

        def found() -> list[TeamsMessage]:
            return [shown for shown in self.messages if text in shown.text]

        return (await self.bot.teams.until(found, seconds))[0]  # type: ignore[no-any-return]

    async def press(self, title: str, by: dict[str, str] = ALEX) -> None:
        """Press a button of the last card that has it, and wait for what comes of it."""
        cards = [card["content"] for shown in self.messages for card in shown.cards]
        actions = [action for card in cards for action in card.get("actions", ())]
        pressed = next(one for one in reversed(actions) if one["title"] == title)
        activity = self.activity(mention=False, by=by, value=pressed["data"])
        assert await self.bot.deliver(activity | {"text": None, "attachments": []}) == 202
        await self.bot.settled()
