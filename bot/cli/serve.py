"""`loupe serve`: the bot, until SIGTERM or Ctrl+C."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from typing import TYPE_CHECKING

from bot import app
from bot.cli.command import run_with_settings

if TYPE_CHECKING:
    from argparse import Namespace

    from bot.app_settings import Settings


def run(options: Namespace) -> int:
    """Serve; returns the exit code."""
    return run_with_settings(lambda _, settings: asyncio.run(_serve(settings)), options)


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with app.serving(settings) as address:
        freeze_garbage()
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        await stop.wait()


def freeze_garbage() -> None:
    """Keep what the start made out of garbage collection, whose full runs stall the event loop."""
    gc.collect()
    gc.freeze()
