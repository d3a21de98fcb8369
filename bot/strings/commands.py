"""What commands answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.frame_ids import clock
from bot.strings.offline import OFFLINE_HINT
from bot.strings.phrases import count, place, size
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
    "There is no new system message of yours to confirm (one waits for ten minutes). "
    "Propose one with /system TEXT."
)
SYSTEM_KEPT = "The system message stays as it is."
SHOW_PHOTOS = "Photos and videos"
SHOW_TRANSCRIPT = "Transcript"
SHOW_USAGE = "Usage"
END_ANSWER = "Stop"
JSON_AS_FILE = "The transcript is too long for a message, so here it is as a file."
NO_FILE_HERE = "The file could not be uploaded here, so the transcript comes in messages:"
WATCH_NEEDS_CHANNEL = "/watch is for channels and group chats; here I read everything anyway."
NO_PHOTOS = "No photos or videos have been posted to me here yet."
NO_USAGE = "Nothing has been answered here yet."


def quoted(text: str) -> str:
    """Set a text off as a quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


def system_shown(force: EffectiveSettings) -> str:
    """Show the system message in force and where it was set."""
    origin = {
        "thread": "set here",
        "place": "set for this channel or chat",
        "deployment": "the default",
    }[force.system_origin]
    return f"The system message ({origin}) is:\n\n{quoted(force.system)}"


def system_confirm(old: str, new: str, scope: str) -> str:
    """Ask whether a new system message is to replace the old one."""
    return (
        f"Change the system message {scope}?\n\nNow:\n\n{quoted(old)}\n\nNew:\n\n{quoted(new)}\n\n"
        "It holds from the next answer on; the history stays. Press Continue or say "
        "/system continue within ten minutes; /system cancel drops it."
    )


def system_changed(scope: str) -> str:
    """Confirm a new system message."""
    return f"The new system message holds {scope} from the next answer on."


def system_reset(force: EffectiveSettings, scope: str) -> str:
    """Confirm that the system message was taken back."""
    return f"The system message {scope} was taken back. Now in force:\n\n{quoted(force.system)}"


VISION = {
    True: "is on: text and things in photos are read beforehand, and answers outline what they "
    "point at",
    False: "is off: the model sees the photos, but nothing is read beforehand or outlined",
}


def vision_shown(on: bool) -> str:
    """Say whether Vision is on."""
    return f"Vision {VISION[on]}."


def vision_set(on: bool, scope: str) -> str:
    """Confirm the Vision switch."""
    return f"Now {scope}: Vision {VISION[on]}."


def models_shown(current: str, deployment: Deployment) -> str:
    """List the models that may be chosen."""
    if deployment.offline:
        return OFFLINE_HINT
    names = ", ".join(f"`{name}`" for name in deployment.models)
    return f"`{current}` answers here. Available: {names}. Choose one with /model NAME."


def model_unknown(name: str, models: Sequence[str]) -> str:
    """Say that a model is not offered, and which are."""
    names = ", ".join(f"`{model}`" for model in models)
    return f"There is no model {verbatim(name[:60])} here. Available: {names}."


def model_set(name: str, scope: str) -> str:
    """Confirm the choice of a model."""
    return f"`{name}` answers {scope} from the next question on."


def history_reset(turns: int) -> str:
    """Confirm /reset."""
    return (
        f"Forgotten: {count(turns, 'answer', 'answers')} and the photos and videos with them. "
        "The settings stay; we start anew."
    )


def forgotten(turns: int, photos: int, videos: int, settings: int) -> str:
    """Give the receipt of /forget."""
    return (
        f"Erased: {count(turns, 'question and answer', 'questions and answers')}, "
        f"{count(photos, 'photo', 'photos')}, {count(videos, 'video', 'videos')}, "
        f"{count(settings, 'setting', 'settings')}, "
        "and the stored requests to the model. "
        "The posts in the chat itself stay; delete those in the chat."
    )


def photo_log(photos: Sequence[Photo], videos: Sequence[Video] = ()) -> str:
    """List the photos and videos of a thread with what their files say."""
    lines = [_file_line(f"P{photo.number}", photo, []) for photo in photos]
    lines += [_file_line(f"V{video.number}", video, _film(video.facts)) for video in videos]
    return "\n".join(lines) or NO_PHOTOS


def _film(facts: VideoFacts) -> list[str]:
    return [f"{clock(facts.seconds)} long", facts.codec.upper()]


def _file_line(number: str, file: Photo | Video, more: Sequence[str]) -> str:
    facts = file.facts
    told = [f"{facts.width} × {facts.height}", facts.format, *more, size(facts.size)]
    told.append(f"taken {facts.taken.replace('T', ' ')}" if facts.taken else "no capture time")
    if facts.latitude is not None and facts.longitude is not None:
        told.append(place(facts.latitude, facts.longitude))
    if facts.camera:
        told.append(verbatim(facts.camera))
    posted = datetime.fromtimestamp(file.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    by = f" by {plain(file.author)}" if plain(file.author) else ""
    name = f" {verbatim(file.name)}" if file.name else ""
    return (
        f"- **{number}**{name}: {', '.join(told)}; posted{by} {posted}; "
        f"SHA-256 `{file.sha256[:16]}…`"
    )


def watch_shown(current: str) -> str:
    """Say what is watched."""
    return {
        "photos": "I look at every photo and video posted here. /watch off ends that.",
        "all": "I read and answer every post here. /watch off ends that.",
        "off": "I answer here only when mentioned. "
        "/watch photos has every photo and video looked at.",
    }[current]


def watch_set(mode: str, name: str) -> str:
    """Tell everybody who changed what is watched."""
    who = plain(name) or "Somebody"
    done = {
        "photos": "from now on every photo and video posted here is looked at, without a mention.",
        "all": "from now on every post here is read and answered, without a mention.",
        "off": "from now on I answer here only when mentioned.",
    }[mode]
    return f"{who} changed what I watch: {done}"


def usage_shown(sums: Mapping[str, tuple[int, int, Usage]]) -> str:
    """Add up what the thread has used."""
    lines = [
        f"- {name or 'unknown'}: {count(answers, 'answer', 'answers')}, "
        f"{count(pictures, 'picture', 'pictures')}, "
        f"{usage.prompt:,} tokens in ({usage.cached:,} cached), {usage.completion:,} out"
        for name, (answers, pictures, usage) in sums.items()
    ]
    return "Used in this thread so far:\n\n" + "\n".join(lines) if lines else NO_USAGE
