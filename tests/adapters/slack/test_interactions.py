"""Buttons, the shortcut and the slash command as messages of ours."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.addresses import TOP, PrivatePost, SlackAddress, VisiblePost, read_address
from adapters.slack.interactions import SlashCommand, read_button, read_shortcut
from bot import strings as texts
from bot.commands.registry import GRAMMAR
from bot.domain.messages import Message
from tests.helpers.slack_payloads import (
    ALEX,
    CHANNEL,
    DIRECT,
    SAM,
    TEAM,
    WORKSPACE,
    button,
    message_event,
    photo,
    shortcut,
    slash,
)

TS = "1700000000.000100"


def called(text: str, latest: str = "", **more: Any) -> Message | str:
    return SlashCommand(slash(text, **more), WORKSPACE, GRAMMAR).read(latest)


def ordered(text: str, latest: str = "", **more: Any) -> Message:
    message = called(text, latest, **more)
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("model", "/model"),
        ("vision off", "/vision off"),
        ("/vision off", "/vision off"),
        ("!vision off", "/vision off"),
        ("  watch   photos ", "/watch   photos"),
        ("system Answer in <b>French</b> &amp; &lt;i&gt;", "/system Answer in <b>French</b> & <i>"),
        ("", "/help"),
        ("   ", "/help"),
        ("what can you do", "/help"),
        ("hepl", "/hepl"),
    ],
)
def test_an_order_about_the_place_waits_at_its_top(text: str, order: str) -> None:
    message = ordered(text, latest=TS)
    assert (message.text, message.thread.root, message.opening) == (order, TOP, True)
    assert message.id == "123.456.abc"
    assert (message.author.id, message.author.name) == (ALEX, "alex")
    assert message.addressed


def test_the_answer_is_private() -> None:
    assert ordered("model").address == read_address(
        {
            "team": TEAM,
            "channel": CHANNEL,
            "thread": "",
            "user": ALEX,
            "private": True,
            "response": "https://hooks.slack.com/commands/T1/1/x",
        }
    )


@pytest.mark.parametrize("text", ["json", "json full", "photos", "stop", "usage", "/JSON"])
def test_an_order_about_a_thread_goes_to_the_callers_latest(text: str) -> None:
    message = ordered(text, latest=TS)
    assert (message.thread.root, message.opening) == (TS, False)
    assert message.address.delivery.about == "https://acme.slack.com/archives/C1/p1700000000000100"
    assert message.address.thread == ""


@pytest.mark.parametrize("text", ["json", "photos", "stop", "usage"])
def test_without_such_a_thread_the_caller_is_told(text: str) -> None:
    assert called(text) == texts.SLASH_NO_THREAD


@pytest.mark.parametrize("text", ["reset", "forget", "forget everything"])
def test_what_destroys_is_said_where_it_acts(text: str) -> None:
    assert called(text, latest=TS) == texts.SLASH_NEEDS_THREAD


@pytest.mark.parametrize(("text", "latest"), [("json", True), ("stop", True), ("system", False)])
def test_only_orders_about_a_thread_ask_for_the_latest(text: str, latest: bool) -> None:
    assert SlashCommand(slash(text), WORKSPACE, GRAMMAR).needs_latest_thread is latest


def test_a_direct_message_has_one_author() -> None:
    assert not ordered("model", channel_id=DIRECT).shared
    assert ordered("model").shared


def test_a_button_sends_its_command_into_the_thread() -> None:
    message = read_button(button("/system continue"), WORKSPACE)
    assert message is not None
    assert (message.text, message.id) == ("/system continue", "123.456.def")
    assert (message.thread.root, message.opening) == (TS, False)
    assert message.author.id == ALEX
    assert message.address == SlackAddress(TEAM, CHANNEL, TS, ALEX)


def test_a_button_of_a_private_answer_acts_on_the_place_and_answers_privately() -> None:
    container = {"message_ts": "1700000001.000200", "channel_id": "C1", "is_ephemeral": True}
    message = read_button(button(container=container, message=None), WORKSPACE)
    assert message is not None
    assert (message.thread.root, message.opening) == (TOP, True)
    assert message.address.delivery == PrivatePost()
    assert message.address.response == "https://hooks.slack.com/actions/T1/1/x"
    assert message.address.thread == ""


def test_a_button_at_the_top_acts_on_the_place() -> None:
    container = {"message_ts": "1700000001.000200", "channel_id": "C1"}
    message = read_button(button(container=container, message={"ts": "1.0"}), WORKSPACE)
    assert message is not None
    assert message.thread.root == TOP
    assert message.address.delivery == VisiblePost()


@pytest.mark.parametrize(
    "more",
    [
        {"actions": [{"type": "button", "action_id": "x", "value": "ask me"}]},
        {"actions": [{"type": "button", "action_id": "x", "value": "/" + "x" * 500}]},
        {"actions": [{"type": "button", "action_id": "x"}]},
        {"actions": []},
        {"channel": None, "container": {"type": "view"}},
    ],
)
def test_a_button_that_is_not_ours_is_left(more: dict[str, Any]) -> None:
    assert read_button(button(**more), WORKSPACE) is None


def test_the_shortcut_asks_for_a_look_at_somebodys_post() -> None:
    message = read_shortcut(shortcut(), WORKSPACE, GRAMMAR)
    assert message is not None
    assert (message.id, message.version, message.text) == (TS, "123.456.ghi", "the dent")
    assert (message.author.id, message.author.name) == (ALEX, "alex")
    assert [file.source["id"] for file in message.attachments] == ["F1"]
    assert (message.addressed, message.opening) == (True, True)
    assert message.address == read_address(
        {
            "team": TEAM,
            "channel": CHANNEL,
            "thread": TS,
            "user": ALEX,
            "response": "https://hooks.slack.com/app/T1/1/x",
        }
    )


def test_the_shortcut_on_a_reply_is_answered_in_its_thread() -> None:
    post = message_event(ts="1700000009.000100", thread_ts=TS, user=SAM, files=[photo()])
    message = read_shortcut(shortcut(post), WORKSPACE, GRAMMAR)
    assert message is not None
    assert (message.id, message.thread.root, message.opening) == ("1700000009.000100", TS, False)


@pytest.mark.parametrize(
    "more", [{"message": None}, {"channel": {}}, {"message": {"ts": 1}, "message_ts": None}]
)
def test_a_shortcut_without_a_post_is_left(more: dict[str, Any]) -> None:
    assert read_shortcut(shortcut(**more), WORKSPACE, GRAMMAR) is None


odd = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "ts", "value", "thread_ts"]), inner)
    ),
    max_leaves=5,
)


@given(data=st.data())
def test_fields_of_any_type_are_read_without_an_error(data: st.DataObject) -> None:
    readers = (button(), read_button), (shortcut(), partial(read_shortcut, grammar=GRAMMAR))
    for payload, reader in readers:
        key = data.draw(st.sampled_from(sorted(payload)))
        reader({**payload, key: data.draw(odd)}, WORKSPACE)
    command = slash("json")
    key = data.draw(st.sampled_from(sorted(command)))
    SlashCommand({**command, key: data.draw(odd)}, WORKSPACE, GRAMMAR).read(
        data.draw(st.sampled_from(["", TS]))
    )
