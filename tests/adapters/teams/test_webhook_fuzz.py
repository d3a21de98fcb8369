"""The webhook with arbitrary bodies and headers, none of which may make it fail."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.teams.settings import TeamsSettings
from tests.helpers.teams_endpoint import SERVICE, Endpoint, endpoint_settings, serve_endpoint
from tests.payloads import NAMES, payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers.openid import OpenIdServer


@pytest.fixture
async def endpoint(openid: OpenIdServer) -> AsyncIterator[Endpoint]:
    async with serve_endpoint(endpoint_settings(openid)) as endpoint:
        yield endpoint


@pytest.fixture
async def playground() -> AsyncIterator[Endpoint]:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        yield endpoint


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def altered_payloads(draw: st.DrawFn) -> Any:
    """Return a genuine activity with some of its fields replaced, at any depth."""
    whole = payload(draw(st.sampled_from(NAMES)))
    for _ in range(draw(st.integers(1, 4))):
        at: Any = whole
        while True:
            key = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            deeper = isinstance(at[key], dict | list) and at[key] and draw(st.booleans())
            if not deeper:
                break
            at = at[key]
        same = isinstance(at[key], str) and draw(st.booleans())
        at[key] = draw(st.text(max_size=40) if same else json_values)
    return whole


fuzz_settings = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@fuzz_settings
@given(body=altered_payloads() | altered_payloads() | json_values)
async def test_no_json_makes_the_endpoint_fail(playground: Endpoint, body: Any) -> None:
    status, _ = await playground.post(body)
    assert status in {200, 202, 400, 401, 501}
    for message in playground.inbox.messages:
        json.dumps(asdict(message.address), allow_nan=False).encode()
        message.text.encode()


@fuzz_settings
@given(body=st.binary(max_size=200))
async def test_no_bytes_make_the_endpoint_fail(playground: Endpoint, body: bytes) -> None:
    assert await playground.post(body) == (400, "")


header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


@fuzz_settings
@given(header=header_values | header_values.map(lambda value: f"Bearer {value}"))
async def test_no_header_makes_the_endpoint_fail(endpoint: Endpoint, header: str) -> None:
    body = payload("teams_personal_text", serviceUrl=SERVICE)
    assert await endpoint.post(body, headers={"Authorization": header}) == (401, "")
