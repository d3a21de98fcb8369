"""Every sentence that a user reads, in one place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands import COMMANDS
from bot.problems import FileProblem, ModelReason, Reason

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from bot.commands import Command
    from bot.history import Photo, PhotoFacts, Usage
    from bot.preferences import Deployment, InForce
    from bot.settings import Limits
    from bot.vision import TextLine

DESCRIBE = "Describe this image"
DESCRIBE_SEVERAL = "Describe these images"

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

WHY_MODEL: dict[ModelReason, str] = {
    ModelReason.FILTERED: "The content filter of the model's service refused this question or "
    "picture. Please rephrase it or choose another picture.",
    ModelReason.FILTERED_ANSWER: "The content filter of the model's service ended this answer. "
    "Please ask in another way.",
    ModelReason.REFUSED: "The model declined to answer this. Please ask in another way.",
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

# Placeholders and progress

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


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def placeholder(files: int) -> str:
    """Say at once what is about to happen."""
    return f"Looking at {_count(files, 'photo', 'photos')}…" if files else THINKING


def looked_at(done: int, total: int) -> str:
    """Say how far the looking has come."""
    return f"Looking at {_count(total, 'photo', 'photos')}… ({done} of {total})"


def waiting(before: int) -> str:
    """Say how many messages are answered first."""
    if before == 0:
        return "Loupe is busy with other conversations; this is next here."
    verb = "is" if before == 1 else "are"
    return f"Waiting: {_count(before, 'message', 'messages')} {verb} before this one…"


def unspoken(photos: int) -> str:
    """Put the question that a photo without words asks."""
    return DESCRIBE if photos <= 1 else DESCRIBE_SEVERAL


# Files


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
    subject = f"“{name}”" if name else "A picture" if place <= 1 else f"Picture {place}"
    return f"{subject} could not be used: {why}"


def file_gone(label: str) -> str:
    """Ask again for a photo that was kept no longer."""
    return f"{label} is no longer kept. Please send it again."


def seen_singly(singles: Sequence[int], sheets: Sequence[int]) -> str:
    """Say which photos were seen one by one, and which on a contact sheet only."""
    return (
        f"{photo_ranges(singles)} were looked at one by one, {photo_ranges(sheets)} on overview "
        "sheets. Ask about one by its number to have it looked at closely."
    )


def photo_ranges(numbers: Sequence[int]) -> str:
    """Write photo numbers briefly: P1–P8, P11."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("–".join(f"P{number}" for number in span) for span in spans)


def size(count: int) -> str:
    """Write a number of bytes for people."""
    if count < 1024 * 1024:
        return f"{max(1, round(count / 1024))} KB"
    return f"{count / (1024 * 1024):.3g} MB"


# Greetings and hints

NOTHING_ASKED = "I am here. Post a photo, or ask about one; /help tells what I can do."
ASK_ON = "To ask on about this, reply here and mention me."
EARLIER_POSTS = (
    "I cannot see posts that were made in this thread before I was mentioned. "
    "To have a photo looked at, please paste it into a reply that mentions me."
)


def hello(*, shared: bool) -> str:
    """Greet whoever added Loupe."""
    start = (
        "Hello, I am Loupe. I look at photos with you: post one"
        + (" and mention me" if shared else "")
        + ", with a question or without, and I answer in the same thread."
    )
    watch = " Say /watch photos to have every photo here looked at." if shared else ""
    return f"{start}{watch} /help tells the rest."


# Commands

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
JSON_AS_FILE = "The transcript is too long for a message, so here it is as a file."
WATCH_NEEDS_CHANNEL = "/watch is for channels and group chats; here I read everything anyway."
NO_PHOTOS = "No photos have been posted to me here yet."
NO_USAGE = "Nothing has been answered here yet."


def quoted(text: str) -> str:
    """Set a text off as a quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


def system_shown(force: InForce) -> str:
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


def system_reset(force: InForce, scope: str) -> str:
    """Confirm that the system message was taken back."""
    return f"The system message {scope} was taken back. Now in force:\n\n{quoted(force.system)}"


def _vision_honestly(*, ready: bool) -> str:
    return "" if ready else " It does nothing yet in this version; the setting is remembered."


def vision_shown(on: bool, *, ready: bool) -> str:
    """Say whether Vision is on."""
    return f"Vision is {'on' if on else 'off'}.{_vision_honestly(ready=ready)}"


def vision_set(on: bool, scope: str, *, ready: bool) -> str:
    """Confirm the Vision switch."""
    return f"Vision is now {'on' if on else 'off'} {scope}.{_vision_honestly(ready=ready)}"


def models_shown(current: str, deployment: Deployment) -> str:
    """List the models that may be chosen."""
    if deployment.offline:
        return OFFLINE_HINT
    names = ", ".join(f"`{name}`" for name in deployment.models)
    return f"`{current}` answers here. Available: {names}. Choose one with /model NAME."


def model_unknown(name: str, models: Sequence[str]) -> str:
    """Say that a model is not offered, and which are."""
    asked = name.replace("`", "'")[:60]
    names = ", ".join(f"`{model}`" for model in models)
    return f"There is no model `{asked}` here. Available: {names}."


def model_set(name: str, scope: str) -> str:
    """Confirm the choice of a model."""
    return f"`{name}` answers {scope} from the next question on."


def history_reset(turns: int) -> str:
    """Confirm /reset."""
    return (
        f"Forgotten: {_count(turns, 'answer', 'answers')} and the photos with them. "
        "The settings stay; we start anew."
    )


def forgotten(turns: int, photos: int, settings: int) -> str:
    """Give the receipt of /forget."""
    return (
        f"Erased: {_count(turns, 'question and answer', 'questions and answers')}, "
        f"{_count(photos, 'photo', 'photos')}, {_count(settings, 'setting', 'settings')}, "
        "and the stored requests to the model. "
        "The posts in the chat itself stay; delete those in the chat."
    )


def photo_log(photos: Sequence[Photo]) -> str:
    """List the photos of a thread with what their files say."""
    return "\n".join(_photo_line(photo) for photo in photos) or NO_PHOTOS


def _photo_line(photo: Photo) -> str:
    facts = photo.facts
    told = [f"{facts.width} × {facts.height}", facts.format, size(facts.size)]
    told.append(f"taken {facts.taken.replace('T', ' ')}" if facts.taken else "no capture time")
    if facts.latitude is not None and facts.longitude is not None:
        told.append(place(facts.latitude, facts.longitude))
    if facts.camera:
        told.append(facts.camera)
    posted = datetime.fromtimestamp(photo.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    by = f" by {photo.author}" if photo.author else ""
    name = f" {photo.name}" if photo.name else ""
    return (
        f"- **P{photo.number}**{name}: {', '.join(told)}; posted{by} {posted}; "
        f"SHA-256 `{photo.sha256[:16]}…`"
    )


def place(latitude: float, longitude: float) -> str:
    """Write a position in degrees, as maps take it."""
    north = "N" if latitude >= 0 else "S"
    east = "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.5f}° {north}, {abs(longitude):.5f}° {east}"


def watch_shown(current: str) -> str:
    """Say what is watched."""
    return {
        "photos": "I look at every photo posted here. /watch off ends that.",
        "all": "I read and answer every post here. /watch off ends that.",
        "off": "I answer here only when mentioned. /watch photos has every photo looked at.",
    }[current]


def watch_set(mode: str, name: str) -> str:
    """Tell everybody who changed what is watched."""
    who = " ".join(name.split()) or "Somebody"
    done = {
        "photos": "from now on every photo posted here is looked at, without a mention.",
        "all": "from now on every post here is read and answered, without a mention.",
        "off": "from now on I answer here only when mentioned.",
    }[mode]
    return f"{who} changed what I watch: {done}"


def usage_shown(sums: Mapping[str, tuple[int, int, Usage]]) -> str:
    """Add up what the thread has used."""
    lines = [
        f"- {name or 'unknown'}: {_count(answers, 'answer', 'answers')}, "
        f"{_count(pictures, 'picture', 'pictures')}, "
        f"{usage.prompt:,} tokens in ({usage.cached:,} cached), {usage.completion:,} out"
        for name, (answers, pictures, usage) in sums.items()
    ]
    return "Used in this thread so far:\n\n" + "\n".join(lines) if lines else NO_USAGE


BUTTON_PRESSED = "Got it."


# Teams

CUT = "(The rest is too long to be shown here.)"
FILE_OFFER = "The file you asked for. Accept to have it saved in your OneDrive."
FILE_DECLINED = "All right, the file is not saved."
FILE_EXPIRED = "This file is no longer kept. Please ask for it again."
FILE_SAVED_ALREADY = "This file was saved already; it is in your OneDrive."
FILE_NOT_SAVED = "The file could not be saved just now. Please ask for it again."


# The local page

PAGE_WRONG_HOST = (
    "Loupe does not answer under this name. Open the address that it printed when it started, "
    "or add the name to LOUPE_PAGE_HOSTS."
)
PAGE_FOREIGN = "This came from another site, so it was not done."
PAGE_SESSION_ENDED = (
    "This page's session has ended. Open the address that Loupe printed when it started."
)
PAGE_STORE_DOWN = "Loupe cannot store anything just now. Please send it again in a moment."
PAGE_MALFORMED = "This cannot be read (field {field}). Please reload the page."
PAGE_TEXT_TOO_LONG = "This message is too long: {limit:,} characters are taken at most."
PAGE_FILE_GONE = "A file of this message is no longer kept. Please attach it again."
PAGE_NOT_FOUND = "There is no such page here."


def page_file_too_large(limit: int) -> str:
    """Refuse an upload that is larger than the page takes."""
    return f"It is larger than {size(limit)}. Please send a smaller copy."


# The help

HELP: dict[str, str] = {
    "help": "show this list",
    "json": "show the raw transcript; `full` adds everything recorded",
    "system": "show the system message, or propose a new one, to be confirmed within ten minutes",
    "vision": "switch the vision enhancements on or off",
    "model": "show the models, or choose the one that answers",
    "stop": "end the running answer and drop what waits",
    "reset": "forget the history; the settings stay",
    "forget": "erase everything that is kept of this conversation",
    "photos": "list the photos by their numbers",
    "watch": "look at posts without a mention: those with photos, all, or none",
    "usage": "show how many tokens were used",
}
"""What each command does, by its name; how it is written is in `bot.commands.COMMANDS`."""


def help_text(*, offline: bool) -> str:
    """List the commands, and say how a model is set where there is none."""
    start = "Post a photo with a question, or ask about one that was posted. Commands:"
    lines = "\n".join(f"- `{form.usage}`: {HELP[form.name]}" for form in COMMANDS)
    end = "`!` works for `/`."
    return "\n\n".join([start, lines, end, *([OFFLINE_HINT] if offline else [])])


def command_misused(command: Command) -> str:
    """Say how a command is written, or which one may have been meant."""
    if command.nearest:
        return (
            f"There is no command /{command.name}. Did you mean `{command.usage}`? "
            "/help lists all commands."
        )
    return f"/{command.name} cannot do that. Please write `{command.usage}`."


# Answers without a language model

OFFLINE_HINT = (
    "No model is configured, so only what the files prove can be told. To have pictures looked "
    "at by a model, set `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_DEPLOYMENT`, or "
    "`OPENAI_BASE_URL` and `OPENAI_MODEL`, and start Loupe again."
)
OFFLINE_NO_PICTURE = "There is no picture to look at here. Please post one."
OFFLINE_BEYOND = "This question needs a language model. What can be told is this:"
OFFLINE_UNREADABLE = "- Text: it could not be read this time. Please ask again."
OFFLINE_SHEET = (
    "- Text: too small to be read on an overview sheet. Ask about one photo by its number."
)
OFFLINE_CUT = "- The file is cut off, so a part of the picture is missing."
OFFLINE_UNTOLD = "the file does not tell"


def offline_heading(name: str) -> str:
    """Name a picture: its number in bold, the name of its file as it is."""
    label, _, file = name.partition(" ")
    return f"**{label}** {verbatim(file)}".rstrip()


def offline_count(names: Sequence[str]) -> str:
    """Say how many pictures there are."""
    labels = ", ".join(name.partition(" ")[0] for name in names)
    return f"{_count(len(names), 'picture', 'pictures')}: {labels}."


def offline_file(facts: PhotoFacts) -> str:
    """Tell size and format."""
    megapixels = facts.width * facts.height / 1e6
    about = f" ({megapixels:.1f} megapixels)" if megapixels >= 1 else ""
    pixels = f"{facts.width} × {facts.height} pixels{about}"
    return f"- File: {facts.format}, {pixels}, {size(facts.size)}"


def offline_taken(facts: PhotoFacts) -> str:
    """Tell the time of capture; `taken` is ISO 8601."""
    day, _, clock = facts.taken.partition("T")
    zone = "" if re.search(r"Z$|[+-]\d\d:?\d\d$", clock) else " by the camera's clock"
    return f"- Taken: {f'{day} {clock}'.strip() + zone if day else OFFLINE_UNTOLD}"


def offline_place(facts: PhotoFacts) -> str:
    """Tell the position, without looking it up on a map."""
    if facts.latitude is None or facts.longitude is None:
        return f"- Place: {OFFLINE_UNTOLD}"
    return f"- Place: {place(facts.latitude, facts.longitude)} (position in the file)"


def offline_camera(facts: PhotoFacts) -> str:
    """Tell the camera."""
    return f"- Camera: {verbatim(facts.camera) or OFFLINE_UNTOLD}"


def offline_text(lines: Sequence[TextLine], codes: Container[str], most: int = 80) -> str:
    """List what was read; of a plate or code a single wrong character counts, so with its score."""
    told = [
        verbatim(line.text)
        + (f" (score {line.confidence:.2f}, please check)" if line.text in codes else "")
        for line in lines[:most]
    ]
    more = [f"and {len(lines) - most} more lines"] if len(lines) > most else []
    return f"- Text: {' · '.join([*told, *more]) or 'none found'}"


def verbatim(text: str) -> str:
    """Show a stranger's words as code, so that nothing in them is a link, a mention or a mark."""
    clean = " ".join(text.replace("`", "'").split())
    return f"`{clean}`" if clean else ""
