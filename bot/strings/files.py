"""The reasons why a file could not be used, each with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import FileProblem, Reason
from bot.strings.phrases import photo_ranges, size
from bot.text.escape import verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.limits import FileLimits

WHY_FILE: dict[Reason, str] = {
    Reason.TOO_LARGE: "it is larger than {limit}. Please send a smaller copy.",
    Reason.TOO_LARGE_VIDEO: "it is larger than {limit}. "
    "Please send a smaller copy or a shorter clip.",
    Reason.TOO_MANY_PIXELS: "it has more than {limit}. Please send a smaller copy.",
    Reason.EMPTY: "the file is empty. Please send it again.",
    Reason.DAMAGED: "the file is damaged and cannot be opened. Please send it again.",
    Reason.UNSUPPORTED: "Loupe cannot read this type of file ({detail}). "
    "Please send a JPEG, PNG, WebP, GIF, HEIC, BMP or TIFF picture, "
    "or an MP4, MOV, WebM, MKV or AVI video.",
    Reason.VIDEO_CLIP: "apps cannot read clips recorded in Teams. "
    "Please attach the video as a file, or send a screenshot of it.",
    Reason.NO_PICTURE: "it has sound but no picture. Please send a photo or a video.",
    Reason.CODEC: "its video codec ({detail}) is not supported here. "
    "Please convert it to MP4 (H.264) and send that.",
    Reason.TOO_SLOW: "opening it took too long. Please send a smaller copy.",
    Reason.CRASHED: "it could not be opened safely. "
    "Please save it again, a picture as JPEG or a video as MP4 (H.264), and send that copy.",
    Reason.EXPIRED: "its download link has expired. Please send it again.",
    Reason.FORBIDDEN: "Loupe is not allowed to download it. "
    "Please send it again, or, if it is a picture, paste it into the message.",
    Reason.NOT_FOUND: "it is no longer there. Please send it again.",
    Reason.UNREACHABLE: "it could not be downloaded just now. Please send it again.",
    Reason.REFUSED_ADDRESS: "Loupe does not download from its address. "
    "Please attach the file itself.",
    Reason.NOT_A_FILE: "its link led to a web page instead of a file. "
    "Please attach the file itself.",
    Reason.HTML_ONLY: "this chat does not share attached files with apps. "
    "Please send it to Loupe in a personal chat, or, if it is a picture, paste it into the "
    "message (copy it, then Ctrl+V).",
    Reason.EXTERNAL: "it is stored in another service, which does not share it with Loupe. "
    "Please attach the file itself.",
    Reason.HIDDEN: "it is older than the messages that your workspace's plan shows. "
    "Please post it again.",
    Reason.DELETED: "it was deleted.",
    Reason.GONE: "it is no longer kept. Please send it again.",
    Reason.TOO_MANY: "there are more than {limit} files in this question. "
    "Please send the rest in another message.",
}


def why_file(problem: FileProblem, limits: FileLimits) -> str:
    """Return why a file cannot be used, and the remedy."""
    limits_text = {
        Reason.TOO_LARGE: size(limits.max_photo_bytes),
        Reason.TOO_LARGE_VIDEO: size(limits.max_video_bytes),
        Reason.TOO_MANY_PIXELS: f"{limits.max_photo_pixels / 1e6:g} megapixels "
        f"or {limits.max_photo_side:,} pixels on a side",
        Reason.TOO_MANY: str(limits.max_files),
    }
    limit = limits_text.get(problem.reason, "")
    return WHY_FILE[problem.reason].format(limit=limit, detail=problem.detail or "unknown")


def file_problem(name: str, place: int, problem: FileProblem, limits: FileLimits) -> str:
    """Return which file cannot be used, with the reason and the remedy."""
    why = why_file(problem, limits)
    if problem.reason is Reason.TOO_MANY:
        return f"I could not look at every file: {why}"
    return f"{_subject(name, place)} could not be used: {why}"


def smaller_copy(name: str, place: int) -> str:
    """Return that a smaller copy was used, so that details may be missing."""
    return (
        f"{_subject(name, place)} could not be downloaded in full size, so I looked at a smaller "
        "copy of it. Fine details may be missing."
    )


def _subject(name: str, place: int) -> str:
    return verbatim(name) if name else "A file" if place <= 1 else f"File {place}"


def file_gone(label: str) -> str:
    """Ask for a photo again that is no longer kept."""
    return f"{verbatim(label)} is no longer kept. Please send it again."


def overview_sheets(singles: Sequence[int], sheets: Sequence[int]) -> str:
    """Return which photos were seen one by one, and which on a contact sheet only."""
    one_by_one = f"{photo_ranges(singles)} one by one and at " if singles else ""
    return (
        f"I looked at {one_by_one}{photo_ranges(sheets)} on overview sheets. "
        "To have me look closely at one of them, ask about it by its number."
    )
