"""Events of Slack as messages of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.addresses import TOP, BackgroundTask, QuietPost, SlackAddress
from adapters.slack.events import read_event, read_post
from tests.helpers.slack_payloads import (
    ALEX,
    BOT,
    CHANNEL,
    DIRECT,
    MENTION,
    SAM,
    TEAM,
    WORKSPACE,
    edit_event,
    event_callback,
    message_changed,
    message_deleted,
    message_event,
    photo,
)

if TYPE_CHECKING:
    from bot.domain.messages import Message

TS = "1700000000.000100"
ADDRESS = SlackAddress(TEAM, CHANNEL, TS, ALEX)


def heard(event: dict[str, Any], reaction: str = "mag") -> Message:
    message = read_event(event_callback(event), WORKSPACE, reaction)
    assert message is not None
    return message


def ignored(event: dict[str, Any], reaction: str = "mag") -> bool:
    return read_event(event_callback(event), WORKSPACE, reaction) is None


def test_a_post_opens_its_thread() -> None:
    message = heard(message_event())
    assert (message.id, message.version, message.kind) == (TS, "", "message")
    assert (message.thread.tenant, message.thread.conversation) == (TEAM, CHANNEL)
    assert message.thread.root == TS
    assert message.author.id == ALEX
    assert message.text == "what is it?"
    assert message.address == ADDRESS
    assert message.at == 1_700_000_000
    assert message.addressed
    assert message.shared
    assert message.opening


def test_a_reply_is_in_the_thread_it_answers() -> None:
    message = heard(message_event(ts="1700000009.000100", thread_ts=TS))
    assert (message.id, message.thread.root) == ("1700000009.000100", TS)
    assert message.address == ADDRESS
    assert not message.opening


def test_a_direct_message_needs_no_mention_and_opens_a_thread() -> None:
    message = heard(message_event("what is it?", channel=DIRECT, channel_type="im"))
    assert message.addressed
    assert not message.shared
    assert (message.thread.root, message.opening) == (TS, True)


def test_a_group_message_without_mention_is_heard_but_not_addressed() -> None:
    message = heard(message_event("just saying", channel="G1", channel_type="mpim"))
    assert message.shared
    assert not message.addressed


@pytest.mark.parametrize("mention", [MENTION, f"<@{BOT}|loupe>"])
def test_a_mention_anywhere_addresses_the_bot(mention: str) -> None:
    assert heard(message_event(f"look {mention} please")).addressed
    assert not heard(message_event("look <@USAM> please")).addressed


@pytest.mark.parametrize("more", [{}, {"files": [photo()], "subtype": "file_share"}])
def test_both_events_of_one_mention_are_one_message(more: dict[str, Any]) -> None:
    as_message = message_event(**more)
    as_mention = {**message_event(**more), "type": "app_mention"}
    as_mention.pop("channel_type")
    as_mention.pop("subtype", None)
    assert heard(as_message) == heard(as_mention)


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_what_people_write_has_several_subtypes(subtype: str) -> None:
    message = heard(message_event(subtype=subtype, files=[photo(1), photo(2)]))
    assert len(message.attachments) == 2


def test_a_photo_without_words_waits_for_company() -> None:
    assert heard(
        message_event("", channel=DIRECT, subtype="file_share", files=[photo()])
    ).without_words


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B2"},
        {"bot_id": "B2", "subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"user": None},
        {"user": "USLACKBOT"},
        {"channel": None},
        {"ts": None},
    ],
)
def test_what_no_person_wrote_is_left(more: dict[str, Any]) -> None:
    assert ignored({**message_event(), **more})


def test_an_edit_is_the_same_post_in_another_version() -> None:
    message = heard(edit_event(f"{MENTION} and now?", f"{MENTION} what?", files=[photo()]))
    assert (message.id, message.version, message.text) == (TS, "1700000050.000000", "and now?")
    assert len(message.attachments) == 1
    assert message.addressed


def test_an_edit_that_changes_the_files_counts() -> None:
    before = message_event(files=[photo(1), photo(2)])
    after = {**before, "files": [photo(1)], "edited": {"user": ALEX, "ts": "3.0"}}
    assert [file.source["id"] for file in heard(message_changed(after, before)).attachments] == [
        "F1"
    ]


def test_an_edited_reply_stays_in_its_thread() -> None:
    message = heard(edit_event("b", "a", ts="1700000009.000100", thread_ts=TS))
    assert (message.thread.root, message.opening) == (TS, False)


def test_a_mention_that_is_edited_away_or_in_addresses_all_the_same() -> None:
    assert heard(edit_event("what?", f"{MENTION} what?")).addressed
    assert heard(edit_event(f"{MENTION} what?", "what?")).addressed
    assert not heard(edit_event("what is it?", "what?")).addressed


def test_the_mention_event_of_an_edit_is_that_edit() -> None:
    mention = {**message_event(f"{MENTION} b"), "type": "app_mention"}
    mention["edited"] = {"user": ALEX, "ts": "1700000050.000000"}
    assert heard(mention) == heard(edit_event(f"{MENTION} b", "b"))


def test_what_slack_changes_by_itself_is_no_edit() -> None:
    post = message_event("see https://a.example")
    assert ignored(message_changed({**post, "attachments": [{"title": "A page"}]}, post))
    old = {**post, "edited": {"user": ALEX, "ts": "2.0"}}
    assert ignored(message_changed({**old, "attachments": [{"title": "A page"}]}, old))


def test_changes_of_our_own_posts_are_left() -> None:
    assert ignored(edit_event("b", "a", bot_id="B1", user=BOT))
    assert ignored(message_deleted(bot_id="B1", user=BOT))
    assert ignored(message_deleted(user=BOT))


def test_a_deleted_post_is_named() -> None:
    message = heard(message_deleted(ts="1700000009.000100", thread_ts=TS))
    assert (message.kind, message.quoted, message.id) == ("deleted", "1700000009.000100", "Ev1")
    assert (message.thread.root, message.author.id) == (TS, ALEX)
    assert message.addressed


def test_a_deleted_post_with_replies_leaves_a_tombstone() -> None:
    post = message_event()
    tombstone = {"subtype": "tombstone", "ts": TS, "thread_ts": TS, "user": "USLACKBOT"}
    message = heard(message_changed(tombstone, post))
    assert (message.kind, message.quoted, message.thread.root) == ("deleted", TS, TS)


def test_the_bot_greets_where_it_joins() -> None:
    join_event = {"type": "member_joined_channel", "user": BOT, "channel": "C1", "inviter": SAM}
    message = heard(join_event)
    assert (message.kind, message.thread.root, message.author.id) == ("installed", TOP, SAM)
    assert message.address == SlackAddress(TEAM, "C1", "", SAM)
    assert ignored({**join_event, "user": SAM})


def test_slacks_own_stop_is_the_command_without_a_receipt() -> None:
    stop_event = {
        "type": "agent_session_stopped",
        "channel": CHANNEL,
        "thread_ts": TS,
        "user": ALEX,
        "streaming_message_ts": ["1700000001.000200"],
        "event_ts": "1700000002.000000",
    }
    message = heard(stop_event)
    assert (message.text, message.thread.root, message.id) == ("/stop", TS, "Ev1")
    assert message.address == replace(ADDRESS, delivery=QuietPost())
    assert not message.opening
    assert ignored({**stop_event, "thread_ts": None})


REACTION = {
    "type": "reaction_added",
    "user": ALEX,
    "reaction": "mag",
    "item_user": SAM,
    "item": {"type": "message", "channel": CHANNEL, "ts": TS},
    "event_ts": "1700000002.000000",
}


def test_the_reaction_that_asks_is_a_task() -> None:
    message = heard(REACTION)
    assert (message.kind, message.id, message.author.id) == ("channel", "Ev1", ALEX)
    assert message.address == replace(ADDRESS, task=BackgroundTask("reaction", post=TS))
    assert heard({**REACTION, "reaction": "wave::skin-tone-3"}, "wave").kind == "channel"


@pytest.mark.parametrize(
    ("reaction", "more"),
    [
        ("", {}),
        ("eyes", {}),
        ("mag", {"item_user": BOT}),
        ("mag", {"item": {"type": "file", "file": "F1"}}),
        ("mag", {"item": None}),
        ("mag", {"item": {"type": "message", "channel": CHANNEL}}),
        ("mag", {"item": {"type": "message", "ts": TS}}),
        ("", {"reaction": ""}),
    ],
)
def test_other_reactions_are_left(reaction: str, more: dict[str, Any]) -> None:
    assert ignored({**REACTION, **more}, reaction)


def test_an_opened_chat_gets_prompts() -> None:
    open_event = {"type": "app_home_opened", "user": ALEX, "channel": DIRECT, "tab": "messages"}
    message = heard(open_event)
    assert message.address.task == BackgroundTask("prompts")
    assert (message.address.channel, message.shared) == (DIRECT, False)
    assert ignored({**open_event, "tab": "home"})


def test_a_thread_of_the_older_assistant_view_gets_prompts() -> None:
    about = {"user_id": ALEX, "channel_id": DIRECT, "thread_ts": TS}
    message = heard({"type": "assistant_thread_started", "assistant_thread": about})
    assert message.address.task == BackgroundTask("prompts", thread=TS)
    assert (message.thread.root, message.author.id) == (TS, ALEX)


@pytest.mark.parametrize(
    "event",
    [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": [BOT]}}],
)
def test_an_uninstalled_app_is_a_task(event: dict[str, Any]) -> None:
    message = heard(event)
    assert (message.kind, message.address.task) == ("channel", BackgroundTask("uninstalled"))
    assert message.thread.tenant == TEAM


@pytest.mark.parametrize(
    "tokens", [{"oauth": ["U1"]}, {"bot": ["UOTHER"]}, {"bot": BOT}, None, [BOT]]
)
def test_tokens_of_others_may_be_revoked(tokens: Any) -> None:
    assert ignored({"type": "tokens_revoked", "tokens": tokens})


@pytest.mark.parametrize("kind", ["channel_left", "group_left"])
def test_a_left_channel_is_a_task(kind: str) -> None:
    message = heard({"type": kind, "channel": CHANNEL})
    assert message.address.task == BackgroundTask("left")
    assert message.thread.conversation == CHANNEL


@pytest.mark.parametrize(
    "event", [{"type": "channel_rename"}, {"type": ["message"]}, {}, {"type": "channel_left"}]
)
def test_all_other_events_are_left(event: dict[str, Any]) -> None:
    assert ignored(event)


def test_a_stored_post_reads_like_its_event() -> None:
    event = message_event(files=[photo()])
    post = {key: value for key, value in event.items() if key not in {"channel", "event_ts"}}
    assert read_post({**post, "channel": CHANNEL}, WORKSPACE) == heard(event)


def test_a_workspace_that_does_not_name_the_bot_addresses_nobody() -> None:
    message = read_post(message_event("<@> hi"), replace(WORKSPACE, bot_user=""))
    assert message is not None
    assert not message.addressed


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "1.0", "U1", "²3.0", "9" * 99]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ts", "id", "user", "text", "type", "files"]), inner)
    ),
    max_leaves=6,
)
EVENTS = [
    message_event(),
    edit_event("b", "a"),
    message_deleted(),
    REACTION,
    {"type": "agent_session_stopped", "channel": "C1", "thread_ts": "1.0", "user": "U1"},
    {"type": "assistant_thread_started", "assistant_thread": {}},
    {"type": "member_joined_channel", "user": BOT, "channel": "C1"},
    {"type": "tokens_revoked", "tokens": {"bot": [BOT]}},
]


@given(data=st.data(), event=st.sampled_from(EVENTS))
def test_fields_of_any_type_are_read_without_an_error(
    data: st.DataObject, event: dict[str, Any]
) -> None:
    key = data.draw(st.sampled_from(sorted({*event} - {"type"})))
    read_event(
        event_callback({**event, key: data.draw(ODD)}, event_id=data.draw(ODD)), WORKSPACE, "mag"
    )
