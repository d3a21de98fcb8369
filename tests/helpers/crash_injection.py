"""A fuse on all that reaches outside a process, so that it can be killed at any step."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from bot.ports.model import Delta, Finished, Model, Request

T = TypeVar("T")


class ProcessKilled(BaseException):
    """The process was killed: nothing of it reaches outside any more."""


class CrashInjector:
    """Counts the steps of a process, and blows before or after step `at` (never at -1).

    `begun` are the names of the steps in order, `done` of those that took effect.
    """

    def __init__(self, at: int = -1, *, after: bool = False) -> None:
        self._at = at
        self._after = after
        self.begun: list[str] = []
        self.done: list[str] = []
        self.blown = False

    def __str__(self) -> str:
        return f"{'after' if self._after else 'before'} step {self._at} of {self.begun}"

    async def step(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Reach outside; whoever tries to after the fuse has blown is killed as well."""
        self.check()
        number = len(self.begun)
        self.begun.append(name)
        self._blow(number == self._at and not self._after)
        result = await call()
        self.done.append(name)
        self._blow(number == self._at)
        self.check()
        return result

    def check(self) -> None:
        """Kill whoever lives on."""
        if self.blown:
            raise ProcessKilled

    def _blow(self, now: bool) -> None:
        self.blown = self.blown or now
        self.check()


class CrashProxy:
    """Something outside, each of its coroutines a step."""

    def __init__(self, outside: Any, fuse: CrashInjector) -> None:
        self._outside = outside
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._outside, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute
        return lambda *args, **kwargs: self._fuse.step(name, lambda: attribute(*args, **kwargs))


class CrashingModel:
    """A model, of which being asked is a step."""

    def __init__(self, model: Model, fuse: CrashInjector) -> None:
        self._model = model
        self._fuse = fuse

    def takes_tools(self, model: str) -> bool:
        return self._model.takes_tools(model)

    async def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        await self._fuse.step("ask", lambda: asyncio.sleep(0))
        async for event in self._model.answer(request):
            self._fuse.check()
            yield event
