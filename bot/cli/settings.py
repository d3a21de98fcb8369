"""`loupe settings`: every setting with its value, its origin and its meaning."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bot.cli.command import run_with_settings
from bot.settings_reader import lines

if TYPE_CHECKING:
    from argparse import Namespace

    from bot.app_settings import Settings


def run(options: Namespace) -> int:
    """Print the settings; returns the exit code."""
    return run_with_settings(_list, options)


def _list(_: Namespace, settings: Settings) -> None:
    for section in settings.sections:
        for line in lines(section):
            sys.stdout.write(f"{line.name}={line.value}  ({line.origin}; {line.meaning})\n")
