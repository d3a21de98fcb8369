"""The sentences about vision: progress, what is uncertain, and why it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import FileProblem, VisionProblem, VisionReason
from bot.strings.phrases import count, percent, photo_ranges
from bot.text.escape import verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.text.vin import Vin

WHY_VISION: dict[VisionReason, str] = {
    VisionReason.UNAUTHORIZED: "the service did not accept Loupe's credentials",
    VisionReason.BUSY: "it is too busy right now",
    VisionReason.FAILED: "something went wrong",
    VisionReason.TIMED_OUT: "it took too long",
    VisionReason.UNREACHABLE: "it cannot be reached",
    VisionReason.BAD_REQUEST: "the service rejected the request",
}
WHY_VISION_FILE = "one picture could not be analysed"


def without_vision(problem: VisionProblem | FileProblem, photos: Sequence[int] = ()) -> str:
    """Return that Vision is missing, for all photos or for `photos`, and why."""
    why = WHY_VISION_FILE
    if isinstance(problem, VisionProblem):
        why = WHY_VISION[problem.reason]
    scope = f"for {photo_ranges(photos)}" if photos else "for this answer"
    return f"Vision could not be used {scope}: {why}."


PLEASE_CHECK = "please check"


def reading_progress(pictures: int, total: int) -> str:
    """Return how many pictures have been read so far."""
    return f"Reading {count(total, 'picture', 'pictures')}… ({pictures} of {total})"


def vin_verdict(vin: Vin) -> str:
    """Return whether a vehicle identification number passes its check."""
    return f"VIN, its check digit is {'right' if vin.passes else 'wrong'}"


def uncertain_code(code: str, confidence: float) -> str:
    """Return that a plate or another code was read without certainty."""
    return f"{verbatim(code)}: read with {percent(confidence)} confidence, {PLEASE_CHECK}."


def more_uncertain_codes(number: int) -> str:
    """Return how many more codes are uncertain."""
    return f"{count(number, 'more code', 'more codes')}: {PLEASE_CHECK}."


def read_differently(code: str, reading: str, confidence: float) -> str:
    """Return that the vision engine read a code in another way than the answer does."""
    return (
        f"{verbatim(code)}: another reading is {verbatim(reading)} "
        f"({percent(confidence)} confidence), {PLEASE_CHECK}."
    )


def vin_checked(vin: Vin) -> str:
    """Return whether a number in an answer passes its check."""
    ending = "." if vin.passes else f", {PLEASE_CHECK}."
    return f"{verbatim(vin.number)}: {vin_verdict(vin)}{ending}"
