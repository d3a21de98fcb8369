"""The words by which commands are listed, offered in menus and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.strings.phrases import OFFLINE_STATUS, with_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.commands import Command, CommandSpec

HELP_SUMMARY = "show this list"
HELP_MENU = "What Loupe can do"
JSON_SUMMARY = "show the raw transcript; `full` adds everything that was recorded"
JSON_MENU = "The raw transcript"
JSON_FULL_MENU = "The raw transcript with everything recorded"
SYSTEM_SUMMARY = "show the system message, or propose a new one and confirm it within ten minutes"
SYSTEM_MENU = "Show or change the system message: /system TEXT"
MODEL_SUMMARY = "show the available models, or choose one"
MODEL_MENU = "Show or choose the model: /model NAME"
VISION_SUMMARY = "turn reading and outlining of photos on or off"
VISION_MENU = "Turn reading and outlining of photos on or off"
STOP_SUMMARY = "stop the current answer and drop the messages that are waiting"
STOP_MENU = "Stop the current answer"
RESET_SUMMARY = "forget the conversation so far; settings are kept"
RESET_MENU = "Forget the conversation so far, but keep the settings"
FORGET_SUMMARY = "erase everything that is stored about this conversation"
FORGET_MENU = "Erase everything stored about this chat"
FORGET_MENU_SHARED = "Erase everything stored about this thread"
PHOTOS_SUMMARY = "list the photos and videos with their numbers"
PHOTOS_MENU = "List this chat's photos and videos with their numbers"
PHOTOS_MENU_SHARED = "List this thread's photos and videos with their numbers"
WATCH_SUMMARY = "look at posts that do not mention Loupe: those with photos or videos, all, or none"
WATCH_MENU = "Look at posts that do not mention Loupe: photos, all or off"
USAGE_SUMMARY = "show how many tokens have been used"
USAGE_MENU = "How many tokens this chat has used"
USAGE_MENU_SHARED = "How many tokens this thread has used"

HELP_ENDS = {
    "/": "You can type ! instead of /.",
    "!": "After a mention you can type / instead of !. With `/loupe` and a command, "
    "only you see the reply.",
    "/loupe ": "To use {in_threads}, mention me in the thread that you mean.",
}
"""The last line of the help, by the prefix that commands have there.

`in_threads` are the commands that Slack's slash command does not take.
"""


def help_text(commands: Sequence[CommandSpec], prefix: str, *, offline: bool) -> str:
    """List the commands as they are written here, and explain how to set a model if none is."""
    start = (
        "Post a photo or video with a question, or ask about one that is already here. Commands:"
    )
    lines = "\n".join(f"- `{spec.usage}`: {spec.summary}" for spec in commands)
    lines = with_prefix(lines, prefix)
    in_threads = " or ".join(f"`{spec.name}`" for spec in commands if spec.slash == "none")
    end = HELP_ENDS[prefix].format(in_threads=in_threads)
    return "\n\n".join([start, lines, end, *([OFFLINE_STATUS] if offline else [])])


def command_misused(command: Command) -> str:
    """Return how a command is written, or which one may have been meant."""
    if command.unknown:
        return (
            f"There is no command /{command.name}. Did you mean `{command.spec.usage}`? "
            "/help lists all commands."
        )
    return f"/{command.name} does not work that way. Please write `{command.spec.usage}`."
