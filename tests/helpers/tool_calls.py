"""Calls of the three tools, as a model makes them, and what it was told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.servers.openai import tool_call_start

if TYPE_CHECKING:
    from tests.servers.openai import ReceivedRequest

CAR_BOX = [50, 300, 550, 700]
PLATE_BOX = [95, 590, 305, 660]
"""Boxes in thousandths of a picture: left, top, right, bottom."""


def box_arguments(photo: str, box: list[int], **more: str) -> str:
    return json.dumps({"photo": photo, **more, "box": box})


def look_call(photo: str = "P1", box: list[int] | None = None, at: int = 0) -> dict[str, Any]:
    return tool_call_start("look", box_arguments(photo, box or PLATE_BOX), at=at)


def outline_call(label: str, box: list[int], at: int = 0, photo: str = "P1") -> dict[str, Any]:
    return tool_call_start("outline", box_arguments(photo, box, label=label), at=at)


def frames_call(
    start: str, end: str, count: Any = 1, *, video: Any = "V1", at: int = 0
) -> dict[str, Any]:
    fields = {"video": video, "from": start, "to": end, "count": count}
    return tool_call_start("frames", json.dumps(fields), at=at)


def tool_results(request: ReceivedRequest) -> list[str]:
    """Return what a model was told of its calls, in order."""
    return [str(one["content"]) for one in request.body["messages"] if one["role"] == "tool"]
