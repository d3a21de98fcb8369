"""A server of files that misbehaves as asked, with TLS and a DNS of its own.

    async with FileServer() as files, closing(Guard(**files.outside)) as guard:
        files.then(Reply(503), Reply(body=b"..."))
        ...guard.request("GET", files.at("photos.example", "/a.jpg"))

Every name resolves to it, and it has a certificate for `HOSTS`.
"""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTS = ("photos.example", "other.example")
BLOCK = 256 * 1024


@dataclass(frozen=True)
class Reply:
    """An answer. The body is sent in `pieces` with `pause` between them, and then `zeros` bytes;
    with `cut` the connection breaks at the end."""

    status: int = 200
    body: bytes = b"picture"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "image/jpeg"})
    pieces: int = 1
    pause: float = 0.0
    zeros: int = 0
    cut: bool = False

    def chunks(self) -> Iterator[bytes]:
        """What is sent at a time."""
        size = -(-len(self.body) // self.pieces) or 1
        for start in range(0, len(self.body), size):
            yield self.body[start : start + size]
        for start in range(0, self.zeros, BLOCK):
            yield bytes(min(BLOCK, self.zeros - start))


def redirect(target: str, status: int = 302) -> Reply:
    """Send the client elsewhere."""
    return Reply(status, b"", {"Location": target})


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that came."""

    host: str
    path: str
    authorization: str
    encoding: str


class _EveryName(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


class FileServer:
    """Answers in the order of `then`, at last with `Reply()`."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[ReceivedRequest] = []
        self.sending = asyncio.Event()
        self.ended = asyncio.Event()
        self.sent = 0
        self._folder = folder
        self._replies: deque[Reply] = deque()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        serving, self._trust = _contexts(self._folder)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=serving).start()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.tls_port, self.plain_port = (address[1] for address in self._runner.addresses)
        self.local = f"http://127.0.0.1:{self.plain_port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def outside(self) -> dict[str, Any]:
        """Options of a `Guard` that takes this server for the public internet."""
        return {"admits": lambda _: True, "names": _EveryName(), "ssl": self._trust}

    def at(self, host: str, path: str) -> str:
        """The address of a path on one of the hosts that this server is."""
        return f"https://{host}:{self.tls_port}{path}"

    def then(self, *replies: Reply) -> None:
        """Script the next answers."""
        self._replies.extend(replies)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = request.headers
        self.asked.append(
            ReceivedRequest(
                request.url.host or "",
                request.path_qs,
                headers.get("Authorization", ""),
                headers.get("Accept-Encoding", ""),
            )
        )
        reply = self._replies.popleft() if self._replies else Reply()
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        await response.prepare(request)
        try:
            for chunk in reply.chunks():
                await response.write(chunk)
                self.sent += len(chunk)
                self.sending.set()
                await asyncio.sleep(reply.pause)
        finally:
            self.ended.set()
        if reply.cut and request.transport:
            request.transport.abort()
        return response


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for `HOSTS`, and contexts that serve and trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "tests.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(secret + public)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cadata=public.decode())
