"""Reading the fields of JSON that strangers wrote: nothing has the type that it should have."""

from __future__ import annotations

import re
from typing import Any

NAME_LENGTH = 200
ID_LENGTH = 1024
COMMAND_LENGTH = 200

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""Control characters, and those that turn the direction of writing."""


def string(value: Any) -> str:
    """Take a string as it is, and anything else as none."""
    return value if isinstance(value, str) else ""


def name(value: Any) -> str:
    """Take a name for people: one line of at most 200 characters."""
    return _UNSEEN.sub(" ", string(value)[: 4 * NAME_LENGTH]).strip()[:NAME_LENGTH]


def identifier(value: Any) -> str:
    """Take a platform's id: at most 1024 characters."""
    return string(value)[:ID_LENGTH]


def pressed(value: Any) -> str:
    """Take the command that a button of ours sends, and anything else as none.

    Only a text of at most 200 characters that begins with a slash is one.
    """
    command = string(value).strip()
    return command if command.startswith("/") and len(command) <= COMMAND_LENGTH else ""


def objects(value: Any) -> list[dict[str, Any]]:
    """Take the objects of a list, and anything else as none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def dig(data: Any, *keys: str) -> Any:
    """Follow keys through nested JSON objects; None where the way ends."""
    for key in keys:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data
