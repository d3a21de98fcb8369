"""A conversation as every channel has it: what people do there, and what they are shown.

A driver for each channel (`talks_teams`, `talks_page`, `talks_slack`) carries it and does nothing
else, so that one script can be played on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from bot.domain.threads import Thread
    from tests.helpers.running_bot import RunningBot


@dataclass(frozen=True)
class File:
    """A file that somebody attaches."""

    name: str
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, alias: str = "") -> File:
        """Read a file of `tests/media`."""
        return cls(alias or name, (MEDIA / name).read_bytes())


@dataclass(frozen=True)
class ShownMessage:
    """A message of Loupe's as it stands: its words, and the titles of the buttons below them."""

    text: str
    buttons: tuple[str, ...] = ()


class Conversation(Protocol):
    """A conversation; in a place that has threads its first post opens one."""

    @property
    def thread(self) -> Thread:
        """What the store knows it by; only after the first post."""
        ...

    async def post(self, text: str, *files: File, by: str = "Alex", mention: bool = True) -> None:
        """Write a message, which Loupe takes; `mention` matters where several people write."""
        ...

    async def attach(self, text: str, file: File) -> None:
        """Write a message with a file from the machine, and not with a picture that is pasted."""
        ...

    async def edit(self, text: str) -> None:
        """Change the words of the last post, as far as people can."""
        ...

    async def press(self, title: str) -> None:
        """Press a button below a message."""
        ...

    async def stop(self) -> None:
        """Press the Stop that the platform itself shows beside an answer that grows."""
        ...

    async def until(self, text: str) -> None:
        """Wait until a message of Loupe's shows a text."""
        ...

    async def messages(self) -> list[ShownMessage]:
        """All messages of Loupe's that have words, in order, as they stand."""
        ...

    async def is_streamed(self) -> bool:
        """Whether an answer came in a stream of the platform's own."""
        ...

    async def pictures(self) -> int:
        """How many pictures Loupe has shown."""
        ...

    async def files(self) -> dict[str, bytes]:
        """The files that Loupe has handed over, by their names."""
        ...


class ChannelSetup(Protocol):
    """A channel on which conversations are held with a running bot."""

    bot: RunningBot

    def private(self) -> Conversation:
        """Begin a conversation of one person with Loupe."""
        ...

    def shared(self, beside: Conversation | None = None) -> Conversation:
        """Begin a thread in a channel of its own, or in that of another thread."""
        ...
