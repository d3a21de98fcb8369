"""Bodies of requests from strangers: bounded in size, in time, and in what JSON may hold."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, NoReturn

from aiohttp import ClientError, web

SECONDS = 15.0
"""Longest time for a body to arrive, where the platform names none."""
MOST_NESTED = 50
"""Most objects and arrays inside each other; genuine bodies have about a dozen."""


class MalformedBody(ValueError):
    """The body is not valid; the message says why."""


class BodyTooLarge(ValueError):
    """The body is larger than the limit."""


class BodyTooSlow(ValueError):
    """The body did not arrive in time."""


async def read_body(request: web.Request, most: int, seconds: float = SECONDS) -> bytearray:
    """Read a body of at most so many bytes, counted after decompression.

    Raises `BodyTooLarge`, `BodyTooSlow`, `MalformedBody`.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise BodyTooLarge(f"the body is larger than {most} bytes")
    except TimeoutError as error:
        raise BodyTooSlow("the body did not arrive in time") from error
    except (ClientError, web.RequestPayloadError, ConnectionError) as error:
        raise MalformedBody("the body did not arrive whole") from error
    return body


def decode_json(body: bytes | bytearray) -> dict[str, Any]:
    """Decode a JSON object, not nested too deeply; raises `MalformedBody`."""
    data = _json(body)
    if not isinstance(data, dict):
        raise MalformedBody("the body is no JSON object")
    if _is_nested_beyond(MOST_NESTED, data):
        raise MalformedBody(f"the body is nested more than {MOST_NESTED} deep")
    return data


def _is_nested_beyond(most: int, data: dict[str, Any]) -> bool:
    """Return whether containers are nested more than so many deep, without recursion."""
    level: list[Any] = [data]
    for _ in range(most):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [part for parts in inside for part in parts if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def _json(body: bytes | bytearray) -> Any:
    """Decode strict JSON (RFC 8259); unpaired surrogates become question marks."""
    try:
        data = _decoder.decode(body.decode())
        if b"\\ud" in body or b"\\uD" in body:
            data = json.loads(json.dumps(data, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"the body is no JSON: {error}") from None
    return data


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
