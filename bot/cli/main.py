"""The command line: `serve`, `ask`, `doctor`, `manifest`, `settings`.

Each command is a module beside this one, which is imported only to run it: what they need takes
seconds to import, and neither the help nor the version has to wait for that.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = 2
EXIT_INTERRUPTED = 130
HOST_HELP = "public host name of Loupe"
FILE_HELP = "file to write"


class _Version(argparse.Action):
    """Prints the version; reading it takes a moment, which only this option has to wait for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"loupe {version('loupe')}\n")
        parser.exit()


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0, 1 (failed), 2 (usage) or 130 (interrupted)."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        return 0
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        return int(importlib.import_module(f"bot.cli.{options.module}").run(options))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loupe", description="Looks at photos and videos with you."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the bot")
    serve.set_defaults(module="serve")

    ask = commands.add_parser("ask", help="ask about files on this machine")
    ask.add_argument("--system", help="the system message", metavar="TEXT")
    ask.add_argument("--no-vision", action="store_true", help="turn Vision off")
    ask.add_argument("--save", help="save the pictures, and copies with outlines", metavar="DIR")
    ask.add_argument(
        "--json", action="store_true", help="print the raw transcript instead of the answer"
    )
    ask.add_argument("words", nargs="+", metavar="FILE… [QUESTION]", help="files, then a question")
    ask.set_defaults(module="ask")

    doctor = commands.add_parser("doctor", help="check every configured part")
    doctor.set_defaults(module="doctor")

    manifest = commands.add_parser("manifest", help="create an app package for Teams or Slack")
    manifest.set_defaults(module="manifest")
    channels = manifest.add_subparsers(required=True, metavar="CHANNEL", dest="channel")
    for_teams = channels.add_parser("teams", help="write the zip for the Teams admin centre")
    for_teams.add_argument("--host", required=True, help=HOST_HELP)
    for_teams.add_argument("--output", default="loupe-teams.zip", help=FILE_HELP, metavar="FILE")
    for_slack = channels.add_parser("slack", help="write the YAML from which to create a Slack app")
    way = for_slack.add_mutually_exclusive_group(required=True)
    way.add_argument("--host", default="", help=f"{HOST_HELP}, for events by HTTP")
    way.add_argument(
        "--socket", action="store_true", help="use Socket Mode, which needs no host name"
    )
    for_slack.add_argument("--output", default="loupe-slack.yaml", help=FILE_HELP, metavar="FILE")

    listing = commands.add_parser(
        "settings", help="list the settings with their values and origins"
    )
    listing.set_defaults(module="settings")
    return parser
