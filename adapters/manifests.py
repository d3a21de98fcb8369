"""App packages for the administrators of Teams and Slack, built from the folder `manifest`."""

from __future__ import annotations

import io
import json
import re
import zipfile
from importlib import resources
from typing import Any

from bot.settings import SettingsError

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HOST = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")

TEAMS_FILES = ("color.png", "outline.png")
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The oldest date of a zip file; a fixed one makes equal packages equal byte by byte."""


def build_teams(app_id: str, host: str, version: str) -> bytes:
    """Build the zip to upload in the Teams admin centre (manifest schema 1.29).

    `app_id` is the bot's Microsoft App ID, `host` the public name that Loupe is reached by over
    HTTPS, `version` three numbers that grow with each upload. Raises `SettingsError`.
    """
    values = {
        "{app_id}": _checked("MicrosoftAppId", app_id, GUID, "a GUID"),
        "{host}": _host(host),
        "{version}": _checked("version", version, VERSION, "three numbers, as in 1.0.0"),
    }
    folder = resources.files("manifest") / "teams"
    manifest = _filled(json.loads((folder / "manifest.json").read_text("utf-8")), values)
    files = {"manifest.json": json.dumps(manifest, indent=2).encode()}
    files |= {name: (folder / name).read_bytes() for name in TEAMS_FILES}
    return _zip(files)


def build_slack(host: str = "", *, socket: bool = False) -> str:
    """Build the YAML to paste where Slack asks for a manifest (schema 2.0).

    `host` is the public name that Loupe is reached by over HTTPS; with `socket` (Socket Mode) it
    needs none, and the manifest names no address. Raises `SettingsError`.
    """
    template = (resources.files("manifest") / "slack" / "manifest.yaml").read_text("utf-8")
    if socket:
        kept = [line for line in template.splitlines(keepends=True) if "{host}" not in line]
        return "".join(kept).replace("socket_mode_enabled: false", "socket_mode_enabled: true")
    return template.replace("{host}", _host(host))


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
