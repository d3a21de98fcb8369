"""What is remembered of threads, and the settings that people make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Unpack

if TYPE_CHECKING:
    from bot.domain.history import ThreadHistory
    from bot.domain.preferences import SettingChanges, ThreadSettings
    from bot.domain.threads import Place, Thread


class History(Protocol):
    """Reads what was committed, and stores the settings that people make."""

    async def past(self, thread: Thread, newest: int = 0) -> ThreadHistory:
        """Return the last committed state of a thread, without what is past its retention.

        With `newest` only so many turns are read.
        """
        ...

    async def settings(self, where: Thread | Place) -> ThreadSettings:
        """Return the settings made at a thread or a place."""
        ...

    async def change(self, where: Thread | Place, **changes: Unpack[SettingChanges]) -> None:
        """Store the settings that are named, all at once, and remove those that are None."""
        ...

    async def clear(self, where: Thread | Place) -> None:
        """Remove all settings made at a thread or a place."""
        ...

    async def once_a_day(self, what: str, place: Place) -> bool:
        """Return whether this is the first such call within a day."""
        ...
