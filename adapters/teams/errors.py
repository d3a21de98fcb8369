"""What the connector says when it does not take a post, as exceptions."""

from __future__ import annotations

import json
from typing import Any

from adapters.chat.streaming import StreamEnded
from bot.ports.channel import ConversationGone, DeliveryRefused

STREAM_CODE = "ContentStreamNotAllowed"
SEQUENCE_CODE = "ContentStreamSequenceOrderPreConditionFailed"
SIZE_CODE = "MessageSizeTooBig"


class ConnectorError(DeliveryRefused):
    """The connector refused a request; `status` is 0 when it was not reached at all."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class ActivityTooLarge(ConnectorError):
    """The message is larger than the platform takes."""


class StreamRefused(ConnectorError, StreamEnded):
    """A chunk of a stream that is not taken; only the message tells why."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(status, code, message)
        self.cancelled = "cancel" in message.lower()  # spelt "canceled" or "cancelled"
        self.late = code == SEQUENCE_CODE


def told(body: bytes) -> tuple[str, str]:
    """Read code and message of an error body; it may be JSON, a page, or nothing."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return "", ""
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else {}
    return (_text(error, "code"), _text(error, "message")) if isinstance(error, dict) else ("", "")


def _text(error: dict[str, Any], name: str) -> str:
    return str(error.get(name) or "")[:300]


def refusal(method: str, status: int, body: bytes) -> ConnectorError | ConversationGone:
    """Name a response that is no success: gone conversations, sizes, streams, others.

    Only a post tells that a conversation is gone; an edit may be refused for its message alone.
    """
    code, message = told(body)
    if status == 413 or code == SIZE_CODE or "message size too large" in message.lower():
        return ActivityTooLarge(status, code or SIZE_CODE, message)
    if code in {STREAM_CODE, SEQUENCE_CODE}:
        return StreamRefused(status, code, message)
    if method == "POST" and status in {403, 404, 410}:
        return ConversationGone(f"{status} {code}: {message}")
    return ConnectorError(status, code, message)
