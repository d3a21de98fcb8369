"""Conversations in Teams, over the tests' connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.domain.threads import Thread
from tests.helpers.conversation import ShownMessage
from tests.helpers.teams_chat import ALEX, ROBIN, Chat, new_id
from tests.payloads import payload

if TYPE_CHECKING:
    from tests.helpers.conversation import File
    from tests.helpers.running_bot import RunningBot
    from tests.servers.teams_chats import TeamsMessage

PEOPLE = {"Alex": ALEX, "Robin": ROBIN}
CONSENT = "application/vnd.microsoft.teams.card.file.consent"


class TeamsConversation:
    """A chat or a thread in Teams; files are attached in personal chats and pasted elsewhere."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    @property
    def thread(self) -> Thread:
        return Thread("msteams", self.chat.tenant, self.chat.place, self.chat.root)

    async def post(self, text: str, *files: File, by: str = "Alex", mention: bool = True) -> None:
        teams, is_personal = self.chat.bot.teams, self.chat.scope == "personal"
        attachments = [
            teams.file(f.data, f.name) if is_personal else teams.picture(f.data) for f in files
        ]
        await self.chat.post(text, *attachments, by=PEOPLE[by], mention=mention)

    async def attach(self, text: str, file: File) -> None:
        """Attach a file: in groups of Teams all that a bot sees of it is that it is there."""
        scope, attachment = self.chat.scope, self.chat.bot.teams.file(file.data, file.name)
        if scope == "personal":
            await self.chat.post(text, attachment)
        elif scope in {"groupChat", "channel"}:
            twin = {"contentType": "text/html", "content": '<attachment id="1"></attachment>'}
            assert (
                await self.chat.bot.deliver(self.chat.activity(text) | {"attachments": [twin]})
                == 202
            )
        else:
            plain = {"contentType": "image/jpeg", "contentUrl": attachment["contentUrl"]}
            await self.chat.post(text, plain | {"name": file.name})

    async def edit(self, text: str) -> None:
        update = {"type": "messageUpdate", "id": self.chat.posts[-1]}
        event = {"eventType": "editMessage"}
        activity = self.chat.activity(text, **update)
        activity["channelData"] = {**activity.get("channelData", {}), **event}
        assert await self.chat.bot.deliver(activity) in {200, 202}

    async def press(self, title: str) -> None:
        await self.chat.press(title)

    async def stop(self) -> None:
        self.chat.bot.teams.stop(self.chat.conversation)

    async def until(self, text: str) -> None:
        await self.chat.until(text)

    async def messages(self) -> list[ShownMessage]:
        return [reading for message in self.chat.messages if (reading := _told(message)).text]

    async def is_streamed(self) -> bool:
        return any(message.stream for message in self.chat.messages)

    async def pictures(self) -> int:
        return sum(len(message.pictures) for message in self.chat.messages)

    async def files(self) -> dict[str, bytes]:
        """Accept the file that is offered, which Teams lets people do in personal chats only."""
        if self.chat.scope != "personal":
            return {}
        cards = [card for message in self.chat.messages for card in message.cards]
        if not any(card["contentType"] == CONSENT for card in cards):
            return {}
        teams, invoke = self.chat.bot.teams, payload("teams_personal_file_consent")
        consent: dict[str, Any] = {
            **self.chat.activity(),
            **{key: invoke[key] for key in ("name", "type")},
            "id": f"f:{new_id()}",
            "value": teams.consent("accept", self.chat.conversation),
            "text": None,
            "attachments": [],
        }
        assert await self.chat.bot.deliver(consent) == 200
        await self.chat.bot.settled()
        (name,) = [card["name"] for card in cards if card["contentType"] == CONSENT]
        return {name: bytes(list(teams.drive.uploads.values())[-1].data)}


class TeamsSetup:
    """Teams."""

    def __init__(self, bot: RunningBot) -> None:
        self.bot = bot

    def private(self) -> TeamsConversation:
        return TeamsConversation(self.bot.personal())

    def group(self) -> TeamsConversation:
        return TeamsConversation(self.bot.group())

    def shared(self, beside: Any = None) -> TeamsConversation:
        return TeamsConversation(self.bot.thread(beside=beside.chat if beside else None))


def _told(message: TeamsMessage) -> ShownMessage:
    """Read a message; what has buttons is a card."""
    for card in message.cards:
        content = card.get("content", {})
        if "actions" in content:
            words = "\n\n".join(block["text"] for block in content["body"])
            return ShownMessage(words, tuple(action["title"] for action in content["actions"]))
    return ShownMessage(message.text)
