"""The scripts of the mailbox, run again while the store is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.lua_scripts import LuaScript
from adapters.redis import keys
from adapters.redis.connection import retrying

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from adapters.lua_scripts import Argument
    from bot.ports.mailbox import Lease

RETRY_SECONDS = 30.0
"""For how long a step of work that was accepted is retried while the store is away."""

NAMES = (
    *("accept", "take", "gather", "renew", "store_result", "complete", "retract"),
    *("release", "move_to_dead_letters", "prune", "count_ahead", "claim", "record"),
)
"""The scripts in `lua/`, one for each step."""


class MailboxScripts:
    """Runs a script by its name, with its arguments by theirs; raises `StoreDown`."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = {
            name: LuaScript(redis, __package__, name, prelude="prelude") for name in NAMES
        }

    async def run(self, name: str, lane: int, /, **arguments: Argument) -> Any:
        """Run a script in a lane, and return its reply."""
        return await self.run_within(RETRY_SECONDS, name, lane, **arguments)

    async def run_within(
        self, seconds: float, name: str, lane: int, /, **arguments: Argument
    ) -> Any:
        """Run a script that is retried for so many seconds."""
        script, lane_keys = self._scripts[name], {"ready": keys.ready(lane)}
        return await retrying(lambda: script.run(lane_keys, **arguments), within=seconds)

    async def run_held(self, name: str, lease: Lease, /, **arguments: Argument) -> Any:
        """Run a script that does nothing once the lease is lost."""
        return await self.run(
            name,
            lease.lane,
            box=lease.mailbox_key,
            token=lease.token,
            generation=lease.generation,
            **arguments,
        )
