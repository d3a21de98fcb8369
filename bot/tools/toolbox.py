"""The tools of a model: a closer look, outlines of what it points at, and frames of videos."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from bot.aio import fan_out
from bot.domain.boxes import Box, InvalidBox, read_box
from bot.domain.frame_ids import label
from bot.domain.outlines import Outline
from bot.errors import FileProblem
from bot.grounding.outlines import MOST, label_of
from bot.ports.model import ChatMessage, Picture, TextPart, strict_tool
from bot.tools.video_frames import FRAMES, UnknownFrame, VideoFramesTool

if TYPE_CHECKING:
    from bot.limits import ToolLimits
    from bot.ports.model import Part, Tool, ToolCall

Crop = Callable[[int, Box], Awaitable[Picture]]
"""Cuts a box out of a photo or frame, by its number, at full size; raises `FileProblem`."""

PHOTO = {
    "type": "string",
    "description": "The number of the photo, such as P1; of a frame its video and time, such as "
    "V1 0:12.4.",
}
BOX = {
    "type": "array",
    "items": {"type": "integer"},
    "description": "Four integers [left, top, right, bottom], each from 0 to 999: 0 is the left or "
    "top edge of the whole upright photo, 999 its right or bottom edge.",
}
LABEL = {
    "type": "string",
    "description": "What it is, in one to five words of the language of the answer.",
}


LOOK = strict_tool(
    "look",
    "Look closer at a part of a photo, cut from the original at full resolution and enlarged. "
    "Use it before you read small text, plates, serial numbers or meters, before you judge fine "
    "damage, and to see a photo of an earlier turn again. Choose the box a little larger than "
    "what you want to see.",
    photo=PHOTO,
    box=BOX,
)
OUTLINE = strict_tool(
    "outline",
    "Outline a thing that your answer points at, on the copy of the photo that people see beside "
    "it. Call this before you write the words: it returns the number to write in square brackets "
    f"right after them, such as [1]. One tight box for each thing that matters, at most {MOST}.",
    photo=PHOTO,
    label=LABEL,
    box=BOX,
)
TOOLS = (LOOK, OUTLINE)

OVER = "No more tools can be used in this answer. Answer now with what you know."
NOT_JSON = "The arguments are not a JSON object."
NO_TOOL = "There is no tool of this name; the tools are {names}."
NO_LABEL = "The label has to say in a few words what is outlined."
UNREADABLE = "{label} cannot be looked at now: its file is gone or unreadable."
CROP_RESULT = "{label}, region {box}: shown in the message after these results."
OUTLINE_RESULT = "Outlined as [{number}]. Write [{number}] right after the words that name it."
TOO_MANY = f"There are {MOST} outlines already; no more can be told apart."
CROPS = "(From the tool look, not from a person:)"

_PHOTO_LABEL = re.compile(r"\s*P?(\d{1,6})\b", re.IGNORECASE)

log = structlog.get_logger()


class InvalidCall(ValueError):
    """A call that cannot be followed; its text tells the model why."""


class Toolbox:
    """Follows the tool calls of one answer, within limits of number and time.

    `photos` are the numbers of the thread's photos. The model gets the error of an invalid call.
    """

    def __init__(
        self,
        photos: Collection[int],
        crop: Crop,
        limits: ToolLimits,
        videos: VideoFramesTool | None = None,
    ) -> None:
        self._photos = sorted(photos)
        self._crop = crop
        self._videos = videos
        self._tools = (*TOOLS, FRAMES) if videos else TOOLS
        self._calls_left = limits.max_tool_calls
        self._seconds = limits.tool_seconds
        self._deadline = 0.0
        self._outlines: list[Outline] = []

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools to offer: none without photos and videos, nor where no call is allowed."""
        return self._tools if self._calls_left and (self._photos or self._videos) else ()

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """What was outlined, by number from 1."""
        return tuple(self._outlines)

    @property
    def requested_frames(self) -> tuple[int, ...]:
        """The numbers of the frames of videos that the model asked for, in the order it did."""
        return self._videos.requested_frames if self._videos else ()

    @property
    def is_closed(self) -> bool:
        """Whether calls are not followed any more."""
        late = bool(self._deadline) and asyncio.get_running_loop().time() >= self._deadline
        return self._calls_left <= 0 or late

    async def follow(self, calls: Sequence[ToolCall]) -> tuple[ChatMessage, ...]:
        """Follow the calls of a round, side by side.

        Returns a message of words for each, and after them one with the crops, if any.
        """
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._seconds
        results = await fan_out(self._follow, calls)
        messages = [
            ChatMessage("tool", (TextPart(words),), answers=call.id)
            for call, (words, _) in zip(calls, results.values(), strict=True)
        ]
        crops: list[Part] = [part for _, parts in results.values() for part in parts]
        return (
            (*messages, ChatMessage("user", (TextPart(CROPS), *crops)))
            if crops
            else tuple(messages)
        )

    async def _follow(self, call: ToolCall) -> tuple[str, tuple[Part, ...]]:
        if self.is_closed:
            return OVER, ()
        self._calls_left -= 1
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._do(call)
        except (InvalidCall, InvalidBox, UnknownFrame) as bad:
            log.info("tool_call_refused", tool=call.name[:40], reason=str(bad))
            return str(bad), ()
        except TimeoutError:
            return OVER, ()

    async def _do(self, call: ToolCall) -> tuple[str, tuple[Part, ...]]:
        """Execute a call; raises `InvalidCall`, `InvalidBox` and `UnknownFrame`."""
        names = [tool.name for tool in self._tools]
        if call.name not in names:
            raise InvalidCall(NO_TOOL.format(names=_listed(names)))
        arguments = _object(call.arguments)
        if self._videos and call.name == FRAMES.name:
            return await self._videos.bring(arguments)
        number = self._number(arguments.get("photo"))
        if call.name == LOOK.name:
            return await self._look(number, read_box(arguments.get("box"), max_share=1))
        name = label_of(str(arguments.get("label") or ""))
        return self._outline(number, name, read_box(arguments.get("box"))), ()

    def _number(self, photo: object) -> int:
        """Find the photo or frame that a call names."""
        if self._videos and (frame := self._videos.find(str(photo))):
            return frame
        match = _PHOTO_LABEL.match(str(photo))
        number = int(match[1]) if match else 0
        if number not in self._photos:
            frames = self._videos.shown_frames[-20:] if self._videos else ()
            labels = ", ".join(map(label, (*self._photos[-20:], *frames)))
            raise InvalidCall(f"There is no such photo; there are {labels}.")
        return number

    async def _look(self, number: int, box: Box) -> tuple[str, tuple[Part, ...]]:
        try:
            picture = await self._crop(number, box)
        except FileProblem:
            raise InvalidCall(UNREADABLE.format(label=label(number))) from None
        words = CROP_RESULT.format(label=label(number), box=box.sides)
        return _noted(words, box), (TextPart(f"[{label(number)}, region {box.sides}]"), picture)

    def _outline(self, number: int, name: str, box: Box) -> str:
        """Outline a box once, and return the words about it."""
        if not name:
            raise InvalidCall(NO_LABEL)
        same = [one for one in self._outlines if (one.photo, one.polygon) == (number, box.polygon)]
        if not same and len(self._outlines) == MOST:
            raise InvalidCall(TOO_MANY)
        if not same:
            same = [Outline(len(self._outlines) + 1, number, name, box.polygon)]
            self._outlines += same
        return _noted(OUTLINE_RESULT.format(number=same[0].number), box)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _object(arguments: str) -> Mapping[str, Any]:
    """Read the arguments of a call; some models call without any, which is an empty text."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidCall(NOT_JSON)
    return value


def _noted(words: str, box: Box) -> str:
    """Add what was corrected of a box."""
    return f"{words} {box.note}".rstrip()
