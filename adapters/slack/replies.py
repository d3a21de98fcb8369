"""Posts, streams, files and pictures in Slack."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from adapters.slack.places import SLACK
from adapters.slack.wording import mentions, named
from bot import texts
from bot.channel import Abilities, Gone, Post, Refused, Stage, Unclear

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from pathlib import Path

    from adapters.growth import Growth
    from adapters.slack.earlier import Earlier
    from adapters.slack.errands import Errands
    from adapters.slack.files import SlackFiles
    from adapters.slack.limits import SlackLimits
    from adapters.slack.paper import SlackPaper
    from adapters.slack.people import People
    from adapters.slack.private import Private
    from adapters.slack.uploads import SlackUploads
    from bot.channel import OutPicture
    from bot.media.allowance import Allowance
    from bot.messages import Address, Attachment, Message

COMPLETING = 5.0
"""Seconds in which names and files are asked for: without them the message goes on as it is."""

IN_THREAD = Abilities(
    files=True,
    pictures=True,
    earlier=True,
    prefix="!",
    streams=True,
    stops=True,
    links=False,  # Streams know no wish to have none unfurled.
    follows=True,
)
PRIVATELY = Abilities(edits=False, prefix="/loupe ", links=False, private=True, attached=False)
PLACES: Mapping[str, Abilities] = {
    "Slack, in a thread": IN_THREAD,
    "Slack, answers to `/loupe`": PRIVATELY,
}
"""What can be done where, as the documentation tells it."""

log = structlog.get_logger()


class SlackChannel:
    """The channel of Loupe's own Slack app."""

    name = SLACK

    def __init__(
        self,
        growth: Growth,
        paper: SlackPaper,
        private: Private,
        files: SlackFiles,
        uploads: SlackUploads,
        people: People,
        earlier: Earlier,
        errands: Errands,
        limits: SlackLimits,
    ) -> None:
        self._growth = growth
        self._paper = paper
        self._private = private
        self._files = files
        self._uploads = uploads
        self._people = people
        self._earlier = earlier
        self._errands = errands
        self._limits = limits

    def abilities(self, address: Address) -> Abilities:
        """Tell what can be done at an address."""
        if address.get("private"):
            return replace(PRIVATELY, text_limit=self._limits.text_limit)
        streams = self._paper.streams(address)
        return replace(
            IN_THREAD,
            pace=self._limits.stream_pace if streams else self._limits.edit_pace,
            text_limit=self._limits.text_limit,
            streams=streams,
        )

    async def post(self, address: Address, post: Post) -> str:
        """Show a new message and return its `ts`; empty where nobody else is to see it.

        Raises `Unclear`, `Gone`, `Refused`.
        """
        if address.get("quiet"):
            if post.stage is Stage.FINAL:
                await self._paper.rest(address)
            return ""
        if address.get("private"):
            if post.stage is Stage.FINAL:
                await self._tell(address, post)
            return ""
        try:
            return await self._growth.post(address, post)
        except Gone:
            await self._ask_for_invitation(address)
            raise

    async def _tell(self, address: Address, post: Post) -> None:
        """Tell one, after all whom it concerns; they are not told again because one was not."""
        told = bool(address.get("public")) and await self._announce(address, post)
        try:
            await self._private.say(address, post)
        except (Gone, Refused) as error:
            if not told:
                raise
            log.warning("told_to_all_alone", why=str(error))

    async def _announce(self, address: Address, post: Post) -> bool:
        """Post what concerns all at the top of the place; False where Loupe cannot be heard."""
        try:
            await self._paper.say({**address, "thread": ""}, post)
        except Gone:
            await self._ask_for_invitation(address)
            return False
        except Unclear as error:
            log.info("perhaps_announced", why=str(error))
        return True

    async def _ask_for_invitation(self, address: Address) -> None:
        """Tell who asked by a web hook that Loupe cannot be heard in that place."""
        if address.get("response"):
            await self._private.respond(address["response"], Post(texts.SLACK_INVITE_ME))

    async def edit(self, address: Address, sent: str, post: Post) -> None:
        """Change a message of ours; raises `Unclear`, `Gone`, `Refused`, `StoppedByUser`."""
        if address.get("quiet"):
            return
        if address.get("private"):
            await self.post(address, post)
            return
        await self._growth.edit(address, sent, post)

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        """Upload a file into the thread; raises `Unclear`, `Gone`, `Refused`."""
        await self._uploads.share(address, name, data)

    async def send_picture(self, address: Address, picture: OutPicture) -> None:
        """Upload a picture into the thread; raises `Unclear`, `Gone`, `Refused`."""
        await self._uploads.share(
            address, picture.file_name, picture.jpeg, alt=picture.alt, title=picture.name
        )

    async def fetch(
        self, address: Address, file: Attachment, into: Path, allowance: Allowance
    ) -> bool:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`.

        Returns false where only a smaller picture of it came.
        """
        return await self._files.fetch(address, file, into, allowance)

    async def carry_on(self, message: Message) -> None:
        """Do what was accepted as work of Slack's own; raises `Unclear`, which repeats it."""
        await self._errands.run(message)

    async def complete(self, message: Message) -> Message:
        """Fill in names of people, and of files what Slack left out; never fails."""
        named, hydrated = await asyncio.gather(
            _in_time(self._named(message), message), _in_time(self._hydrated(message), message)
        )
        return replace(named, attachments=hydrated.attachments)

    async def earlier(self, message: Message) -> tuple[Message, ...] | None:
        """List the posts with pictures before a message in its thread, oldest first."""
        return await self._earlier.of(message)

    async def _named(self, message: Message) -> Message:
        asked = {message.author.id, *mentions(message.text)}
        names = await self._people.names(message.address["team"], {user for user in asked if user})
        name = names.get(message.author.id, "") or message.author.name
        author = replace(message.author, name=name)
        return replace(message, author=author, text=named(message.text, names))

    async def _hydrated(self, message: Message) -> Message:
        team = message.address["team"]
        files = [await self._files.known(team, file) for file in message.attachments]
        return replace(message, attachments=tuple(files))


async def _in_time(completing: Awaitable[Message], message: Message) -> Message:
    """Wait for what completes a message; where it fails or takes too long it stays as it is."""
    try:
        async with asyncio.timeout(COMPLETING):
            return await completing
    except (Unclear, Refused, Gone, TimeoutError) as error:
        log.info("message_not_completed", why=str(error) or type(error).__name__)
        return message
