"""Data that earlier versions stored; see SOURCES.md."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis.asyncio import Redis

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class StoredData:
    """What a version left behind; the fields are described in SOURCES.md."""

    where: dict[str, str]
    keys: dict[str, tuple[str, Any]]
    transcript: dict[str, Any]
    media: dict[str, str]
    teams_files: dict[str, tuple[str, str]]
    teams_posts: dict[str, list[tuple[str, list[str]]]]
    slack_posts: list[list[Any]]

    async def restore(self, redis: Redis) -> None:
        """Write every key, as it was."""
        for key, (kind, value) in self.keys.items():
            match kind:
                case "string":
                    await redis.set(key, value)
                case "hash":
                    await redis.hset(key, mapping=value)
                case "list":
                    await redis.rpush(key, *value)
                case "set":
                    await redis.sadd(key, *value)
                case "zset":
                    await redis.zadd(key, dict(value))
                case _:
                    raise ValueError(f"{key} is a {kind}")

    def restore_media(self, folder: Path) -> None:
        """Write the files of pictures, as they were."""
        for name, data in self.media.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(data))


def read_store(version: str = "0_4_0", **servers: str) -> StoredData:
    """Read what a version left behind, with the addresses of the servers of today's test."""
    text = (FOLDER / f"store_{version}.json").read_text()
    for name, address in servers.items():
        text = text.replace(f"{{{name}}}", address)
    return StoredData(**json.loads(text))
