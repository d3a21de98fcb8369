"""Access control of the page: allowed hosts, sessions, and the answers to all others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from aiohttp import web

from adapters.page.assets import PUBLIC, Asset
from adapters.page.requests import MalformedRequest
from adapters.page.session import HEADERS, is_own_request
from bot import strings as texts
from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.page.session import Session

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

USER = web.RequestKey("user", str)
"""The id of the user whose browser sent the request; set for handlers that are `guarded`."""


class AccessControl:
    """Wraps handlers, and serves the page's own files."""

    def __init__(self, session: Session, assets: Mapping[str, Asset], lifetime: float) -> None:
        """Serve `assets`, which may be filled later; a session ends after `lifetime` seconds."""
        self._session = session
        self._assets = assets
        self._lifetime = lifetime

    def open(self, handler: Handler) -> Handler:
        """Serve allowed hosts only, and answer errors with a sentence."""

        @wraps(handler)
        async def wrapper(request: web.Request) -> web.StreamResponse:
            if not self._session.allows_host(request):
                return refusal(421, texts.PAGE_WRONG_HOST)
            try:
                response = await handler(request)
            except MalformedRequest as problem:
                return refusal(400, texts.PAGE_MALFORMED.format(field=problem))
            except StoreDown:
                return refusal(503, texts.PAGE_STORE_DOWN)
            if not response.prepared:
                _add_headers(response)
            return response

        return wrapper

    def guarded(self, handler: Handler) -> Handler:
        """Serve only requests of the page itself, and only with a session."""

        @wraps(handler)
        async def wrapper(request: web.Request) -> web.StreamResponse:
            if request.method == "POST" and not is_own_request(request):
                return refusal(403, texts.PAGE_FOREIGN)
            user = await self._session.user(request)
            if not user:
                return refusal(401, texts.PAGE_SESSION_ENDED)
            request[USER] = user
            return await handler(request)

        return self.open(wrapper)

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Serve the page, or begin a session with the token, or explain how to open the page."""
        token = request.query.get("token")
        if token is not None and await self._session.accepts(token):
            return await self._begin_session(request)
        if await self._session.user(request):
            return self._asset(request, "index.html")
        return self._asset(request, "closed.html", status=401)

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Serve a file of the page."""
        name = request.match_info["name"]
        if name not in PUBLIC and not await self._session.user(request):
            return refusal(401, texts.PAGE_SESSION_ENDED)
        if name not in self._assets or name.endswith(".html"):
            return refusal(404, texts.PAGE_NOT_FOUND)
        return self._asset(request, name)

    async def _begin_session(self, request: web.Request) -> web.Response:
        """Set the cookie of a new session, and take the token out of the address."""
        cookie = await self._session.begin()
        response = _redirect(request)
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=int(self._lifetime),
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response

    def _asset(self, request: web.Request, name: str, status: int = 200) -> web.Response:
        asset = self._assets[name]
        etags = {tag.value for tag in request.if_none_match or ()}
        unchanged = status == 200 and asset.etag in etags
        response = web.Response(
            status=304 if unchanged else status,
            body=None if unchanged else asset.body,
            content_type=asset.media_type,
            charset="utf-8",
            headers={"Cache-Control": "no-cache"},
        )
        response.etag = asset.etag
        return response


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a response that is one sentence for people."""
    response = web.json_response({"error": sentence}, status=status, headers=headers)
    _add_headers(response)
    return response


def _add_headers(response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _redirect(request: web.Request) -> web.Response:
    """Return a redirect to the page.

    After a link on another site, a browser leaves a SameSite=Strict cookie out of a redirect (RFC
    6265bis, section 5.2), but not out of what one of our own pages requests.
    """
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        body = "<!doctype html><title>Loupe</title><meta http-equiv=refresh content='0;url=/'>"
        return web.Response(text=body, content_type="text/html")
    return web.Response(status=303, headers={"Location": "/"})
