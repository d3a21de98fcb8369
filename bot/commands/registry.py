"""All commands, in the order of the help. A new command is added to this tuple, and only here."""

from __future__ import annotations

from bot.commands.erase import FORGET, RESET
from bot.commands.help import HELP
from bot.commands.json_transcript import JSON
from bot.commands.model import MODEL
from bot.commands.photos import PHOTOS
from bot.commands.stop import STOP
from bot.commands.system import SYSTEM
from bot.commands.usage import USAGE
from bot.commands.vision import VISION
from bot.commands.watch import WATCH
from bot.domain.command_grammar import CommandGrammar

COMMANDS = (HELP, JSON, SYSTEM, MODEL, VISION, STOP, RESET, FORGET, PHOTOS, WATCH, USAGE)

GRAMMAR = CommandGrammar([command.spec for command in COMMANDS])
