"""Reads what a thread remembers, and keeps the settings that people make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.domain.history import SettingName, ThreadHistory
    from bot.domain.threads import Place, Thread

Settings = dict[str, str]
"""What was set in a thread or place by its people: name to value, absent when not set."""


class History(Protocol):
    """Reads what was committed, and keeps the settings that people make."""

    async def past(self, thread: Thread, newest: int = 0) -> ThreadHistory:
        """Read the last committed state of a thread; what is past its retention is left out.

        With `newest` only so many turns are read.
        """
        ...

    async def settings(self, where: Thread | Place) -> Settings:
        """Read the settings made at a thread or a place."""
        ...

    async def set(self, where: Thread | Place, name: SettingName, value: str | None) -> None:
        """Write one setting, or remove it with None."""
        ...

    async def clear(self, where: Thread | Place) -> None:
        """Remove all settings made at a thread or a place."""
        ...

    async def once_a_day(self, what: str, place: Place) -> bool:
        """Tell whether this is the first time within a day, and remember that it was asked."""
        ...
