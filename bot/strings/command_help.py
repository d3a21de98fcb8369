"""How commands are listed, offered and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.strings.offline import OFFLINE_HINT
from bot.strings.phrases import spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.commands import Command, CommandSpec

HELP_SUMMARY = "show this list"
HELP_MENU = "What Loupe can do"
JSON_SUMMARY = "show the raw transcript; `full` adds everything recorded"
JSON_MENU = "The raw transcript"
JSON_FULL_MENU = "The raw transcript with everything recorded"
SYSTEM_SUMMARY = "show the system message, or propose a new one, to be confirmed within ten minutes"
SYSTEM_MENU = "Show or change the system message: /system TEXT"
MODEL_SUMMARY = "show the models, or choose the one that answers"
MODEL_MENU = "Show or choose the model: /model NAME"
VISION_SUMMARY = "switch the vision enhancements on or off"
VISION_MENU = "Switch the reading of text and objects: on or off"
STOP_SUMMARY = "end the running answer and drop what waits"
STOP_MENU = "Stop the answer that is being written"
RESET_SUMMARY = "forget the history; the settings stay"
RESET_MENU = "Forget the history, keep the settings"
FORGET_SUMMARY = "erase everything that is kept of this conversation"
FORGET_MENU = "Erase everything about this chat"
FORGET_MENU_SHARED = "Erase everything about this thread"
PHOTOS_SUMMARY = "list the photos and videos by their numbers"
PHOTOS_MENU = "The numbered list of this chat's photos and videos"
PHOTOS_MENU_SHARED = "The numbered list of this thread's photos, videos"
WATCH_SUMMARY = "look at posts without a mention: those with photos or videos, all, or none"
WATCH_MENU = "Report on photos and videos without a mention: photos, all, off"
USAGE_SUMMARY = "show how many tokens were used"
USAGE_MENU = "What this chat has used"
USAGE_MENU_SHARED = "What this thread has used"

HELP_ENDS = {
    "/": "`!` works for `/`.",
    "!": "After a mention `/` works for `!`, and `/loupe` with a command answers you alone.",
    "/loupe ": "{in_threads} are said in the thread that they are about: mention me there.",
}
"""What stands below the commands, by what is written before them.

`in_threads` are the commands that Slack's slash command does not take.
"""


def help_text(commands: Sequence[CommandSpec], prefix: str, *, offline: bool) -> str:
    """List the commands as they are written here, and say how a model is set if there is none."""
    start = "Post a photo or video with a question, or ask about one that was posted. Commands:"
    lines = "\n".join(f"- `{spec.usage}`: {spec.summary}" for spec in commands)
    lines = spelled(lines, prefix)
    in_threads = " and ".join(f"`{spec.name}`" for spec in commands if spec.slash == "none")
    end = HELP_ENDS[prefix].format(in_threads=in_threads)
    return "\n\n".join([start, lines, end, *([OFFLINE_HINT] if offline else [])])


def command_misused(command: Command) -> str:
    """Say how a command is written, or which one may have been meant."""
    if command.unknown:
        return (
            f"There is no command /{command.name}. Did you mean `{command.spec.usage}`? "
            "/help lists all commands."
        )
    return f"/{command.name} cannot do that. Please write `{command.spec.usage}`."
