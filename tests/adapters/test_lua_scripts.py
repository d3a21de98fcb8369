"""Scripts of Redis: what they take is named once in them, and by their callers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import adapters
from adapters.lua_scripts import LuaScript

if TYPE_CHECKING:
    from redis.asyncio import Redis

SCRIPTS = sorted(Path(adapters.__file__).parent.rglob("*.lua"))
PRELUDES = {"adapters.redis": "prelude"}


def name_of(path: Path) -> str:
    return f"{path.parents[1].name}/{path.stem}"


def load(redis: Redis, path: Path) -> LuaScript:
    package = f"adapters.{path.parents[1].name}"
    return LuaScript(redis, package, path.stem, prelude=PRELUDES.get(package, ""))


def test_there_are_scripts() -> None:
    assert {"redis/accept", "redis/retract", "page/put_message"} <= set(map(name_of, SCRIPTS))


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
async def test_a_script_takes_everything_by_name(redis_client: Redis, path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\b(KEYS|ARGV)\[", source)
    assert source.count("unpack(ARGV)") == (path.stem != "prelude")
    script = load(redis_client, path)
    assert script.keys
    assert len(set(script.arguments)) == len(script.arguments)


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
async def test_a_script_is_one_that_servers_compile(redis_client: Redis, path: Path) -> None:
    if path.stem != "prelude":
        await redis_client.script_load(load(redis_client, path).source)


async def test_names_may_stand_in_several_lines(redis_client: Redis) -> None:
    script = LuaScript(redis_client, "adapters.redis", "accept", prelude="prelude")
    assert script.keys == ("ready",)
    assert script.arguments[:2] == ("box", "digest")
    assert script.arguments[-2:] == ("withdraws", "withdrawn_digest")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"box": "b"}, "count_ahead.lua takes box, seq, not box"),
        (
            {"box": "b", "seq": 1, "token": "t"},
            "count_ahead.lua takes box, seq, not box, seq, token",
        ),
        ({"box": "b", "sequence": 1}, "count_ahead.lua takes box, seq, not box, sequence"),
    ],
)
async def test_an_argument_of_one_side_only_is_refused(
    redis_client: Redis, arguments: dict[str, str | int], complaint: str
) -> None:
    script = LuaScript(redis_client, "adapters.redis", "count_ahead", prelude="prelude")
    with pytest.raises(TypeError, match=complaint):
        await script.run({"ready": "loupe:{0}:ready"}, **arguments)


async def test_a_key_of_one_side_only_is_refused(redis_client: Redis) -> None:
    script = LuaScript(redis_client, "adapters.page", "read_messages")
    with pytest.raises(
        TypeError, match=r"read_messages.lua takes notes, changes, version, not notes"
    ):
        await script.run({"notes": "n"}, since=0)
