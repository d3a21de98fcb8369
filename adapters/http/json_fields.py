"""Fields of JSON that strangers wrote, in which nothing need have the type it should have."""

from __future__ import annotations

import re
from typing import Any

NAME_LENGTH = 200
ID_LENGTH = 1024
COMMAND_LENGTH = 200

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""Control characters, and those that change the direction of writing."""


def string(value: Any) -> str:
    """Return a string as it is, and an empty one for anything else."""
    return value if isinstance(value, str) else ""


def name(value: Any) -> str:
    """Return a name to show: one line of at most 200 characters."""
    return _INVISIBLE.sub(" ", string(value)[: 4 * NAME_LENGTH]).strip()[:NAME_LENGTH]


def identifier(value: Any) -> str:
    """Return a platform's id: at most 1024 characters."""
    return string(value)[:ID_LENGTH]


def button_command(value: Any) -> str:
    """Return the command that a button of ours sends, and nothing for anything else.

    A command begins with a slash and has at most 200 characters.
    """
    command = string(value).strip()
    return command if command.startswith("/") and len(command) <= COMMAND_LENGTH else ""


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, and none for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def dig(data: Any, *keys: str) -> Any:
    """Follow keys through nested JSON objects; None if one is missing."""
    for key in keys:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data
