"""What is said where no language model is configured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.texts.wording import count, place, size, verbatim

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from bot.history import PhotoFacts
    from bot.vision import TextLine

OFFLINE_HINT = (
    "No model is configured, so only what the files prove can be told. To have pictures looked "
    "at by a model, set `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_DEPLOYMENT`, or "
    "`OPENAI_BASE_URL` and `OPENAI_MODEL`, and start Loupe again."
)
OFFLINE_NO_PICTURE = "There is no picture to look at here. Please post one."
OFFLINE_BEYOND = "This question needs a language model. What can be told is this:"
OFFLINE_UNREADABLE = "- Text: it could not be read this time. Please ask again."
OFFLINE_SHEET = (
    "- Text: too small to be read on an overview sheet. Ask about one photo by its number."
)
OFFLINE_CUT = "- The file is cut off, so a part of the picture is missing."
OFFLINE_UNTOLD = "the file does not tell"


def offline_heading(name: str) -> str:
    """Name a picture: its number in bold, the name of its file as it is."""
    label, _, file = name.partition(" ")
    return f"**{label}** {verbatim(file)}".rstrip()


def offline_count(names: Sequence[str]) -> str:
    """Say how many pictures there are."""
    labels = ", ".join(name.partition(" ")[0] for name in names)
    return f"{count(len(names), 'picture', 'pictures')}: {labels}."


def offline_file(facts: PhotoFacts) -> str:
    """Tell size and format."""
    megapixels = facts.width * facts.height / 1e6
    about = f" ({megapixels:.1f} megapixels)" if megapixels >= 1 else ""
    pixels = f"{facts.width} × {facts.height} pixels{about}"
    return f"- File: {facts.format}, {pixels}, {size(facts.size)}"


def offline_taken(facts: PhotoFacts) -> str:
    """Tell the time of capture; `taken` is ISO 8601."""
    day, _, clock = facts.taken.partition("T")
    zone = "" if re.search(r"Z$|[+-]\d\d:?\d\d$", clock) else " by the camera's clock"
    return f"- Taken: {f'{day} {clock}'.strip() + zone if day else OFFLINE_UNTOLD}"


def offline_place(facts: PhotoFacts) -> str:
    """Tell the position, without looking it up on a map."""
    if facts.latitude is None or facts.longitude is None:
        return f"- Place: {OFFLINE_UNTOLD}"
    return f"- Place: {place(facts.latitude, facts.longitude)} (position in the file)"


def offline_camera(facts: PhotoFacts) -> str:
    """Tell the camera."""
    return f"- Camera: {verbatim(facts.camera) or OFFLINE_UNTOLD}"


def offline_text(lines: Sequence[TextLine], codes: Container[str], most: int = 80) -> str:
    """List what was read; of a plate or code a single wrong character counts, so with its score."""
    told = [
        verbatim(line.text)
        + (f" (score {line.confidence:.2f}, please check)" if line.text in codes else "")
        for line in lines[:most]
    ]
    more = [f"and {len(lines) - most} more lines"] if len(lines) > most else []
    return f"- Text: {' · '.join([*told, *more]) or 'none found'}"
