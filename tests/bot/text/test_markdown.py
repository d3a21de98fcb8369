import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.text.links import LOOKAHEAD
from bot.text.markdown import Markdown, render
from bot.text.split import split

GAP = "\u200b"
OK = "https://ok.example"

MARKS = (
    *("a", "b ", " ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "\u2028", "`", "``", "```", "````"),
    *("~~~", "[", "]", "(", ")", "](", "]:", "![", "!", "<", "</", ">", "<b>", "<at>", "<@U1>"),
    *("<!here>", "@", "@everyone", "https://e.org", "http://", "://", "www.e.org", "//e.org"),
    *("a@b.org", "\\", "|", "|-|-|\n", "- ", "> ", "1. ", "# ", "*", "**", "_", '"', "&#58;", ":"),
    *("[r]: ", "py", "é", "e\u0301", "👩\u200d👧", "\ud83d", "\ude00", GAP, "日本", OK, "<!--"),
    *("[x](https://e.org)", "![i](https://e.org)", f"[t]({OK})", "`c`", "\n```\n", "x" * LOOKAHEAD),
)
hostile = st.lists(st.sampled_from(MARKS), max_size=16).map("".join) | st.text(
    st.characters(exclude_categories=()), max_size=40
)
links = st.sampled_from([(), (OK,)])
relaxed = settings(deadline=None, max_examples=300)

client = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def seen(output: str) -> list[tuple[str, str]]:
    """What a client makes of a text: kinds of inline tokens with their text or target."""
    tokens = []
    for block in client.parse(output):
        tokens.append((block.type, ""))
        for token in block.children or ():
            target = token.attrs.get("href") or token.attrs.get("src") or token.content
            tokens.append((token.type, str(target)))
    return tokens


def assert_harmless(output: str, allowed: tuple[str, ...] = ()) -> None:
    for kind, content in seen(output):
        assert kind not in {"html_block", "html_inline", "image"}
        assert kind != "link_open" or content.rstrip("/") in allowed
        if kind == "text" and not allowed:
            assert not re.search(r"[A-Za-z0-9]://\w|@\w|\bwww\.\w", content)


def test_code_blocks_stay_with_their_language() -> None:
    text = "So:\n\n```python\nif a < b:\n    print('<b> @x [a](b)')\n\n```\nDone."
    assert render(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1. a\n   ```py title=x\n   if a:\n       b\n   ```", "1. a\n```py\nif a:\n    b\n```"),
        ("\t```\n\ta\n\t\tb\n```", "```\na\n    b\n```"),
        ("````md\n```\na\n```\n````", "````md\n```\na\n```\n````"),
        ("```<b>\na\n```", "```\na\n```"),
        ("```js\na", "```js\na\n```"),
        ("a\n```", "a\n"),
    ],
)
def test_code_blocks_are_moved_to_the_margin_and_closed(text: str, shown: str) -> None:
    assert render(text) == shown


@pytest.mark.parametrize("opening", ["- ```", "> ```", "~~~"])
def test_a_fence_that_not_all_clients_see_is_none(opening: str) -> None:
    output = render(f"{opening}\n[a](b)\n```\n")
    assert "a (`b`)" in output


def test_tables_stay() -> None:
    text = "| a | b |\n|---|---|\n| 1 | `x|y` |\n"
    assert render(text) == text


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028", "\x85", "\f"])
def test_line_ends_become_uniform(end: str) -> None:
    assert render(f"a{end}b\x00\x07") == "a\nb"


def test_halves_of_a_character_wait_for_each_other() -> None:
    markdown = Markdown()
    assert markdown.feed("a \ud83d") == "a "
    assert markdown.feed("\ude00") + markdown.feed("!") + markdown.finish() == "😀!"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A photo of a ca", "A photo of a "),
        ("See [the pa", "See "),
        ("See [the page](https://e.o", "See "),
        ("One ![al", "One "),
        ("By <at>Bo", f"By <{GAP}at>"),
        ("Run `ls", "Run "),
        ("Text\n| a | b", "Text\n"),
        ("Text\n``", "Text\n"),
        ("```py\nab", "```py\na"),
        ("```py\na\n``", "```py\na\n"),
        ("[1] shows", "[1] "),
    ],
)
def test_what_is_unfinished_is_not_shown_yet(text: str, shown: str) -> None:
    assert render(text, final=False) == shown


def test_what_never_ends_is_shown_in_time() -> None:
    for start in ("[", "![", "`", "<a:", "| ", "https://e.org/", "   ", "```"):
        markdown = Markdown()
        shown = markdown.feed("Hello " + start)
        for _ in range(LOOKAHEAD + 20):
            shown += markdown.feed("x")
            assert markdown.pending_length <= LOOKAHEAD
        assert len(shown) > len("Hello ") + 1


@relaxed
@given(hostile, links)
@example("```\n[a](https://e.org)\n   ```\n", ())
@example("- ~~~\n  ```\n  ~~~\n  [x](https://e.org)\n  ```", ())
@example("[t]![(https://e.org)](x)", ())
@example("\\`[x](https://e.org)\\`", ())
def test_no_client_finds_anything_to_load_or_open(text: str, allowed: tuple[str, ...]) -> None:
    output = render(text, links=allowed)
    output.encode()
    assert_harmless(output, allowed)


@relaxed
@given(hostile, links)
def test_what_was_shown_only_grows(text: str, allowed: tuple[str, ...]) -> None:
    markdown, output = Markdown(allowed), ""
    for place, char in enumerate(text):
        output += markdown.feed(char)
        assert output == render(text[: place + 1], final=False, links=allowed)
        assert markdown.pending_length <= LOOKAHEAD + 1
    assert output + markdown.finish() == render(text, links=allowed)


@relaxed
@given(hostile)
def test_parts_of_a_safe_text_are_safe(text: str) -> None:
    for part in split(render(text * 20), 200):
        assert_harmless(part)


@relaxed
@given(st.text(st.sampled_from("abc .,;:-+=*_#%(){}'\"é日\n"), max_size=200))
def test_plain_text_is_not_changed(text: str) -> None:
    plain = text.replace(".", ". ")  # `a.cc` might be a link
    assert render(plain) == plain
