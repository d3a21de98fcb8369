"""What stands around an answer: placeholders, progress, endings, greetings and hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ModelReason
from bot.strings.phrases import count
from bot.text.escape import verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.limits import MessageLimits

DESCRIBE = "Describe this image"
DESCRIBE_SEVERAL = "Describe these images"
DESCRIBE_VIDEO = "Describe this video"
DESCRIBE_VIDEOS = "Describe these videos"
DESCRIBE_ALL = "Describe these images and videos"

WHY_MODEL: dict[ModelReason, str] = {
    ModelReason.FILTERED: "The content filter of the model's service refused this question or "
    "picture. Please rephrase it or choose another picture.",
    ModelReason.FILTERED_ANSWER: "The content filter of the model's service ended this answer. "
    "Please ask in another way.",
    ModelReason.UNAUTHORIZED: "The model's service did not accept Loupe's credentials. "
    "Please tell whoever runs Loupe to check the key or role.",
    ModelReason.NO_DEPLOYMENT: "The model's service does not know this model. "
    "Please choose another with /model, or tell whoever runs Loupe.",
    ModelReason.BUSY: "The model's service is busy. Please ask again in a minute.",
    ModelReason.FAILED: "The model's service failed. Please ask again in a minute.",
    ModelReason.TIMED_OUT: "The model's service did not answer in time. Please ask again.",
    ModelReason.CUT: "The connection to the model broke off here. Please ask again.",
    ModelReason.EMPTY: "The model gave no answer. Please ask again, perhaps in other words.",
    ModelReason.TOO_LONG: "This conversation is too long for the model. "
    "Please start anew with /reset or send fewer pictures.",
    ModelReason.BAD_REQUEST: "The model's service refused the request. "
    "Please try another picture, or tell whoever runs Loupe.",
    ModelReason.UNREACHABLE: "The model's service cannot be reached. Please ask again in a minute.",
}

THINKING = "Thinking about it…"
MORE = "…"
GIVEN_UP = (
    "Sorry, this could not be answered after several tries. Please send it again; "
    "if it fails again, tell whoever runs Loupe."
)
RESUMED = "(I was interrupted here. The whole answer, from the start:)"
FULL = (
    "Too many messages are waiting in this conversation, so this one was not taken. "
    "Please send it again in a moment."
)
STOPPED_HERE = "*Stopped.*"
STOPPED_EARLY = "Stopped before it began."
STOPPING = "Stopped."
NOTHING_TO_STOP = "Nothing is being answered here."


def placeholder(photos: int, videos: int = 0) -> str:
    """Say at once what is about to happen."""
    return f"Looking at {_counted(photos, videos)}…" if photos or videos else THINKING


def looked_at(done: int, photos: int, videos: int = 0) -> str:
    """Say how far the looking has come."""
    return f"Looking at {_counted(photos, videos)}… ({done} of {photos + videos})"


def _counted(photos: int, videos: int) -> str:
    counted = [count(photos, "photo", "photos")] if photos else []
    counted += [count(videos, "video", "videos")] if videos else []
    return " and ".join(counted)


def waiting(before: int) -> str:
    """Say how many messages are answered first."""
    if before == 0:
        return "Loupe is busy with other conversations; this is next here."
    verb = "is" if before == 1 else "are"
    return f"Waiting: {count(before, 'message', 'messages')} {verb} before this one…"


def unspoken(photos: int, videos: int = 0) -> str:
    """Put the question that photos and videos without words ask."""
    if photos and videos:
        return DESCRIBE_ALL
    if videos:
        return DESCRIBE_VIDEO if videos == 1 else DESCRIBE_VIDEOS
    return DESCRIBE if photos <= 1 else DESCRIBE_SEVERAL


NOTHING_ASKED = "I am here. Post a photo or video, or ask about one; /help tells what I can do."
ASK_ON = "To ask on about this, reply here and mention me."
EARLIER_POSTS = (
    "I cannot see posts that were made in this thread before I was mentioned. "
    "To have a photo looked at, please paste it into a reply that mentions me."
)


def shortened(limits: MessageLimits) -> str:
    """Say that only the beginning of a long question was read."""
    return f"Only the first {limits.max_question:,} characters of the question were read."


def command_too_long(limits: MessageLimits) -> str:
    """Say that a command with too much text was not obeyed."""
    return (
        f"That is longer than {limits.max_question:,} characters, so nothing was changed. "
        "Please shorten it."
    )


def hello(*, shared: bool) -> str:
    """Greet whoever added Loupe."""
    start = (
        "Hello, I am Loupe. I look at photos and videos with you: post one"
        + (" and mention me" if shared else "")
        + ", with a question or without, and I answer in the same thread."
    )
    watch = " Say /watch photos to have every photo and video here looked at." if shared else ""
    return f"{start}{watch} /help tells the rest."


def picture_not_shown(photo: str) -> str:
    """Say that a photo with outlines is missing below an answer."""
    return f"{verbatim(photo)} with the outlines could not be shown here."


def outlined(photo: str, things: Sequence[str]) -> str:
    """Describe a picture with outlines to those who cannot see it."""
    return f"{photo} with outlines: {', '.join(things)}."


def frames_of(video: str, times: Sequence[str], things: Sequence[str]) -> str:
    """Describe frames of a video, and what is outlined on them, to those who cannot see them."""
    frames = "Frame" if len(times) == 1 else "Frames"
    outlines = f" with outlines: {', '.join(things)}" if things else ""
    return f"{frames} of {video} at {', '.join(times)}{outlines}."


def outlined_on(photo: str) -> str:
    """Say on which photo something is outlined."""
    return f"Outlined on {photo}."
