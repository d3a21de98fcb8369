"""The sentences around an answer: placeholders, progress, endings, greetings and hints."""

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
    ModelReason.FILTERED: "The AI service's content filter refused this question or picture. "
    "Please rephrase the question or choose another picture.",
    ModelReason.FILTERED_ANSWER: "The AI service's content filter stopped this answer. "
    "Please ask in a different way.",
    ModelReason.UNAUTHORIZED: "The AI service did not accept Loupe's credentials. "
    "Please ask whoever runs Loupe to check the key or role.",
    ModelReason.NO_DEPLOYMENT: "The AI service does not know this model. "
    "Please choose another one with /model, or tell whoever runs Loupe.",
    ModelReason.BUSY: "The AI service is busy. Please ask again in a minute.",
    ModelReason.FAILED: "Something went wrong in the AI service. Please ask again in a minute.",
    ModelReason.TIMED_OUT: "The AI service did not answer in time. Please ask again.",
    ModelReason.CUT: "The connection to the AI service broke off here. Please ask again.",
    ModelReason.EMPTY: "The model gave no answer. Please ask again, perhaps in other words.",
    ModelReason.TOO_LONG: "This conversation is too long for the model. "
    "Please start over with /reset or send fewer pictures.",
    ModelReason.BAD_REQUEST: "The AI service rejected the request. "
    "Please try another picture, or tell whoever runs Loupe.",
    ModelReason.UNREACHABLE: "The AI service cannot be reached. Please ask again in a minute.",
}

THINKING = "Thinking about it…"
MORE = "…"
GIVEN_UP = (
    "Sorry, I could not answer this after several tries. Please send it again; "
    "if it fails again, tell whoever runs Loupe."
)
RESUME_NOTICE = "(I was interrupted. Here is the whole answer from the start:)"
FULL = (
    "Too many messages are waiting in this conversation, so I did not take this one. "
    "Please send it again in a moment."
)
STOPPED_HERE = "*Stopped.*"
STOPPED_EARLY = "Stopped before the answer began."
STOPPING = "Stopped."
NOTHING_TO_STOP = "There is nothing to stop."


def placeholder(photos: int, videos: int = 0) -> str:
    """Return what a placeholder says at once."""
    return f"Looking at {_file_counts(photos, videos)}…" if photos or videos else THINKING


def looking_progress(finished_files: int, photos: int, videos: int = 0) -> str:
    """Return how many files have been looked at so far."""
    return f"Looking at {_file_counts(photos, videos)}… ({finished_files} of {photos + videos})"


def _file_counts(photos: int, videos: int) -> str:
    counts = [count(photos, "photo", "photos")] if photos else []
    counts += [count(videos, "video", "videos")] if videos else []
    return " and ".join(counts)


def waiting_notice(before: int) -> str:
    """Return how many messages are answered first."""
    if before == 0:
        return "I am busy with other conversations and will answer as soon as I can."
    verb = "is" if before == 1 else "are"
    return f"Waiting: {count(before, 'message', 'messages')} {verb} ahead of this one…"


def default_question(photos: int, videos: int = 0) -> str:
    """Return the question that photos and videos posted without words ask."""
    if photos and videos:
        return DESCRIBE_ALL
    if videos:
        return DESCRIBE_VIDEO if videos == 1 else DESCRIBE_VIDEOS
    return DESCRIBE if photos <= 1 else DESCRIBE_SEVERAL


NOTHING_ASKED = "Hello! Post a photo or video, or ask about one. /help shows what I can do."
ASK_ON = "To ask more about this, reply here and mention me."
EARLIER_POSTS = (
    "I cannot see what was posted in this thread before I was mentioned. "
    "If you want me to look at a photo, please paste it into a reply that mentions me."
)


def question_shortened(limits: MessageLimits) -> str:
    """Return that only the beginning of a long question was read."""
    return f"I read only the first {limits.max_question:,} characters of the question."


def command_too_long(limits: MessageLimits) -> str:
    """Return that a command with too much text was not carried out."""
    return (
        f"That is longer than {limits.max_question:,} characters, so I changed nothing. "
        "Please shorten it."
    )


def greeting(*, is_shared: bool) -> str:
    """Return the greeting for whoever added Loupe."""
    start = (
        "Hello, I am Loupe. I look at photos and videos with you. Post one"
        + (" and mention me" if is_shared else "")
        + ", with or without a question, and I will answer in the same thread."
    )
    watch = (
        " Say /watch photos if you want me to look at every photo and video posted here."
        if is_shared
        else ""
    )
    return f"{start}{watch} /help shows everything else."


def picture_not_shown(photo: str) -> str:
    """Return that a photo with outlines is missing below an answer."""
    return f"The copy of {verbatim(photo)} with outlines could not be shown here."


def picture_alt(photo: str, things: Sequence[str]) -> str:
    """Describe a picture with outlines for those who cannot see it."""
    return f"{photo} with outlines: {', '.join(things)}."


def frames_alt(video: str, times: Sequence[str], things: Sequence[str]) -> str:
    """Describe frames of a video, and what is outlined on them, for those who cannot see them."""
    frames = "Frame" if len(times) == 1 else "Frames"
    outlines = f" with outlines: {', '.join(things)}" if things else ""
    return f"{frames} of {video} at {', '.join(times)}{outlines}."


def outline_caption(photo: str) -> str:
    """Return on which photo something is outlined."""
    return f"Outlined on {photo}."
