"""Markdown as the page shows it, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.helpers.browser import say

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = (
    "<img src=https://evil.example/a.png onerror=window.hurt=1><script>window.hurt=1</script>\n\n"
    "![seen](https://evil.example/b.png) [go](javascript:window.hurt=1) "
    "[data](data:text/html,hurt) <https://evil.example/c> <b>bold</b> &lt;script&gt;\n\n"
    "```html\n<script>window.hurt=1</script>\n```\n\n"
    "[https://bank.example](https://evil.example/d)\n\n"
)


async def test_hostile_text_is_inert(tab: Page, page_server: ServedPage) -> None:
    page_server.bot.pieces = (HOSTILE, "The end.")
    await say(tab, HOSTILE)
    await expect(tab.locator(".message.loupe")).to_contain_text("The end.")
    assert await tab.evaluate("() => window.hurt") is None
    markdown = tab.locator(".message.loupe .markdown")
    await expect(markdown.locator("img, script, iframe, b")).to_have_count(0)
    await expect(tab.locator(".message.user")).to_contain_text("<script>window.hurt=1</script>")
    links = await markdown.locator("a").evaluate_all(
        "(all) => all.map((link) => [link.protocol, link.target, link.rel, link.textContent])"
    )
    assert {tuple(link[:3]) for link in links} == {("https:", "_blank", "noopener noreferrer")}
    assert links[-1][3] == "https://bank.example"
    await expect(markdown.locator(".host")).to_have_text("(evil.example)")


LONG = [
    "*a " * 20_000,
    "**a_b`c[d](" * 6_000,
    "[" * 60_000,
    "[a](" * 20_000,
    "`" * 30_000 + "a" * 30_000,
    "> " * 30_000,
    "# " + " " * 60_000 + "x",
    "```" + "a" * 60_000 + "`",
    "|" + " " * 30_000 + "\n|" + "-" * 30_000 + " " * 30_000 + "x",
    "- " * 30_000,
    "https://a" + ")" * 60_000 + "b",
    "\n".join(f"{' ' * depth}- {depth}" for depth in range(300)),
]


async def test_no_text_makes_the_page_hang(tab: Page) -> None:
    script = """async (text) => {
      const { show } = await import("/page/static/markdown.js");
      const start = performance.now();
      show(document.createElement("div"), text);
      return performance.now() - start;
    }"""
    for text in LONG:
        assert await tab.evaluate(script, text) < 2_000, text[:20]


SHOWN = {
    "a\nb": "<p>a<br>b</p>",
    "# T #\n\n- a\n- b\n  1. c": ("<h3>T</h3><ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
    "**a *b* c** ~~d~~": "<p><strong>a <em>b</em> c</strong> <s>d</s></p>",
    "2 * 3 * 4, snake_case_name, \\*": "<p>2 * 3 * 4, snake_case_name, *</p>",
    "`` a`b `` and `open": "<p><code>a`b</code> and `open</p>",
    "````\n```\nx\n````": "<pre><code>```\nx</code></pre>",
    "```py\nx = 1": "<pre><code>x = 1</code></pre>",
    "> q\n> r": "<blockquote><p>q<br>r</p></blockquote>",
    "3. c\n4. d": '<ol start="3"><li>c</li><li>d</li></ol>',
    "a\n---\nb": "<p>a</p><hr><p>b</p>",
    "|a|b|\n|-|:-:|\n|1|`x`|": (
        "<div><table><tr><th>a</th><th>b</th></tr>"
        "<tr><td>1</td><td><code>x</code></td></tr></table></div>"
    ),
    "5 < 6 &amp; 7 &nope;": "<p>5 &lt; 6 &amp; 7 &amp;nope;</p>",
    "1. a\n\n   b\n2. c": "<ol><li>a<p>b</p></li><li>c</li></ol>",
}
"""Markdown, and the nodes it becomes, without most of their attributes."""


async def test_markdown_is_shown_the_same_however_it_grows(tab: Page) -> None:
    script = """async (text) => {
      const { show } = await import("/page/static/markdown.js");
      const box = document.createElement("div");
      for (let end = 1; end <= text.length; end += 1) show(box, text.slice(0, end));
      for (const node of box.querySelectorAll("*"))
        for (const { name } of [...node.attributes])
          if (name !== "start" || node.start === 1) node.removeAttribute(name);
      return box.innerHTML;
    }"""
    assert {text: await tab.evaluate(script, text) for text in SHOWN} == SHOWN


async def test_what_stands_too_deep_is_shown_as_it_was_written(tab: Page) -> None:
    lines = [f"{'  ' * depth}- item {depth}" for depth in range(12)]
    script = """async (text) => {
      const { show } = await import("/page/static/markdown.js");
      const box = document.createElement("div");
      show(box, text);
      return box.textContent;
    }"""
    shown = await tab.evaluate(script, "\n".join(lines))
    assert [depth for depth in range(12) if f"item {depth}" not in shown] == []


async def test_what_is_shown_already_stays_in_place_while_the_rest_grows(tab: Page) -> None:
    channel_text = "First.\n\nSecond"
    script = """async (text) => {
      const { show } = await import("/page/static/markdown.js");
      const box = document.createElement("div");
      show(box, text);
      const [first, second] = box.children;
      show(box, text + " grows");
      return [box.children[0] === first, box.children[1] === second];
    }"""
    assert await tab.evaluate(script, channel_text) == [True, False]
