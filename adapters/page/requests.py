"""What the browser posts, checked and turned into a `Message`."""

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
    from adapters.page.notes_store import NoteFile

CONVERSATION = re.compile(r"[0-9a-z]{20,40}")
MESSAGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REF = re.compile(r"[0-9a-f]{32}")
AUTHOR_NAME = "You"


class MalformedRequest(Exception):
    """Not what the page sends; names the field."""


@dataclass(frozen=True, slots=True)
class PostRequest:
    """A message as the browser posts it; `files` are the refs of uploads."""

    conversation: str
    id: str
    text: str
    files: tuple[str, ...]
    quiet: bool

    def message(self, user: str, files: tuple[NoteFile, ...]) -> Message:
        """Name it as the rest of Loupe does."""
        return Message(
            id=self.id,
            thread=thread_of(self.conversation),
            author=Author(user, AUTHOR_NAME),
            text=self.text,
            attachments=tuple(map(_attachment, files)),
            address=PageAddress(self.conversation, self.id, quiet=self.quiet),
            at=time.time(),
        )


def read_posted(body: bytes) -> PostRequest:
    """Read a posted message; raises `MalformedRequest`."""
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
        conversation=_named(fields, "conversation", CONVERSATION),
        id=_named(fields, "id", MESSAGE),
        text=text,
        files=tuple(_match(ref, "files", REF) for ref in files),
        quiet=fields.get("quiet") is True and text.startswith(("/", "!")),
    )


def conversation_of(name: str) -> str:
    """Check the id of a conversation; raises `MalformedRequest`."""
    return _match(name, "conversation", CONVERSATION)


def ref_of(name: str) -> str:
    """Check the ref of a file; raises `MalformedRequest`."""
    return _match(name, "ref", REF)


def _named(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    return _match(fields.get(name), name, pattern)


def _match(value: Any, name: str, pattern: re.Pattern[str]) -> str:
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise MalformedRequest(name)


def _text(value: Any) -> str:
    """Check a text; half characters (lone surrogates), which no store takes, are replaced."""
    if not isinstance(value, str):
        raise MalformedRequest("text")
    return well_formed(value)


def _attachment(file: NoteFile) -> Attachment:
    return Attachment(file.name, file.media_type, {"blob": file.blob})
