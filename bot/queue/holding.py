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

    `withdrawn_places` are the places of messages whose posts were deleted or edited meanwhile.
    """

    lease: Lease
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    mail: asyncio.Event = field(default_factory=asyncio.Event)

    withdrawn_places: set[int] = field(default_factory=set)

    def stop_up_to(self, place: int) -> None:
        """Stop if the run holds a message that was accepted before `place`."""
        if any(entry.seq < place for entry in self.lease.run):
            self.stop.set()

    @property
    def remaining(self) -> list[Entry]:
        """The messages of the run that still want an answer: not those deleted or edited since."""
        return [
            entry
            for entry in self.lease.run
            if not entry.is_withdrawn and entry.seq not in self.withdrawn_places
        ]

    def withdraw(self, places: Iterable[int] = ()) -> None:
        """Note which messages were withdrawn, and stop when none remains."""
        self.withdrawn_places.update(places)
        if not self.remaining:
            self.stop.set()
