"""Slack's notation as words."""

from __future__ import annotations

import time

import pytest

from adapters.slack.text import MOST_MENTIONS, mentions, plain_text, unescape, with_names


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<@UBOT> what is it?", "what is it?"),
        ("<@UBOT|loupe> what is it?", "what is it?"),
        ("what is it, <@UBOT>", "what is it,"),
        ("<@UBOT> !json", "!json"),
        ("<@UBOT>\xa0/photos", "/photos"),
        ("<@UBOT> ask <@USAM>", "ask <@USAM>"),
        ("ask <@USAM|sam>", "ask <@USAM>"),
        ("<@UBOTANY>", "<@UBOTANY>"),
        ("in <#C1|general> and <#C2|> and <#C3>", "in #general and #C2 and #C3"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@editors> <!subteam^S2>", "@editors @subteam"),
        ("at <!date^1392734382^{date}|18 Feb 2014>", "at 18 Feb 2014"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("<https://a.example/x|a.example/x>", "https://a.example/x"),
        ("<https://a.example/x|the page>", "the page (https://a.example/x)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<tel:+15550100|+15550100>", "+15550100"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("a < b", "a < b"),
        ("*bold* _it_ `code`", "*bold* _it_ `code`"),
        ("", ""),
    ],
)
def test_notation_is_read_as_words(markup: str, text: str) -> None:
    assert plain_text(markup, "UBOT") == text


def test_without_knowing_itself_it_takes_no_mention_away() -> None:
    assert plain_text("<@U1> hi", "") == "<@U1> hi"


def test_a_slash_command_has_no_notation_but_escapes() -> None:
    assert unescape(" system answer in <b>&lt;i&gt;</b>\xa0") == "system answer in <b><i></b>"


def test_names_stand_for_mentions() -> None:
    text = "<@U1> and <@U2|two> and <@U1>"
    assert mentions(text) == ("U1", "U2")
    assert with_names(text, {"U1": "Alex", "U2": ""}) == "@Alex and <@U2|two> and @Alex"


def test_a_name_is_not_read_again_as_notation() -> None:
    assert with_names("<@U1>", {"U1": "<@U2>", "U2": "Sam"}) == "@<@U2>"


def test_no_text_asks_for_more_names_than_the_most() -> None:
    assert len(mentions("".join(f"<@U{number}>" for number in range(500)))) == MOST_MENTIONS


@pytest.mark.parametrize("piece", ["<", "<@", "<a|", "<!date^", "<@U1|", "&amp;", "<a<", "<@U1"])
def test_no_text_makes_the_reading_slow(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.perf_counter()
    with_names(plain_text(text, "UBOT"), {})
    mentions(text)
    assert time.perf_counter() - began < 2
