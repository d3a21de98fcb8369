"""Deliveries written out as requests; only ids and what proves them differ."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.messages import channel, message, slack_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yarl import URL

PER_THREAD = 10
"""Messages of each thread; Loupe lets 20 wait."""
ID = "000000000000"
THREAD = "111111111111"
"""Stand in the text of a message for what it gets, which is as long."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """As Teams makes them, from a service; the tokens are used in turn."""

    service: str
    tokens: tuple[str, ...]

    def __call__(self, url: URL, first: int) -> Iterator[bytes]:
        """Write the requests; the rest of each is written once for each token."""
        body = json.dumps(message(self.service, ID, channel(THREAD)))
        proofs = [f"Authorization: Bearer {token}\r\n" for token in self.tokens]
        heads = itertools.cycle([_head(url, proof, len(body)) for proof in proofs])
        for number in itertools.count(first):
            yield next(heads) + _numbered(body, number)


@dataclass(frozen=True, slots=True)
class SlackDeliveries:
    """As Slack makes them, each signed with the secret."""

    secret: str

    def __call__(self, url: URL, first: int) -> Iterator[bytes]:
        """Write the requests, signed when they are asked for."""
        body, secret = json.dumps(slack_event(ID, THREAD)), self.secret.encode()
        for number in itertools.count(first):
            payload, stamp = _numbered(body, number), str(int(time.time()))
            basestring = b"v0:" + stamp.encode() + b":" + payload
            signature = hmac.new(secret, basestring, hashlib.sha256).hexdigest()
            proof = f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n"
            yield _head(url, proof, len(payload)) + payload


def _numbered(body: str, number: int) -> bytes:
    ids = body.replace(ID, f"{number:012}").replace(THREAD, f"{number // PER_THREAD:012}")
    return ids.encode()


def _head(url: URL, proof: str, length: int) -> bytes:
    return (
        f"POST {url.path} HTTP/1.1\r\n"
        f"Host: {url.authority}\r\n"
        f"{proof}"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()
