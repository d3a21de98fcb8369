"""Scripts that Redis runs, in `.lua` files beside the code, with keys and arguments by name.

A script unpacks what it takes once, and its callers name the same:

    local notes, changes = unpack(KEYS)
    local id, body = unpack(ARGV)
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.asyncio import Redis

FOLDER = "lua"
"""The folder of scripts in a package."""

Argument = str | int | bytes


class LuaScript:
    """A script on a server."""

    def __init__(self, redis: Redis, package: str, name: str, prelude: str = "") -> None:
        """Read `name`.lua of a package, after the functions in `prelude`.lua if that is given."""
        self.name = name
        source = _read(package, name)
        if prelude:
            source = _read(package, prelude) + source
        self.keys = _names(source, "KEYS")
        self.arguments = _names(source, "ARGV")
        self.source = source
        self._script = redis.register_script(source)

    async def run(self, keys: Mapping[str, str], **arguments: Argument) -> Any:
        """Run it once; raises `TypeError` unless just the names that it unpacks are given."""
        return await self._script(
            keys=_in_order(self.name, self.keys, keys),
            args=_in_order(self.name, self.arguments, arguments),
        )


@cache
def _read(package: str, name: str) -> str:
    file = resources.files(package) / FOLDER / f"{name}.lua"
    return file.read_text(encoding="utf-8")


def _names(source: str, table: str) -> tuple[str, ...]:
    """Return the names that a script unpacks a table into."""
    match = re.search(rf"^local ([\w,\s]+?) = unpack\({table}\)$", source, re.MULTILINE)
    return tuple(re.split(r",\s*", match[1])) if match else ()


def _in_order(script: str, names: tuple[str, ...], values: Mapping[str, Any]) -> list[Any]:
    if values.keys() != set(names):
        raise TypeError(f"{script}.lua takes {', '.join(names)}, not {', '.join(values)}")
    return [values[name] for name in names]
