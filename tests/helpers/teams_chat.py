"""A conversation of people with the bot, in Teams or another channel."""

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
"""Most seconds to wait for a condition; nothing takes that long on an idle machine."""
IMAGE = '<img itemtype="http://schema.skype.com/AMSImage" src="https://as.asm.skype.com/1">'

_ids = count(int(time.time() * 1000) - 3_600_000)
"""Milliseconds, from which Teams makes ids; an hour old, as threads are older than replies."""


def new_id() -> str:
    """Return the id for a new post or thread."""
    return str(next(_ids))


TEMPLATES = {
    "personal": "teams_personal_text",
    "groupChat": "teams_group_mention",
    "channel": "teams_channel_post",
    "emulator": "emulator_text",
    "webchat": "webchat_text",
}


class Chat:
    """A conversation; in a channel, the first post opens the thread."""

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
        """The id of the conversation."""
        return f"{self.place};messageid={self.root}" if self.root else self.place

    @property
    def messages(self) -> list[TeamsMessage]:
        """The bot's current messages."""
        return self.bot.teams.messages(self.conversation)

    @property
    def texts(self) -> list[str]:
        """The texts of these messages."""
        return self.bot.teams.texts(self.conversation)

    def activity(
        self,
        text: str = "",
        *files: dict[str, Any],
        by: dict[str, str] = ALEX,
        mention: bool = True,
        **changes: Any,
    ) -> dict[str, Any]:
        """Return a message as Teams sends it, including the copy as `text/html`."""
        first = self.root and not self.posts
        fields = {
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
            copy = {"contentType": "text/html", "content": f"<p>{escape(text)}</p>"}
            copy["content"] += IMAGE * pictures
            fields["attachments"] += [copy]
            fields["channelData"] = template["channelData"] | {"tenant": {"id": self.tenant}}
            place = {"id": self.conversation, "tenantId": self.tenant}
        else:
            place = {"id": self.conversation}
        fields["conversation"] = template["conversation"] | place
        fields["entities"] = [*changes.get("entities", ())]
        if mention and self.scope in {"groupChat", "channel"}:
            fields["text"] = f"<at>Loupe</at> {text}"
            fields["entities"] += [{"type": "mention", "mentioned": BOT, "text": "<at>Loupe</at>"}]
        return template | fields

    async def post(self, text: str = "", *files: dict[str, Any], **how: Any) -> str:
        """Post a message to the bot and return its id."""
        activity = self.activity(text, *files, **how)
        assert await self.bot.deliver(activity) == 202
        self.posts.append(activity["id"])
        return str(activity["id"])

    async def ask(self, text: str = "", *files: dict[str, Any], **how: Any) -> str:
        """Post a message, wait until it is handled, and return the last text of the bot."""
        await self.post(text, *files, **how)
        await self.bot.settled()
        return next(filter(None, reversed(self.texts)), "")

    async def until(self, text: str, seconds: float = TIMEOUT) -> TeamsMessage:
        """Wait for a message of the bot with a text, and return it."""

        def found() -> list[TeamsMessage]:
            return [message for message in self.messages if text in message.text]

        return (await self.bot.teams.until(found, seconds))[0]  # type: ignore[no-any-return]

    async def press(self, title: str, by: dict[str, str] = ALEX) -> None:
        """Press a button on the last card that has it, and wait until that is handled."""
        cards = [card["content"] for message in self.messages for card in message.cards]
        actions = [action for card in cards for action in card.get("actions", ())]
        action = next(one for one in reversed(actions) if one["title"] == title)
        activity = self.activity(mention=False, by=by, value=action["data"])
        assert await self.bot.deliver(activity | {"text": None, "attachments": []}) == 202
        await self.bot.settled()
