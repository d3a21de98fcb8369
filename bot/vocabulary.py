"""Words of questions about videos: colours, moments, writing, and what else things are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLOURS: Mapping[str, tuple[int, int]] = {
    "red": (172, 188),
    "orange": (8, 20),
    "yellow": (21, 35),
    "green": (36, 85),
    "blue": (90, 130),
    "purple": (131, 155),
    "pink": (156, 171),
}
"""Hues of what people call so, in OpenCV's half degrees; red goes over the end of the circle."""

SYNONYMS: Mapping[str, frozenset[str]] = {
    "person": _words(
        "anybody anyone boy child cyclist driver girl man men pedestrian people somebody someone "
        "who woman women worker"
    ),
    "car": _words("auto automobile cab taxi vehicle"),
    "truck": _words("lorry van vehicle"),
    "bus": _words("coach vehicle"),
    "bicycle": _words("bike cyclist"),
    "motorcycle": _words("bike motorbike scooter vehicle"),
    "cell phone": _words("mobile phone"),
    "traffic light": _words("light signal"),
}
"""What else people call the things that engines name."""
HAPPENING = _words(
    """
    accident appear bang break change collide collision crash cut damage event explosion fall
    happen hit impact incident jump moment move strike sudden suddenly
    """
)
"""Words that ask for a moment, not for a thing."""
WRITING = _words(
    """
    label notice number read say sign text word write written
    """
)
CODES = _words(
    """
    code licence license number plate registration serial vin
    """
)
BRIGHT = _words(
    """
    bright explosion fire flash light lightning spark white
    """
)
DIM = _words(
    """
    black dark night shadow
    """
)
COLOUR_WORDS = _words("color colour")
STOP = _words(
    """
    a about all an and any are as at be been by can clip describe detail did do does for frame
    from give had has have how i in into is it its me my of on or our please provide see seen show
    shown tell than that the their them then there these they this to us video was we were what
    when where which while will with you your
    """
)
