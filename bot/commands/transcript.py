"""The raw transcript of a thread, as JSON that always parses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.domain.frame_ids import seconds_of
from bot.domain.turn_record import record_of
from bot.ports.model import Picture
from bot.strings import default_question
from bot.text.graphemes import boundary, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.domain.files import Photo, Video
    from bot.domain.history import ThreadHistory, Turn
    from bot.domain.threads import Thread
    from bot.ports.model import ChatMessage

VERSION = 1
"""The version of the shape that `full` returns."""

Message = dict[str, Any]
"""`{"role": "user", "content": [{"image": "sha256:…", "name": "P1 IMG_0042.jpg"}, "words"]}`."""

_FENCE = "```json\n{}\n```"
_ARRAY = _FENCE.format("[\n{}\n]")

# A chat may take these for marks, images, entities or line ends, even in a code block.
_UNSAFE = re.compile(r"[`!<>&\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


def transcript(system: str, past: ThreadHistory) -> list[Message]:
    """List what was said, in the shape of the quickstart's "Show raw JSON".

    First the system message in force, then question and answer of each turn that was answered, or
    stopped after its first word.
    """
    messages: list[Message] = [{"role": "system", "content": [system]}]
    photos = {photo.number: photo for photo in past.photos}
    videos = {video.number: video for video in past.videos}
    for turn in past.turns:
        if turn.has_answer:
            shown = [photos[number] for number in sorted(turn.pictures.photos) if number in photos]
            pictures = [_image(photo.sha256, photo.label) for photo in shown]
            pictures += [_clip(videos[n], turn) for n in turn.pictures.videos if n in videos]
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


def request_view(messages: Iterable[ChatMessage]) -> list[Message]:
    """Write the messages of a request as they are kept: pictures by their SHA-256 only.

    Calls of tools stand in `tool_calls`, as `{"id", "name", "arguments"}`, and the message that
    answers one names it in `tool_call_id`.
    """
    return [_view(said) for said in messages]


def _view(said: ChatMessage) -> Message:
    content = [
        _image(part.sha256, part.name) if isinstance(part, Picture) else part.text
        for part in said.parts
    ]
    calls = [asdict(call) for call in said.calls]
    return {
        "role": said.role,
        "content": content,
        **({"tool_calls": calls} if calls else {}),
        **({"tool_call_id": said.answers} if said.answers else {}),
    }


def dumps(value: object) -> str:
    """Write JSON for a file: valid, and encodable as UTF-8, whatever the strings hold.

    Halves of surrogate pairs become U+FFFD and numbers that JSON does not know become null.
    """
    return json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False)


def exceeds(value: object, limit: int) -> bool:
    """Tell whether JSON is longer than `limit` code points even when written tightly."""
    return len(_encoded(_plain(value))) > limit


def blocks(messages: Iterable[Message], limit: int) -> list[str]:
    """Write a transcript as code blocks of at most `limit` code points (at least 200).

    Each block is a JSON array of whole messages, and the arrays joined are the transcript. A
    message that is over the limit becomes several of the same role, its texts several strings.
    """
    room = limit - len(_ARRAY.format(""))
    lines = [_encoded(piece) for message in messages for piece in _fitting(_plain(message), room)]
    return _packed(lines, limit)


def full_blocks(whole: Mapping[str, Any], limit: int) -> list[str]:
    """Write what `full` returns as code blocks of at most `limit` code points (at least 200).

    One block holds the object where it fits. Else each block is a JSON array of
    `[[key, index, …], value]`, where to put which value; strings at the same place are joined.
    """
    plain = _plain(whole)
    for indent in (2, None):
        block = _FENCE.format(_encoded(plain, indent))
        if len(block) <= limit:
            return [block]
    room = limit - len(_ARRAY.format(""))
    return _packed([_encoded(placed) for placed in _placed([], plain, room)], limit)


def _image(sha256: str, name: str) -> dict[str, str]:
    return {"image": f"sha256:{sha256}", "name": name}


def _clip(video: Video, turn: Turn) -> dict[str, Any]:
    """Write a video, with the times of the frames of it that went to the model in a turn."""
    frames = [seconds_of(one.frame) for one in turn.pictures.frames if one.video == video.number]
    return {"video": f"sha256:{video.sha256}", "name": video.label, "frames": sorted(frames)}


def _record(turn: Turn, past: ThreadHistory) -> dict[str, Any]:
    """Write all fields of a turn; files by their records, and frames by video and time."""
    seen = [{"photo": seen.photo, **asdict(seen.sighting)} for seen in turn.evidence.sightings]
    frames = [
        {"video": one.video, "at": seconds_of(one.frame), **asdict(one)}
        for one in turn.pictures.frames
    ]
    return asdict(record_of(turn)) | {
        "photos": _kept(turn.pictures.photos, past.photos),
        "videos": _kept(turn.pictures.videos, past.videos),
        "frames": frames,
        "sightings": seen,
    }


def _kept(numbers: Iterable[int], files: Iterable[Photo | Video]) -> list[dict[str, Any]]:
    """Write the records of files, as far as they are kept."""
    known = {file.number: asdict(file) for file in files}
    return [known.get(number, {"number": number}) for number in numbers]


def _plain(value: Any) -> Any:
    """Bring a value into what JSON can hold."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, Mapping):
        return {well_formed(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _encoded(value: object, indent: int | None = None) -> str:
    """Write JSON for a code block."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _packed(lines: list[str], limit: int) -> list[str]:
    """Gather lines into as few arrays as hold them in order."""
    packed = [lines[:1]]
    for line in lines[1:]:
        if len(_ARRAY.format(",\n".join([*packed[-1], line]))) <= limit:
            packed[-1].append(line)
        else:
            packed.append([line])
    return [_ARRAY.format(",\n".join(group)) for group in packed]


def _fitting(message: Message, room: int) -> Iterator[Message]:
    """Cut a message into messages of the same role of at most `room` code points each."""
    empty = {"role": message["role"], "content": []}
    space = room - len(_encoded(empty))
    content: list[Any] = []
    for item in message["content"]:
        for piece in _slices(item, space) if isinstance(item, str) else [_short(item, space)]:
            if content and len(_encoded([*content, piece])) - 2 > space:
                yield empty | {"content": content}
                content = []
            content.append(piece)
    yield empty | {"content": content}


def _short(picture: dict[str, Any], space: int) -> dict[str, Any]:
    """Shorten a picture's name so that it fits."""
    spare = space - len(_encoded(picture | {"name": "…"}))
    whole = str(picture.get("name", ""))
    name = next(_slices(whole, spare + 2))
    return picture if name == whole else picture | {"name": f"{name}…"}


def _slices(text: str, room: int) -> Iterator[str]:
    """Cut a text into strings of at most `room` code points each when encoded."""
    if len(_encoded(text)) <= room:
        yield text
        return
    start, used = 0, 2
    for at, char in enumerate(text):
        size = _width(char)
        if used + size > room:
            cut = boundary(text, at)
            cut = cut if cut > start else at
            yield text[start:cut]
            start, used = cut, len(_encoded(text[cut:at]))
        used += size
    yield text[start:]


@lru_cache(4096)
def _width(char: str) -> int:
    """Count the code points that a character takes within a string."""
    return len(_encoded(char)) - 2


def _placed(path: list[str | int], value: Any, room: int) -> Iterator[list[Any]]:
    """List the parts of a value with their places, each of at most `room` code points."""
    if len(_encoded([path, value])) <= room:
        yield [path, value]
    elif isinstance(value, str):
        for piece in _slices(value, room - len(_encoded([path, ""])) + 2):
            yield [path, piece]
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _placed([*path, key], item, room)
