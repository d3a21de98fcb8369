"""How well frames of a video fit a question, by their vectors, or by what vision saw in them."""

from __future__ import annotations

import re
from math import log
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bot.media.frame_marks import MARK
from bot.text.codes import is_code
from bot.text.vocabulary import (
    BRIGHT,
    CODES,
    COLOUR_WORDS,
    COLOURS,
    DIM,
    HAPPENING,
    STOP,
    SYNONYMS,
    WRITING,
    stem,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.domain.sightings import Sighting
    from bot.ports.embedding import Vector
    from bot.video.candidates import Candidate

VIVID = 90
"""Saturation and brightness, of 255, from which a hue counts as a colour."""
LIGHT, DARK = 1.25, 0.7
"""Times the usual brightness above and below which a frame is strikingly light or dark."""

_WORD = re.compile(r"[^\W_]+")


def terms(question: str) -> frozenset[str]:
    """Return the stems of a question's words that may tell frames apart."""
    return frozenset(word for word in _stems(question) if word not in STOP and len(word) > 1)


def _stems(text: str) -> set[str]:
    return {stem(word) for word in _WORD.findall(text.lower())}


def by_words(
    question: str, candidates: Sequence[Candidate], sightings: Sequence[Sighting | None]
) -> list[float]:
    """Score frames from 0 to 1 by the text and objects in them, and by their colour and light.

    A word counts the more, the fewer frames it fits.
    """
    words = terms(question)
    fits = [dict[str, float]() for _ in candidates]
    for word in words:
        for place, fit in enumerate(_fits(word, candidates, sightings)):
            if fit > 0:
                fits[place][word] = fit
    count = len(candidates)
    rarity = {w: log(1 + count / (1 + sum(w in fit for fit in fits))) for w in words}
    return scale([sum(fit * rarity[w] for w, fit in each.items()) for each in fits])


def _fits(
    word: str, candidates: Sequence[Candidate], sightings: Sequence[Sighting | None]
) -> Sequence[float]:
    """Return how well each frame fits a word."""
    total = np.zeros(len(candidates))
    if sightings:
        total += [_fit(word, sighting) for sighting in sightings]
    if word in COLOURS:
        total += _excess([_share(one, word) for one in candidates])
    if word in COLOUR_WORDS:
        total += _excess([max(_share(one, name) for name in COLOURS) for one in candidates])
    light = np.array([one.brightness for one in candidates])
    usual = max(float(np.median(light)), 1.0) if len(light) else 1.0
    if word in BRIGHT:
        total += np.where(light > usual * LIGHT, 1.0, 0.0)
    if word in DIM:
        total += np.where(light < usual * DARK, 1.0, 0.0)
    if word in HAPPENING:
        total += [one.change for one in candidates]
    return [float(value) for value in total]


def _fit(word: str, sighting: Sighting | None) -> float:
    if sighting is None:
        return 0.0
    best = 0.0
    for thing in sighting.things:
        if word in _names(thing.label):
            best = max(best, thing.confidence)
    for line in sighting.lines:
        if word in _stems(line.text):
            best = max(best, 1.5 * line.confidence)
        elif word in CODES and is_code(line.text):
            best = max(best, line.confidence)
        elif word in WRITING:
            best = max(best, 0.5 * line.confidence)
    captions = " ".join(sighting.captions).lower()
    return max(best, 0.7) if word in terms(captions) else best


def _names(name: str) -> set[str]:
    return _stems(name) | SYNONYMS.get(name.lower(), frozenset())


def _share(one: Candidate, colour: str) -> float:
    """Return how much of a frame has a colour, 0 to 1."""
    mark = np.frombuffer(one.mark, np.uint8).reshape(MARK[1], MARK[0], 3)
    hsv = cv2.cvtColor(mark, cv2.COLOR_BGR2HSV).astype(np.int16)
    low, high = COLOURS[colour]
    hue = np.where(hsv[..., 0] + 180 <= high, hsv[..., 0] + 180, hsv[..., 0])
    vivid = (hsv[..., 1] >= VIVID) & (hsv[..., 2] >= VIVID)
    return float(((hue >= low) & (hue <= high) & vivid).mean())


def _excess(values: Sequence[float]) -> NDArray[np.float64]:
    """Return how far values are above what is usual among them, 0 to 1."""
    array = np.asarray(values, np.float64)
    above = np.clip(array - np.median(array) - 0.01, 0, None) if len(array) else array
    return above / above.max() if len(above) and above.max() > 0 else above


def by_vectors(question: Vector, frames: Sequence[Vector | None]) -> list[float]:
    """Score frames by the cosine of their vectors and the question's, the best 1, the least 0.

    A frame without a vector counts as the least.
    """
    words = np.asarray(question)
    angles = [None if one is None else _cosine(words, np.asarray(one)) for one in frames]
    least = min((angle for angle in angles if angle is not None), default=0.0)
    return scale([0.0 if angle is None else angle - least for angle in angles])


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.dot(one, other) / ((np.linalg.norm(one) * np.linalg.norm(other)) or 1.0))


def scale(values: Sequence[float]) -> list[float]:
    """Scale values to 0..1, the largest to 1."""
    most = max(values, default=0.0)
    return [value / most if most > 0 else 0.0 for value in values]
