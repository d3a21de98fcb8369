"""What is in force in a thread: settings looked up thread, then place, then deployment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.preferences import Deployment, EffectiveSettings, Origin

if TYPE_CHECKING:
    from bot.domain.threads import Thread
    from bot.ports.history import History


class Preferences:
    """Looks settings up."""

    def __init__(self, history: History, deployment: Deployment) -> None:
        self._history = history
        self.deployment = deployment

    async def of(self, thread: Thread) -> EffectiveSettings:
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
        return EffectiveSettings(
            system=merged.get("system", self.deployment.system),
            model=model if model in allowed else allowed[0],
            vision=merged.get("vision", "on") == "on",
            system_origin=origin,
        )
