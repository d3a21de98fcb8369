"""Messages that the browser posts, validated and converted to `Message`."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.page.channel import PageAddress, thread_of
from bot.domain.messages import Attachment, Author, Message
from bot.text.graphemes import well_formed

if TYPE_CHECKING:
    from adapters.page.messages import MessageFile

CONVERSATION = re.compile(r"[0-9a-z]{20,40}")
MESSAGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REF = re.compile(r"[0-9a-f]{32}")
AUTHOR_NAME = "You"


class MalformedRequest(Exception):
    """A request that the page would not send; its text is the name of the field."""


@dataclass(frozen=True, slots=True)
class PostRequest:
    """A message as the browser posts it; `files` are the refs of uploads."""

    conversation: str
    id: str
    text: str
    files: tuple[str, ...]
    quiet: bool

    def message(self, user: str, files: tuple[MessageFile, ...]) -> Message:
        """Return it as the rest of Loupe reads it."""
        return Message(
            id=self.id,
            thread=thread_of(self.conversation),
            author=Author(user, AUTHOR_NAME),
            text=self.text,
            attachments=tuple(map(_attachment, files)),
            address=PageAddress(self.conversation, self.id, quiet=self.quiet),
            at=time.time(),
        )


def read_post(body: bytes) -> PostRequest:
    """Parse a message that the browser posts; raises `MalformedRequest`."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("body") from None
    if not isinstance(fields, dict):
        raise MalformedRequest("body")
    text = _text(fields.get("text"))
    files = fields.get("files", [])
    if not isinstance(files, list) or not (text.strip() or files):
        raise MalformedRequest("files")
    return PostRequest(
        conversation=_field(fields, "conversation", CONVERSATION),
        id=_field(fields, "id", MESSAGE),
        text=text,
        files=tuple(_match(ref, "files", REF) for ref in files),
        quiet=fields.get("quiet") is True and text.startswith(("/", "!")),
    )


def conversation_of(name: str) -> str:
    """Return the id of a conversation if it is valid; raises `MalformedRequest`."""
    return _match(name, "conversation", CONVERSATION)


def ref_of(name: str) -> str:
    """Return the ref of a file if it is valid; raises `MalformedRequest`."""
    return _match(name, "ref", REF)


def _field(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    return _match(fields.get(name), name, pattern)


def _match(value: Any, name: str, pattern: re.Pattern[str]) -> str:
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise MalformedRequest(name)


def _text(value: Any) -> str:
    """Return a text; lone surrogates, which cannot be stored, are replaced."""
    if not isinstance(value, str):
        raise MalformedRequest("text")
    return well_formed(value)


def _attachment(file: MessageFile) -> Attachment:
    return Attachment(file.name, file.media_type, {"blob": file.blob})
