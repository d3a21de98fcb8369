"""People's names: asked once, remembered for a while, and never a reason to fail."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack import users as people
from tests.helpers.slack_wire_server import PAGE_502, Answer, refusal, slack_clients


def known(**user: Any) -> Answer:
    return Answer({"ok": True, "user": user})


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"profile": {"display_name": "Alex", "real_name": "Alex Doe"}}, "Alex"),
        ({"profile": {"display_name": "", "real_name": "Alex Doe"}}, "Alex Doe"),
        ({"real_name": "Alex Doe"}, "Alex Doe"),
        ({"profile": {"display_name": "Al\nex\u202e"}}, "Al ex"),
        ({"profile": None, "name": "handle"}, ""),
        ({"profile": {"display_name": 7}}, ""),
    ],
)
async def test_the_name_is_the_one_that_slack_shows(user: dict[str, Any], name: str) -> None:
    async with slack_clients() as clients:
        clients.server.then("users.info", known(**user))
        assert await clients.users.name("T1", "U1") == name
    assert clients.server.calls[0].form == {"user": "U1"}


async def test_a_name_is_asked_again_after_its_hours() -> None:
    async with slack_clients() as clients:
        clients.server.then("users.info", known(real_name="Alex"), known(real_name="Alexandra"))
        names = [await clients.users.name("T1", "U1") for _ in range(3)]
        clients.clock.time += 24 * 3600
        names.append(await clients.users.name("T1", "U1"))
    assert names == ["Alex", "Alex", "Alex", "Alexandra"]
    assert len(clients.server.calls) == 2


@pytest.mark.parametrize("failure", [refusal("user_not_found"), refusal("token_revoked"), PAGE_502])
async def test_a_name_that_cannot_be_had_is_empty_for_a_minute(failure: Answer) -> None:
    async with slack_clients(send_tries=1) as clients:
        clients.server.then("users.info", failure, failure)
        assert await clients.users.name("T1", "U1") == ""
        calls = len(clients.server.calls)
        assert await clients.users.name("T1", "U1") == ""
        assert len(clients.server.calls) == calls
        clients.clock.time += people.FAILED_SECONDS
        clients.server.only("users.info", known(real_name="Alex"))
        assert await clients.users.name("T1", "U1") == "Alex"


async def test_several_names_are_asked_once_each_and_the_unknown_left_out() -> None:
    async with slack_clients() as clients:
        clients.server.then("users.info", known(real_name="Alex"))
        await clients.users.name("T1", "U1")
        clients.server.then("users.info", refusal("user_not_found"))
        assert await clients.users.names("T1", ["U1", "U2", "U2", ""]) == {"U1": "Alex"}
    assert [call.form["user"] for call in clients.server.calls] == ["U1", "U2"]


async def test_two_workspaces_with_equal_ids_never_meet() -> None:
    async with slack_clients() as clients:
        clients.server.then("users.info", known(real_name="Alex"))
        assert await clients.users.name("T1", "U1") == "Alex"
        assert await clients.users.name("T2", "U1") == ""


async def test_the_names_that_were_not_asked_for_longest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(people, "MOST_NAMES", 2)
    async with slack_clients() as clients:
        for user in ("U1", "U2", "U1", "U3", "U1", "U2"):
            await clients.users.name("T1", user)
    assert [call.form["user"] for call in clients.server.calls] == ["U1", "U2", "U3", "U2"]
