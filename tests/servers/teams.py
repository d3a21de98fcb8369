"""A connector that behaves like Teams', with its token service, files and members.

    async with TeamsServer(authorize=True) as teams:
        teams.throttle(retry_after="1")
        ...
        await teams.until(lambda: teams.texts() == ["A red car."])
        assert teams.messages()[0].texts == ["A red", "A red car."]

`teams.url` is the serviceUrl of its activities, `teams.origin` also the LOUPE_TOKEN_URL, and
`teams.host` belongs into LOUPE_CONNECTOR_HOSTS. Faults are scripted with `throttle`, `fail`,
`refuse`, `hang` and `cut`; each hits the next requests to the conversations, all of them or those
of one `method`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from aiohttp import web

from adapters.teams.addresses import TeamsAddress, read_address
from tests.servers.teams_chats import MAX_PICTURE, Chats, Reject, TeamsMessage
from tests.servers.teams_services import APP_ID, OneDrive, TokenService

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

TENANT = "72f988bf-0000-4000-8000-0000000000aa"
PERSONAL = "a:1personal"
GROUP = "19:group@thread.v2"
CHANNEL = "19:channel@thread.tacv2;messageid=1795373765508"
SCOPES = {"personal": PERSONAL, "groupChat": GROUP, "channel": CHANNEL}
CONSENT = "application/vnd.microsoft.teams.card.file.consent"
PAGE = "<!DOCTYPE html><html><body>Payload Too Large</body></html>"


@dataclass
class Request:
    """A request to a conversation, as it came; `status` 0 is not answered yet, or never."""

    method: str
    path: str
    conversation: str
    activity_id: str
    authorization: str
    activity: dict[str, Any]
    at: float
    status: int = 0


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request: before it is carried out, or `after`.

    With `pictures` only messages that show pictures are hit.
    Status 0 breaks the connection, -1 says nothing until the client leaves.
    """

    status: int
    code: str = ""
    message: str = ""
    retry_after: str = ""
    method: str = ""
    after: bool = False
    pictures: bool = False


class TeamsServer:
    """The server; `authorize` makes it ask for a token that its own token service gave.

    It takes pictures of `picture_bytes`.
    """

    def __init__(
        self,
        *,
        authorize: bool = False,
        strict_rate: bool = False,
        stream_seconds: float = 120.0,
        deletes: bool = True,
        error_pages: bool = False,
        picture_bytes: int = MAX_PICTURE,
    ) -> None:
        self.chats = Chats(stream_seconds, strict_rate=strict_rate, picture_bytes=picture_bytes)
        self.tokens = TokenService()
        self.drive = OneDrive()
        self.authorize = authorize
        self.deletes = deletes
        self.error_pages = error_pages
        self.people = [{"id": "29:alex", "name": "Alex", "aadObjectId": "9f1c0a00"}]
        self.requests: list[Request] = []
        self._faults: deque[Fault] = deque()
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=50 * 2**20, middlewares=[self._reject])
        talk = "/amer/v3/conversations/{conversation}"
        app.router.add_route("*", talk + "/activities", self._on_activity)
        app.router.add_route("*", talk + "/activities/{activity}", self._on_activity)
        app.router.add_get(talk + "/{list:members|pagedmembers}", self._members)
        app.router.add_get(talk + "/members/{member}", self._member)
        app.router.add_get("/amer/v3/attachments/{file}/views/original", self._picture)
        self.tokens.route(app)
        self.drive.route(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.host = f"{host}:{port}"
        self.origin = self.drive.origin = f"http://{self.host}"
        self.url = f"{self.origin}/amer/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        await self._runner.cleanup()

    # What users see and do

    def messages(self, conversation: str = PERSONAL) -> list[TeamsMessage]:
        """The bot's messages in a conversation as they stand now, oldest first."""
        return [shown for shown in self.chats.shown[conversation] if not shown.deleted]

    def texts(self, conversation: str = PERSONAL) -> list[str]:
        """What these messages say now."""
        return [shown.text for shown in self.messages(conversation)]

    async def until(self, predicate: Callable[[], Any], seconds: float = 30) -> Any:
        """Wait until something is true of the server, and return it."""
        async with asyncio.timeout(seconds), self._changed:
            return await self._changed.wait_for(predicate)

    def stop(self, conversation: str = PERSONAL) -> None:
        """Press Stop on the message that grows."""
        self.chats.cancel(conversation)

    def consent(self, action: str = "accept", conversation: str = PERSONAL) -> dict[str, Any]:
        """Choose on the last file consent card: the `value` of the invoke that follows."""
        cards = [card for shown in self.chats.shown[conversation] for card in shown.cards]
        card = next(card for card in reversed(cards) if card["contentType"] == CONSENT)
        value = {"type": "fileUpload", "action": action}
        if action == "decline":
            return value | {"context": card["content"]["declineContext"]}
        session = self.drive.session(card["name"])
        return value | {"context": card["content"]["acceptContext"], "uploadInfo": session}

    def picture(self, data: bytes, content_type: str = "image/jpeg") -> dict[str, Any]:
        """Paste a picture: the attachment; its address asks for the bot's token."""
        key = self.drive.keep(data, content_type)
        url = f"{self.url}v3/attachments/{key}/views/original"
        return {"contentType": "image/*", "contentUrl": url}

    def file(
        self, data: bytes, name: str, content_type: str = "application/octet-stream"
    ) -> dict[str, Any]:
        """Attach a file in a personal chat: its address is signed and takes no token."""
        return self.drive.attachment(data, name, content_type)

    def address(self, scope: str = "personal", /, **changes: Any) -> TeamsAddress:
        """The return address of a message that was posted here."""
        return read_address(
            {
                "service": self.url,
                "conversation": SCOPES[scope],
                "scope": scope,
                "channel": "msteams",
                "bot": {"id": f"28:{APP_ID}", "name": "Loupe"},
                "user": {"id": "29:alex", "name": "Alex", "aadObjectId": "9f1c0a00"},
                "tenant": TENANT,
                "team": "",
                "activity": "1795373765509",
                **changes,
            }
        )

    # What goes wrong

    def throttle(self, times: int = 1, retry_after: str = "", **how: Any) -> None:
        """Answer 429."""
        self._script(times, Fault(429, "TooManyRequests", retry_after=retry_after, **how))

    def fail(self, status: int = 502, times: int = 1, **how: Any) -> None:
        """Answer with an error, `after=True` once the request was carried out."""
        self._script(times, Fault(status, "ServiceError", **how))

    def refuse(self, status: int, code: str, message: str = "", times: int = 1, **how: Any) -> None:
        """Answer with an error of that code; 403 BotNotInConversationRoster: the bot is out."""
        self._script(times, Fault(status, code, message, **how))

    def hang(self, times: int = 1, **how: Any) -> None:
        """Say nothing until the client leaves."""
        self._script(times, Fault(-1, **how))

    def cut(self, times: int = 1, **how: Any) -> None:
        """Break the connection, `after=True` once the request was carried out."""
        self._script(times, Fault(0, **how))

    def _script(self, times: int, fault: Fault) -> None:
        self._faults.extend([fault] * times)

    def _next_fault(self, seen: Request) -> Fault | None:
        shows = any(
            card["contentType"].startswith("image/")
            for card in seen.activity.get("attachments") or []
        )
        for fault in self._faults:
            if fault.method in {"", seen.method} and shows >= fault.pictures:
                self._faults.remove(fault)
                return fault
        return None

    # Conversations

    async def _on_activity(self, request: web.Request) -> web.StreamResponse:
        seen = await self._see(request)
        fault = self._next_fault(seen)
        try:
            self._check_token(request)
            if fault and not fault.after:
                response = await self._go_wrong(request, fault)
            else:
                response = self._carry_out(seen)
                response = await self._go_wrong(request, fault) if fault else response
        except Reject as reject:
            response = self._rejected(reject)
        seen.status = response.status
        await self._tell()
        return response

    @web.middleware
    async def _reject(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Reject as reject:
            return self._rejected(reject)

    async def _see(self, request: web.Request) -> Request:
        seen = Request(
            request.method,
            request.raw_path,
            unquote(request.match_info["conversation"]),
            unquote(request.match_info.get("activity", "")),
            request.headers.get("Authorization", ""),
            await request.json() if request.can_read_body else {},
            asyncio.get_running_loop().time(),
        )
        self.requests.append(seen)
        await self._tell()
        return seen

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _carry_out(self, seen: Request) -> web.Response:
        match seen.method:
            case "POST":
                status, body = self.chats.post(seen.conversation, seen.activity)
                return web.json_response(body, status=status)
            case "PUT":
                edited = self.chats.edit(seen.conversation, seen.activity_id, seen.activity)
                return web.json_response(edited)
            case "DELETE" if self.deletes:
                self.chats.delete(seen.conversation, seen.activity_id)
                return web.Response()
        raise Reject(501, "NotImplemented")

    async def _go_wrong(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.status == -1:
            await self._closing.wait()
        if fault.status <= 0:
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)
        raise Reject(fault.status, fault.code, fault.message, fault.retry_after)

    def _rejected(self, reject: Reject) -> web.Response:
        if self.error_pages:
            return web.Response(status=reject.status, text=PAGE, content_type="text/html")
        return web.json_response(reject.body, status=reject.status, headers=reject.headers)

    def _check_token(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.authorize and token not in self.tokens.valid:
            raise Reject(401, "Unauthorized", "Authorization has been denied for this request.")

    async def _members(self, request: web.Request) -> web.Response:
        self._check_token(request)
        if request.match_info["list"] == "members":
            return web.json_response(self.people)
        return web.json_response({"members": self.people})

    async def _member(self, request: web.Request) -> web.Response:
        self._check_token(request)
        found = [one for one in self.people if one["id"] == request.match_info["member"]]
        return web.json_response(found[0] if found else {}, status=200 if found else 404)

    async def _picture(self, request: web.Request) -> web.Response:
        self.drive.note(request)
        self._check_token(request)
        return self.drive.serve(request)
