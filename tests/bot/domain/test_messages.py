"""Messages: which are deliveries of the same event, and which wait for company."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.messages import Attachment, Author, Message
from bot.domain.threads import Thread

POST = Message("m1", Thread("msteams", "tenant", "19:a", "1"), Author("29:anna"), "What is it?")


@pytest.mark.parametrize(
    "change",
    [
        {"text": "What is that?"},
        {"author": Author("29:ben")},
        {"attachments": (Attachment("a.jpg"),)},
        {"thread": replace(POST.thread, root="2")},
        {"at": 5.0},
    ],
)
def test_an_event_delivered_again_is_known_whatever_else_it_says(change: dict[str, Any]) -> None:
    assert replace(POST, **change).dedup == POST.dedup


@pytest.mark.parametrize(
    "change",
    [
        {"id": "m2"},
        {"version": "2026-11-22T10:00:00Z"},
        {"kind": "installed"},
        {"thread": replace(POST.thread, channel="page")},
        {"thread": replace(POST.thread, tenant="another tenant")},
        {"thread": replace(POST.thread, conversation="19:b")},
    ],
)
def test_another_event_is_not(change: dict[str, Any]) -> None:
    assert replace(POST, **change).dedup != POST.dedup


def test_without_an_id_nothing_is_known() -> None:
    assert replace(POST, id="").dedup == ""


def test_the_digest_is_a_name_for_keys_whatever_the_id() -> None:
    assert len(replace(POST, id="\ud800}{\r\n" * 1000).dedup) == 40


@pytest.mark.parametrize(
    ("change", "alone"),
    [
        ({}, False),
        ({"text": " \n"}, True),
        ({"text": "", "attachments": ()}, False),
        ({"text": "", "kind": "installed"}, False),
    ],
)
def test_a_picture_without_words_waits_for_company(change: dict[str, Any], alone: bool) -> None:
    post = replace(POST, **{"attachments": (Attachment("a.jpg"),), **change})
    assert post.without_words is alone
