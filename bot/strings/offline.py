"""The sentences of answers without a language model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.domain.frame_ids import clock
from bot.strings.phrases import count, percent, place, size
from bot.strings.vision import PLEASE_CHECK, vin_verdict
from bot.text.escape import verbatim
from bot.text.vin import read_vin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.files import PhotoFacts, VideoFacts
    from bot.domain.sightings import Polygon, TextLine

OFFLINE_NO_PICTURE = "There is no picture or video to look at here. Please post one."
OFFLINE_BEYOND = "This question needs an AI model. Here is what I can say without one:"
OFFLINE_UNREADABLE = "- I could not look at the picture this time. Please ask again."
OFFLINE_SHEET = (
    "- Text and objects are too small on an overview sheet. Ask about one photo by its number."
)
OFFLINE_CUT = "- The file is incomplete, so part of the picture is missing."
OFFLINE_NOT_RECORDED = "not recorded in the file"
OFFLINE_TEXT = "- Text: "
OFFLINE_SEEN = "- Seen: "
OFFLINE_NO_TEXT = "none found"
OFFLINE_NOTHING_SEEN = "nothing that I can name"
OFFLINE_VISION_OFF = (
    "- I did not look at the picture itself, because Vision is off here. `!vision on` turns it on."
)
OFFLINE_NOT_LOOKED_AT = "I could not look at this frame this time"
OFFLINE_NO_FRAMES = "- I could not look at any of its frames this time. Please ask again."
FEW = 4
"""Up to this many objects of one label, the answer says where they are."""
PLURALS = {"person": "people", "bus": "buses", "sheep": "sheep", "skis": "skis"}


def offline_heading(name: str) -> str:
    """Return the heading of a picture: its number in bold, and the name of its file."""
    label, _, file = name.partition(" ")
    return f"**{label}** {verbatim(file)}".rstrip()


def offline_count(names: Sequence[str]) -> str:
    """Return how many pictures there are."""
    labels = ", ".join(name.partition(" ")[0] for name in names)
    return f"{count(len(names), 'picture', 'pictures')}: {labels}."


def offline_file(facts: PhotoFacts) -> str:
    """Return size and format."""
    megapixels = facts.width * facts.height / 1e6
    about = f" ({megapixels:.1f} megapixels)" if megapixels >= 1 else ""
    pixels = f"{facts.width} × {facts.height} pixels{about}"
    return f"- File: {facts.format}, {pixels}, {size(facts.size)}"


def offline_video_file(facts: VideoFacts) -> str:
    """Return format, length, size and codec of a video."""
    rate = f", {facts.rate:.3g} frames a second" if facts.rate else ""
    sound = "with sound" if facts.sound else "without sound"
    depth = ", high dynamic range" if facts.hdr else ""
    pixels = f"{facts.width} × {facts.height} pixels"
    return (
        f"- File: {facts.format}, {facts.codec.upper()}{depth}, {clock(facts.seconds)} long, "
        f"{pixels}{rate}, {size(facts.size)}, {sound}"
    )


def offline_changes(times: Sequence[str]) -> str:
    """Return when a video changes most."""
    return f"- Biggest changes: {', '.join(times)}" if times else "- Biggest changes: none found"


def offline_spoken(time: str, words: str) -> str:
    """Return what is spoken in a video, and when."""
    return f"- Spoken at {time}: {verbatim(words)}"


def offline_frame(time: str, caption: str) -> str:
    """Return what is seen in a frame of a video."""
    return f"- At {time}: {caption or OFFLINE_NOTHING_SEEN}"


def offline_frames(times: Sequence[str]) -> str:
    """Return which frames there are."""
    return f"- Frames: {', '.join(times)}"


def offline_taken(facts: PhotoFacts | VideoFacts) -> str:
    """Return the time of capture; `taken` is ISO 8601."""
    day, _, clock = facts.taken.partition("T")
    zone = "" if re.search(r"Z$|[+-]\d\d:?\d\d$", clock) else " by the camera's clock"
    return f"- Taken: {f'{day} {clock}'.strip() + zone if day else OFFLINE_NOT_RECORDED}"


def offline_place(facts: PhotoFacts | VideoFacts) -> str:
    """Return the position, without looking it up on a map."""
    if facts.latitude is None or facts.longitude is None:
        return f"- Place: {OFFLINE_NOT_RECORDED}"
    return f"- Place: {place(facts.latitude, facts.longitude)} (position in the file)"


def offline_camera(facts: PhotoFacts | VideoFacts) -> str:
    """Return the camera."""
    return f"- Camera: {verbatim(facts.camera) or OFFLINE_NOT_RECORDED}"


def offline_things(label: str, polygons: Sequence[Polygon]) -> str:
    """Count the objects of one label and say where they are, if they are few."""
    number = len(polygons)
    one = f"{'an' if label[:1] in 'aeiou' else 'a'} {label}"
    phrase = one if number == 1 else f"{number} {_plural(label)}"
    sides = list(dict.fromkeys(_side(polygon) for polygon in polygons))
    return f"{phrase}, {_enumeration(sides)}" if number <= FEW else phrase


def _side(polygon: Polygon) -> str:
    middle = sum(x for x, _ in polygon) / len(polygon)
    return "left" if middle < 1 / 3 else "right" if middle > 2 / 3 else "centre"


def _plural(label: str) -> str:
    if label in PLURALS:
        return PLURALS[label]
    return label + ("es" if label.endswith(("s", "ch", "sh", "x")) else "s")


def _enumeration(words: Sequence[str]) -> str:
    """Write words as "left, centre and right"."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def offline_asked(name: str, labels: Sequence[str], phrases: Sequence[str]) -> str:
    """Return how many objects of a name were seen, and where; `phrases` are their groups."""
    if phrases:
        return f"- You asked about “{name}”: {'; '.join(phrases)}."
    kind = f" ({' or '.join(labels)})" if list(labels) != [name] else ""
    return f"- You asked about “{name}”{kind}: I found none, but I may have missed it."


def offline_line(line: TextLine, owner: str = "", *, code: bool = False) -> str:
    """Return a line of text: a plate or code with its score, as one wrong character matters.

    `owner` is the object that it is on, if known.
    """
    notes = [f"on the {owner}"] if owner else []
    if vin := read_vin(line.text):
        notes.append(vin_verdict(vin))
    if code or vin:
        notes.append(f"{percent(line.confidence)} confidence, {PLEASE_CHECK}")
    return verbatim(line.text) + (f" ({', '.join(notes)})" if notes else "")


def offline_more(lines: int) -> str:
    """Return how many lines of text are left out."""
    return f"and {count(lines, 'more line', 'more lines')}"
