"""Words of questions: colours, moments, writing, and names of things.

The sets hold stems, which are compared with the stems of questions, of text and of labels.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDINGS = (
    *(("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", "")),
    *(("es", ""), ("s", ""), ("e", "")),
)
_DOUBLE_CONSONANT = re.compile(r"(?<=..)([^\W\daeiou])\1$")


def stem(word: str) -> str:
    """Return one form for plurals and simple verb forms in lower case; it may be no word."""
    for ending, instead in _ENDINGS:
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and not word.endswith("ss"):
            word = base + instead
            break
    return word[:-1] if _DOUBLE_CONSONANT.search(word) else word


def _words(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


_HUES = {
    "red": (172, 188),
    "orange": (8, 20),
    "yellow": (21, 35),
    "green": (36, 85),
    "blue": (90, 130),
    "purple": (131, 155),
    "pink": (156, 171),
}
COLOURS: Mapping[str, tuple[int, int]] = {stem(name): hues for name, hues in _HUES.items()}
"""Hues that people call so, in OpenCV's half degrees; red goes past the end of the circle."""

VEHICLES = ("car", "truck", "bus", "motorcycle")
ANIMALS = (
    *("bird", "cat", "dog", "horse", "sheep"),
    *("cow", "elephant", "bear", "zebra", "giraffe"),
)
NAMES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("people", "man", "men", "woman", "women"), ("person",)),
    **dict.fromkeys(("child", "children", "pedestrian"), ("person",)),
    **dict.fromkeys(("someone", "somebody", "anyone", "anybody"), ("person",)),
    **dict.fromkeys(("vehicle", "automobile"), VEHICLES),
    **dict.fromkeys(("animal", "pet"), ANIMALS),
    "bike": ("bicycle",),
    "motorbike": ("motorcycle",),
    "lorry": ("truck",),
    "plane": ("airplane",),
    "sofa": ("couch",),
    "fridge": ("refrigerator",),
}
"""What people call things, and the labels by which vision engines know them."""
HINTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("boy", "girl", "driver", "worker", "who"), ("person",)),
    "cyclist": ("person", "bicycle"),
    **dict.fromkeys(("auto", "cab", "taxi"), ("car",)),
    "van": ("truck",),
    "coach": ("bus",),
    "scooter": ("motorcycle",),
    "mobile": ("cell phone",),
    "signal": ("traffic light",),
}
"""Words that only hint at labels: enough to look there, not to call it one."""


def _synonyms() -> Mapping[str, frozenset[str]]:
    pairs = [(name, label) for names in (NAMES, HINTS) for name in names for label in names[name]]
    return {
        label: frozenset(stem(name) for name, other in pairs if other == label)
        for _, label in pairs
    }


SYNONYMS = _synonyms()
"""What else people call the things that engines name, by label."""

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
