"""What `loupe ask --save` keeps: the pictures as the model got them, and those with outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli.command_failed import CommandFailed
from bot.domain.frame_ids import label, seconds_of
from bot.domain.history import ThreadHistory
from bot.replies.pictures import frame_citations, outlined_photos

if TYPE_CHECKING:
    from pathlib import Path

    from bot.attachments.store import AttachmentStore
    from bot.domain.outcome import Outcome
    from bot.domain.threads import Thread
    from bot.video.footage import FrameStore


async def pictures_of(
    photos: AttachmentStore, videos: FrameStore, thread: Thread, outcome: Outcome
) -> dict[str, bytes]:
    """Name the pictures and frames as the model got them, and what is shown with the answer."""
    photos_sent = await photos.recall(thread, outcome.photos)
    pictures = {f"P{number}.jpg": photo.jpeg for number, photo in photos_sent.items()}
    outlines = outcome.turn.grounding.outlines
    for photo in outlined_photos(outcome, ThreadHistory()):
        outlined_photo = await photos.draw_outlined(thread, photo, outlines)
        pictures[f"P{photo.number}-outlined.jpg"] = outlined_photo.jpeg
    for video in outcome.videos:
        frames = [one.frame for one in outcome.turn.pictures.frames if one.video == video.number]
        times = [seconds_of(number) for number in frames]
        for number, frame in (await videos.frames(thread, video, times)).items():
            pictures[f"{_file_name(number)}.jpg"] = frame.jpeg
    for citation in frame_citations(outcome, ThreadHistory()):
        sheet = await videos.contact_sheet(thread, citation, outlines)
        pictures[f"V{citation.video.number}-frames.jpg"] = sheet.jpeg
    return pictures


def _file_name(frame: int) -> str:
    """Name a frame without what no file system takes: V1-0m12.4s."""
    return label(frame).replace(" ", "-").replace(":", "m") + "s"


def save(folder: Path, pictures: dict[str, bytes]) -> None:
    """Write the pictures into a folder; raises `CommandFailed`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, jpeg in pictures.items():
            (folder / name).write_bytes(jpeg)
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be written to: {error.strerror}.") from error
