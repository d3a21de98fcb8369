"""Why a file could not be used, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.problems import FileProblem, Reason
from bot.texts.wording import photo_ranges, size, verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import Limits

WHY_FILE: dict[Reason, str] = {
    Reason.TOO_LARGE: "it is larger than {limit}. Please send a smaller copy.",
    Reason.TOO_MANY_PIXELS: "it has more than {limit}. Please send a smaller copy.",
    Reason.EMPTY: "the file is empty. Please send it again.",
    Reason.DAMAGED: "the file is damaged and cannot be opened. Please send it again.",
    Reason.UNSUPPORTED: "this kind of file cannot be looked at ({detail}). "
    "Please send a JPEG, PNG, WebP, GIF, HEIC, BMP or TIFF picture.",
    Reason.VIDEO: "videos cannot be looked at yet. Please send photos or screenshots of it.",
    Reason.VIDEO_CLIP: "clips recorded in Teams cannot be read by apps. "
    "Please attach the photo or a screenshot instead.",
    Reason.TOO_SLOW: "opening it took too long. Please send a smaller copy.",
    Reason.CRASHED: "it could not be opened safely. Please save it anew as a JPEG and send that.",
    Reason.EXPIRED: "its download link has expired. Please send it again.",
    Reason.FORBIDDEN: "Loupe is not allowed to download it. "
    "Please paste the picture into the message instead.",
    Reason.NOT_FOUND: "it is no longer there. Please send it again.",
    Reason.UNREACHABLE: "it could not be downloaded just now. Please send it again.",
    Reason.REFUSED_ADDRESS: "its address is not one that Loupe downloads from. "
    "Please attach the picture itself.",
    Reason.NOT_A_FILE: "a web page came instead of the file. Please attach the picture itself.",
    Reason.HTML_ONLY: "this chat does not hand its files to apps. Please paste the picture into "
    "the message (copy it, then Ctrl+V), or send it to Loupe in a personal chat.",
    Reason.GONE: "it is no longer kept. Please send it again.",
    Reason.TOO_MANY: "there are more than {limit} files in this question. "
    "Please send the rest in another message.",
}


def file_problem(name: str, place: int, problem: FileProblem, limits: Limits) -> str:
    """Name a file that cannot be used, with the reason and the remedy."""
    shown = {
        Reason.TOO_LARGE: size(limits.max_photo_bytes),
        Reason.TOO_MANY_PIXELS: f"{limits.max_photo_pixels / 1e6:g} megapixels "
        f"or {limits.max_photo_side:,} pixels on a side",
        Reason.TOO_MANY: str(limits.max_files),
    }
    limit = shown.get(problem.reason, "")
    detail = problem.detail or "unknown"
    why = WHY_FILE[problem.reason].format(limit=limit, detail=detail)
    if problem.reason is Reason.TOO_MANY:
        return f"Not every file was looked at: {why}"
    subject = verbatim(name) if name else "A picture" if place <= 1 else f"Picture {place}"
    return f"{subject} could not be used: {why}"


def file_gone(label: str) -> str:
    """Ask again for a photo that was kept no longer."""
    return f"{verbatim(label)} is no longer kept. Please send it again."


def seen_singly(singles: Sequence[int], sheets: Sequence[int]) -> str:
    """Say which photos were seen one by one, and which on a contact sheet only."""
    one_by_one = f"{photo_ranges(singles)} were looked at one by one, " if singles else ""
    looked_at = "on" if singles else "were looked at on"
    return (
        f"{one_by_one}{photo_ranges(sheets)} {looked_at} overview sheets. "
        "Ask about one by its number to have it looked at closely."
    )
