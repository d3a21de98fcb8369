"""Why a file could not be used, and what to do."""

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
    Reason.UNSUPPORTED: "this kind of file cannot be looked at ({detail}). "
    "Please send a JPEG, PNG, WebP, GIF, HEIC, BMP or TIFF picture, "
    "or an MP4, MOV, WebM, MKV or AVI video.",
    Reason.VIDEO_CLIP: "clips recorded in Teams cannot be read by apps. "
    "Please attach the video as a file, or send a screenshot of it.",
    Reason.NO_PICTURE: "it has a sound track but no picture. Please send a photo or a video.",
    Reason.CODEC: "its video codec ({detail}) cannot be decoded here. "
    "Please save it as an MP4 (H.264) and send that.",
    Reason.TOO_SLOW: "opening it took too long. Please send a smaller copy.",
    Reason.CRASHED: "it could not be opened safely. "
    "Please save it anew, a picture as JPEG, a video as MP4 (H.264), and send that.",
    Reason.EXPIRED: "its download link has expired. Please send it again.",
    Reason.FORBIDDEN: "Loupe is not allowed to download it. "
    "Please send it again, or paste it into the message if it is a picture.",
    Reason.NOT_FOUND: "it is no longer there. Please send it again.",
    Reason.UNREACHABLE: "it could not be downloaded just now. Please send it again.",
    Reason.REFUSED_ADDRESS: "its address is not one that Loupe downloads from. "
    "Please attach the file itself.",
    Reason.NOT_A_FILE: "a web page came instead of the file. Please attach the file itself.",
    Reason.HTML_ONLY: "this chat does not hand its files to apps. Please send it to Loupe in a "
    "personal chat, or paste it into the message if it is a picture (copy it, then Ctrl+V).",
    Reason.EXTERNAL: "it is kept by another service, which does not hand it to Loupe. "
    "Please attach the file itself.",
    Reason.HIDDEN: "it is older than what the workspace's plan shows. Please post it again.",
    Reason.DELETED: "it was deleted.",
    Reason.GONE: "it is no longer kept. Please send it again.",
    Reason.TOO_MANY: "there are more than {limit} files in this question. "
    "Please send the rest in another message.",
}


def why_file(problem: FileProblem, limits: FileLimits) -> str:
    """Say why a file cannot be used, and the remedy."""
    shown = {
        Reason.TOO_LARGE: size(limits.max_photo_bytes),
        Reason.TOO_LARGE_VIDEO: size(limits.max_video_bytes),
        Reason.TOO_MANY_PIXELS: f"{limits.max_photo_pixels / 1e6:g} megapixels "
        f"or {limits.max_photo_side:,} pixels on a side",
        Reason.TOO_MANY: str(limits.max_files),
    }
    limit = shown.get(problem.reason, "")
    return WHY_FILE[problem.reason].format(limit=limit, detail=problem.detail or "unknown")


def file_problem(name: str, place: int, problem: FileProblem, limits: FileLimits) -> str:
    """Name a file that cannot be used, with the reason and the remedy."""
    why = why_file(problem, limits)
    if problem.reason is Reason.TOO_MANY:
        return f"Not every file was looked at: {why}"
    return f"{_subject(name, place)} could not be used: {why}"


def smaller_copy(name: str, place: int) -> str:
    """Say that a file was looked at in a smaller copy, so that details may be missing."""
    return (
        f"{_subject(name, place)} could not be fetched, so I looked at the platform's smaller copy "
        "of it; fine details may be missing."
    )


def _subject(name: str, place: int) -> str:
    return verbatim(name) if name else "A file" if place <= 1 else f"File {place}"


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
