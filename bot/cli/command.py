"""What all commands of the command line share: the settings, the failures, the exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bot import logs
from bot.app_settings import Settings, read_settings
from bot.cli.command_failed import CommandFailed
from bot.errors import StoreDown
from bot.redaction import secrets_of
from bot.settings import SettingsError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

EXIT_FAILURE = 1


def run_with_settings(
    command: Callable[[Namespace, Settings], int | None], options: Namespace
) -> int:
    """Read the settings, run a command, and return its exit code: 0, or 1 where it failed."""
    try:
        settings = read_settings()
        logs.configure(settings.core.log_level, secrets=secrets_of(*settings.sections))
        return command(options, settings) or 0
    except (SettingsError, CommandFailed) as error:
        return _fail(str(error))
    except StoreDown as error:
        reason = str(error) or error.__cause__ or "no answer"
        return _fail(f"The store cannot be used ({reason}). Try `loupe doctor`.")
    except OSError as error:
        about = f"{error.filename} cannot be used" if error.filename else "The system refuses"
        return _fail(f"{about}: {error.strerror or error}.")


def _fail(sentence: str) -> int:
    sys.stderr.write(f"loupe: {sentence}\n")
    return EXIT_FAILURE
