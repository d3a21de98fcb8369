"""A connector that behaves like Teams', with its token service, files and members.

    async with TeamsServer(authorize=True) as teams:
        teams.throttle(retry_after="1")
        ...
        await teams.until(lambda: teams.texts() == ["A red car."])
        assert teams.messages()[0].texts == ["A red", "A red car."]

`teams.url` is the serviceUrl of its activities, `teams.origin` also the LOUPE_TOKEN_URL, and
`teams.host` is the value for LOUPE_CONNECTOR_HOSTS. Faults are scripted with `throttle`, `fail`,
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
    """A request to a conversation; `status` is 0 as long as there is no response."""

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
    """An error for a request, before it is executed or `after`.

    With `pictures`, it applies only to messages that show pictures. Status 0 breaks the connection,
    and -1 sends no response until the client disconnects.
    """

    status: int
    code: str = ""
    message: str = ""
    retry_after: str = ""
    method: str = ""
    after: bool = False
    pictures: bool = False


class TeamsServer:
    """The server; with `authorize`, it requires a token of its own token service.

    Pictures may have up to `picture_bytes`.
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
        self._change = asyncio.Condition()
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
        """Return the bot's current messages in a conversation, oldest first."""
        return [message for message in self.chats.messages[conversation] if not message.is_deleted]

    def texts(self, conversation: str = PERSONAL) -> list[str]:
        """Return the current texts of these messages."""
        return [message.text for message in self.messages(conversation)]

    async def until(self, predicate: Callable[[], Any], seconds: float = 30) -> Any:
        """Wait until a predicate is true, and return its value."""
        async with asyncio.timeout(seconds), self._change:
            return await self._change.wait_for(predicate)

    def stop(self, conversation: str = PERSONAL) -> None:
        """Press Stop on the message that is growing."""
        self.chats.cancel(conversation)

    def consent(self, action: str = "accept", conversation: str = PERSONAL) -> dict[str, Any]:
        """Choose on the last file consent card, and return the `value` of the invoke."""
        cards = [card for message in self.chats.messages[conversation] for card in message.cards]
        card = next(card for card in reversed(cards) if card["contentType"] == CONSENT)
        value = {"type": "fileUpload", "action": action}
        if action == "decline":
            return value | {"context": card["content"]["declineContext"]}
        session = self.drive.session(card["name"])
        return value | {"context": card["content"]["acceptContext"], "uploadInfo": session}

    def picture(self, data: bytes, content_type: str = "image/jpeg") -> dict[str, Any]:
        """Return the attachment of a pasted picture, whose URL requires the bot's token."""
        key = self.drive.keep(data, content_type)
        url = f"{self.url}v3/attachments/{key}/views/original"
        return {"contentType": "image/*", "contentUrl": url}

    def file(
        self, data: bytes, name: str, content_type: str = "application/octet-stream"
    ) -> dict[str, Any]:
        """Return the attachment of a file in a personal chat, whose URL is signed."""
        return self.drive.attachment(data, name, content_type)

    def address(self, scope: str = "personal", /, **changes: Any) -> TeamsAddress:
        """Return the address of a message that was posted here."""
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

    # Faults

    def throttle(self, times: int = 1, retry_after: str = "", **how: Any) -> None:
        """Respond with 429."""
        self._script(times, Fault(429, "TooManyRequests", retry_after=retry_after, **how))

    def fail(self, status: int = 502, times: int = 1, **how: Any) -> None:
        """Respond with an error, with `after=True` after executing the request."""
        self._script(times, Fault(status, "ServiceError", **how))

    def refuse(self, status: int, code: str, message: str = "", times: int = 1, **how: Any) -> None:
        """Respond with an error code, such as 403 BotNotInConversationRoster for a removed bot."""
        self._script(times, Fault(status, code, message, **how))

    def hang(self, times: int = 1, **how: Any) -> None:
        """Send no response until the client disconnects."""
        self._script(times, Fault(-1, **how))

    def cut(self, times: int = 1, **how: Any) -> None:
        """Break the connection, with `after=True` after executing the request."""
        self._script(times, Fault(0, **how))

    def _script(self, times: int, fault: Fault) -> None:
        self._faults.extend([fault] * times)

    def _next_fault(self, record: Request) -> Fault | None:
        shows = any(
            card["contentType"].startswith("image/")
            for card in record.activity.get("attachments") or []
        )
        for fault in self._faults:
            if fault.method in {"", record.method} and shows >= fault.pictures:
                self._faults.remove(fault)
                return fault
        return None

    # Conversations

    async def _on_activity(self, request: web.Request) -> web.StreamResponse:
        record = await self._record(request)
        fault = self._next_fault(record)
        try:
            self._check_token(request)
            if fault and not fault.after:
                response = await self._apply_fault(request, fault)
            else:
                response = self._execute(record)
                response = await self._apply_fault(request, fault) if fault else response
        except Reject as reject:
            response = self._error_response(reject)
        record.status = response.status
        await self._notify()
        return response

    @web.middleware
    async def _reject(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Reject as reject:
            return self._error_response(reject)

    async def _record(self, request: web.Request) -> Request:
        record = Request(
            request.method,
            request.raw_path,
            unquote(request.match_info["conversation"]),
            unquote(request.match_info.get("activity", "")),
            request.headers.get("Authorization", ""),
            await request.json() if request.can_read_body else {},
            asyncio.get_running_loop().time(),
        )
        self.requests.append(record)
        await self._notify()
        return record

    async def _notify(self) -> None:
        async with self._change:
            self._change.notify_all()

    def _execute(self, record: Request) -> web.Response:
        match record.method:
            case "POST":
                status, body = self.chats.post(record.conversation, record.activity)
                return web.json_response(body, status=status)
            case "PUT":
                body = self.chats.edit(record.conversation, record.activity_id, record.activity)
                return web.json_response(body)
            case "DELETE" if self.deletes:
                self.chats.delete(record.conversation, record.activity_id)
                return web.Response()
        raise Reject(501, "NotImplemented")

    async def _apply_fault(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.status == -1:
            await self._closing.wait()
        if fault.status <= 0:
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)
        raise Reject(fault.status, fault.code, fault.message, fault.retry_after)

    def _error_response(self, reject: Reject) -> web.Response:
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
        members = [one for one in self.people if one["id"] == request.match_info["member"]]
        return web.json_response(members[0] if members else {}, status=200 if members else 404)

    async def _picture(self, request: web.Request) -> web.Response:
        self.drive.note(request)
        self._check_token(request)
        return self.drive.serve(request)
