"""`loupe manifest`: the app packages of Teams and Slack."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.manifests import build_slack, build_teams
from adapters.teams.settings import TeamsSettings
from bot.cli.command import run_with_settings
from bot.cli.command_failed import CommandFailed
from bot.commands.registry import GRAMMAR

if TYPE_CHECKING:
    from argparse import Namespace

    from bot.app_settings import Settings


def run(options: Namespace) -> int:
    """Write the package of a channel; returns the exit code."""
    return run_with_settings(_teams if options.channel == "teams" else _slack, options)


def _teams(options: Namespace, settings: Settings) -> None:
    app_id = settings.channels.sections[TeamsSettings].app_id
    if not app_id:
        raise CommandFailed("Set MicrosoftAppId first: the Teams package needs it to name the bot.")
    _write(options.output, build_teams(GRAMMAR.specs, app_id, options.host, version("loupe")))


def _slack(options: Namespace, _: Settings) -> None:
    _write(options.output, build_slack(GRAMMAR.specs, options.host, socket=options.socket).encode())


def _write(target: str, data: bytes) -> None:
    """Write a package and name its file."""
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}.") from error
    sys.stdout.write(f"{target}\n")
