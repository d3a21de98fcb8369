from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.page.channel import PageAddress
from adapters.page.messages import MessageFile
from adapters.page.requests import MalformedRequest, conversation_of, read_post

TALK = "a" * 32
NAME = "12345678-1234-1234-1234-123456789abc"


def posted(**fields: Any) -> bytes:
    return json.dumps({"conversation": TALK, "id": NAME, "text": "Hi", **fields}).encode()


def test_a_message_is_named_as_everywhere_else() -> None:
    file = MessageFile("f" * 32, "key/up/f", "a.jpg", 3, "image/jpeg")
    message = read_post(posted(files=["f" * 32])).message("user-1", (file,))
    assert (message.thread.channel, message.thread.tenant) == ("page", "local")
    assert (message.thread.conversation, message.thread.root) == (TALK, "")
    assert (message.author.id, message.author.name) == ("user-1", "You")
    assert (message.id, message.text) == (NAME, "Hi")
    assert (message.addressed, message.shared) == (True, False)
    assert message.address == PageAddress(TALK, NAME, quiet=False)
    assert message.attachments[0].source == {"blob": "key/up/f"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        posted(conversation="../../etc"),
        posted(conversation="a{b}" * 8),
        posted(conversation=7),
        posted(id="1"),
        posted(id=NAME.upper()),
        posted(id=None),
        posted(text=7),
        posted(text="", files=[]),
        posted(text="  \n"),
        posted(files="f" * 32),
        posted(files=[7]),
        posted(files=["../up"]),
    ],
)
def test_what_the_page_does_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_post(body)


def test_half_characters_are_replaced() -> None:
    body = posted(text="x").replace(b'"x"', b'"a\\ud800b \\ud83d\\ude00"')
    assert read_post(body).text == "a�b 😀"


@pytest.mark.parametrize(
    ("text", "quiet"), [("/stop", True), ("!stop", True), ("What is this?", False)]
)
def test_only_commands_can_be_quiet(text: str, quiet: bool) -> None:
    assert read_post(posted(text=text, quiet=True)).quiet is quiet
    assert not read_post(posted(text=text)).quiet


@pytest.mark.parametrize("name", ["", "short", "A" * 32, "a" * 41, "a" * 31 + "\n"])
def test_a_strange_conversation_is_refused(name: str) -> None:
    with pytest.raises(MalformedRequest, match="conversation"):
        conversation_of(name)
