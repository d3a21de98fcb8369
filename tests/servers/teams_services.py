"""The services beside the connector: Microsoft's token service, and the files of a user."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    import asyncio

APP_ID = "5f3c1d2e-0000-4000-8000-00000000b070"
PASSWORD = "password-of-the-tests"
SCOPE = "https://api.botframework.com/.default"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"


class TokenService:
    """Issues tokens for the right secret; `faults` are the statuses of its next responses.

    Tokens that it issues while `issues_valid` is false are refused by the connector.
    """

    def __init__(self) -> None:
        self.token_count = 0
        self.issues_valid = True
        self.seconds = 3599
        self.requests: list[dict[str, str]] = []
        self.faults: deque[int] = deque()
        self.valid: set[str] = set()

    def route(self, app: web.Application) -> None:
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._issue)

    async def _issue(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.requests.append(form | {"tenant": request.match_info["tenant"]})
        if self.faults:
            return web.json_response({"error": "busy"}, status=self.faults.popleft())
        credentials = {"client_id": APP_ID, "client_secret": PASSWORD, "scope": SCOPE}
        credentials |= {"grant_type": "client_credentials"}
        if any(form.get(key) != value for key, value in credentials.items()):
            error = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"
            body = {"error": "invalid_client", "error_description": error}
            return web.json_response(body, status=401)
        self.token_count += 1
        token = f"token-{self.token_count}"
        if self.issues_valid:
            self.valid.add(token)
        return web.json_response(
            {"token_type": "Bearer", "expires_in": self.seconds, "access_token": token}
        )


@dataclass
class Upload:
    """An upload session for an accepted file, and the bytes uploaded so far."""

    name: str
    data: bytearray = field(default_factory=bytearray)
    total: int = -1

    @property
    def is_complete(self) -> bool:
        return len(self.data) == self.total


class OneDrive:
    """Signed downloads and upload sessions, which work without a token.

    `faults` are the statuses of the next responses to uploads. While `gate` is an event, downloads
    wait for it.
    """

    def __init__(self) -> None:
        self.origin = ""
        self.uploads: dict[str, Upload] = {}
        self.downloads: list[tuple[str, str]] = []
        self.faults: deque[int] = deque()
        self.gate: asyncio.Event | None = None
        self._files: dict[str, tuple[bytes, str]] = {}

    def route(self, app: web.Application) -> None:
        app.router.add_get("/files/{file}/{name}", self._download)
        app.router.add_put("/upload/{upload}", self._upload)

    def keep(self, data: bytes, content_type: str) -> str:
        key = secrets.token_hex(8)
        self._files[key] = (data, content_type)
        return key

    def attachment(self, data: bytes, name: str, content_type: str) -> dict[str, Any]:
        key = self.keep(data, content_type)
        url = f"{self.origin}/files/{key}/{name}?tempauth=secret-{key}"
        content = {"downloadUrl": url, "uniqueId": key, "fileType": name.rpartition(".")[2]}
        return {"contentType": DOWNLOAD, "contentUrl": url, "name": name, "content": content}

    def session(self, name: str) -> dict[str, Any]:
        """Open an upload session and return the `uploadInfo` of an accepted file."""
        key = secrets.token_hex(8)
        self.uploads[key] = Upload(name)
        return {
            "uploadUrl": f"{self.origin}/upload/{key}",
            "contentUrl": f"{self.origin}/onedrive/{key}",
            "uniqueId": key,
            "name": name,
            "fileType": name.rpartition(".")[2],
        }

    def serve(self, request: web.Request) -> web.Response:
        data, content_type = self._files.get(request.match_info["file"], (None, ""))
        if data is None:
            return web.Response(status=404)
        return web.Response(body=data, headers={"Content-Type": content_type})

    def note(self, request: web.Request) -> None:
        self.downloads.append((request.path, request.headers.get("Authorization", "")))

    async def _download(self, request: web.Request) -> web.Response:
        self.note(request)
        if self.gate is not None:
            await self.gate.wait()
        if "tempauth" not in request.query or "Authorization" in request.headers:
            return web.Response(status=401)
        return self.serve(request)

    async def _upload(self, request: web.Request) -> web.Response:
        """Accept the next part of a file."""
        upload = self.uploads.get(request.match_info["upload"])
        body = await request.read()
        if self.faults:
            return web.Response(status=self.faults.popleft())
        if upload is None or upload.is_complete:
            return web.Response(status=404)
        span, _, total = request.headers["Content-Range"].removeprefix("bytes ").partition("/")
        first, _, last = span.partition("-")
        if "Authorization" in request.headers:
            return web.Response(status=401)
        if int(first) != len(upload.data) or int(last) - int(first) + 1 != len(body):
            return web.Response(status=416)
        upload.data += body
        upload.total = int(total)
        return web.json_response({"name": upload.name}, status=201 if upload.is_complete else 202)
