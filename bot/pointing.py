"""What an answer points at: found, cited in the text, and shown on photos with outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import texts
from bot.anchors import anchored
from bot.channel import PICTURE_SIDE, SMALL_PICTURE_BYTES, Citation, OutPicture
from bot.grounding import MOST, Grounding, cited, numbered, spans
from bot.matching import matched
from bot.media.draw import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.children import Children
    from bot.grounding import Outline, Span
    from bot.model import Picture
    from bot.vision import Sighting


def grounded(
    answer: str,
    outlines: Sequence[Outline],
    said: Sequence[Span],
    sightings: Mapping[int, Sighting],
) -> Grounding:
    """Find what an answer, as it is stored, points at.

    The model's own `outlines` come first; else what the service said that words stand for (spans
    of the model's words); else the things and lines of `sightings` that the answer names. Numbers
    that the answer has already stand for something else.
    """
    if outlines:
        return Grounding(tuple(outlines), spans(answer, outlines))
    first = _free(cited(answer))
    if said:
        return numbered(anchored(said, answer), first)
    return matched(answer, sightings, first)


def _free(used: Iterable[int]) -> int:
    """Find the least number from which none is used, as far as outlines may need them."""
    after = (number + 1 for number in sorted(used))
    return next(
        first for first in (1, *after) if not any(first <= number < first + MOST for number in used)
    )


def citations(outlines: Iterable[Outline], names: Mapping[int, str]) -> tuple[Citation, ...]:
    """Say what each number stands for; `names` are those of the photos, by number."""
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
