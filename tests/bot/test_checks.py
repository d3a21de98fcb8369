"""The doctor: every part is tried, and one that is ill does not hide another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import checks as doctor
from bot.checks import Check, CheckResult, examine, writable

if TYPE_CHECKING:
    from pathlib import Path


async def well() -> str:
    return "It answers."


async def ill() -> str:
    raise OSError("no route to host")


async def wordless() -> str:
    raise ConnectionResetError


async def endless() -> str:
    await asyncio.sleep(60)
    return "too late"


async def test_every_part_is_found_well_or_ill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.05)
    found = await examine(
        [
            Check("a", ill, "Find a way."),
            Check("b", well, "Rest."),
            Check("c", wordless),
            Check("d", endless, "Wait."),
        ]
    )
    assert found == [
        CheckResult("a", False, "no route to host. Find a way."),
        CheckResult("b", True, "It answers."),
        CheckResult("c", False, "ConnectionResetError."),
        CheckResult("d", False, "no answer within 0.05 seconds. Wait."),
    ]


async def test_parts_are_tried_side_by_side() -> None:
    both = asyncio.Barrier(2)

    async def meet() -> str:
        await both.wait()
        return "met"

    async with asyncio.timeout(5):
        assert all(finding.well for finding in await examine([Check("a", meet), Check("b", meet)]))


async def test_a_data_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    assert await writable(folder) == f"{folder} is writable."
    assert list(folder.iterdir()) == []


async def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        await writable(tmp_path / "file" / "data")
