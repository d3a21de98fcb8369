"""The end of Socket Mode at Slack: what is not acknowledged is delivered again.

https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from typing import Any

from aiohttp import WSMsgType, web

ACK_SECONDS = 3.0


class Sockets:
    """The connections of one app; `connections` counts them."""

    def __init__(self, changes: asyncio.Condition) -> None:
        self.connections = 0
        self._changes = changes
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._acks: dict[str, asyncio.Event] = {}
        self._names = itertools.count(1)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Greet an app, and hear what it acknowledges."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": len(self._open) + 1})
        self._open[socket] = request
        self.connections += 1
        async with self._changes:
            self._changes.notify_all()
        try:
            async for message in socket:
                reply = json.loads(message.data) if message.type is WSMsgType.TEXT else {}
                if waiter := self._acks.get(str(reply.get("envelope_id"))):
                    waiter.set()
        finally:
            del self._open[socket]
        return socket

    async def send(self, payload: dict[str, Any], retry: int = 0) -> bool:
        """Deliver an envelope; tells whether it was acknowledged in time."""
        kind = str(payload.get("type", "slash_commands"))
        kind = {"event_callback": "events_api"}.get(kind, kind)
        envelope = {
            "envelope_id": f"envelope {next(self._names)}",
            "type": kind if kind in {"events_api", "slash_commands"} else "interactive",
            "payload": payload,
            "accepts_response_payload": kind == "slash_commands",
        }
        if retry:
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout"}
        ack = self._acks[envelope["envelope_id"]] = asyncio.Event()
        async with asyncio.timeout(15), self._changes:
            await self._changes.wait_for(lambda: self._open)
        await next(reversed(self._open)).send_json(envelope)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACK_SECONDS):
                await ack.wait()
        return ack.is_set()

    async def refresh(self) -> None:
        """Ask the app to connect anew, as Slack does every few hours."""
        for socket in tuple(self._open):
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
            await socket.close()

    async def cut(self) -> None:
        """Break the connections without a word."""
        for request in tuple(self._open.values()):
            if request.transport is not None:
                request.transport.abort()
