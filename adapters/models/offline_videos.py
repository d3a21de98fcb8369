"""What a video says, and what vision saw in it and when: for answers without a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.models.offline_sentences import SentencePart, summarize
from adapters.models.offline_topics import Topic
from bot import strings as texts
from bot.domain.frame_ids import clock, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.ports.model import Picture, VideoIntroduction

MOST_PHRASES = 40
"""Most phrases of one video in an answer."""


def of_clip(
    clip: VideoIntroduction,
    frames: Sequence[Picture],
    question: str,
    about: set[Topic],
    *,
    vision: bool,
) -> Iterator[SentencePart]:
    """Describe a video: its file, its changes, its speech, and its frames one by one."""
    facts = [texts.offline_heading(clip.name), ""]
    if Topic.FILE in about:
        facts.append(texts.offline_video_file(clip.facts))
    # "When" may ask for a moment in the video as well.
    if Topic.CAPTURE_TIME in about:
        facts.append(texts.offline_taken(clip.facts))
    if Topic.PLACE in about:
        facts.append(texts.offline_place(clip.facts))
    if Topic.CAMERA in about:
        facts.append(texts.offline_camera(clip.facts))
    facts.append(texts.offline_changes(list(map(clock, clip.changes))))
    phrases = clip.phrases[:MOST_PHRASES]
    facts += [texts.offline_spoken(clock(phrase.start), phrase.text) for phrase in phrases]
    yield SentencePart("\n".join(facts) + "\n")
    yield from _frames(frames, question, vision=vision)
    yield SentencePart("\n")


def _frames(frames: Sequence[Picture], question: str, *, vision: bool) -> Iterator[SentencePart]:
    """Describe each frame with its time."""
    if not frames:
        yield SentencePart(texts.OFFLINE_NO_FRAMES + "\n")
    elif not vision:
        times = [clock(seconds_of(picture.numbers[0])) for picture in frames]
        yield SentencePart(f"{texts.offline_frames(times)}\n{texts.OFFLINE_VISION_OFF}\n")
    else:
        for picture in frames:
            number = picture.numbers[0]
            unseen = SentencePart(texts.OFFLINE_NOT_LOOKED_AT)
            sentence = summarize(picture.sighting, question) if picture.sighting else unseen
            words = texts.offline_frame(clock(seconds_of(number)), sentence.text)
            yield replace(sentence, text=words + "\n", photo=number)
