"""JSON as text: a file, or code blocks that fit a message and parse one by one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.text.graphemes import boundary, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.commands.transcript import TranscriptMessage

_FENCE = "```json\n{}\n```"
_ARRAY = _FENCE.format("[\n{}\n]")

# A chat may take these for markup, images, entities or line ends, even in a code block.
_UNSAFE = re.compile(r"[`!<>&\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


def dumps(value: object) -> str:
    """Write JSON for a file: valid, and encodable as UTF-8, whatever the strings hold.

    Halves of surrogate pairs become U+FFFD and numbers that JSON does not know become null.
    """
    return json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False)


def exceeds(value: object, limit: int) -> bool:
    """Return whether JSON is longer than `limit` code points even when written tightly."""
    return len(_encoded(_plain(value))) > limit


def blocks(messages: Iterable[TranscriptMessage], limit: int) -> list[str]:
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
    `[[key, index, …], value]`: a path, and the value to put there; strings of one path are joined.
    """
    plain = _plain(whole)
    for indent in (2, None):
        block = _FENCE.format(_encoded(plain, indent))
        if len(block) <= limit:
            return [block]
    room = limit - len(_ARRAY.format(""))
    return _packed([_encoded(part) for part in _parts([], plain, room)], limit)


def _plain(value: Any) -> Any:
    """Return a value with everything replaced that JSON cannot hold."""
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
    """Gather lines, in order, into as few arrays as can hold them."""
    groups = [lines[:1]]
    for line in lines[1:]:
        if len(_ARRAY.format(",\n".join([*groups[-1], line]))) <= limit:
            groups[-1].append(line)
        else:
            groups.append([line])
    return [_ARRAY.format(",\n".join(group)) for group in groups]


def _fitting(message: TranscriptMessage, room: int) -> Iterator[TranscriptMessage]:
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
    """Return how many code points a character takes within a string."""
    return len(_encoded(char)) - 2


def _parts(path: list[str | int], value: Any, room: int) -> Iterator[list[Any]]:
    """Yield the parts of a value with their paths, each of at most `room` code points."""
    if len(_encoded([path, value])) <= room:
        yield [path, value]
    elif isinstance(value, str):
        for piece in _slices(value, room - len(_encoded([path, ""])) + 2):
            yield [path, piece]
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _parts([*path, key], item, room)
