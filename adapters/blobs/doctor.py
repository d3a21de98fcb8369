"""The check of `loupe doctor` that pictures can be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.blobs.build import open_blobs

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.blobs.settings import MediaSettings


async def check_blobs(settings: MediaSettings, data: Path) -> str:
    """Write, read and erase a blob; raises what is wrong."""
    blobs = open_blobs(settings, data)
    await blobs.put("doctor/probe", b"probe")
    intact = await blobs.get("doctor/probe") == b"probe"
    await blobs.erase("doctor")
    if not intact:
        raise OSError("the blob that was written could not be read back")
    return "Pictures can be written and read back."
