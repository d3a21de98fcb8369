"""A proxy in front of any TCP or unix server, which makes the network misbehave on demand."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Coroutine

CHUNK = 64 * 1024


class TcpProxy:
    """Listens on a random loopback port; `target` is `host:port` or the path of a unix socket.

    `delay` is seconds before each reply is passed on, `throttle` the pace of replies in bytes a
    second (0: any), `refusing` cuts new connections at once; `connections` counts all so far.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.delay = 0.0
        self.throttle = 0
        self.refusing = False
        self.connections = 0
        self._losing = False
        self._writers: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        """Where to connect instead of to the target: `127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    def lose_reply(self) -> None:
        """Swallow the next reply and cut its connection: the work was done, nobody heard."""
        self._losing = True

    def reset(self) -> None:
        """Cut all connections."""
        for writer in self._writers:
            writer.transport.abort()

    def half_close(self) -> None:
        """End the direction towards the clients; what they send still arrives."""
        for task in self._tasks:
            if task.get_name() == "replies":
                task.cancel()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        if self.refusing:
            writer.transport.abort()
        else:
            self._start("connection", self._serve(reader, writer))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        pair = {writer}
        try:
            far_reader, far_writer = await self._reach_target()
            pair.add(far_writer)
            self._writers |= pair
            requests = self._start("requests", self._pass_on(reader, far_writer))
            replies = self._start("replies", self._pass_on(far_reader, writer, replies=True))
            await asyncio.wait({requests, replies})
        except OSError:
            pass
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _reach_target(self) -> tuple[StreamReader, StreamWriter]:
        host, _, port = self.target.rpartition(":")
        if host:
            return await asyncio.open_connection(host, int(port))
        return await asyncio.open_unix_connection(self.target)

    async def _pass_on(
        self, reader: StreamReader, writer: StreamWriter, *, replies: bool = False
    ) -> None:
        with suppress(OSError):
            try:
                while data := await reader.read(self.throttle // 10 or CHUNK):
                    if replies and self._losing:
                        self._losing = False
                        writer.transport.abort()
                    elif replies:
                        await self._wait(len(data))
                    writer.write(data)
                    await writer.drain()
            finally:
                if not writer.is_closing():
                    writer.write_eof()

    async def _wait(self, size: int) -> None:
        if seconds := self.delay + (size / self.throttle if self.throttle else 0):
            await asyncio.sleep(seconds)

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
