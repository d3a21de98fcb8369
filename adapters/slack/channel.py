"""Posts, streams, files and pictures in Slack."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from adapters.slack.addresses import SLACK, PrivatePost, QuietPost
from adapters.slack.text import mentions, with_names
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
    from adapters.slack.thread_history import ThreadPictures
    from adapters.slack.uploads import SlackUploads
    from adapters.slack.users import Users
    from bot.domain.messages import Attachment, Message
    from bot.domain.size_limits import SizeLimits
    from bot.ports.channel import PictureAttachment

DETAILS_SECONDS = 5.0
"""Longest time to look up names and files; after that a message goes on without them."""

IN_THREAD = Capabilities(
    files=True,
    pictures=True,
    earlier_messages=True,
    prefix="!",
    streams=True,
    stop_button=True,
    links=False,  # Slack streams cannot disable link previews, so addresses are not linked.
    edit_events=True,
)
EPHEMERAL = Capabilities(
    edits=False, prefix="/loupe ", links=False, private_posts=True, attachments=False
)
PLACES: Mapping[str, Capabilities] = {
    "Slack, in a thread": IN_THREAD,
    "Slack, answers to `/loupe`": EPHEMERAL,
}
"""The capabilities by place, as the documentation lists them."""

log = structlog.get_logger()


class SlackChannel:
    """The channel of Loupe's own Slack app."""

    name = SLACK

    def __init__(
        self,
        growing: GrowingMessages,
        messages: SlackMessages,
        ephemeral: EphemeralMessages,
        files: SlackFiles,
        uploads: SlackUploads,
        users: Users,
        thread_pictures: ThreadPictures,
        background: BackgroundWork,
        limits: SlackLimits,
    ) -> None:
        self._growing = growing
        self._messages = messages
        self._ephemeral = ephemeral
        self._files = files
        self._uploads = uploads
        self._users = users
        self._thread_pictures = thread_pictures
        self._background = background
        self._limits = limits

    def capabilities(self, address: SlackAddress) -> Capabilities:
        """Return the capabilities at an address."""
        if isinstance(address.delivery, PrivatePost):
            return replace(EPHEMERAL, text_limit=self._limits.text_limit)
        streams = self._messages.streams(address)
        return replace(
            IN_THREAD,
            pace=self._limits.stream_pace if streams else self._limits.edit_pace,
            text_limit=self._limits.text_limit,
            streams=streams,
        )

    async def post(self, address: SlackAddress, post: Post) -> str:
        """Post a message and return its `ts`; empty for quiet and private deliveries.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if isinstance(address.delivery, QuietPost):
            if post.stage is Stage.FINAL:
                await self._messages.rest(address)
            return ""
        if isinstance(address.delivery, PrivatePost):
            if post.stage is Stage.FINAL:
                await self._post_privately(address, post)
            return ""
        try:
            return await self._growing.post(address, post)
        except ConversationGone:
            await self._ask_for_invitation(address)
            raise

    async def _post_privately(self, address: SlackAddress, post: Post) -> None:
        """Post to one user, first to the whole place if it concerns everybody there.

        Raises nothing for the private post if the other was made: repeating both would announce
        the same twice.
        """
        announce = isinstance(address.delivery, PrivatePost) and address.delivery.announce
        is_announced = announce and await self._announce(address, post)
        try:
            await self._ephemeral.say(address, post)
        except (ConversationGone, DeliveryRefused) as error:
            if not is_announced:
                raise
            log.warning("announced_but_not_answered", why=str(error))

    async def _announce(self, address: SlackAddress, post: Post) -> bool:
        """Post at the top of the place; returns false if Loupe is not a member there."""
        try:
            await self._messages.say(replace(address, thread=""), post)
        except ConversationGone:
            await self._ask_for_invitation(address)
            return False
        except DeliveryUnknown as error:
            log.info("perhaps_announced", why=str(error))
        return True

    async def _ask_for_invitation(self, address: SlackAddress) -> None:
        """Ask the user, by the response URL of the command, to invite Loupe to the place."""
        if address.response:
            await self._ephemeral.respond(address.response, Post(texts.SLACK_INVITE_ME))

    async def edit(self, address: SlackAddress, message_id: str, post: Post) -> None:
        """Edit a message of Loupe's.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`, `StoppedByUser`.
        """
        if isinstance(address.delivery, QuietPost):
            return
        if isinstance(address.delivery, PrivatePost):
            await self.post(address, post)
            return
        await self._growing.edit(address, message_id, post)

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

        Returns false if only a smaller copy of the picture could be fetched.
        """
        return await self._files.fetch(address, file, into, allowance)

    async def run_task(self, message: Message) -> None:
        """Run the task of a message of kind `channel`.

        Raises `DeliveryUnknown` and `DeliveryRefused`, which have it repeated.
        """
        await self._background.run(message)

    async def add_details(self, message: Message) -> Message:
        """Fill in people's names and the details of files that Slack left out; never fails."""
        text_message, files_message = await asyncio.gather(
            _in_time(self._with_names(message), message),
            _in_time(self._with_file_details(message), message),
        )
        return replace(text_message, attachments=files_message.attachments)

    async def earlier_messages(self, message: Message) -> tuple[Message, ...] | None:
        """Return the posts with pictures before a message in its thread, oldest first."""
        return await self._thread_pictures.of(message)

    async def _with_names(self, message: Message) -> Message:
        users = {message.author.id, *mentions(message.text)}
        names = await self._users.names(message.address.team, {user for user in users if user})
        name = names.get(message.author.id, "") or message.author.name
        author = replace(message.author, name=name)
        return replace(message, author=author, text=with_names(message.text, names))

    async def _with_file_details(self, message: Message) -> Message:
        team = message.address.team
        files = [await self._files.with_details(team, file) for file in message.attachments]
        return replace(message, attachments=tuple(files))


async def _in_time(lookup: Awaitable[Message], message: Message) -> Message:
    """Return the result of a lookup, or the message as it is if that fails or takes too long."""
    try:
        async with asyncio.timeout(DETAILS_SECONDS):
            return await lookup
    except (DeliveryUnknown, DeliveryRefused, ConversationGone, TimeoutError) as error:
        log.info("message_not_completed", why=str(error) or type(error).__name__)
        return message
