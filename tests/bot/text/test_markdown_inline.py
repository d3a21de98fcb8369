import pytest

from bot.text.links import LOOKAHEAD
from bot.text.markdown_inline import InlineMarks, Lookahead

GAP = "\u200b"
OK = "https://ok.example"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [the page](https://e.org/a)", "see the page (`https://e.org/a`)"),
        ('[x](<https://e.org/a b> "title")', "x (`https://e.org/a b`)"),
        ("[https://e.org](https://e.org)", "`https://e.org`"),
        ("[https://good.org](https://bad.org)", "`https://good.org` (`https://bad.org`)"),
        ("[](https://e.org)", "`https://e.org`"),
        ("[x]()", "x"),
        ("[a [b] c](d)", "a [b] c (`d`)"),
        (r"[a\]b](c)", rf"a\]{GAP}b (`c`)"),
        ("[wiki](https://e.org/a_(b))", "wiki (`https://e.org/a_(b)`)"),
    ],
)
def test_links_become_text(text: str, shown: str) -> None:
    assert InlineMarks().tame(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a cat](https://e.org/i.png)", "a cat"),
        ("![](https://e.org/i.png)", ""),
        ("[![badge](https://e.org/i.png)](https://e.org)", "badge (`https://e.org`)"),
        ("look! [1]", "look! [1]"),
    ],
)
def test_images_become_their_alternative_text(text: str, shown: str) -> None:
    assert InlineMarks().tame(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://e.org/a.", "at `https://e.org/a`."),
        ("<https://e.org/a>", "`https://e.org/a`"),
        ("<me@e.org>, me@e.org", "`me@e.org`, `me@e.org`"),
        ("**www.e.org**", "**`www.e.org`**"),
        ("(https://e.org/é?a=1)", "(`https://e.org/é?a=1`)"),
    ],
)
def test_bare_addresses_become_code(text: str, shown: str) -> None:
    assert InlineMarks().tame(text) == shown


@pytest.mark.parametrize(
    "text", [f"[here]({OK})", f"[here]({OK}/)", f"see {OK}/ or {OK}.", f"<{OK}>", f"**{OK}**"]
)
def test_links_that_people_wrote_stay_active(text: str) -> None:
    assert InlineMarks([OK]).tame(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{OK}/secret", f"`{OK}/secret`"),
        (f"{OK}[secret", f"`{OK}`[secret"),
        (f"![x]({OK})", "x"),
        (f"!![x]({OK})", f"!{GAP}x"),
        (f"![!](a)[x]({OK})", f"!{GAP}[x]({OK})"),
    ],
)
def test_an_allowed_address_opens_no_other_way(text: str, shown: str) -> None:
    assert InlineMarks([OK]).tame(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@everyone", f"@{GAP}everyone"),
        ("mail a@b now @ 5", f"mail a@{GAP}b now @ 5"),
        ("<at>Bot</at>", f"<{GAP}at>Bot<{GAP}/at>"),
        ("<@U123> <!channel>", f"<{GAP}@{GAP}U123> <{GAP}!channel>"),
        ("<img src=x>", f"<{GAP}img src=x>"),
        ("<!-- x -->", f"<{GAP}!-- x -->"),
        ("a <b and c", f"a <{GAP}b and c"),
        ("1 < 2 <3 <= 4", "1 < 2 <3 <= 4"),
    ],
)
def test_mentions_and_html_lose_their_meaning(text: str, shown: str) -> None:
    assert InlineMarks().tame(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](b c d)", f"[a]{GAP}(b c d)"),
        ("[a]: https://e.org", f"[a]{GAP}: `https://e.org`"),
        ("[a](" + "b" * LOOKAHEAD + ")", f"[a]{GAP}(" + "b" * LOOKAHEAD + ")"),
        ("@![everyone](x)", f"@{GAP}everyone"),
        ("![<](x)script>", f"<{GAP}script>"),
        ("<[script](x)>", f"<{GAP}script (`x`)>"),
        ("~~~ and ~~gone~~", f"~{GAP}~{GAP}~{GAP} and ~~gone~~"),
    ],
)
def test_what_is_no_mark_cannot_become_one(text: str, shown: str) -> None:
    assert InlineMarks().tame(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "`<b> @x [a](b)`",
        "`` a`b ``",
        "run `ls | grep x` now",
        "plain **bold**, *it*, _so_ [1] (2) #3 & co. é 日本語 👩\u200d👧",
    ],
)
def test_code_and_plain_text_stay(text: str) -> None:
    assert InlineMarks().tame(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a ` b", "a ˋ b"),
        ("```js", "ˋˋˋjs"),
        ("``https://e.org``", "`https://e.org`"),
        ("`` ` [a](b) ``", "ˋˋ ˋ a (`b`) ˋˋ"),
        ("| `a | [b](c)` |", "| ˋa | b (`c`)ˋ |"),
        (r"\`[a](b)\`", rf"ˋ{GAP}a (`b`)ˋ"),
        (r"\https://e.org", rf"\{GAP}`https://e.org`"),
        (r"https:\//e.org", rf"https:\/{GAP}`/e.org`"),
        ("`a```b`c`", f"`a```b`c{'ˋ'}"),
    ],
)
def test_only_code_that_all_clients_see_alike_is_code(text: str, shown: str) -> None:
    assert InlineMarks().tame(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "wor",
        "https://e.o",
        "[a",
        "[a]",
        "[a](b",
        "![a",
        "!",
        "<at",
        "@",
        "`a",
        "`a`",
        "\\",
        "~",
        "]",
    ],
)
def test_an_unfinished_token_waits(text: str) -> None:
    assert InlineMarks().token(Lookahead(text, 0, final=False)) is None
    assert InlineMarks().token(Lookahead(text, 0, final=True)) is not None


def test_letters_wait_for_what_combines_with_them() -> None:
    token = InlineMarks().token(Lookahead("日本か\u3099", 0, final=False))
    assert token is not None
    assert token.end == 2
    assert InlineMarks().token(Lookahead("é", 0, final=False)) is None
