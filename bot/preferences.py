"""What is in force in a thread: settings looked up thread, then place, then deployment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.history import History
    from bot.threads import Thread

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
class InForce:
    """The settings that hold for the next turn, and where the system message was set."""

    system: str
    model: str
    vision: bool
    system_origin: Origin = "deployment"


class Preferences:
    """Looks settings up."""

    def __init__(self, history: History, deployment: Deployment) -> None:
        self._history = history
        self.deployment = deployment

    async def of(self, thread: Thread) -> InForce:
        """Tell what is in force in a thread."""
        own, place = await asyncio.gather(
            self._history.settings(thread), self._history.settings(thread.place)
        )
        origin: Origin = (
            "thread" if "system" in own else "place" if "system" in place else "deployment"
        )
        merged = {**place, **own}
        model = merged.get("model", "")
        allowed = self.deployment.models
        return InForce(
            system=merged.get("system", self.deployment.system),
            model=model if model in allowed else allowed[0],
            vision=merged.get("vision", "on") == "on",
            system_origin=origin,
        )
