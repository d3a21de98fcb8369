"""Slack as Loupe meets it: a Web API with its rules, files behind a token, signed deliveries.

Methods and errors are those of https://docs.slack.dev/reference/methods/.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from aiohttp import web

from adapters.slack.doctor import SCOPES
from tests.helpers.slack_payloads import BOT, TEAM, signature
from tests.servers.loopback import Loopback
from tests.servers.slack_rules import (
    LIVE,
    MOST_TEXT,
    Rates,
    blocks_of,
    words_of,
    wrong,
    wrong_blocks,
)
from tests.servers.slack_socket import Sockets

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

TOKEN, APP_TOKEN = "xoxb-a-token-of-the-tests", "xapp-a-token-of-the-tests"
CUT, DROP, HANG, HTML = "(cut)", "(lost)", "(hang)", "(html)"
"""Faults of a call: done and then cut off, cut off before, never answered, a proxy's page."""
THROTTLED = "ratelimited"
"""Refused for the rate; a number behind it is Retry-After in seconds."""

Answer = dict[str, Any]


@dataclass
class SlackMessage:
    """A message of Loupe's: each text that it showed, in order, and the parts of its stream."""

    ts: str
    channel: str
    thread: str
    texts: list[str]
    blocks: list[dict[str, Any]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    streaming: bool = False
    was_streamed: bool = False
    only_for: str = ""
    readers: tuple[str, str] = ("", "")

    @property
    def text(self) -> str:
        """What it shows now, as people read it."""
        return self.texts[-1].replace("\u2060", "") if self.texts else ""


class SlackServer(Loopback):
    """One workspace in which Loupe is installed.

    `agent` tells whether streams are to be had; `errors` gives for a method what becomes of the
    next calls: an error of Slack's, or one of the faults above. `lengths` are those that were
    stated of uploads, and `signed_out` sends who downloads to a page to sign in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[SlackMessage] = []
        self.posts: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.uploads: list[tuple[str, str, bytes]] = []
        self.calls: list[str] = []
        self.hook_posts: list[Answer] = []
        self.errors: dict[str, list[str]] = {}
        self.names = {"UALEX": "Alex", "USAM": "Sam"}
        self.agent = True
        self.alarms: list[str] = []
        self.lengths: dict[str, int] = {}
        self.signed_out = False
        self._uploads: dict[str, tuple[str, bytes]] = {}
        self._stamps = itertools.count(1)
        self._changes = asyncio.Condition()
        self.sockets = Sockets(self._changes)
        self.rates = Rates()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files-pri/{file}", self._download)
        app.router.add_get("/login", self._login)
        app.router.add_get("/socket", self.sockets.serve)
        app.router.add_post("/hook", self._hook)
        await self.start(app)
        return self

    @property
    def api_url(self) -> str:
        """Where the Web API is."""
        return f"{self.url}/api"

    def forget(self) -> None:
        """Drop what was said and ordered, as in a workspace where nothing has happened."""
        for records in (self.messages, self.posts, self.uploads, self.calls, self.hook_posts):
            records.clear()
        self.errors.clear()
        self.rates = Rates()
        self.agent, self.signed_out = True, False

    def stamp(self) -> str:
        """Make the next time stamp."""
        return f"{int(time.time())}.{next(self._stamps):06}"

    def file(self, data: bytes, name: str = "car.jpg", kind: str = "image/jpeg") -> Answer:
        """Keep a file; returns its object as a post has it."""
        identity = f"F{len(self.files) + 1}"
        self.files[identity] = data
        url = f"{self.url}/files-pri/{identity}"
        return {
            "id": identity,
            "name": name,
            "mimetype": kind,
            "mode": "hosted",
            "url_private": url,
        }

    async def deliver(
        self, session: ClientSession, origin: str, payload: Answer | dict[str, str], **headers: str
    ) -> int:
        """Deliver JSON, or a form where it is a slash command or an interaction, signed."""
        kind = payload.get("type", "")
        if kind in {"event_callback", "url_verification"}:
            body, content = json.dumps(payload).encode(), "application/json"
        else:
            form = {"payload": json.dumps(payload)} if kind else payload
            body, content = urlencode(form).encode(), "application/x-www-form-urlencoded"
        stamp = str(int(time.time()))
        all_headers = {
            "Content-Type": content,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(body, stamp),
            **headers,
        }
        url = f"{origin}/slack/events"
        async with session.post(url, data=body, headers=all_headers) as response:
            return response.status

    async def send(self, payload: Answer | dict[str, str], retry: int = 0) -> bool:
        """Deliver through the socket; tells whether it was acknowledged within three seconds."""
        return await self.sockets.send(payload, retry)

    async def until(self, true: Callable[[], Any], seconds: float = 30) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds), self._changes:
            await self._changes.wait_for(true)

    def shown(self, thread: str) -> list[SlackMessage]:
        """The messages of Loupe's in a thread."""
        return [message for message in self.messages if message.thread == thread]

    async def _api(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        method = request.match_info["method"]
        self.calls.append(method)
        token = APP_TOKEN if method == "apps.connections.open" else TOKEN
        if request.headers.get("Authorization") != f"Bearer {token}":
            return _json({"ok": False, "error": "invalid_auth"})
        wait = self.rates.wait(method, form.get("channel", ""))
        fault = self.errors[method].pop(0) if self.errors.get(method) else ""
        if wait or fault.startswith(THROTTLED):
            return _throttled(fault.removeprefix(THROTTLED) or str(math.ceil(wait)))
        if fault == HANG:
            await asyncio.Event().wait()
        if fault == DROP:
            return _cut(request)
        if fault == HTML:
            return web.Response(status=502, text="<h1>Bad Gateway</h1>", content_type="text/html")
        if fault and fault != CUT:
            return _json({"ok": False, "error": fault})
        answer = getattr(self, f"_{method.replace('.', '_')}", _unknown)(form)
        async with self._changes:
            self._changes.notify_all()
        return _cut(request) if fault == CUT else _json(answer)

    def _apps_connections_open(self, _: dict[str, str]) -> Answer:
        return {"ok": True, "url": f"{self.url}/socket".replace("http", "ws", 1)}

    def _auth_test(self, _: dict[str, str]) -> Answer:
        identity = {
            "team_id": TEAM,
            "user_id": BOT,
            "bot_id": "B1",
            "user": "loupe",
            "team": "Acme",
        }
        return {"ok": True, "url": "https://acme.slack.com/", **identity}

    def _users_info(self, form: dict[str, str]) -> Answer:
        name = self.names.get(form["user"])
        if name is None:
            return {"ok": False, "error": "user_not_found"}
        return {"ok": True, "user": {"id": form["user"], "profile": {"display_name": name}}}

    def _conversations_replies(self, form: dict[str, str]) -> Answer:
        root = form["ts"]
        posts = [post for post in self.posts if root in {post["ts"], post.get("thread_ts")}]
        return {"ok": True, "messages": posts, "response_metadata": {"next_cursor": ""}}

    def _chat_postMessage(self, form: dict[str, str]) -> Answer:  # noqa: N802
        return self._show(
            form, SlackMessage(self.stamp(), form["channel"], form.get("thread_ts", ""), [])
        )

    def _chat_postEphemeral(self, form: dict[str, str]) -> Answer:  # noqa: N802
        message = SlackMessage(self.stamp(), form["channel"], form.get("thread_ts", ""), [])
        message.only_for = form["user"]
        return self._show(form, message)

    def _chat_update(self, form: dict[str, str]) -> Answer:
        message = self._found(form)
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        if message.streaming:
            return {"ok": False, "error": "streaming_state_conflict"}
        return self._show(form, message)

    def _show(self, form: dict[str, str], message: SlackMessage) -> Answer:
        if error := wrong(form):
            return {"ok": False, "error": error}
        blocks = blocks_of(form)
        text = words_of(blocks)
        self._look(form.get("text", ""), text)
        message.texts.append(text)
        message.blocks = blocks
        if message not in self.messages:
            self.messages.append(message)
        return {"ok": True, "ts": message.ts, "channel": message.channel}

    def _chat_startStream(self, form: dict[str, str]) -> Answer:  # noqa: N802
        if not self.agent:
            return {"ok": False, "error": "not_authorized"}
        if not form["channel"].startswith("D") and not form.get("recipient_user_id"):
            return {"ok": False, "error": "missing_recipient_user_id"}
        message = SlackMessage(
            self.stamp(), form["channel"], form["thread_ts"], [""], was_streamed=True
        )
        message.streaming = True
        message.readers = form.get("recipient_team_id", ""), form.get("recipient_user_id", "")
        self.messages.append(message)
        return self._append(form, message)

    def _chat_appendStream(self, form: dict[str, str]) -> Answer:  # noqa: N802
        message = self._found(form)
        if message is None or not message.streaming:
            return {"ok": False, "error": "message_not_in_streaming_state"}
        return self._append(form, message)

    def _chat_stopStream(self, form: dict[str, str]) -> Answer:  # noqa: N802
        message = self._found(form)
        if message is None or not message.streaming:
            return {"ok": False, "error": "message_not_in_streaming_state"}
        if error := wrong_blocks(blocks_of(form)):
            return {"ok": False, "error": error}
        answer = self._append(form, message)
        message.streaming = not answer["ok"]
        message.blocks = blocks_of(form)
        return answer

    def _append(self, form: dict[str, str], message: SlackMessage) -> Answer:
        for chunk in json.loads(form.get("chunks", "[]")):
            if chunk["type"] == "markdown_text":
                if len(chunk["text"]) > MOST_TEXT:
                    return {"ok": False, "error": "msg_too_long"}
                self._look(chunk["text"])
                message.texts.append(message.texts[-1] + chunk["text"])
            else:
                message.steps.append(chunk["title"])
        return {"ok": True, "ts": message.ts, "channel": message.channel}

    def _agents_sessions_setStatus(self, _: dict[str, str]) -> Answer:  # noqa: N802
        return {"ok": True} if self.agent else {"ok": False, "error": "not_authorized"}

    def _assistant_threads_setSuggestedPrompts(  # noqa: N802
        self, form: dict[str, str]
    ) -> Answer:
        return {"ok": len(json.loads(form["prompts"])) <= 4}

    def _files_info(self, form: dict[str, str]) -> Answer:
        if form["file"] not in self.files:
            return {"ok": False, "error": "file_not_found"}
        url = f"{self.url}/files-pri/{form['file']}"
        details = {"id": form["file"], "name": "shared.jpg", "mimetype": "image/jpeg"}
        return {"ok": True, "file": {**details, "mode": "hosted", "url_private": url}}

    def _files_getUploadURLExternal(self, form: dict[str, str]) -> Answer:  # noqa: N802
        identity = f"U{len(self._uploads) + 1}"
        self._uploads[identity] = form["filename"], b""
        self.lengths[identity] = int(form["length"])
        return {"ok": True, "file_id": identity, "upload_url": f"{self.url}/upload/{identity}"}

    def _files_completeUploadExternal(self, form: dict[str, str]) -> Answer:  # noqa: N802
        for file in json.loads(form["files"]):
            name, data = self._uploads[file["id"]]
            if len(data) != self.lengths[file["id"]]:
                return {"ok": False, "error": "file_update_failed"}
            self.uploads.append((form.get("thread_ts", ""), name, data))
        return {"ok": True, "files": []}

    async def _upload(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            self.alarms.append("a token went with an upload")
        identity = request.match_info["file"]
        self._uploads[identity] = self._uploads[identity][0], await request.read()
        return web.Response(text="OK")

    async def _download(self, request: web.Request) -> web.Response:
        identity = request.match_info["file"]
        if self.signed_out or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPFound("/login")
        if identity not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[identity], content_type="image/jpeg")

    async def _login(self, _: web.Request) -> web.Response:
        return web.Response(text="<html><title>Sign in</title></html>", content_type="text/html")

    async def _hook(self, request: web.Request) -> web.Response:
        """Take an answer to a command or shortcut at its `response_url`."""
        self.hook_posts.append(await request.json())
        async with self._changes:
            self._changes.notify_all()
        return web.Response(text="ok")

    def _found(self, form: dict[str, str]) -> SlackMessage | None:
        return next((message for message in self.messages if message.ts == form["ts"]), None)

    def _look(self, *texts: str) -> None:
        self.alarms += [text for text in texts if LIVE.search(text)]


def _unknown(_: dict[str, str]) -> Answer:
    return {"ok": False, "error": "unknown_method"}


def _throttled(seconds: str) -> web.Response:
    refusal = {"ok": False, "error": "ratelimited"}
    return web.json_response(refusal, status=429, headers={"Retry-After": seconds})


def _cut(request: web.Request) -> web.Response:
    """Break the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _json(answer: Answer) -> web.Response:
    return web.json_response(answer, headers={"x-oauth-scopes": ",".join(sorted(SCOPES))})
