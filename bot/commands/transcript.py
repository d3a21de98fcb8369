"""The raw transcript of a thread, as values for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.domain.frame_ids import seconds_of
from bot.domain.turn_record import record_of
from bot.ports.model import Picture
from bot.strings import default_question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.files import Photo, Video
    from bot.domain.history import ThreadHistory, Turn
    from bot.domain.threads import Thread
    from bot.ports.model import ChatMessage

VERSION = 1
"""The version of the shape that `full` returns."""

TranscriptMessage = dict[str, Any]
"""`{"role": "user", "content": [{"image": "sha256:…", "name": "P1 IMG_0042.jpg"}, "words"]}`."""


def transcript(system: str, past: ThreadHistory) -> list[TranscriptMessage]:
    """Return what was said, in the shape of the quickstart's "Show raw JSON".

    First the system message in effect, then question and answer of each turn that was answered, or
    stopped after its first word.
    """
    messages: list[TranscriptMessage] = [{"role": "system", "content": [system]}]
    photos = {photo.number: photo for photo in past.photos}
    videos = {video.number: video for video in past.videos}
    for turn in past.turns:
        if turn.has_answer:
            numbers = [number for number in sorted(turn.pictures.photos) if number in photos]
            pictures = [_image(photos[n].sha256, photos[n].label) for n in numbers]
            pictures += [_video(videos[n], turn) for n in turn.pictures.videos if n in videos]
            words = turn.question or default_question(
                len(turn.pictures.photos), len(turn.pictures.videos)
            )
            messages.append({"role": "user", "content": [*pictures, words]})
            messages.append({"role": "assistant", "content": [turn.answer]})
    return messages


def full(thread: Thread, system: str, past: ThreadHistory) -> dict[str, Any]:
    """Return everything recorded: `{"version", "thread", "messages", "turns"}`.

    `messages` are those of the last request, or the system message before any. Turns hold all
    their fields, and in place of the numbers of photos and videos their records, as far as they are
    kept.
    """
    return {
        "version": VERSION,
        "thread": asdict(thread),
        "messages": list(past.request) or transcript(system, past)[:1],
        "turns": [_record(turn, past) for turn in past.turns],
    }


def request_view(messages: Iterable[ChatMessage]) -> list[TranscriptMessage]:
    """Return the messages of a request as they are stored: pictures by their SHA-256 only.

    Calls of tools stand in `tool_calls`, as `{"id", "name", "arguments"}`, and the message that
    answers one names it in `tool_call_id`.
    """
    return [_view(message) for message in messages]


def _view(message: ChatMessage) -> TranscriptMessage:
    content = [
        _image(part.sha256, part.name) if isinstance(part, Picture) else part.text
        for part in message.parts
    ]
    calls = [asdict(call) for call in message.calls]
    return {
        "role": message.role,
        "content": content,
        **({"tool_calls": calls} if calls else {}),
        **({"tool_call_id": message.answers} if message.answers else {}),
    }


def _image(sha256: str, name: str) -> dict[str, str]:
    return {"image": f"sha256:{sha256}", "name": name}


def _video(video: Video, turn: Turn) -> dict[str, Any]:
    """Return a video, with the times of the frames of it that went to the model in a turn."""
    frames = [seconds_of(one.frame) for one in turn.pictures.frames if one.video == video.number]
    return {"video": f"sha256:{video.sha256}", "name": video.label, "frames": sorted(frames)}


def _record(turn: Turn, past: ThreadHistory) -> dict[str, Any]:
    """Return all fields of a turn; files by their records, and frames by video and time."""
    sightings = [
        {"photo": record.photo, **asdict(record.sighting)} for record in turn.evidence.sightings
    ]
    frames = [
        {"video": one.video, "at": seconds_of(one.frame), **asdict(one)}
        for one in turn.pictures.frames
    ]
    return asdict(record_of(turn)) | {
        "photos": _records(turn.pictures.photos, past.photos),
        "videos": _records(turn.pictures.videos, past.videos),
        "frames": frames,
        "sightings": sightings,
    }


def _records(numbers: Iterable[int], files: Iterable[Photo | Video]) -> list[dict[str, Any]]:
    """Return the records of files; of a file that is gone, only its number."""
    records = {file.number: asdict(file) for file in files}
    return [records.get(number, {"number": number}) for number in numbers]
