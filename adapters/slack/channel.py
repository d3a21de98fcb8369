"""Posts, streams, files and pictures in Slack."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from adapters.slack.addresses import SLACK, PrivatePost, QuietPost
from adapters.slack.text import mentions, named
from bot import strings as texts
from bot.ports.channel import (
    Capabilities,
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    Post,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from pathlib import Path

    from adapters.chat.growing_message import GrowingMessages
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.background_work import BackgroundWork
    from adapters.slack.files import SlackFiles
    from adapters.slack.messages import EphemeralMessages, SlackMessages
    from adapters.slack.settings import SlackLimits
    from adapters.slack.thread_history import EarlierPictures
    from adapters.slack.uploads import SlackUploads
    from adapters.slack.users import Users
    from bot.domain.messages import Attachment, Message
    from bot.domain.size_limits import SizeLimits
    from bot.ports.channel import PictureAttachment

COMPLETING = 5.0
"""Seconds in which names and files are asked for: without them the message goes on as it is."""

IN_THREAD = Capabilities(
    files=True,
    pictures=True,
    earlier_messages=True,
    prefix="!",
    streams=True,
    stop_button=True,
    links=False,  # Streams know no wish to have none unfurled.
    edit_events=True,
)
PRIVATELY = Capabilities(
    edits=False, prefix="/loupe ", links=False, private_posts=True, attachments=False
)
PLACES: Mapping[str, Capabilities] = {
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
        growth: GrowingMessages,
        paper: SlackMessages,
        private: EphemeralMessages,
        files: SlackFiles,
        uploads: SlackUploads,
        people: Users,
        earlier: EarlierPictures,
        errands: BackgroundWork,
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

    def capabilities(self, address: SlackAddress) -> Capabilities:
        """Return what can be done at an address."""
        if isinstance(address.delivery, PrivatePost):
            return replace(PRIVATELY, text_limit=self._limits.text_limit)
        streams = self._paper.streams(address)
        return replace(
            IN_THREAD,
            pace=self._limits.stream_pace if streams else self._limits.edit_pace,
            text_limit=self._limits.text_limit,
            streams=streams,
        )

    async def post(self, address: SlackAddress, post: Post) -> str:
        """Show a new message and return its `ts`; empty where nobody else is to see it.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if isinstance(address.delivery, QuietPost):
            if post.stage is Stage.FINAL:
                await self._paper.rest(address)
            return ""
        if isinstance(address.delivery, PrivatePost):
            if post.stage is Stage.FINAL:
                await self._tell(address, post)
            return ""
        try:
            return await self._growth.post(address, post)
        except ConversationGone:
            await self._ask_for_invitation(address)
            raise

    async def _tell(self, address: SlackAddress, post: Post) -> None:
        """Tell one, after all whom it concerns; they are not told again because one was not."""
        announced = isinstance(address.delivery, PrivatePost) and address.delivery.announced
        told = announced and await self._announce(address, post)
        try:
            await self._private.say(address, post)
        except (ConversationGone, DeliveryRefused) as error:
            if not told:
                raise
            log.warning("told_to_all_alone", why=str(error))

    async def _announce(self, address: SlackAddress, post: Post) -> bool:
        """Post what concerns all at the top of the place; False where Loupe cannot be heard."""
        try:
            await self._paper.say(replace(address, thread=""), post)
        except ConversationGone:
            await self._ask_for_invitation(address)
            return False
        except DeliveryUnknown as error:
            log.info("perhaps_announced", why=str(error))
        return True

    async def _ask_for_invitation(self, address: SlackAddress) -> None:
        """Tell who asked by a web hook that Loupe cannot be heard in that place."""
        if address.response:
            await self._private.respond(address.response, Post(texts.SLACK_INVITE_ME))

    async def edit(self, address: SlackAddress, message_id: str, post: Post) -> None:
        """Change a message of ours.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`, `StoppedByUser`.
        """
        if isinstance(address.delivery, QuietPost):
            return
        if isinstance(address.delivery, PrivatePost):
            await self.post(address, post)
            return
        await self._growth.edit(address, message_id, post)

    async def send_file(
        self, address: SlackAddress, name: str, media_type: str, data: bytes
    ) -> None:
        """Upload a file into the thread.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        await self._uploads.share(address, name, data)

    async def send_picture(self, address: SlackAddress, picture: PictureAttachment) -> None:
        """Upload a picture into the thread.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        await self._uploads.share(
            address, picture.file_name, picture.jpeg, alt=picture.alt, title=picture.name
        )

    async def fetch(
        self, address: SlackAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`.

        Returns false where only a smaller picture of it came.
        """
        return await self._files.fetch(address, file, into, allowance)

    async def run_task(self, message: Message) -> None:
        """Do what was accepted as work of Slack's own.

        Raises `DeliveryUnknown`, which repeats it.
        """
        await self._errands.run(message)

    async def add_details(self, message: Message) -> Message:
        """Fill in names of people, and of files what Slack left out; never fails."""
        named, hydrated = await asyncio.gather(
            _in_time(self._named(message), message), _in_time(self._hydrated(message), message)
        )
        return replace(named, attachments=hydrated.attachments)

    async def earlier_messages(self, message: Message) -> tuple[Message, ...] | None:
        """List the posts with pictures before a message in its thread, oldest first."""
        return await self._earlier.of(message)

    async def _named(self, message: Message) -> Message:
        asked = {message.author.id, *mentions(message.text)}
        names = await self._people.names(message.address.team, {user for user in asked if user})
        name = names.get(message.author.id, "") or message.author.name
        author = replace(message.author, name=name)
        return replace(message, author=author, text=named(message.text, names))

    async def _hydrated(self, message: Message) -> Message:
        team = message.address.team
        files = [await self._files.known(team, file) for file in message.attachments]
        return replace(message, attachments=tuple(files))


async def _in_time(completing: Awaitable[Message], message: Message) -> Message:
    """Wait for what completes a message; where it fails or takes too long it stays as it is."""
    try:
        async with asyncio.timeout(COMPLETING):
            return await completing
    except (DeliveryUnknown, DeliveryRefused, ConversationGone, TimeoutError) as error:
        log.info("message_not_completed", why=str(error) or type(error).__name__)
        return message
