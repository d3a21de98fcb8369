"""What a model may call, what it is told, and where that ends."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.domain import boxes
from bot.domain.boxes import Box
from bot.domain.frame_ids import frame_number, label
from bot.domain.outlines import Outline
from bot.errors import FileProblem, Reason
from bot.grounding.outlines import MOST
from bot.limits import ToolLimits
from bot.ports.model import ChatMessage, Picture, TextPart, ToolCall
from bot.tools import toolbox as tools
from bot.tools.toolbox import LOOK, OUTLINE, Toolbox
from bot.tools.video_frames import FRAMES, VideoFramesTool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOX = [100, 200, 300, 400]


class Scissors:
    """Cuts nothing and remembers what was to be cut."""

    def __init__(self) -> None:
        self.cut: list[tuple[int, Box]] = []
        self.problem: FileProblem | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, number: int, box: Box) -> Picture:
        self.cut.append((number, box))
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        return Picture(f"P{number}", "", b"jpeg", 512, 512, (number,))


@pytest.fixture
def scissors() -> Scissors:
    return Scissors()


@pytest.fixture
def toolbox(scissors: Scissors) -> Toolbox:
    return Toolbox({1, 2, 3}, scissors, ToolLimits(_env_file=None))


def look(photo: object = "P1", box: object = BOX, id_: str = "a") -> ToolCall:
    return ToolCall(id_, "look", json.dumps({"photo": photo, "box": box}))


def outline(
    photo: object = "P1", label: object = "dent", box: object = BOX, id_: str = "a"
) -> ToolCall:
    return ToolCall(id_, "outline", json.dumps({"photo": photo, "label": label, "box": box}))


def words(said: ChatMessage) -> str:
    (part,) = said.parts
    assert isinstance(part, TextPart)
    return part.text


async def told(toolbox: Toolbox, call: ToolCall) -> str:
    """Follow one call and return what the model is told."""
    said = await toolbox.follow([call])
    assert (said[0].role, said[0].answers) == ("tool", call.id)
    return words(said[0])


@pytest.mark.parametrize("tool", [LOOK, OUTLINE])
def test_the_schemas_are_strict(tool: Any) -> None:
    schema = tool.parameters
    assert schema["required"] == list(schema["properties"])
    assert schema["additionalProperties"] is False
    assert "maxItems" not in json.dumps(schema)


# look


async def test_a_look_is_told_in_words_and_shown_after_all_results(toolbox: Toolbox) -> None:
    said = await toolbox.follow([look("P1", id_="a"), outline(id_="b"), look("P2", id_="c")])
    assert [(one.role, one.answers) for one in said] == [
        ("tool", "a"),
        ("tool", "b"),
        ("tool", "c"),
        ("user", ""),
    ]
    assert "P1, region [100, 200, 300, 400]" in words(said[0])
    shown = [part.text if isinstance(part, TextPart) else part.name for part in said[-1].parts]
    assert shown == [
        tools.CROPS,
        "[P1, region [100, 200, 300, 400]]",
        "P1",
        "[P2, region [100, 200, 300, 400]]",
        "P2",
    ]


async def test_without_crops_no_message_follows(toolbox: Toolbox) -> None:
    assert [said.role for said in await toolbox.follow([outline()])] == ["tool"]


async def test_the_box_is_cut_as_it_was_corrected(toolbox: Toolbox, scissors: Scissors) -> None:
    assert boxes.SWAPPED in await told(toolbox, look(box=[300, 400, 100, 200]))
    ((number, box),) = scissors.cut
    assert (number, box.left, box.top, box.right, box.bottom) == (1, 100, 200, 300, 400)


async def test_the_whole_photo_may_be_looked_at(toolbox: Toolbox, scissors: Scissors) -> None:
    await told(toolbox, look(box=[0, 0, 999, 999]))
    assert len(scissors.cut) == 1


@pytest.mark.parametrize("photo", ["P2", "p2", "2", 2, " P2 IMG_0042.jpg"])
async def test_a_photo_may_be_named_as_models_do(
    toolbox: Toolbox, scissors: Scissors, photo: object
) -> None:
    await told(toolbox, look(photo))
    assert [number for number, _ in scissors.cut] == [2]


async def test_looks_are_taken_side_by_side(toolbox: Toolbox, scissors: Scissors) -> None:
    scissors.gate = asyncio.Event()
    task = asyncio.create_task(toolbox.follow([look(id_="a"), look("P2", id_="b")]))
    async with asyncio.timeout(2):
        while len(scissors.cut) < 2:
            await asyncio.sleep(0)
    scissors.gate.set()
    assert len(await task) == 3


async def test_a_photo_that_is_gone_is_told(toolbox: Toolbox, scissors: Scissors) -> None:
    scissors.problem = FileProblem(Reason.GONE)
    said = await toolbox.follow([look("P2")])
    assert [words(one) for one in said] == [tools.UNREADABLE.format(label="P2")]


async def test_stop_in_the_middle_ends_the_look(toolbox: Toolbox, scissors: Scissors) -> None:
    scissors.gate = asyncio.Event()
    task = asyncio.create_task(toolbox.follow([look()]))
    async with asyncio.timeout(2):
        while not scissors.cut:
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# outline


async def test_an_outline_returns_its_number(toolbox: Toolbox) -> None:
    assert "[1]" in await told(toolbox, outline())
    assert "[2]" in await told(toolbox, outline("P3", "the\n*plate*", [0, 0, 10, 10]))
    first, second = toolbox.outlines
    assert first == Outline(1, 1, "dent", Box(*BOX).polygon)
    assert (second.number, second.photo) == (2, 3)
    assert "\n" not in second.label


async def test_outlines_of_a_round_are_numbered_in_its_order(
    toolbox: Toolbox, scissors: Scissors
) -> None:
    calls = [outline(box=[n, n, n + 50, n + 50], id_=str(n)) for n in range(5)]
    said = await toolbox.follow([look(id_="x"), *calls])
    assert [f"[{number}]" in words(one) for number, one in enumerate(said[:6])] == [
        False,
        *[True] * 5,
    ]


async def test_the_same_box_keeps_its_number(toolbox: Toolbox) -> None:
    await told(toolbox, outline())
    assert "[1]" in await told(toolbox, outline(label="the dent again"))
    assert len(toolbox.outlines) == 1


async def test_there_are_not_more_outlines_than_can_be_told_apart(scissors: Scissors) -> None:
    toolbox = Toolbox({1}, scissors, ToolLimits(max_tool_calls=MOST + 5, _env_file=None))
    calls = [outline(box=[n, n, n + 50, n + 50], id_=str(n)) for n in range(MOST + 1)]
    said = await toolbox.follow(calls)
    assert words(said[-1]) == tools.TOO_MANY
    assert len(toolbox.outlines) == MOST
    assert "[1]" in await told(toolbox, outline(box=[0, 0, 50, 50]))


@pytest.mark.parametrize("label", ["", "  ", None])
async def test_an_outline_needs_a_label(toolbox: Toolbox, label: object) -> None:
    assert await told(toolbox, outline(label=label)) == tools.NO_LABEL
    assert toolbox.outlines == ()


# What is wrong with a call is told the model


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ToolCall("a", "look", '{"photo": "P1"'), tools.NOT_JSON),
        (ToolCall("a", "look", "[1, 2]"), tools.NOT_JSON),
        (ToolCall("a", "look", "[" * 20_000), tools.NOT_JSON),
        (ToolCall("a", "rotate", "{}"), tools.NO_TOOL.format(names="look and outline")),
        (look("P9"), "There is no such photo; there are P1, P2, P3."),
        (ToolCall("a", "look", ""), "There is no such photo; there are P1, P2, P3."),
        (look("P" + "9" * 5000), "There is no such photo; there are P1, P2, P3."),
        (look({"number": 1}), "There is no such photo; there are P1, P2, P3."),
        (ToolCall("a", "look", '{"photo": "P1"}'), boxes.SHAPE),
        (look(box="all"), boxes.SHAPE),
        (look(box=[1, 2, 3]), boxes.SHAPE),
        (look(box=[5, 5, 5, 9]), boxes.EMPTY),
        (outline(box=[0, 0, 999, 999]), boxes.HUGE),
        (outline(box=[0, 0, 4032, 3024]), boxes.BEYOND.format(value=4032)),
    ],
)
async def test_a_wrong_call_is_refused_with_its_reason(
    toolbox: Toolbox, scissors: Scissors, call: ToolCall, reason: str
) -> None:
    assert await told(toolbox, call) == reason
    assert scissors.cut == []
    assert toolbox.outlines == ()


# Limits


async def test_more_calls_than_the_limit_are_not_followed(scissors: Scissors) -> None:
    toolbox = Toolbox({1}, scissors, ToolLimits(max_tool_calls=2, _env_file=None))
    said = await toolbox.follow([look("P9"), look(), look()])
    assert [words(one) == tools.OVER for one in said[:3]] == [False, False, True]
    assert toolbox.is_closed
    assert await told(toolbox, look()) == tools.OVER
    assert len(scissors.cut) == 1


async def test_after_the_time_no_call_is_followed(scissors: Scissors) -> None:
    toolbox = Toolbox({1}, scissors, ToolLimits(tool_seconds=0.05, _env_file=None))
    assert not toolbox.is_closed
    scissors.gate = asyncio.Event()
    async with asyncio.timeout(2):
        assert await told(toolbox, look()) == tools.OVER
    assert toolbox.is_closed
    assert await told(toolbox, outline()) == tools.OVER


def test_tools_are_offered_where_there_is_something_to_look_at(scissors: Scissors) -> None:
    limits = ToolLimits(_env_file=None)
    assert Toolbox({1}, scissors, limits).tools == (LOOK, OUTLINE)
    assert Toolbox((), scissors, limits).tools == ()
    assert Toolbox({1}, scissors, ToolLimits(max_tool_calls=0, _env_file=None)).tools == ()


# Frames of videos


async def projected(video: int, times: Sequence[float]) -> Mapping[int, Picture]:
    numbers = [frame_number(video, at) for at in times]
    return {n: Picture(label(n), "", b"jpeg", 64, 48, (n,)) for n in numbers}


@pytest.fixture
def video_bot(scissors: Scissors) -> Toolbox:
    reels = VideoFramesTool({1: 20.0}, projected, [frame_number(1, 12.36)])
    return Toolbox({3}, scissors, ToolLimits(_env_file=None), reels)


def frames(id_: str = "a", **arguments: object) -> ToolCall:
    wanted = {"video": "V1", "from": "0:05.0", "to": "0:05.0", "count": 1} | arguments
    return ToolCall(id_, "frames", json.dumps(wanted))


async def test_frames_are_shown_with_the_crops_after_all_results(video_bot: Toolbox) -> None:
    first, second, shown = await video_bot.follow([frames(), look("P3", id_="b")])
    assert words(first) == "V1 0:05.0: shown in the message after these results."
    assert (first.answers, second.answers) == ("a", "b")
    assert [part.name for part in shown.parts if isinstance(part, Picture)] == ["V1 0:05.0", "P3"]


async def test_a_frame_that_was_seen_is_looked_at_and_outlined(
    video_bot: Toolbox, scissors: Scissors
) -> None:
    number = frame_number(1, 12.36)
    assert "V1 0:12.4, region" in await told(video_bot, look("V1 0:12.4"))
    assert "[1]" in await told(video_bot, outline("V1 at 0:12.4"))
    assert scissors.cut == [(number, Box(100, 200, 300, 400))]
    assert [one.photo for one in video_bot.outlines] == [number]


async def test_a_frame_that_was_brought_can_be_looked_at(
    video_bot: Toolbox, scissors: Scissors
) -> None:
    assert "ask for it with frames first" in await told(video_bot, look("V1 0:05.0"))
    await video_bot.follow([frames()])
    await told(video_bot, look("V1 0:05.0"))
    assert [number for number, _ in scissors.cut] == [frame_number(1, 5.0)]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (frames(video="V2"), "There is no such video; there are V1."),
        (frames(to="0:21"), "Times are written as 0:12.4, from 0:00.0 to 0:20.0."),
        (ToolCall("a", "frames", "[]"), tools.NOT_JSON),
        (look("V1"), "There is no such photo; there are P3, V1 0:12.4."),
    ],
)
async def test_a_wrong_call_about_videos_is_refused(
    video_bot: Toolbox, call: ToolCall, reason: str
) -> None:
    assert await told(video_bot, call) == reason


async def test_frames_count_as_calls(scissors: Scissors) -> None:
    limits = ToolLimits(max_tool_calls=1, _env_file=None)
    toolbox = Toolbox((), scissors, limits, VideoFramesTool({1: 20.0}, projected, ()))
    first, second, _ = await toolbox.follow([frames(), frames("b")])
    assert [words(first) == tools.OVER, words(second) == tools.OVER] == [False, True]


async def test_without_videos_there_is_no_such_tool(toolbox: Toolbox, video_bot: Toolbox) -> None:
    assert "There is no tool of this name" in await told(toolbox, frames())
    assert video_bot.tools == (LOOK, OUTLINE, FRAMES)
    assert toolbox.tools == (LOOK, OUTLINE)
