"""What is said of reading and seeing: how far it is, what is doubtful, and why it is missing."""

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
    VisionReason.BUSY: "it has too much to do just now",
    VisionReason.FAILED: "it failed",
    VisionReason.TIMED_OUT: "it took too long",
    VisionReason.UNREACHABLE: "it cannot be reached",
    VisionReason.BAD_REQUEST: "the service refused the request",
}
WHY_VISION_FILE = "it failed on a picture"


def without_vision(problem: VisionProblem | FileProblem, some: Sequence[int] = ()) -> str:
    """Say once that the vision enhancements are missing, of all photos or of `some`, and why."""
    why = WHY_VISION_FILE
    if isinstance(problem, VisionProblem):
        why = WHY_VISION[problem.reason]
    of = f"of {photo_ranges(some)}" if some else "from this answer"
    return f"The vision enhancements are missing {of}: {why}."


PLEASE_CHECK = "please check"


def reading(done: int, total: int) -> str:
    """Say how far the reading and seeing has come."""
    return f"Reading {count(total, 'picture', 'pictures')}… ({done} of {total})"


def vin_verdict(vin: Vin) -> str:
    """Say whether a vehicle identification number passes its check."""
    return "VIN, its check digit fits" if vin.passes else "VIN, its check digit does not fit"


def doubtful(code: str, confidence: float) -> str:
    """Say that a plate or another code was read, but not surely."""
    return f"{verbatim(code)}: read with {percent(confidence)}, {PLEASE_CHECK}."


def more_doubts(number: int) -> str:
    """Say how many more codes are doubtful."""
    return f"{count(number, 'more code', 'more codes')}: {PLEASE_CHECK}."


def read_differently(code: str, read: str, confidence: float) -> str:
    """Say that the answer's reading of a code is not that of the vision engine."""
    return (
        f"{verbatim(code)}: {verbatim(read)} by another reading "
        f"({percent(confidence)}), {PLEASE_CHECK}."
    )


def vin_checked(vin: Vin) -> str:
    """Say of a number in an answer whether it passes its check."""
    ending = "." if vin.passes else f", {PLEASE_CHECK}."
    return f"{verbatim(vin.number)}: {vin_verdict(vin)}{ending}"
