"""Files that Loupe hands over in a personal chat, once the user accepts.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from adapters.teams import posts
from bot import texts
from bot.channel import Gone, Post, Refused, Unclear
from bot.threads import Thread

if TYPE_CHECKING:
    from adapters.teams.connector import Connector
    from adapters.teams.limits import TeamsLimits
    from adapters.teams.uploads import Uploads
    from bot.messages import Address

log = structlog.get_logger()

CONSENT_CARD = "application/vnd.microsoft.teams.card.file.consent"
INFO_CARD = "application/vnd.microsoft.teams.card.file.info"
KEY = re.compile(r"[0-9a-f]{48}")
SAVED = b""
"""Stands on the shelf for a file that was handed over."""


class Shelf(Protocol):
    """Keeps bytes for a while, for all processes."""

    async def put(self, key: str, data: bytes, ttl: float) -> None:
        """Keep bytes under a key for so many seconds, replacing what was there."""
        ...

    async def get(self, key: str) -> bytes | None:
        """Give what is kept under a key, or None."""
        ...

    async def delete(self, key: str) -> None:
        """Keep nothing under a key."""
        ...


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may accept a file, and where."""

    tenant: str
    conversation: str
    user: str

    @classmethod
    def at(cls, address: Address) -> Owner:
        """Name the user of an address."""
        user = str((address.get("user") or {}).get("id", ""))
        return cls(address.get("tenant", ""), address["conversation"], user)


class Consents:
    """Offers files, and uploads those that were accepted where Teams says."""

    def __init__(
        self, connector: Connector, shelf: Shelf, uploads: Uploads, limits: TeamsLimits
    ) -> None:
        self._connector = connector
        self._shelf = shelf
        self._uploads = uploads
        self._limits = limits

    async def offer(self, address: Address, name: str, data: bytes) -> None:
        """Ask the user to accept a file; raises `Unclear`, `Gone`, `Refused`."""
        if not 0 < len(data) <= self._limits.file_bytes:
            raise ValueError(f"a file of {len(data)} bytes cannot be offered")
        key = secrets.token_hex(24)
        ttl = self._limits.file_hours * 3600
        await self._shelf.put(_file(address, key), _packed(Owner.at(address), data), ttl)
        card = await self._show(address, _consent_card(key, name, len(data)))
        await self._shelf.put(_card(address, key), card.encode(), ttl)

    async def settle(self, address: Address) -> None:
        """Carry out what the user chose on a card; raises `Unclear`, `Gone`, `Refused`."""
        choice = address["invoke"]
        key = _key(choice)
        kept = await self._shelf.get(_file(address, key)) if key else None
        if kept == SAVED and kept is not None:
            await self._say(address, texts.FILE_SAVED_ALREADY)
            return
        data = _unpacked(kept, Owner.at(address)) if kept else None
        if data is None:
            await self._say(address, texts.FILE_EXPIRED)
        elif choice.get("action") == "accept":
            await self._hand_over(address, key, data)
        else:
            await self._shelf.delete(_file(address, key))
            await self._take_card_back(address, key)
            await self._say(address, texts.FILE_DECLINED)

    async def _hand_over(self, address: Address, key: str, data: bytes) -> None:
        target = address["invoke"].get("uploadInfo")
        target = target if isinstance(target, dict) else {}
        if not await self._uploads.upload(address, str(target.get("uploadUrl", "")), data):
            await self._say(address, texts.FILE_NOT_SAVED)
            return
        await self._shelf.put(_file(address, key), SAVED, self._limits.file_hours * 3600)
        await self._show(address, _info_card(target))
        await self._take_card_back(address, key)

    async def _take_card_back(self, address: Address, key: str) -> None:
        """Delete the card that asked, where it is known and can be deleted."""
        card = await self._shelf.get(_card(address, key))
        if not card:
            return
        service, conversation = address["service"], address["conversation"]
        try:
            await self._connector.delete(service, conversation, card.decode())
        except (Refused, Unclear, Gone) as error:
            log.info("consent_card_stays", why=str(error))
        await self._shelf.delete(_card(address, key))

    async def _say(self, address: Address, text: str) -> None:
        service, conversation = address["service"], address["conversation"]
        await self._connector.post(service, conversation, posts.message(address, Post(text)))

    async def _show(self, address: Address, card: dict[str, Any]) -> str:
        activity = posts.base(address, "message") | {"attachments": [card]}
        return await self._connector.post(address["service"], address["conversation"], activity)


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


def _file(address: Address, key: str) -> str:
    """Name an offered file on the shelf: below its thread, with which it is forgotten."""
    thread = Thread(address["channel"], address.get("tenant", ""), address["conversation"])
    return f"{thread.key}/offered/{key}"


def _card(address: Address, key: str) -> str:
    """Name where the id of the card that asked is kept."""
    return f"{_file(address, key)}-card"


def _packed(owner: Owner, data: bytes) -> bytes:
    return json.dumps(asdict(owner)).encode() + b"\n" + data


def _unpacked(kept: bytes, owner: Owner) -> bytes | None:
    """Give the file if it is this owner's."""
    head, _, data = kept.partition(b"\n")
    return data if Owner(**json.loads(head)) == owner else None
