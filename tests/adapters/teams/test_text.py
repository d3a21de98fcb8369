"""The text of activities, without mention and quote."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teams.attachments import html_summary
from adapters.teams.text import command, mentions_bot, quoted_id, words
from tests.helpers.teams_endpoint import BOT, activity


def mention(who: str, text: str) -> dict[str, Any]:
    return {"type": "mention", "mentioned": {"id": who, "name": "x"}, "text": text}


OURS = mention(BOT["id"], "<at>Test Bot</at>")


def said(text: str, *entities: dict[str, Any], **changes: Any) -> str:
    return words(
        activity(
            "teams_group_mention", recipient=BOT, text=text, entities=list(entities), **changes
        )
    )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("<at>Test Bot</at> look", "look"),
        ("<at>Test Bot</at>&nbsp;look", "look"),
        ("<at>Test Bot</at>\xa0look", "look"),
        ("hey <at>Test Bot</at> look", "hey look"),
        ("look <at>Test Bot</at>", "look"),
        ('<at id="0">Test Bot</at> look', "look"),
        ("<at>Test Bot</at>\nlook\n  at this", "look\n  at this"),
        ("<at>Test Bot</at>", ""),
    ],
)
def test_the_bots_mention_is_removed(text: str, result: str) -> None:
    assert said(text, OURS) == result


def test_other_peoples_mentions_become_their_names() -> None:
    text = "<at>Test Bot</at> what did <at>Ann\nB.</at> post?"
    assert said(text, OURS, mention("29:ann", "<at>Ann\nB.</at>")) == "what did Ann B. post?"


def test_a_namesake_of_the_bot_keeps_the_name() -> None:
    text = "<at>Test Bot</at> ask <at>Test Bot</at> please"
    assert said(text, OURS, mention("29:other", OURS["text"])) == "ask Test Bot please"
    assert said(text, mention("29:other", OURS["text"]), OURS) == "Test Bot ask please"


def test_one_mention_stands_for_all_of_the_same_text() -> None:
    assert said("<at>Test Bot</at> a <at>Test Bot</at> b", OURS) == "a b"


def test_a_mention_without_tags_is_removed_once() -> None:
    assert said("@loupe what is @loupe?", mention(BOT["id"], "@loupe")) == "what is @loupe?"


def test_a_tag_that_nobody_stands_behind_is_a_name() -> None:
    assert said("<at>Nobody</at> was here") == "Nobody was here"


def test_characters_are_kept_as_they_were_typed() -> None:
    assert said("a &amp; b < c") == "a &amp; b < c"


def test_xml_text_is_read_as_such() -> None:
    text = "<at>Test Bot</at> <p>a &amp; b<br/>c</p>"
    assert said(text, OURS, textFormat="xml") == "a & b\nc"


@pytest.mark.parametrize(
    ("entity", "is_mentioned"),
    [(OURS, True), (mention("29:ann", "<at>Test Bot</at>"), False), ({"type": "mention"}, False)],
)
def test_only_a_mention_of_the_recipient_counts(entity: dict[str, Any], is_mentioned: bool) -> None:
    post = activity("teams_group_mention", recipient=BOT, entities=[entity])
    assert mentions_bot(post) is is_mentioned


def test_without_a_recipient_nobody_is_mentioned() -> None:
    assert not mentions_bot(activity("teams_group_mention", recipient=None))


def test_a_quoted_reply_is_named_by_its_entity() -> None:
    text = '<quoted messageId="1795"/> <at>Test Bot</at> and this?'
    entity = {"type": "quotedReply", "quotedReply": {"messageId": "1795", "preview": "x"}}
    post = activity("teams_group_mention", recipient=BOT, text=text, entities=[OURS, entity])
    assert quoted_id(post, html_summary(post)) == "1795"
    assert words(post) == "and this?"


def test_a_quoted_reply_is_named_by_its_tag() -> None:
    post = activity("teams_personal_text", text='<quoted messageId="42"></quoted>and this?')
    assert quoted_id(post, html_summary(post)) == "42"
    assert words(post) == "and this?"


def test_an_older_quoted_reply_is_named_by_its_html() -> None:
    html = '<blockquote itemtype="http://schema.skype.com/Reply" itemid="7"><p>x</p></blockquote>'
    post = activity(
        "teams_personal_text",
        text="and this?",
        attachments=[{"contentType": "text/html", "content": f"{html}<p>and this?</p>"}],
    )
    assert quoted_id(post, html_summary(post)) == "7"
    assert words(post) == "and this?"


def test_most_messages_quote_nothing() -> None:
    post = activity("teams_personal_image_text")
    assert quoted_id(post, html_summary(post)) == ""


@pytest.mark.parametrize(
    ("value", "command_text"),
    [
        ({"loupe": "/system continue"}, "/system continue"),
        ({"loupe": " /stop "}, "/stop"),
        ({"loupe": "no command"}, ""),
        ({"loupe": "/" + "x" * 200}, ""),
        ({"loupe": ["/stop"]}, ""),
        ({"verb": "/stop"}, ""),
        ("/stop", ""),
        (None, ""),
    ],
)
def test_only_a_short_command_can_be_pressed(value: Any, command_text: str) -> None:
    assert command(value) == command_text
