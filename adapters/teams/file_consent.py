"""Files that Loupe offers in a personal chat and uploads when the user accepts them.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

import structlog

from adapters.teams import render
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
UPLOADED_MARK = b""
"""Stored instead of the bytes of a file that was uploaded."""


class FileConsents:
    """Offers files, and uploads the accepted ones to the URL that Teams names."""

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
        await self._store(address, key, data)
        card = await self._post_card(address, _consent_card(key, name, len(data)))
        await self._blobs.put(_card_key(address, key), card.encode())

    async def settle(self, address: TeamsAddress) -> None:
        """Act on the choice of the user on a card.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        choice = address.invoke or {}
        key = _key(choice)
        data = await self._load(address, key) if key else None
        if data is None:
            await self._post_text(address, texts.FILE_EXPIRED)
        elif data == UPLOADED_MARK:
            await self._post_text(address, texts.FILE_SAVED_ALREADY)
        elif choice.get("action") == "accept":
            await self._upload(address, key, data)
        else:
            await self._delete_card(address, key)
            await self._blobs.erase(_folder(address, key))
            await self._post_text(address, texts.FILE_DECLINED)

    async def _store(self, address: TeamsAddress, key: str, data: bytes) -> None:
        """Store bytes for the user of an address, after a line of JSON with owner and expiry."""
        until = time.time() + self._limits.file_hours * 3600
        header = json.dumps({"owner": _owner(address), "until": until})
        await self._blobs.put(_file_key(address, key), header.encode() + b"\n" + data)

    async def _load(self, address: TeamsAddress, key: str) -> bytes | None:
        """Return the bytes stored for the user of an address; None if absent or expired."""
        blob = await self._blobs.get(_file_key(address, key))
        if blob is None:
            return None
        header, _, data = blob.partition(b"\n")
        fields = json.loads(header)
        valid = fields["owner"] == _owner(address) and fields["until"] > time.time()
        return data if valid else None

    async def _upload(self, address: TeamsAddress, key: str, data: bytes) -> None:
        target = (address.invoke or {}).get("uploadInfo")
        target = target if isinstance(target, dict) else {}
        if not await self._uploads.upload(address, str(target.get("uploadUrl", "")), data):
            await self._post_text(address, texts.FILE_NOT_SAVED)
            return
        await self._store(address, key, UPLOADED_MARK)
        await self._post_card(address, _info_card(target))
        await self._delete_card(address, key)

    async def _delete_card(self, address: TeamsAddress, key: str) -> None:
        """Delete the card with the offer, if its id is known and Teams allows it."""
        card = await self._blobs.get(_card_key(address, key))
        if not card:
            return
        service, conversation = address.service, address.conversation
        try:
            await self._connector.delete(service, conversation, card.decode())
        except (DeliveryRefused, DeliveryUnknown, ConversationGone) as error:
            log.info("consent_card_stays", why=str(error))

    async def _post_text(self, address: TeamsAddress, text: str) -> None:
        service, conversation = address.service, address.conversation
        await self._connector.post(service, conversation, render.message(address, Post(text)))

    async def _post_card(self, address: TeamsAddress, card: dict[str, Any]) -> str:
        activity = render.base(address, "message") | {"attachments": [card]}
        return await self._connector.post(address.service, address.conversation, activity)


def _consent_card(key: str, name: str, size: int) -> dict[str, Any]:
    """Return the card with the offer.

    The client sends the key back, so it must be unguessable and reveal nothing.
    """
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
    """Return the card that shows the uploaded file."""
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
    """Return who may accept a file, and where: tenant, conversation and user."""
    user = str(address.user.get("id", ""))
    return [address.tenant, address.conversation, user]


def _folder(address: TeamsAddress, key: str) -> str:
    """Return the folder of an offered file, within that of its thread, to be erased with it."""
    thread = Thread(address.channel, address.tenant, address.conversation)
    return f"{thread.key}/offered/{key}"


def _file_key(address: TeamsAddress, key: str) -> str:
    return f"{_folder(address, key)}/file"


def _card_key(address: TeamsAddress, key: str) -> str:
    """Return the key under which the id of the card with the offer is stored."""
    return f"{_folder(address, key)}/card"
