"""A web application served on a free loopback port, while a test needs it."""

from __future__ import annotations

from aiohttp import web


class Loopback:
    """Serves one application; `url` is known once it has started.

    A request whose client leaves is cancelled, as one that waits in vain has to be.
    """

    def __init__(self) -> None:
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self, app: web.Application) -> None:
        """Listen on a port that is free."""
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
