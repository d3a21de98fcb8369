"""What Loupe asks of Slack, put together against a server that says what a test wants."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import ClientSession, web

from adapters.http.download import Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from adapters.slack.addresses import read_address
from adapters.slack.files import SlackFiles
from adapters.slack.hosts import SlackHosts
from adapters.slack.settings import SlackLimits
from adapters.slack.uploads import SlackUploads
from adapters.slack.users import Users
from adapters.slack.web_api import SlackApi
from adapters.slack.workspaces import UnknownTeam, Workspace, WorkspaceUnknown
from tests.helpers.fakes import FakeClock
from tests.servers.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.slack.addresses import SlackAddress

TOKEN = "xoxb-1-token"
APP_TOKEN = "xapp-1-token"
LOGIN = "<html><title>Sign in</title></html>"


@dataclass(frozen=True)
class Answer:
    """What the server says.

    With `cut` it takes the request and breaks the connection, with `hang` it never answers.
    """

    body: Any = field(default_factory=lambda: {"ok": True})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut: bool = False
    hang: bool = False

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


def refusal(error: str) -> Answer:
    """What Slack says when it does not do what it is asked."""
    return Answer({"ok": False, "error": error})


def throttling(retry_after: str = "3") -> Answer:
    """Slack's refusal of a call that comes too soon."""
    return Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": retry_after})


PAGE_502 = Answer("<html><h1>Bad Gateway</h1></html>", 502, content_type="text/html")
CUT = Answer(cut=True)
HANG = Answer(hang=True)


@dataclass(frozen=True)
class ReceivedCall:
    """A request that came: the method or path, the form or body, and the credential."""

    name: str
    form: dict[str, str]
    authorization: str
    body: bytes = b""


class SlackApiServer(Loopback):
    """A Slack that answers in the order of `then` for each method, at last with `{"ok": true}`.

    `pictures` are files by path, for whoever has the token; all others see a page to sign in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[ReceivedCall] = []
        self.uploads: list[ReceivedCall] = []
        self.downloads: list[ReceivedCall] = []
        self.hooks: list[ReceivedCall] = []
        self.pictures: dict[str, bytes] = {}
        self._answers: dict[str, deque[Answer]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/{method}", self._api)
        app.router.add_post("/upload/{rest:.*}", self._upload)
        app.router.add_post("/hooks/{rest:.*}", self._hook)
        app.router.add_get("/files/{rest:.*}", self._file)
        app.router.add_get("/login", self._login)
        await self.start(app)
        return self

    @property
    def api_url(self) -> str:
        return f"{self.url}/api"

    def then(self, method: str, *answers: Answer) -> None:
        """Script the next answers of a method, of `upload`, or of `hook`."""
        self._answers.setdefault(method, deque()).extend(answers)

    def only(self, method: str, *answers: Answer) -> None:
        """Script the next answers of a method in place of what was left."""
        self._answers[method] = deque(answers)

    def methods(self) -> list[str]:
        """Which methods were called, in order."""
        return [call.name for call in self.calls]

    def picture(self, path: str, data: bytes = b"picture") -> str:
        """Keep a file; returns its address."""
        self.pictures[f"/files/{path}"] = data
        return f"{self.url}/files/{path}"

    async def _api(self, request: web.Request) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        method = request.match_info["method"]
        self.calls.append(ReceivedCall(method, form, request.headers.get("Authorization", "")))
        return await self._next(request, method)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        bearer = request.headers.get("Authorization", "")
        self.uploads.append(ReceivedCall(request.path, {}, bearer, body))
        return await self._next(request, "upload")

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        """Take what is said by a `response_url`."""
        body = await request.read()
        bearer = request.headers.get("Authorization", "")
        self.hooks.append(ReceivedCall(request.path, {}, bearer, body))
        return await self._next(request, "hook")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        bearer = request.headers.get("Authorization", "")
        self.downloads.append(ReceivedCall(request.path, {}, bearer))
        if bearer != f"Bearer {TOKEN}" or request.path not in self.pictures:
            raise web.HTTPFound("/login")
        return web.Response(body=self.pictures[request.path], content_type="image/jpeg")

    async def _login(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=LOGIN, content_type="text/html")

    async def _next(self, request: web.Request, name: str) -> web.StreamResponse:
        answers = self._answers.get(name)
        answer = answers.popleft() if answers else Answer()
        if answer.hang:
            await asyncio.Event().wait()
        if answer.cut and request.transport:
            request.transport.abort()
        return web.Response(
            text=answer.text,
            status=answer.status,
            headers=answer.headers,
            content_type=answer.content_type,
        )


class OneTeam:
    """The workspace `T1`; `T0` is not known yet, and any other never."""

    async def of(self, team: str) -> Workspace:
        if team == "T0":
            raise WorkspaceUnknown("not yet")
        if team != "T1":
            raise UnknownTeam("another")
        return Workspace("T1", "https://acme.slack.com/", "UBOT", "BBOT", TOKEN)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


def address(**changes: Any) -> SlackAddress:
    """Where an answer goes, of the fields that 0.4.0 stored."""
    fields = {"team": "T1", "channel": "C1", "thread": "1.0000", "user": "U1"}
    return read_address({**fields, **changes})


@dataclass
class SlackClients:
    """All parts, for tests that look at one of them."""

    server: SlackApiServer
    clock: FakeClock
    api: SlackApi
    users: Users
    files: SlackFiles
    uploads: SlackUploads
    guard: Guard
    hosts: SlackHosts
    limits: SlackLimits
    team: OneTeam = field(default_factory=OneTeam)


@asynccontextmanager
async def slack_clients(**limits: Any) -> AsyncIterator[SlackClients]:
    """Put the parts together, with a server and a clock of the tests."""
    clock, bounds = FakeClock(), SlackLimits(**limits)
    async with SlackApiServer() as server, ClientSession() as session:
        guard, hosts, team = Guard(), SlackHosts(server.api_url), OneTeam()
        api = SlackApi(session, team, bounds, server.api_url, clock)
        downloads = Downloads(guard, DownloadSettings(), clock)
        try:
            yield SlackClients(
                server,
                clock,
                api,
                Users(api, 24, clock),
                SlackFiles(downloads, team, api, hosts),
                SlackUploads(api, guard, hosts, bounds, clock),
                guard,
                hosts,
                bounds,
                team,
            )
        finally:
            await guard.close()
