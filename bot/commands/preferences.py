"""The settings in effect: of the thread, else of the place, else of the deployment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.preferences import Deployment, EffectiveSettings, Origin, ThreadSettings

if TYPE_CHECKING:
    from bot.domain.threads import Thread
    from bot.ports.history import History


class Preferences:
    """Looks up the settings in effect."""

    def __init__(self, history: History, deployment: Deployment) -> None:
        self._history = history
        self.deployment = deployment

    async def of(self, thread: Thread) -> EffectiveSettings:
        """Return the settings in effect in a thread."""
        own, place = await asyncio.gather(
            self._history.settings(thread), self._history.settings(thread.place)
        )
        return effective(own, place, self.deployment)


def effective(
    own: ThreadSettings, place: ThreadSettings, deployment: Deployment
) -> EffectiveSettings:
    """Merge the settings of a thread, of its place and of the deployment, the first prevailing.

    A model that is no longer offered gives way to the default.
    """
    system, origin = _system(own, place, deployment)
    model = own.model if own.model is not None else place.model
    vision = own.vision if own.vision is not None else place.vision
    return EffectiveSettings(
        system=system,
        model=model if model in deployment.models else deployment.models[0],
        vision=vision is not False,
        system_origin=origin,
    )


def _system(
    own: ThreadSettings, place: ThreadSettings, deployment: Deployment
) -> tuple[str, Origin]:
    if own.system is not None:
        return own.system, "thread"
    if place.system is not None:
        return place.system, "place"
    return deployment.system, "deployment"
