"""The webhook while no bot is configured: only programs on this machine are accepted."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from adapters.teams.settings import TeamsSettings
from adapters.teams.webhook import playground_refusal
from tests.helpers.teams_endpoint import SERVICE, serve_endpoint
from tests.payloads import payload

LOCAL = {"Host": "127.0.0.1:3978", "Content-Type": "application/json"}


class Wire:
    """A connection from a peer."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peer if name == "peername" else default


def why(headers: dict[str, str] | None = None, peer: Any = ("127.0.0.1", 50000)) -> str:
    headers = LOCAL if headers is None else headers
    return playground_refusal(make_mocked_request("POST", "/", headers, transport=Wire(peer)))


@pytest.mark.parametrize(
    "peer", [("127.0.0.1", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0)]
)
def test_programs_on_this_machine_are_served(peer: Any) -> None:
    assert why(peer=peer) == ""


@pytest.mark.parametrize("peer", [("10.0.0.7", 1), ("2001:db8::1", 1, 0, 0), None, "", "/a/socket"])
def test_other_machines_are_not(peer: Any) -> None:
    assert why(peer=peer) == "the sender is not on this machine"


@pytest.mark.parametrize("host", ["localhost:3978", "127.0.0.1", "[::1]:3978", "LOCALHOST"])
def test_names_of_this_machine_are_served(host: str) -> None:
    assert why({**LOCAL, "Host": host}) == ""


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3978", "localhost.evil.example", "a@localhost", "", "[x"]
)
def test_a_name_that_was_rebound_is_not(host: str) -> None:
    assert why({**LOCAL, "Host": host}) == "the Host header does not name this machine"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3978", "null"])
def test_web_pages_are_not_served(origin: str) -> None:
    assert why({**LOCAL, "Origin": origin}) == "a web page sent it"


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "x-forwarded-host", "Via", "X-Real-IP", "CF-Connecting-IP"],
)
def test_what_a_tunnel_passed_on_is_not_served(header: str) -> None:
    assert why({**LOCAL, header: "127.0.0.1"}) == "a proxy or tunnel passed it on"


async def test_the_playground_is_served_over_http() -> None:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        assert await endpoint.post(payload("teams_personal_image_text")) == (202, "")
        [message] = endpoint.inbox.messages
        assert message.text == "what is in this picture?"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"X-Forwarded-For": "10.0.0.7"}],
)
async def test_strangers_are_refused_over_http(headers: dict[str, str]) -> None:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        assert await endpoint.post(payload("teams_personal_text"), headers=headers) == (403, "")
        assert endpoint.inbox.messages == []


@pytest.mark.parametrize("service", [SERVICE, "http://10.0.0.7/", "ftp://127.0.0.1/", "x", None])
async def test_replies_go_nowhere_but_this_machine(service: str | None) -> None:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        body = payload("teams_personal_text", serviceUrl=service)
        assert await endpoint.post(body) == (401, "")
        assert endpoint.inbox.messages == []


async def test_a_form_of_a_web_page_is_refused() -> None:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            response = await endpoint.post(
                payload("teams_personal_text"), headers={"Content-Type": kind}
            )
            assert response == (400, "")
