"""Text that does nothing where it is shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.chat.escape import JOINER, disarm

LIVE = re.compile(r"<[^\u2060]|!\[")
PIECES = st.sampled_from(["<", "!", "[", "@U1", "!channel>", JOINER, "](x)", "a "]) | st.text()
TEXTS = st.lists(PIECES, max_size=20).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> <@U1>", "<\u2060!channel> <\u2060@U1>"),
        ("![cat](https://a.example/b)", "!\u2060[cat](https://a.example/b)"),
        ("<![", "<\u2060!\u2060["),
        ("1 < 2", "1 <\u2060 2"),
        ("[text](https://a.example) !", "[text](https://a.example) !"),
        ("", ""),
    ],
)
def test_what_it_looks_like(text: str, shown: str) -> None:
    assert disarm(text) == shown


@given(TEXTS)
def test_nothing_live_passes_and_nothing_is_lost(text: str) -> None:
    shown = disarm(text)
    assert not LIVE.search(shown)
    assert shown.replace(JOINER, "") == text.replace(JOINER, "")


@given(TEXTS, TEXTS)
def test_a_growing_text_grows(text: str, more: str) -> None:
    assert disarm(text + more).startswith(disarm(text))
