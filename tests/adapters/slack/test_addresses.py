"""Threads, addresses and links in Slack."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from adapters.slack.addresses import (
    SLACK,
    TOP,
    BackgroundTask,
    PrivatePost,
    QuietPost,
    SlackAddress,
    is_shared,
    permalink,
    read_address,
    root_of,
    thread_of,
)


def test_a_reply_belongs_to_the_thread_of_the_post_it_answers() -> None:
    post, reply = {"ts": "1.0001"}, {"ts": "2.0001", "thread_ts": "1.0001"}
    assert root_of(post) == root_of(reply) == "1.0001"


def test_what_is_no_time_stamp_is_none() -> None:
    assert root_of({"ts": 5, "thread_ts": {"a": 1}}) == ""


def test_equal_channels_of_two_teams_never_meet() -> None:
    assert thread_of("T1", "C1", "1.0").key != thread_of("T2", "C1", "1.0").key


def test_the_top_is_in_the_place_of_its_threads_but_none_of_them() -> None:
    top, thread = thread_of("T1", "C1", TOP), thread_of("T1", "C1", "1.0001")
    assert top.place == thread.place
    assert top.key != thread.key


def test_the_channel_is_not_the_one_that_azure_brings() -> None:
    assert thread_of("T1", "C1", "1.0").channel == SLACK == "slack-app"


@pytest.mark.parametrize(
    ("channel", "is_group"), [("C1", True), ("G1", True), ("D1", False), ("", True)]
)
def test_only_direct_messages_are_not_shared(channel: str, is_group: bool) -> None:
    assert is_shared(channel) is is_group


HERE = {"team": "T1", "channel": "C1", "thread": "1.0", "user": "U1"}
HOOK = "https://hooks.slack.com/commands/T1/1/x"


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({}, SlackAddress("T1", "C1", "1.0", "U1")),
        ({"home": "T2"}, SlackAddress("T1", "C1", "1.0", "U1", home="T2")),
        ({"quiet": True}, SlackAddress("T1", "C1", "1.0", "U1", QuietPost())),
        (
            {"private": True, "response": HOOK},
            SlackAddress("T1", "C1", "1.0", "U1", PrivatePost(), HOOK),
        ),
        (
            {"private": True, "public": True, "about": "there"},
            SlackAddress("T1", "C1", "1.0", "U1", PrivatePost("there", announce=True)),
        ),
        (
            {"errand": {"do": "reaction", "post": "2.0"}},
            SlackAddress("T1", "C1", "1.0", "U1", task=BackgroundTask("reaction", post="2.0")),
        ),
    ],
)
def test_what_0_4_0_stored_is_read(fields: dict[str, Any], address: SlackAddress) -> None:
    assert read_address({**HERE, **fields}) == address
    assert read_address(json.loads(json.dumps(asdict(address)))) == address


def test_a_link_leads_to_the_post() -> None:
    link = "https://acme.slack.com/archives/C1/p1700000000000100"
    assert permalink("https://acme.slack.com/", "C1", "1700000000.000100") == link
    assert permalink("", "C1", "1700000000.000100") == ""


def test_a_link_cannot_be_led_astray() -> None:
    assert permalink("https://acme.slack.com/", "../x?y", "1#2") == (
        "https://acme.slack.com/archives/..%2Fx%3Fy/p1%232"
    )
