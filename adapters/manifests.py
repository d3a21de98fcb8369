"""App packages for the administrators of Teams and Slack, built from the folder `manifest`."""

from __future__ import annotations

import io
import json
import re
import zipfile
from importlib import resources
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from bot.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.commands import CommandSpec

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HOST = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")

TEAMS_FILES = ("color.png", "outline.png")
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The oldest date of a zip file; a fixed one makes equal packages equal byte by byte."""


def build_teams(commands: Sequence[CommandSpec], app_id: str, host: str, version: str) -> bytes:
    """Build the zip to upload in the Teams admin centre (manifest schema 1.29).

    `commands` are offered in menus. `app_id` is the bot's Microsoft App ID, `host` the public name
    that Loupe is reached by over HTTPS, `version` three numbers that grow with each upload. Raises
    `SettingsError`.
    """
    values = {
        "{app_id}": _checked("MicrosoftAppId", app_id, GUID, "a GUID"),
        "{host}": _host(host),
        "{version}": _checked("version", version, VERSION, "three numbers, as in 1.0.0"),
    }
    folder = resources.files("manifest") / "teams"
    manifest = _filled(json.loads((folder / "manifest.json").read_text("utf-8")), values)
    for menu in manifest["bots"][0]["commandLists"]:
        menu["commands"] = _menu(commands, is_shared="personal" not in menu["scopes"])
    files = {"manifest.json": json.dumps(manifest, indent=2).encode()}
    files |= {name: (folder / name).read_bytes() for name in TEAMS_FILES}
    return _zip(files)


def build_slack(commands: Sequence[CommandSpec], host: str = "", *, socket: bool = False) -> str:
    """Build the YAML to paste where Slack asks for a manifest (schema 2.0).

    `commands` stand in the hint how to use the slash command. `host` is the public name that Loupe
    is reached by over HTTPS; with `socket` (Socket Mode) it needs none, and the manifest names no
    address. Raises `SettingsError`.
    """
    template = (resources.files("manifest") / "slack" / "manifest.yaml").read_text("utf-8")
    template = template.replace("{usage_hint}", _usage_hint(commands))
    if socket:
        lines = [line for line in template.splitlines(keepends=True) if "{host}" not in line]
        return "".join(lines).replace("socket_mode_enabled: false", "socket_mode_enabled: true")
    return template.replace("{host}", _host(host))


def _menu(commands: Sequence[CommandSpec], *, is_shared: bool) -> list[dict[str, str]]:
    """Return the menu of a chat, or of what several people write in, by rank."""
    usable = [command for command in commands if is_shared or not command.shared_only]
    return [
        {
            "title": f"/{command.name} {item.argument}".rstrip(),
            "description": (is_shared and item.shared_description) or item.description,
        }
        for command in sorted(usable, key=attrgetter("rank"))
        for item in command.menu
    ]


def _usage_hint(commands: Sequence[CommandSpec]) -> str:
    """Return examples of the commands that Slack's slash command takes, the harmless ones first."""
    usable = [command for command in commands if command.slash != "none"]
    return " | ".join(command.example for command in sorted(usable, key=attrgetter("effect")))


def _host(text: str) -> str:
    """Accept `bot.example.com` and also its address, as people copy it from a browser."""
    bare = text.strip().lower().removeprefix("https://").rstrip("/")
    return _checked("host", bare, HOST, "a public host name, as in bot.example.com")


def _checked(name: str, value: str, pattern: re.Pattern[str], meaning: str) -> str:
    if not pattern.fullmatch(value):
        raise SettingsError(f"{name} has the value {value!r}: it has to be {meaning}.")
    return value


def _filled(value: Any, values: dict[str, str]) -> Any:
    """Replace the names in braces in all texts of a JSON value."""
    if isinstance(value, dict):
        return {name: _filled(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(name, text)
    return value


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()
