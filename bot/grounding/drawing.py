"""Photos and frames with the outlines of an answer, as pictures to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.frame_ids import clock, label, seconds_of, video_of
from bot.media.contact_sheet import outlined_sheet
from bot.media.draw_outlines import PICTURE_BYTES, PICTURE_SIDE, SMALL_PICTURE_BYTES, draw
from bot.ports.channel import FrameAttachment, PictureAttachment
from bot.strings import answers as texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.domain.outlines import Outline
    from bot.ports.model import Picture
    from bot.sandbox import ChildProcesses


async def draw_outlined(
    children: ChildProcesses, picture: Picture, outlines: Sequence[Outline]
) -> PictureAttachment:
    """Draw the outlines of a photo on a copy of it; raises `FileProblem`."""
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
    """Put frames of one video, with their outlines, on a contact sheet.

    The one number of each picture is that of its frame; `name` is what people call the video
    ("V1 crash.mp4"; unset: its number). Raises `FileProblem`, and `ValueError` without pictures.
    """
    outlines_by_frame = {
        picture.numbers[0]: _outlines_on(picture, outlines) for picture in pictures
    }
    frames = sorted(pictures, key=lambda picture: picture.numbers)
    cells = [(_time(each), each.jpeg, outlines_by_frame[each.numbers[0]]) for each in frames]
    large = await children.run(outlined_sheet, cells, PICTURE_SIDE, PICTURE_BYTES)
    small = large
    if len(large.jpeg) > SMALL_PICTURE_BYTES:
        small = await children.run(outlined_sheet, cells, PICTURE_SIDE, SMALL_PICTURE_BYTES)
    name = name or f"V{video_of(frames[0].numbers[0])}"
    things = [thing for _, _, own in cells for thing in _things(own)]
    return PictureAttachment(
        name=name,
        alt=texts.frames_alt(name, [time for time, _, _ in cells], things),
        jpeg=large.jpeg,
        small=small.jpeg,
        photo=large.jpeg,
        frames=tuple(_frame(each, name, outlines_by_frame[each.numbers[0]]) for each in frames),
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
