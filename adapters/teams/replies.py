"""Posts and edits in Teams, and plainly in every other Bot Framework channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from adapters.retries import Clock
from adapters.teams import posts
from adapters.teams.activities import TEAMS
from adapters.teams.refusals import Refusal, TooBig
from bot.channel import Abilities, Gone, Refused, Stage, Unclear
from bot.mailbox import NO_ID

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.teams.connector import Connector
    from adapters.teams.consent import Consents
    from adapters.teams.files import Files
    from adapters.teams.limits import TeamsLimits
    from adapters.teams.streams import Streams
    from bot.channel import OutPicture, Post
    from bot.media.allowance import Allowance
    from bot.messages import Address, Attachment, Message

log = structlog.get_logger()

EDITING = {TEAMS, "emulator"}
"""Channels in which a sent message can be changed."""
NEVER = {400, 403, 404, 405, 410, 501}
"""Refusals of an edit that no repetition changes: that message cannot be edited."""


def is_personal_teams(address: Address) -> bool:
    """Tell whether an address is a Teams chat with one person: it streams and takes files."""
    return address.get("channel") == TEAMS and address.get("scope") == "personal"


class TeamsChannel:
    """The channel "msteams", and every other one that the Bot Framework brings."""

    name = TEAMS

    def __init__(
        self,
        connector: Connector,
        streams: Streams,
        consents: Consents,
        files: Files,
        limits: TeamsLimits,
        clock: Clock | None = None,
    ) -> None:
        self._connector = connector
        self._streams = streams
        self._consents = consents
        self._files = files
        self._limits = limits
        self._clock = clock or Clock()

    def abilities(self, address: Address) -> Abilities:
        """Tell what can be done at an address."""
        personal = is_personal_teams(address)
        return Abilities(
            edits=address.get("channel") in EDITING,
            pace=self._limits.stream_pace if personal else self._limits.edit_pace,
            text_limit=self._limits.text_limit,
            files=personal,
            pictures=True,
        )

    async def post(self, address: Address, post: Post) -> str:
        """Show a new message and return its id, empty where only typing is shown.

        Raises `Unclear`, `Gone`, `Refused`.
        """
        opening = post.stage is Stage.OPENING
        if post.stage is not Stage.FINAL and not self.abilities(address).edits:
            await self._show_typing(address)
            return ""
        if opening and post.live and is_personal_teams(address) and self._streams.free(address):
            try:
                return await self._streams.open(address, post)
            except (Refused, Gone) as error:
                log.info("no_stream", why=str(error))
        return await self._say(address, post)

    async def edit(self, address: Address, sent: str, post: Post) -> None:
        """Change a message of ours; what is not final is given up where it cannot be shown.

        A final text whose message cannot be edited is posted anew. Raises `Unclear`, `Gone`,
        `Refused`, `StoppedByUser`.
        """
        final = post.stage is Stage.FINAL
        if sent in {"", NO_ID} or not self.abilities(address).edits:
            if final:
                await self._say(address, post)
        elif await self._streams.show(address, sent, post):
            return
        elif final:
            await self._settle(address, sent, post)
        elif posts.text(post):
            await self._update(address, sent, post)

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        """Offer a file; it is handed over when the user accepts. Raises as `post` does."""
        await self._consents.offer(address, name, data)

    async def send_picture(self, address: Address, picture: OutPicture) -> None:
        """Show a picture as a message of its own: Teams splits one that holds text too.

        Raises `Unclear`, `Gone`, `Refused` (`TooBig` where not even the smaller one is taken).
        """
        try:
            await self._show_picture(address, picture.name, picture.jpeg)
        except TooBig as refusal:
            log.info("picture_too_big", size=len(picture.jpeg), why=str(refusal))
            await self._show_picture(address, picture.name, picture.small)

    async def fetch(
        self, address: Address, file: Attachment, into: Path, allowance: Allowance
    ) -> None:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`."""
        await self._files.fetch(address, file, into, allowance)

    async def carry_on(self, message: Message) -> None:
        """Hand over a file that the user accepted, or take back one that was declined."""
        await self._consents.settle(message.address)

    async def _show_typing(self, address: Address) -> None:
        try:
            await self._connector.post(
                address["service"], address["conversation"], posts.typing(address), brief=True
            )
        except (Unclear, Refused) as error:
            log.info("typing_not_shown", why=str(error))

    async def _say(self, address: Address, post: Post) -> str:
        service, conversation = address["service"], address["conversation"]
        try:
            return await self._connector.post(service, conversation, posts.message(address, post))
        except TooBig:
            shorter = posts.message(address, post, posts.MAX_BYTES // 4)
            return await self._connector.post(service, conversation, shorter)

    async def _show_picture(self, address: Address, name: str, jpeg: bytes) -> None:
        activity = await asyncio.to_thread(posts.picture, address, name, jpeg)
        await self._connector.post(address["service"], address["conversation"], activity)

    async def _update(self, address: Address, sent: str, post: Post) -> None:
        """Show how far a text has come; what is lost is carried by the next edit."""
        behind = self._limits.edit_pace - self.abilities(address).pace
        if behind > 0:  # edits come at the pace of streams, for which this message is too late
            await self._clock.sleep(behind)
        activity = posts.message(address, post)
        try:
            await self._connector.put(
                address["service"], address["conversation"], sent, activity, brief=True
            )
        except (Unclear, Refused) as error:
            log.info("edit_not_shown", why=str(error))

    async def _settle(self, address: Address, sent: str, post: Post) -> None:
        """Show the final text in its message, else in a new one."""
        try:
            await self._put(address, sent, post)
        except Refusal as refusal:
            if refusal.status not in NEVER:
                raise
            log.warning("posted_anew", why=str(refusal))
            await self._say(address, post)

    async def _put(self, address: Address, sent: str, post: Post) -> None:
        service, conversation = address["service"], address["conversation"]
        try:
            await self._connector.put(service, conversation, sent, posts.message(address, post))
        except TooBig:
            shorter = posts.message(address, post, posts.MAX_BYTES // 4)
            await self._connector.put(service, conversation, sent, shorter)
