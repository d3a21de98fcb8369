"""Slack's words for what it does not do, told apart."""

from __future__ import annotations

import pytest

from adapters.chat.streaming import StreamEnded
from adapters.slack.errors import (
    NO_ACCESS,
    NO_POSTS,
    POSTS,
    TOO_BIG,
    MessageTooLong,
    SlackError,
    StillStreaming,
    StreamExpired,
    StreamUnavailable,
    error_for,
)
from adapters.slack.web_api import RATES
from bot.ports.channel import ConversationGone

OTHERS = sorted(set(RATES) - POSTS)


@pytest.mark.parametrize("error", sorted(NO_ACCESS))
@pytest.mark.parametrize("method", sorted(RATES))
def test_without_access_nothing_can_be_said(method: str, error: str) -> None:
    assert type(error_for(method, 200, error)) is ConversationGone


@pytest.mark.parametrize("error", sorted(NO_POSTS))
def test_only_a_post_tells_that_a_conversation_is_gone(error: str) -> None:
    assert {type(error_for(method, 200, error)) for method in POSTS} == {ConversationGone}
    assert {type(error_for(method, 200, error)) for method in OTHERS} == {SlackError}


@pytest.mark.parametrize("error", sorted(TOO_BIG))
def test_a_message_that_is_too_big_is_told_apart(error: str) -> None:
    assert type(error_for("chat.update", 200, error)) is MessageTooLong
    assert type(error_for("chat.startStream", 200, error)) is MessageTooLong
    assert type(error_for("chat.postMessage", 413, "")) is MessageTooLong


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
def test_a_stream_that_is_over_is_an_ended_one(method: str) -> None:
    problem = error_for(method, 200, "message_not_in_streaming_state")
    assert isinstance(problem, StreamExpired)
    assert isinstance(problem, StreamEnded)
    assert (problem.is_cancelled, problem.is_late, problem.status) == (False, False, 200)


def test_a_message_that_still_streams_is_a_conflict() -> None:
    assert type(error_for("chat.update", 200, "streaming_state_conflict")) is StillStreaming


@pytest.mark.parametrize(
    "error",
    ["missing_recipient_user_id", "not_allowed_token_type", "unknown_method", "channel_type_new"],
)
def test_a_stream_that_does_not_open_is_to_be_a_post(error: str) -> None:
    assert type(error_for("chat.startStream", 200, error)) is StreamUnavailable
    assert type(error_for("chat.postMessage", 200, error)) is SlackError


def test_a_refusal_says_status_and_word() -> None:
    assert str(error_for("chat.update", 200, "invalid_blocks")) == "200 invalid_blocks"
    assert str(error_for("chat.update", 403, "")) == "403"
