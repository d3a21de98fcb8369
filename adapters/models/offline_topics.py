"""What a question is about, by its words: for answers without a language model."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.text.vocabulary import ANIMALS, NAMES, VEHICLES

if TYPE_CHECKING:
    from collections.abc import Iterable


class Topic(StrEnum):
    """What a question can be about."""

    FILE = "file"
    CAPTURE_TIME = "taken"
    PLACE = "place"
    CAMERA = "camera"
    THINGS = "things"
    TEXT = "text"


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(patterns)})\b", re.IGNORECASE)


TOPIC_WORDS = {
    Topic.FILE: _words(
        r"sizes?", r"resolution", r"(mega)?pixels?", r"dimensions?", r"bytes", r"(file )?format",
        r"duration", r"codec", r"fps", r"frame rate",
        r"how (big|large|long)( is| are)?( the| this| that| my| these)? "
        r"(picture|photo|image|file|video|clip)s?",
    ),
    Topic.CAPTURE_TIME: _words(r"when", r"date", r"time", r"day", r"month", r"year", r"o'clock"),
    Topic.PLACE: _words(
        r"where", r"place", r"location", r"located", r"gps",
        r"coordinates", r"latitude", r"longitude", r"city", r"country", r"map",
    ),
    Topic.CAMERA: _words(r"camera", r"smartphone", r"phone(?! number)", r"device", r"lens"),
    Topic.TEXT: _words(
        r"text", r"words?", r"letters?", r"numbers?", r"(?<!stop )signs?", r"plates?",
        r"licen[cs]e", r"registration", r"codes?", r"serial", r"labels?", r"inscription",
        r"notice", r"ocr", r"vin", r"mileage", r"odometer", r"reads?", r"says?", r"said",
        r"writ(e|es|ing|ten)", r"transcribe", r"spelt|spell",
    ),
}  # fmt: skip
THING_WORDS = _words(r"objects?", r"things?", r"see", r"visible", r"outlines?", r"count")
COUNT = re.compile(r"\bhow many (pictures|photos|images|files)\b", re.IGNORECASE)
EVERYTHING = re.compile(
    r"\b(describe|description|details|facts|metadata|exif|everything|all about|"
    r"tell (me|us) about|what do you (see|know))\b",
    re.IGNORECASE,
)

COMMON_LABELS = {
    *("person", *VEHICLES, *ANIMALS, "bicycle", "train", "boat", "airplane", "traffic light"),
    *("stop sign", "fire hydrant", "parking meter", "bench", "backpack", "umbrella", "handbag"),
    *("suitcase", "skateboard", "bottle", "cup", "chair", "couch", "bed", "dining table"),
    *("tv", "laptop", "keyboard", "cell phone", "refrigerator", "clock", "vase"),
}
"""Labels that people may ask for even if nothing of the kind was seen."""


def topics(question: str) -> set[Topic]:
    """Return what a question is about: all topics if it asks for everything, none if unknown."""
    if EVERYTHING.search(question) or not question.strip():
        return set(Topic)
    matches = {topic for topic, words in TOPIC_WORDS.items() if words.search(question)}
    things = {Topic.THINGS} if THING_WORDS.search(question) or named_things(question) else set()
    return matches | things


def named_things(question: str, labels_seen: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the things that a question names, each with the labels that it may have.

    It can name common labels and those in `labels_seen`, in singular and plural.
    """
    names = {label: (label,) for label in (*COMMON_LABELS, *labels_seen)} | {**NAMES}
    words = question.lower()
    return {name: labels for name, labels in names.items() if re.search(_either(name), words)}


def _either(name: str) -> str:
    """Return a pattern for a name in singular or plural."""
    plural = rf"{re.escape(name[:-1])}ies" if name.endswith("y") else rf"{re.escape(name)}(e?s)?"
    return rf"\b({re.escape(name)}|{plural})\b"
