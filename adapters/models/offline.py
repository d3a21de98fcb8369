"""Answers without a language model: what the files prove, and the text that can be read."""

from __future__ import annotations

import asyncio
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from adapters.models.settings import OFFLINE
from bot import texts
from bot.media.pixels import encode
from bot.model import Delta, Finished, Picture, Text
from bot.problems import FileProblem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from bot.history import PhotoFacts
    from bot.model import Request, Said
    from bot.vision import Sighting, TextLine


class Reader(Protocol):
    """An engine that reads pictures and can be closed."""

    async def look(self, jpeg: bytes) -> Sighting:
        """Read an upright JPEG; raises `FileProblem`."""
        ...

    async def close(self) -> None:
        """End the engine."""
        ...


class Topic(StrEnum):
    """What a question can be about."""

    FILE = "file"
    TAKEN = "taken"
    PLACE = "place"
    CAMERA = "camera"
    TEXT = "text"


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(patterns)})\b", re.IGNORECASE)


ASKED = {
    Topic.FILE: _words(
        r"sizes?", r"resolution", r"(mega)?pixels?", r"dimensions?", r"bytes", r"(file )?format",
        r"how (big|large)( is| are)?( the| this| that| my| these)? (picture|photo|image|file)s?",
    ),
    Topic.TAKEN: _words(r"when", r"date", r"time", r"day", r"month", r"year", r"o'clock"),
    Topic.PLACE: _words(
        r"where", r"place", r"location", r"located", r"gps", r"coordinates", r"latitude",
        r"longitude", r"city", r"country", r"map",
    ),
    Topic.CAMERA: _words(r"camera", r"smartphone", r"phone(?! number)", r"device", r"lens"),
    Topic.TEXT: _words(
        r"text", r"words?", r"letters?", r"numbers?", r"signs?", r"plates?", r"licen[cs]e",
        r"registration", r"codes?", r"serial", r"labels?", r"inscription", r"notice", r"ocr",
        r"reads?", r"says?", r"said", r"writ(e|es|ing|ten)", r"transcribe", r"spelt|spell",
    ),
}  # fmt: skip
COUNT = re.compile(r"\bhow many (pictures|photos|images|files)\b", re.IGNORECASE)
EVERYTHING = re.compile(
    r"\b(describe|description|details|facts|metadata|exif|everything|all about|"
    r"tell (me|us) about|what do you (see|know))\b",
    re.IGNORECASE,
)
TELL: dict[Topic, Callable[[PhotoFacts], str]] = {
    Topic.FILE: texts.offline_file,
    Topic.TAKEN: texts.offline_taken,
    Topic.PLACE: texts.offline_place,
    Topic.CAMERA: texts.offline_camera,
}
BLANK = np.full((64, 64, 3), 255, np.uint8)
_CODE = re.compile(r"(?=.*\d)[A-Z0-9]{4,24}")
_FRAME = re.compile(r"(\[[^\n]*\]\n)*")
_LABEL = re.compile(r"\bP(\d{1,5})\b", re.IGNORECASE)


class OfflineAnalyst:
    """A `Model` that claims nothing it cannot prove; it owns its reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def close(self) -> None:
        """End the reader."""
        await self._reader.close()

    async def check(self, model: str = OFFLINE) -> str:
        """Read a blank picture, and say how things stand; raises `FileProblem`."""
        await self._reader.look(await asyncio.to_thread(encode, BLANK))
        return f"Questions are answered by {model!r}. {texts.OFFLINE_HINT}"

    async def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        """Tell picture by picture, each as soon as it is read, and end with the remedy."""
        question = asked(request.messages)
        pictures = meant(request.messages, question)
        if COUNT.search(question) and pictures:
            yield Delta(texts.offline_count([picture.name for picture in pictures]) + "\n\n")
        elif not pictures:
            yield Delta(texts.OFFLINE_NO_PICTURE + "\n\n")
        else:
            about = topics(question)
            if not about:
                yield Delta(texts.OFFLINE_BEYOND + "\n\n")
            for picture in pictures:
                yield Delta(_told(picture, about or set(Topic)))
                if Topic.TEXT in about or not about:
                    yield Delta(await self._read(picture) + "\n")
                yield Delta("\n")
        yield Delta(texts.OFFLINE_HINT)
        yield Finished(OFFLINE, finish="stop")

    async def _read(self, picture: Picture) -> str:
        if len(picture.numbers) > 1:
            return texts.OFFLINE_SHEET
        try:
            sighting = await self._reader.look(picture.jpeg)
        except FileProblem:
            return texts.OFFLINE_UNREADABLE
        return texts.offline_text(sighting.lines, codes(sighting.lines))


def asked(messages: Sequence[Said]) -> str:
    """Find the question: the last words of the last message, without the lines of its frame."""
    words = [part.text for part in messages[-1].parts if isinstance(part, Text)]
    return _FRAME.sub("", words[-1], count=1) if words else ""


def meant(messages: Sequence[Said], question: str) -> list[Picture]:
    """Find the pictures that a question is about.

    Those that it names by number, else those of its own message, else the latest ones.
    """
    numbers = {int(number) for number in _LABEL.findall(question)}
    named = [picture for said in messages for picture in _pictures(said)]
    named = [picture for picture in named if numbers.intersection(picture.numbers)]
    posted = (list(_pictures(said)) for said in reversed(messages))
    return named or next((pictures for pictures in posted if pictures), [])


def _pictures(said: Said) -> Iterator[Picture]:
    return (part for part in said.parts if isinstance(part, Picture))


def topics(question: str) -> set[Topic]:
    """Tell what a question is about: all topics if it wants everything, none if none is known."""
    if EVERYTHING.search(question) or not question.strip():
        return set(Topic)
    return {topic for topic, words in ASKED.items() if words.search(question)}


def codes(lines: Sequence[TextLine]) -> set[str]:
    """Pick what looks like a plate, serial number or other code, where each character counts."""
    return {line.text for line in lines if _CODE.fullmatch(re.sub(r"[\s.·:/-]", "", line.text))}


def _told(picture: Picture, about: set[Topic]) -> str:
    """Write a picture's heading and what its file proves; a contact sheet has several photos."""
    numbers = picture.numbers if len(picture.numbers) > 1 else ()
    names = [f"P{number}" for number in numbers] or [picture.name]
    facts = picture.facts or (None,) * len(names)
    written = [_facts(name, fact, about) for name, fact in zip(names, facts, strict=False)]
    return "\n".join(written)


def _facts(name: str, facts: PhotoFacts | None, about: set[Topic]) -> str:
    lines = [texts.offline_heading(name), ""]
    if facts is not None:
        lines += [tell(facts) for topic, tell in TELL.items() if topic in about]
        lines += [texts.OFFLINE_CUT] if facts.incomplete else []
    return "\n".join(lines) + "\n"
