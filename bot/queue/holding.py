"""A lease that is being worked on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.ports.mailbox import Entry, Lease

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Holding:
    """A lease that is being worked on: `stop` and `mail` are set from outside.

    `withdrawn` are the places of messages that were withdrawn since it was taken.
    """

    lease: Lease
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    mail: asyncio.Event = field(default_factory=asyncio.Event)

    withdrawn: set[int] = field(default_factory=set)

    def stop_up_to(self, place: int) -> None:
        """Stop when the user stopped what was accepted before `place`."""
        if any(entry.seq < place for entry in self.lease.run):
            self.stop.set()

    @property
    def left(self) -> list[Entry]:
        """What of the run is still asked: no post that was deleted or edited since."""
        return [
            entry
            for entry in self.lease.run
            if not entry.withdrawn and entry.seq not in self.withdrawn
        ]

    def withdraw(self, places: Iterable[int] = ()) -> None:
        """Note which messages were withdrawn, and stop where nothing is left."""
        self.withdrawn.update(places)
        if not self.left:
            self.stop.set()
