"""The error responses of the connector, as exceptions."""

from __future__ import annotations

import json
from typing import Any

from adapters.chat.streaming import StreamEnded
from bot.ports.channel import ConversationGone, DeliveryRefused

STREAM_CODE = "ContentStreamNotAllowed"
SEQUENCE_CODE = "ContentStreamSequenceOrderPreConditionFailed"
SIZE_CODE = "MessageSizeTooBig"


class ConnectorError(DeliveryRefused):
    """The connector refused a request; `status` is 0 if it could not be reached."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class ActivityTooLarge(ConnectorError):
    """The message is larger than the platform accepts."""


class StreamRefused(ConnectorError, StreamEnded):
    """A chunk of a stream was refused; only the message of the error says why."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(status, code, message)
        self.is_cancelled = "cancel" in message.lower()  # Spelled "canceled" or "cancelled".
        self.is_late = code == SEQUENCE_CODE


def code_and_message(body: bytes) -> tuple[str, str]:
    """Return code and message of an error body; empty if it is not JSON, such as a web page."""
    try:
        data = json.loads(body)
    except ValueError:
        return "", ""
    error = data.get("error", data) if isinstance(data, dict) else {}
    return (_text(error, "code"), _text(error, "message")) if isinstance(error, dict) else ("", "")


def _text(error: dict[str, Any], name: str) -> str:
    return str(error.get(name) or "")[:300]


def refusal(method: str, status: int, body: bytes) -> ConnectorError | ConversationGone:
    """Return the exception for an error response.

    Only a refused post means that the conversation is gone; an edit may be refused because of its
    message alone.
    """
    code, message = code_and_message(body)
    if status == 413 or code == SIZE_CODE or "message size too large" in message.lower():
        return ActivityTooLarge(status, code or SIZE_CODE, message)
    if code in {STREAM_CODE, SEQUENCE_CODE}:
        return StreamRefused(status, code, message)
    if method == "POST" and status in {403, 404, 410}:
        return ConversationGone(f"{status} {code}: {message}")
    return ConnectorError(status, code, message)
