"""The settings that hold for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["thread", "place", "deployment"]


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
