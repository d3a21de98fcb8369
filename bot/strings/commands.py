"""The replies to commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.frame_ids import clock
from bot.strings.phrases import OFFLINE_STATUS, count, place, size
from bot.text.escape import plain, verbatim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.files import Photo, Video, VideoFacts
    from bot.domain.history import Usage
    from bot.domain.preferences import Deployment, EffectiveSettings

CONTINUE = "Continue"
CANCEL = "Cancel"
IN_THIS_CHAT = "in this chat"
IN_THIS_CHANNEL = "in this channel"
IN_THIS_THREAD = "in this thread"
NOTHING_PENDING = (
    "There is no new system message of yours to confirm (a proposal expires after ten minutes). "
    "Propose one with /system TEXT."
)
SYSTEM_KEPT = "The system message stays as it is."
SHOW_PHOTOS = "Photos and videos"
SHOW_TRANSCRIPT = "Transcript"
SHOW_USAGE = "Usage"
END_ANSWER = "Stop"
JSON_AS_FILE = "The transcript is too long for a message, so here it is as a file."
NO_FILE_HERE = "I could not upload the file here, so the transcript follows as messages:"
WATCH_NEEDS_CHANNEL = "/watch is for channels and group chats. Here I read every message anyway."
NO_PHOTOS = "Nobody has sent me photos or videos here yet."
NO_USAGE = "I have not answered anything here yet."


def quotation(text: str) -> str:
    """Format a text as a quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


def system_shown(settings: EffectiveSettings) -> str:
    """Return the system message in effect and where it was set."""
    origin = {
        "thread": "set here",
        "place": "set for this channel or chat",
        "deployment": "the default",
    }[settings.system_origin]
    return f"The system message ({origin}) is:\n\n{quotation(settings.system)}"


def system_confirm(old: str, new: str, scope: str) -> str:
    """Ask whether a new system message should replace the old one."""
    return (
        f"Change the system message {scope}?\n\nNow:\n\n{quotation(old)}\n\n"
        f"New:\n\n{quotation(new)}\n\n"
        "It applies from the next answer. The conversation so far is kept. Press Continue or say "
        "/system continue within ten minutes, or /system cancel to leave everything as it is."
    )


def system_changed(scope: str) -> str:
    """Confirm a new system message."""
    return f"The new system message applies {scope} from the next answer."


def system_reset(settings: EffectiveSettings, scope: str) -> str:
    """Confirm that the system message was reset."""
    return f"The system message {scope} has been reset. It is now:\n\n{quotation(settings.system)}"


VISION = {
    True: "Before I answer, I read the text and find the objects in your photos, "
    "and I outline what my answer refers to.",
    False: "The model still sees your photos, but I read nothing beforehand and outline nothing.",
}


def vision_shown(on: bool) -> str:
    """Return whether Vision is on, in words."""
    return f"Vision is {_switch(on)}. {VISION[on]}"


def vision_set(on: bool, scope: str) -> str:
    """Confirm the Vision switch."""
    return f"Vision is now {_switch(on)} {scope}. {VISION[on]}"


def _switch(on: bool) -> str:
    return "on" if on else "off"


def models_shown(current: str, deployment: Deployment) -> str:
    """List the models that may be chosen."""
    if deployment.offline:
        return OFFLINE_STATUS
    names = ", ".join(f"`{name}`" for name in deployment.models)
    return f"The model here is `{current}`. Available: {names}. Choose one with /model NAME."


def model_unknown(name: str, models: Sequence[str]) -> str:
    """Return that a model is not available, and which ones are."""
    names = ", ".join(f"`{model}`" for model in models)
    return f"There is no model {verbatim(name[:60])} here. Available: {names}."


def model_set(name: str, scope: str) -> str:
    """Confirm the choice of a model."""
    return f"`{name}` will answer {scope} from the next question."


def history_reset(turns: int, *, videos: bool = False) -> str:
    """Confirm /reset; `videos` says whether there were any."""
    if not turns:
        return "There were no answers to forget. Your settings are kept."
    owner = "its" if turns == 1 else "their"
    files = "photos and videos" if videos else "photos"
    return (
        f"I have forgotten {count(turns, 'answer', 'answers')} and {owner} {files}. "
        "Your settings are kept."
    )


def forget_receipt(turns: int, photos: int, videos: int, settings: int) -> str:
    """Return the receipt of /forget."""
    return (
        f"I have erased {count(turns, 'question and answer', 'questions and answers')}, "
        f"{count(photos, 'photo', 'photos')}, {count(videos, 'video', 'videos')}, "
        f"{count(settings, 'setting', 'settings')}, "
        "and the stored requests to the model. "
        "The posts in the chat itself are still there; you can delete them in the chat."
    )


def photo_log(photos: Sequence[Photo], videos: Sequence[Video] = ()) -> str:
    """List the photos and videos of a thread with the metadata of their files."""
    lines = [_file_line(f"P{photo.number}", photo, []) for photo in photos]
    lines += [_file_line(f"V{video.number}", video, _video_lines(video.facts)) for video in videos]
    return "\n".join(lines) or NO_PHOTOS


def _video_lines(facts: VideoFacts) -> list[str]:
    return [f"{clock(facts.seconds)} long", facts.codec.upper()]


def _file_line(number: str, file: Photo | Video, more: Sequence[str]) -> str:
    facts = file.facts
    details = [f"{facts.width} × {facts.height}", facts.format, *more, size(facts.size)]
    details.append(
        f"taken {facts.taken.replace('T', ' ')}" if facts.taken else "capture time not recorded"
    )
    if facts.latitude is not None and facts.longitude is not None:
        details.append(place(facts.latitude, facts.longitude))
    if facts.camera:
        details.append(verbatim(facts.camera))
    time = datetime.fromtimestamp(file.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    by = f" by {plain(file.author)}" if plain(file.author) else ""
    name = f" {verbatim(file.name)}" if file.name else ""
    return (
        f"- **{number}**{name}: {', '.join(details)}; posted{by} {time}; "
        f"SHA-256 `{file.sha256[:16]}…`"
    )


def watch_shown(current: str) -> str:
    """Return what is watched."""
    return {
        "photos": "I look at every photo and video posted here. Say /watch off to stop that.",
        "all": "I read and answer every post here. Say /watch off to stop that.",
        "off": "I answer here only when mentioned. "
        "Say /watch photos if you want me to look at every photo and video.",
    }[current]


def watch_set(mode: str, name: str) -> str:
    """Announce to everybody who changed what is watched."""
    who = plain(name) or "Somebody"
    change = {
        "photos": "from now on I look at every photo and video posted here, "
        "even without a mention.",
        "all": "from now on I read and answer every post here, even without a mention.",
        "off": "from now on I answer here only when mentioned.",
    }[mode]
    return f"{who} changed what I watch: {change}"


def usage_shown(sums: Mapping[str, tuple[int, int, Usage]]) -> str:
    """Return what the thread has used, model by model."""
    lines = [
        f"- {name or 'unknown'}: {count(answers, 'answer', 'answers')}, "
        f"{count(pictures, 'picture', 'pictures')}, "
        f"{usage.prompt:,} tokens in ({usage.cached:,} cached), {usage.completion:,} out"
        for name, (answers, pictures, usage) in sums.items()
    ]
    return "Used in this thread so far:\n\n" + "\n".join(lines) if lines else NO_USAGE
