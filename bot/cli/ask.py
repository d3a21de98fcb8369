"""`loupe ask`: one real turn on files of this machine, without a store."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.blobs.in_place import InPlaceBlobs
from bot import app
from bot import strings as texts
from bot.cli.command import run_with_settings
from bot.cli.command_failed import CommandFailed
from bot.cli.local_files import question
from bot.cli.saved_pictures import pictures_of, save
from bot.cli.terminal import Terminal
from bot.commands.json_blocks import dumps
from bot.commands.transcript import transcript
from bot.domain.history import ThreadHistory
from bot.domain.preferences import EffectiveSettings
from bot.errors import ModelReason

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from bot.app_settings import Settings
    from bot.domain.outcome import Outcome

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".heic", ".heif", ".avif"),
    *(".bmp", ".tif", ".tiff", ".svg", ".dng"),
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"),
)


def run(options: Namespace) -> int:
    """Ask, and print the answer; returns the exit code."""
    return run_with_settings(_ask, options)


def _ask(options: Namespace, settings: Settings) -> None:
    paths, words = _files_and_question(options.words)
    terminal = Terminal(quiet=options.json)
    outcome = asyncio.run(_run_turn(options, settings, paths, words, terminal))
    if options.json:
        system = options.system or settings.core.system_message
        past = ThreadHistory(turns=(outcome.turn,), photos=outcome.photos)
        sys.stdout.write(dumps(transcript(system, past)) + "\n")
    if outcome.turn.status == "failed":
        raise CommandFailed(" ".join(_failure(outcome).split()))


def _failure(outcome: Outcome) -> str:
    """Return why a turn failed: the model's reason, or that no file could be used."""
    reason = outcome.turn.response.problem
    return texts.WHY_MODEL[ModelReason(reason)] if reason else outcome.text


def _files_and_question(words: Sequence[str]) -> tuple[list[Path], str]:
    """Take the words that are files as files, and what follows them as the question."""
    paths: list[Path] = []
    for index, word in enumerate(words):
        # Unlike Path.is_file this takes a question too long for a file name.
        if os.path.isfile(word):  # noqa: PTH113
            paths.append(Path(word))
            continue
        if index < len(words) - 1 or not paths or _means_a_file(word):
            raise CommandFailed(f"There is no file {word!r}.")
        return paths, word
    return paths, ""


def _means_a_file(word: str) -> bool:
    """Return whether a word is a folder, a device or a mistyped picture, not a question."""
    if os.path.lexists(word):
        return True
    return " " not in word and word.lower().endswith(SUFFIXES)


async def _run_turn(
    options: Namespace,
    settings: Settings,
    paths: Sequence[Path],
    words: str,
    terminal: Terminal,
) -> Outcome:
    in_effect = EffectiveSettings(
        system=options.system or settings.core.system_message,
        model=settings.deployment.models[0],
        vision=not options.no_vision,
    )
    stop = asyncio.Event()
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    await app.check_folder(settings.core.data)
    async with app.services(settings, InPlaceBlobs()) as services:
        request = question(paths, words)
        outcome = await services.turns.run(request, ThreadHistory(), in_effect, terminal, stop)
        has_failed = outcome.turn.status == "failed"
        terminal.finish(
            outcome.text.removesuffix(_failure(outcome)) if has_failed else outcome.text
        )
        if options.save:
            pictures = await pictures_of(
                services.attachments, services.frame_store, request.thread, outcome
            )
            await asyncio.to_thread(save, Path(options.save), pictures)
        return outcome
