"""A stand-in for `login.botframework.com`: OpenID metadata, its keys, and tokens signed by them."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://api.botframework.com"
ENDORSEMENTS = ("msteams", "webchat", "directline", "emulator", "slack")


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_FIRST = _new_key()
"""Made once: making a key takes longer than a test."""


@dataclass
class Key:
    """A key pair of the service, and which channels' messages it may sign."""

    id: str
    endorsements: tuple[str, ...] = ENDORSEMENTS
    private: rsa.RSAPrivateKey = field(default_factory=_new_key)

    @property
    def public(self) -> dict[str, Any]:
        """The key as the service publishes it."""
        jwk = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**jwk, "use": "sig", "kid": self.id, "endorsements": list(self.endorsements)}


class OpenIdServer:
    """Serves the keys; `status`, `body` and `held` make it fail, talk nonsense or hang."""

    def __init__(self) -> None:
        self.keys = [Key("first", private=_FIRST)]
        self.odd_keys: list[dict[str, Any]] = []
        self.fetches = 0
        self.status = 200
        self.body: Any = None
        self.held: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._origin = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/v1/.well-known/openidconfiguration", self._metadata)
        application.router.add_get("/v1/.well-known/keys", self._keys)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.held is not None:
            self.held.set()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Where the metadata is."""
        return f"{self._origin}/v1/.well-known/openidconfiguration"

    def rotate(self, *, keep: bool = False) -> Key:
        """Sign with a new key from now on; the older ones go unless they are kept."""
        new = Key(f"key-{len(self.keys)}-{time.monotonic_ns()}")
        self.keys = [new, *self.keys] if keep else [new]
        return new

    def token(self, audience: str, service_url: str, **claims: Any) -> str:
        """Sign a token as the service does; a claim given as None is left out."""
        now = int(time.time())
        whole = {
            "iss": ISSUER,
            "aud": audience,
            "serviceurl": service_url,
            "nbf": now - 10,
            "exp": now + 3600,
            **claims,
        }
        return self.signed({name: value for name, value in whole.items() if value is not None})

    def signed(self, claims: dict[str, Any], key: Key | None = None) -> str:
        """Sign any claims, with the newest key unless another is named."""
        key = key or self.keys[0]
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.id})

    async def _metadata(self, _: web.Request) -> web.Response:
        self.fetches += 1
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        if self.status != 200:
            return web.Response(status=self.status)
        keys = f"{self._origin}/v1/.well-known/keys"
        about = {"issuer": ISSUER, "jwks_uri": keys}
        return web.json_response(about if self.body is None else self.body)

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [*self.odd_keys, *(key.public for key in self.keys)]})
