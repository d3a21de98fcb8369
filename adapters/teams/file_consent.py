"""Files that Loupe hands over in a personal chat, once the user accepts.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

import structlog

from adapters.teams import render as posts
from bot import strings as texts
from bot.domain.threads import Thread
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Post

if TYPE_CHECKING:
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.connector import Connector
    from adapters.teams.settings import TeamsLimits
    from adapters.teams.uploads import Uploads
    from bot.ports.blobs import Blobs

log = structlog.get_logger()

CONSENT_CARD = "application/vnd.microsoft.teams.card.file.consent"
INFO_CARD = "application/vnd.microsoft.teams.card.file.info"
KEY = re.compile(r"[0-9a-f]{48}")
SAVED = b""
"""Is kept in place of a file that was handed over."""


class FileConsents:
    """Offers files, and uploads those that were accepted where Teams says."""

    def __init__(
        self, connector: Connector, blobs: Blobs, uploads: Uploads, limits: TeamsLimits
    ) -> None:
        self._connector = connector
        self._blobs = blobs
        self._uploads = uploads
        self._limits = limits

    async def offer(self, address: TeamsAddress, name: str, data: bytes) -> None:
        """Ask the user to accept a file.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if not 0 < len(data) <= self._limits.file_bytes:
            raise ValueError(f"a file of {len(data)} bytes cannot be offered")
        key = secrets.token_hex(24)
        await self._keep(address, key, data)
        card = await self._show(address, _consent_card(key, name, len(data)))
        await self._blobs.put(_card(address, key), card.encode())

    async def settle(self, address: TeamsAddress) -> None:
        """Carry out what the user chose on a card.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        choice = address.invoke or {}
        key = _key(choice)
        data = await self._kept(address, key) if key else None
        if data is None:
            await self._say(address, texts.FILE_EXPIRED)
        elif data == SAVED:
            await self._say(address, texts.FILE_SAVED_ALREADY)
        elif choice.get("action") == "accept":
            await self._hand_over(address, key, data)
        else:
            await self._take_card_back(address, key)
            await self._blobs.erase(_folder(address, key))
            await self._say(address, texts.FILE_DECLINED)

    async def _keep(self, address: TeamsAddress, key: str, data: bytes) -> None:
        """Keep bytes for the user of an address, below a line of JSON that says so."""
        until = time.time() + self._limits.file_hours * 3600
        head = json.dumps({"owner": _owner(address), "until": until})
        await self._blobs.put(_file(address, key), head.encode() + b"\n" + data)

    async def _kept(self, address: TeamsAddress, key: str) -> bytes | None:
        """Give what is kept for the user of an address, unless it expired."""
        found = await self._blobs.get(_file(address, key))
        if found is None:
            return None
        head, _, data = found.partition(b"\n")
        told = json.loads(head)
        valid = told["owner"] == _owner(address) and told["until"] > time.time()
        return data if valid else None

    async def _hand_over(self, address: TeamsAddress, key: str, data: bytes) -> None:
        target = (address.invoke or {}).get("uploadInfo")
        target = target if isinstance(target, dict) else {}
        if not await self._uploads.upload(address, str(target.get("uploadUrl", "")), data):
            await self._say(address, texts.FILE_NOT_SAVED)
            return
        await self._keep(address, key, SAVED)
        await self._show(address, _info_card(target))
        await self._take_card_back(address, key)

    async def _take_card_back(self, address: TeamsAddress, key: str) -> None:
        """Delete the card that asked, where it is known and can be deleted."""
        card = await self._blobs.get(_card(address, key))
        if not card:
            return
        service, conversation = address.service, address.conversation
        try:
            await self._connector.delete(service, conversation, card.decode())
        except (DeliveryRefused, DeliveryUnknown, ConversationGone) as error:
            log.info("consent_card_stays", why=str(error))

    async def _say(self, address: TeamsAddress, text: str) -> None:
        service, conversation = address.service, address.conversation
        await self._connector.post(service, conversation, posts.message(address, Post(text)))

    async def _show(self, address: TeamsAddress, card: dict[str, Any]) -> str:
        activity = posts.base(address, "message") | {"attachments": [card]}
        return await self._connector.post(address.service, address.conversation, activity)


def _consent_card(key: str, name: str, size: int) -> dict[str, Any]:
    """Make the card that asks; the key comes back from the client, so it says nothing."""
    return {
        "contentType": CONSENT_CARD,
        "name": name,
        "content": {
            "description": texts.FILE_OFFER,
            "sizeInBytes": size,
            "acceptContext": {"file": key},
            "declineContext": {"file": key},
        },
    }


def _info_card(target: dict[str, Any]) -> dict[str, Any]:
    """Make the card that shows the saved file."""
    return {
        "contentType": INFO_CARD,
        "contentUrl": target.get("contentUrl"),
        "name": target.get("name"),
        "content": {"uniqueId": target.get("uniqueId"), "fileType": target.get("fileType")},
    }


def _key(choice: dict[str, Any]) -> str:
    context = choice.get("context")
    key = context.get("file") if isinstance(context, dict) else None
    return key if isinstance(key, str) and KEY.fullmatch(key) else ""


def _owner(address: TeamsAddress) -> list[str]:
    """Name who may accept a file, and where: tenant, conversation and user."""
    user = str(address.user.get("id", ""))
    return [address.tenant, address.conversation, user]


def _folder(address: TeamsAddress, key: str) -> str:
    """Name where an offered file is kept: below its thread, with which it is forgotten."""
    thread = Thread(address.channel, address.tenant, address.conversation)
    return f"{thread.key}/offered/{key}"


def _file(address: TeamsAddress, key: str) -> str:
    return f"{_folder(address, key)}/file"


def _card(address: TeamsAddress, key: str) -> str:
    """Name where the id of the card that asked is kept."""
    return f"{_folder(address, key)}/card"
