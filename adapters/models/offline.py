"""Answers without a language model: what the files say, and what vision read and saw."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.models.offline_sentences import OfflineAnswer, SentencePart, describe
from adapters.models.offline_topics import COUNT, Topic, topics
from adapters.models.offline_videos import of_clip
from adapters.models.settings import OFFLINE
from bot import strings as texts
from bot.domain.frame_ids import is_frame
from bot.ports.model import Delta, Finished, Picture, TextPart, VideoIntroduction

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence

    from bot.domain.files import PhotoFacts
    from bot.ports.model import ChatMessage, Request

SENTENCES: dict[Topic, Callable[[PhotoFacts], str]] = {
    Topic.FILE: texts.offline_file,
    Topic.CAPTURE_TIME: texts.offline_taken,
    Topic.PLACE: texts.offline_place,
    Topic.CAMERA: texts.offline_camera,
}
_FRAME = re.compile(r"(\[[^\n]*\]\n)*")
_LABEL = re.compile(r"\bP(\d{1,5})\b", re.IGNORECASE)


class OfflineAnalyst:
    """A `Model` that states only facts of files and sightings of pictures."""

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    async def check(self, model: str = OFFLINE) -> str:
        """Return a sentence about the model."""
        return f"Questions are answered by {model!r}. {texts.OFFLINE_STATUS}"

    def takes_tools(self, model: str) -> bool:
        """Return False: there is no model that could call them."""
        return False

    async def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        """Describe picture by picture, and end with how to set up a model.

        The words about sightings point at their places in the pictures.
        """
        account = OfflineAnswer()
        for piece in _sentences(request):
            yield Delta(account.take(piece))
        yield Delta(account.take(SentencePart(texts.OFFLINE_HINT)))
        yield Finished(OFFLINE, finish="stop", grounding=tuple(account.spans))


def _sentences(request: Request) -> Iterator[SentencePart]:
    """Describe picture by picture and video by video."""
    question = question_of(request.messages)
    clips = [part for part in request.messages[-1].parts if isinstance(part, VideoIntroduction)]
    pictures = pictures_meant(request.messages, question, clips)
    if COUNT.search(question) and pictures:
        yield SentencePart(texts.offline_count([picture.name for picture in pictures]) + "\n\n")
    elif not pictures and not clips:
        yield SentencePart(texts.OFFLINE_NO_PICTURE + "\n\n")
    else:
        about = topics(question)
        if not about:
            yield SentencePart(texts.OFFLINE_BEYOND + "\n\n")
        for picture in pictures:
            yield from _about_picture(picture, question, about or set(Topic), vision=request.vision)
        for clip in clips:
            frames = [each for each in _pictures(request.messages[-1]) if _is_of(each, clip)]
            yield from of_clip(clip, frames, question, about or set(Topic), vision=request.vision)


def _is_of(picture: Picture, clip: VideoIntroduction) -> bool:
    return len(picture.numbers) == 1 and picture.numbers[0] in clip.frames


def _about_picture(
    picture: Picture, question: str, about: set[Topic], *, vision: bool
) -> Iterator[SentencePart]:
    """Describe one picture: what its file says, then what vision saw in it."""
    yield SentencePart(_facts_of(picture, about))
    if about & {Topic.TEXT, Topic.THINGS}:
        for line in _sightings_of(picture, question, about, vision=vision):
            yield replace(line, photo=picture.numbers[0] if picture.numbers else 0)
    yield SentencePart("\n")


def _sightings_of(
    picture: Picture, question: str, about: set[Topic], *, vision: bool
) -> Iterable[SentencePart]:
    if len(picture.numbers) > 1:
        return [SentencePart(texts.OFFLINE_SHEET + "\n")]
    if not vision:
        return [SentencePart(texts.OFFLINE_VISION_OFF + "\n")]
    if picture.sighting is None:
        return [SentencePart(texts.OFFLINE_UNREADABLE + "\n")]
    return describe(picture.sighting, question, about)


def question_of(messages: Sequence[ChatMessage]) -> str:
    """Return the question: the last text of the last message, without the lines around it."""
    words = [part.text for part in messages[-1].parts if isinstance(part, TextPart)]
    return _FRAME.sub("", words[-1], count=1) if words else ""


def pictures_meant(
    messages: Sequence[ChatMessage], question: str, clips: Sequence[VideoIntroduction] = ()
) -> list[Picture]:
    """Return the photos that a question is about.

    Those that it names by number, else those of its own message, else, unless the message is about
    videos, the latest ones.
    """
    numbers = {int(number) for number in _LABEL.findall(question)}
    photos = [list(_photos(message)) for message in messages]
    by_number = [each for group in photos for each in group if numbers.intersection(each.numbers)]
    if by_number or clips:
        return by_number or photos[-1]
    return next((group for group in reversed(photos) if group), [])


def _photos(message: ChatMessage) -> Iterator[Picture]:
    return (
        each for each in _pictures(message) if not is_frame(each.numbers[0] if each.numbers else 0)
    )


def _pictures(message: ChatMessage) -> Iterator[Picture]:
    return (part for part in message.parts if isinstance(part, Picture))


def _facts_of(picture: Picture, about: set[Topic]) -> str:
    """Return the heading and the facts of a picture; a contact sheet has several photos."""
    numbers = picture.numbers if len(picture.numbers) > 1 else ()
    names = [f"P{number}" for number in numbers] or [picture.name]
    facts = picture.facts or (None,) * len(names)
    sections = [_facts(name, fact, about) for name, fact in zip(names, facts, strict=False)]
    return "\n".join(sections)


def _facts(name: str, facts: PhotoFacts | None, about: set[Topic]) -> str:
    lines = [texts.offline_heading(name), ""]
    if facts is not None:
        lines += [tell(facts) for topic, tell in SENTENCES.items() if topic in about]
        lines += [texts.OFFLINE_CUT] if facts.incomplete else []
    return "\n".join(lines) + "\n"
