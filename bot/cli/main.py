"""The command line: serve, ask, doctor, manifest, settings."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore
from adapters.manifests import build_slack, build_teams
from bot import app, logs
from bot import checks as doctor
from bot import strings as texts
from bot.cli.ask import Terminal, question
from bot.cli.doctor import checks
from bot.commands import transcript
from bot.domain.frame_ids import label, seconds_of
from bot.domain.history import ThreadHistory
from bot.domain.preferences import EffectiveSettings
from bot.errors import ModelReason, StoreDown
from bot.redaction import secrets_of
from bot.replies.pictures import frames_cited, pointed
from bot.settings import SettingsError, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.outcome import Outcome
    from bot.domain.threads import Thread

FAILED = 1
HOST_HELP = "public host name of Loupe"
FILE_HELP = "file to write"

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".heic", ".heif", ".avif"),
    *(".bmp", ".tif", ".tiff", ".svg", ".dng"),
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"),
)


class InPlaceBlobs(BlobStore):
    """Blobs of a single turn: in memory, but the user's own files stay where they are."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self._files: dict[str, Path] = {}

    async def put(self, key: str, data: bytes | Path) -> None:
        """Keep bytes, or where a link leads."""
        if isinstance(data, Path) and await asyncio.to_thread(data.is_symlink):
            self._files[key] = await asyncio.to_thread(data.resolve)
        else:
            await super().put(key, data)

    async def save(self, key: str, into: Path) -> bool:
        """Write the bytes to `into`, or make it a link to the user's file."""
        if key not in self._files:
            return await super().save(key, into)
        await asyncio.to_thread(into.symlink_to, self._files[key])
        return True


class CommandFailed(Exception):
    """Ends the command with one sentence on stderr and exit code 1."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code 0, 1 (failed) or 2 (usage)."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        settings = app.read_settings()
        logs.configure(settings.core.log_level, secrets=secrets_of(*settings.sections))
        return int(options.act(options, settings) or 0)
    except (SettingsError, CommandFailed) as error:
        sys.stderr.write(f"loupe: {error}\n")
        return FAILED
    except StoreDown as error:
        reason = str(error) or error.__cause__ or "no answer"
        sys.stderr.write(f"loupe: The store cannot be used ({reason}). Try `loupe doctor`.\n")
        return FAILED
    except OSError as error:
        about = f"{error.filename} cannot be used" if error.filename else "The system refuses"
        sys.stderr.write(f"loupe: {about}: {error.strerror or error}.\n")
        return FAILED
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loupe", description="Looks at photos and videos with you."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the bot")
    serve.set_defaults(act=_serve)

    ask = commands.add_parser("ask", help="ask about files of this machine")
    ask.add_argument("--system", help="the system message", metavar="TEXT")
    ask.add_argument("--no-vision", action="store_true", help="without vision enhancements")
    ask.add_argument("--save", help="keep the pictures, also those with outlines", metavar="DIR")
    ask.add_argument("--json", action="store_true", help="print the raw transcript instead")
    ask.add_argument("words", nargs="+", metavar="FILE… [QUESTION]", help="files, then a question")
    ask.set_defaults(act=_ask)

    check = commands.add_parser("doctor", help="check every configured part")
    check.set_defaults(act=_doctor)

    manifest = commands.add_parser("manifest", help="make a package ready to upload")
    channels = manifest.add_subparsers(required=True, metavar="CHANNEL")
    for_teams = channels.add_parser("teams", help="the zip for the Teams admin centre")
    for_teams.add_argument("--host", required=True, help=HOST_HELP)
    for_teams.add_argument("--output", default="loupe-teams.zip", help=FILE_HELP, metavar="FILE")
    for_teams.set_defaults(act=_teams_manifest)
    for_slack = channels.add_parser("slack", help="the YAML to create a Slack app from")
    way = for_slack.add_mutually_exclusive_group(required=True)
    way.add_argument("--host", default="", help=f"{HOST_HELP}, for events by HTTP")
    way.add_argument("--socket", action="store_true", help="Socket Mode, which needs no host name")
    for_slack.add_argument("--output", default="loupe-slack.yaml", help=FILE_HELP, metavar="FILE")
    for_slack.set_defaults(act=_slack_manifest)

    listing = commands.add_parser("settings", help="list the settings, their values and origins")
    listing.set_defaults(act=_settings)
    return parser


def _serve(_: argparse.Namespace, settings: app.Settings) -> None:
    asyncio.run(_served(settings))


async def _served(settings: app.Settings) -> None:
    """Serve until SIGTERM or Ctrl+C."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    async with app.serving(settings) as address:
        settle()
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        await ended.wait()


def settle() -> None:
    """Keep what the start made out of garbage collection, whose full runs stall the event loop."""
    gc.collect()
    gc.freeze()


def _ask(options: argparse.Namespace, settings: app.Settings) -> None:
    paths, words = _files_and_question(options.words)
    terminal = Terminal(quiet=options.json)
    outcome = asyncio.run(_asked(options, settings, paths, words, terminal))
    if options.json:
        system = options.system or settings.core.system_message
        past = ThreadHistory(turns=(outcome.turn,), photos=outcome.photos)
        sys.stdout.write(transcript.dumps(transcript.transcript(system, past)) + "\n")
    if outcome.turn.status == "failed":
        raise CommandFailed(" ".join(_why(outcome).split()))


def _why(outcome: Outcome) -> str:
    """Tell why a turn failed: for the model's reason, or because no file could be used."""
    reason = outcome.turn.problem
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
    """Tell a folder, a device or a mistyped picture from a question."""
    if os.path.lexists(word):
        return True
    return " " not in word and word.lower().endswith(SUFFIXES)


async def _asked(
    options: argparse.Namespace,
    settings: app.Settings,
    paths: list[Path],
    words: str,
    terminal: Terminal,
) -> Outcome:
    force = EffectiveSettings(
        system=options.system or settings.core.system_message,
        model=settings.deployment.models[0],
        vision=not options.no_vision,
    )
    stop = asyncio.Event()
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    await app.check_folder(settings.core.data)
    blobs = InPlaceBlobs()
    async with app.services(settings, blobs) as kitchen:
        asked = question(paths, words)
        outcome = await kitchen.turns.run(asked, ThreadHistory(), force, terminal, stop)
        failed = outcome.turn.status == "failed"
        terminal.finish(outcome.text.removesuffix(_why(outcome)) if failed else outcome.text)
        if options.save:
            pictures = await _pictures(kitchen, asked.thread, outcome)
            await asyncio.to_thread(_save, Path(options.save), pictures)
        return outcome


async def _pictures(kitchen: app.Services, thread: Thread, outcome: Outcome) -> dict[str, bytes]:
    """Name the pictures and frames as the model got them, and what is shown with the answer."""
    shown = await kitchen.gallery.recall(thread, outcome.photos)
    pictures = {f"P{number}.jpg": picture.jpeg for number, picture in shown.items()}
    outlines = outcome.turn.outlines
    for photo in pointed(outcome, ThreadHistory()):
        drawn = await kitchen.gallery.outlined(thread, photo, outlines)
        pictures[f"P{photo.number}-outlined.jpg"] = drawn.jpeg
    for video in outcome.videos:
        own = [one.frame for one in outcome.turn.frames if one.video == video.number]
        times = [seconds_of(number) for number in own]
        for number, frame in (await kitchen.footage.frames(thread, video, times)).items():
            pictures[f"{_file_name(number)}.jpg"] = frame.jpeg
    for cited in frames_cited(outcome, ThreadHistory()):
        sheet = await kitchen.footage.shown(thread, cited, outlines)
        pictures[f"V{cited.video.number}-frames.jpg"] = sheet.jpeg
    return pictures


def _file_name(frame: int) -> str:
    """Name a frame without what no file system takes: V1-0m12.4s."""
    return label(frame).replace(" ", "-").replace(":", "m") + "s"


def _save(folder: Path, pictures: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, jpeg in pictures.items():
            (folder / name).write_bytes(jpeg)
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be written to: {error.strerror}.") from error


def _doctor(_: argparse.Namespace, settings: app.Settings) -> int:
    findings = asyncio.run(doctor.examine(checks(settings)))
    for finding in findings:
        sys.stdout.write(f"{'ok  ' if finding.well else 'FAIL'} {finding.part}: {finding.says}\n")
    return 0 if all(finding.well for finding in findings) else FAILED


def _teams_manifest(options: argparse.Namespace, settings: app.Settings) -> None:
    if not settings.teams.app_id:
        raise CommandFailed("Set MicrosoftAppId first: the Teams package names the bot by it.")
    _write(options.output, build_teams(settings.teams.app_id, options.host, version("loupe")))


def _slack_manifest(options: argparse.Namespace, _: app.Settings) -> None:
    _write(options.output, build_slack(options.host, socket=options.socket).encode())


def _write(target: str, data: bytes) -> None:
    """Write a package and name its file."""
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}.") from error
    sys.stdout.write(f"{target}\n")


def _settings(_: argparse.Namespace, settings: app.Settings) -> None:
    for section in settings.sections:
        for line in lines(section):
            sys.stdout.write(f"{line.name}={line.value}  ({line.origin}; {line.meaning})\n")
