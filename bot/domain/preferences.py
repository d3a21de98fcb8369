"""The settings of threads and places, and those in effect for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

Origin = Literal["thread", "place", "deployment"]

Watch = Literal["photos", "all", "off"]
"""Which posts are read without a mention: those with photos or videos, all, or none."""


@dataclass(frozen=True, slots=True)
class PendingSystemMessage:
    """A new system message that waits for its author's Continue.

    `expires` is in seconds since the epoch. Once the author has confirmed or cancelled it,
    `settled_by` identifies that command, so that only the same command, executed again after a
    crash, still matches.
    """

    author: str
    text: str
    expires: float
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """What people have set in a thread or a place; None where nothing is set.

    `hint_message` is the id of the message whose answer carries the hint how to ask on, which a
    place gets once.
    """

    system: str | None = None
    vision: bool | None = None
    model: str | None = None
    watch: Watch | None = None
    pending: PendingSystemMessage | None = None
    hint_message: str | None = None

    @property
    def count(self) -> int:
        """How many settings people have made; one that is pending does not count."""
        return sum(
            setting is not None for setting in (self.system, self.vision, self.model, self.watch)
        )


class SettingChanges(TypedDict, total=False):
    """New values of some fields of `ThreadSettings`; None removes a setting."""

    system: str | None
    vision: bool | None
    model: str | None
    watch: Watch | None
    pending: PendingSystemMessage | None
    hint_message: str | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """What whoever runs Loupe has set: the last resort of every look-up.

    `models` are the names allowed, the first of them the default; `families` their picture cost
    where it was given; `offline` says that no language model is configured.
    """

    system: str
    models: tuple[str, ...]
    families: dict[str, str]
    offline: bool = False


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """The settings that hold for the next turn, and where the system message was set."""

    system: str
    model: str
    vision: bool
    system_origin: Origin = "deployment"
