"""What an answer points at: found, cited in the text, and shown on photos and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.domain.frame_ids import clock, label, seconds_of, video_of
from bot.domain.outlines import Grounding
from bot.grounding.outlines import MOST, cited, numbered, spans
from bot.grounding.realign import anchored
from bot.grounding.word_matching import matched
from bot.media.contact_sheet import outlined_sheet
from bot.media.draw_outlines import draw
from bot.media.size_limits import PICTURE_BYTES, PICTURE_SIDE, SMALL_PICTURE_BYTES
from bot.ports.channel import Citation, FrameAttachment, PictureAttachment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.domain.outlines import Outline, Span
    from bot.domain.sightings import Sighting
    from bot.ports.model import Picture
    from bot.sandbox import ChildProcesses


def grounded(
    answer: str,
    outlines: Sequence[Outline],
    said: Sequence[Span] | None,
    sightings: Mapping[int, Sighting],
) -> Grounding:
    """Find what an answer, as it is stored, points at.

    The model's own `outlines` come first; else what the service said that words stand for (spans
    of the model's words, None where it said nothing of that); else the things and lines of
    `sightings` that the answer names. Numbers that the answer has already stand for something
    else.
    """
    if outlines:
        return Grounding(tuple(outlines), spans(answer, outlines))
    first = _free(cited(answer))
    if said is not None:
        return numbered(anchored(said, answer), first)
    return matched(answer, sightings, first)


def _free(used: Iterable[int]) -> int:
    """Find the least number from which none is used, as far as outlines may need them."""
    after = (number + 1 for number in sorted(used))
    return next(
        first for first in (1, *after) if not any(first <= number < first + MOST for number in used)
    )


def citations(outlines: Iterable[Outline], names: Mapping[int, str]) -> tuple[Citation, ...]:
    """Say what each number stands for; `names` are those of photos and frames, by number."""
    return tuple(
        Citation(
            outline.number,
            outline.label,
            texts.outline_caption(names.get(outline.photo, label(outline.photo))),
        )
        for outline in outlines
    )


async def outlined(
    children: ChildProcesses, picture: Picture, outlines: Sequence[Outline]
) -> PictureAttachment:
    """Draw on a copy of a photo the outlines that belong to it; raises `FileProblem`."""
    own = _outlines_on(picture, outlines)
    large = await children.run(draw, picture.jpeg, own)
    small = large
    if len(large.jpeg) > SMALL_PICTURE_BYTES:
        small = await children.run(draw, picture.jpeg, own, PICTURE_SIDE, SMALL_PICTURE_BYTES)
    return PictureAttachment(
        name=picture.name,
        alt=texts.picture_alt(picture.name, _things(own)),
        jpeg=large.jpeg,
        small=small.jpeg,
        photo=picture.jpeg,
        outlines=own,
    )


async def sheet_of_frames(
    children: ChildProcesses,
    pictures: Sequence[Picture],
    outlines: Sequence[Outline],
    name: str = "",
) -> PictureAttachment:
    """Put frames of one video, with the outlines that belong to them, on a contact sheet.

    The one number of each picture is that of its frame; `name` is what people call the video
    ("V1 crash.mp4"; unset: its number). Raises `FileProblem`, and `ValueError` without pictures.
    """
    inked = {picture.numbers[0]: _outlines_on(picture, outlines) for picture in pictures}
    shown = sorted(pictures, key=lambda picture: picture.numbers)
    cells = [(_time(each), each.jpeg, inked[each.numbers[0]]) for each in shown]
    large = await children.run(outlined_sheet, cells, PICTURE_SIDE, PICTURE_BYTES)
    small = large
    if len(large.jpeg) > SMALL_PICTURE_BYTES:
        small = await children.run(outlined_sheet, cells, PICTURE_SIDE, SMALL_PICTURE_BYTES)
    name = name or f"V{video_of(shown[0].numbers[0])}"
    things = [thing for _, _, own in cells for thing in _things(own)]
    return PictureAttachment(
        name=name,
        alt=texts.frames_alt(name, [time for time, _, _ in cells], things),
        jpeg=large.jpeg,
        small=small.jpeg,
        photo=large.jpeg,
        frames=tuple(_frame(picture, name, inked[picture.numbers[0]]) for picture in shown),
    )


def _frame(picture: Picture, video: str, own: tuple[Outline, ...]) -> FrameAttachment:
    alt = texts.frames_alt(video, [_time(picture)], _things(own))
    return FrameAttachment(label(picture.numbers[0]), alt, picture.jpeg, own)


def _time(picture: Picture) -> str:
    return clock(seconds_of(picture.numbers[0]))


def _outlines_on(picture: Picture, outlines: Sequence[Outline]) -> tuple[Outline, ...]:
    return tuple(outline for outline in outlines if outline.photo in picture.numbers)


def _things(outlines: Iterable[Outline]) -> list[str]:
    return [f"{outline.number} {outline.label}" for outline in outlines]
