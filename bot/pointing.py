"""What people are shown of outlines: citations of the text, and photos with the outlines on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import texts
from bot.channel import PICTURE_SIDE, SMALL_PICTURE_BYTES, Citation, OutPicture
from bot.media.draw import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.children import Children
    from bot.grounding import Outline
    from bot.model import Picture


def citations(outlines: Iterable[Outline], pictures: Iterable[Picture]) -> tuple[Citation, ...]:
    """Say what each number stands for; `pictures` are those that have outlines."""
    names = {number: picture.name for picture in pictures for number in picture.numbers}
    return tuple(
        Citation(
            outline.number,
            outline.label,
            texts.outlined_on(names.get(outline.photo, f"P{outline.photo}")),
        )
        for outline in outlines
    )


async def outlined(children: Children, picture: Picture, outlines: Sequence[Outline]) -> OutPicture:
    """Draw on a copy of a photo the outlines that belong to it; raises `FileProblem`."""
    [number] = picture.numbers
    own = tuple(outline for outline in outlines if outline.photo == number)
    large = await children.run(draw, picture.jpeg, own)
    small = large
    if len(large.jpeg) > SMALL_PICTURE_BYTES:
        small = await children.run(draw, picture.jpeg, own, PICTURE_SIDE, SMALL_PICTURE_BYTES)
    things = [f"{outline.number} {outline.label}" for outline in own]
    return OutPicture(
        name=picture.name,
        alt=texts.outlined(picture.name, things),
        jpeg=large.jpeg,
        small=small.jpeg,
        photo=picture.jpeg,
        outlines=own,
    )
