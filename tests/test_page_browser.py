"""The page in a real browser, with a scripted bot behind it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from playwright.async_api import async_playwright, expect

from adapters.page.channel import address_of
from bot.channel import Post, Stage
from tests.pictures import MEDIA
from tests.servers.page import SYSTEM, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page, Request
    from redis.asyncio import Redis

    from tests.servers.page import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHOTO = MEDIA / "notice_double_parking.jpg"
STOP = "#send.stop"
HOSTILE = (
    "<img src=https://evil.example/a.png onerror=window.hurt=1><script>window.hurt=1</script>\n\n"
    "![seen](https://evil.example/b.png) [go](javascript:window.hurt=1) "
    "[data](data:text/html,hurt) <https://evil.example/c> <b>bold</b> &lt;script&gt;\n\n"
    "```html\n<script>window.hurt=1</script>\n```\n\n"
    "[https://bank.example](https://evil.example/d)\n\n"
)


@pytest.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"These tests need Chromium at {CHROMIUM}: apt-get install chromium.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        await browser.close()


@pytest.fixture(loop_scope="module")
async def redis() -> AsyncIterator[Redis]:
    client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture(loop_scope="module")
async def served(redis: Redis, tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(redis, tmp_path) as page:
        yield page


@pytest.fixture(loop_scope="module")
async def tab(chromium: Browser, served: Served) -> AsyncIterator[Page]:
    """The page, opened by its printed address; whatever it complains of fails the test."""
    context = await chromium.new_context(viewport={"width": 1200, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(10_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.extend(_foreign(request, served.origin)))
    await page.goto(served.address)
    await expect(page.locator("#model option")).to_have_count(2)
    yield page
    await context.close()
    assert errors == []


def _foreign(request: Request, origin: str) -> list[str]:
    """Complain of a request that leaves the machine."""
    inside = request.url.startswith((origin, f"blob:{origin}"))
    return [] if inside else [f"asked for {request.url}"]


def conversation_of(page: Page) -> str:
    return page.url.rpartition("/c/")[2]


async def say(page: Page, text: str) -> None:
    await page.fill("#words", text)
    await page.press("#words", "Enter")


async def put_files(page: Page, event: str, name: str, types: tuple[str, ...] = ()) -> None:
    """Paste or drop a photo as a browser does."""
    data = base64.b64encode(PHOTO.read_bytes()).decode()
    script = """([event, name, data, types]) => {
      const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
      types.forEach((type) => transfer.setData(type, "words"));
      const made = event === "paste"
        ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true });
      document.getElementById("words").dispatchEvent(made);
    }"""
    await page.evaluate(script, [event, name, data, list(types)])


async def shows_a_picture(page: Page, selector: str) -> bool:
    width = await page.locator(selector).evaluate(
        "(image) => image.decode().then(() => image.naturalWidth)"
    )
    return bool(width)


async def test_the_token_leaves_the_address_and_every_visit_is_a_conversation(tab: Page) -> None:
    assert re.search(r"/c/[0-9a-f]{32}$", tab.url)
    await expect(tab.locator("#empty h2")).to_be_visible()
    await expect(tab.locator("#words")).to_be_focused()


async def test_a_question_is_answered_as_it_grows(tab: Page, served: Served) -> None:
    served.bot.held = True
    await say(tab, "What is this?")
    await expect(tab.locator(".note.user")).to_contain_text("What is this?")
    answer = tab.locator(".note.loupe .markdown")
    await expect(answer).to_have_text("Thinking about it…")
    await expect(tab.locator(STOP)).to_have_attribute("aria-label", "Stop")
    served.bot.step()
    await expect(answer).to_have_text("A red car")
    served.bot.step()
    await expect(answer).to_have_text("A red car stands by the road.")
    served.bot.step()
    await expect(tab.locator(STOP)).to_have_count(0)
    await expect(answer.locator("strong")).to_have_text("KRW 301")
    await expect(tab.locator(".note.loupe .foot")).to_have_text("AI-generated")
    await expect(tab.locator("#words")).to_have_value("")
    assert served.bot.texts == ["What is this?"]


async def test_whole_answers_are_read_out_and_growing_ones_are_not(
    tab: Page, served: Served
) -> None:
    log = tab.locator("[role=log][aria-live=polite]")
    served.bot.held = True
    await say(tab, "What is this?")
    served.bot.step()
    await expect(tab.locator(".note.loupe")).to_contain_text("A red car")
    await expect(log).to_have_text("Thinking about it…")
    served.bot.step(5)
    await expect(log).to_contain_text("Its plate reads KRW 301.")
    said = await log.locator("p").all_inner_texts()
    assert said == ["Thinking about it…", "A red car stands by the road. Its plate reads KRW 301."]


async def test_photos_are_attached_by_button_paste_and_drop(tab: Page, served: Served) -> None:
    async with tab.expect_file_chooser() as chooser:
        await tab.click("#attach")
    await (await chooser.value).set_files(PHOTO)
    await put_files(tab, "paste", "pasted.jpg")
    await put_files(tab, "dragover", "dropped.jpg")
    await expect(tab.locator("#drop")).to_be_visible()
    await put_files(tab, "drop", "dropped.jpg")
    await expect(tab.locator("#drop")).to_be_hidden()
    for name in ("notice_double_parking.jpg", "pasted.jpg", "dropped.jpg"):
        assert await shows_a_picture(tab, f"#thumbs img[alt='{name}']")
    await tab.get_by_role("button", name="Remove pasted.jpg").click()
    await expect(tab.locator("#thumbs li")).to_have_count(2)
    await say(tab, "May I park?")
    await expect(tab.locator(".note.user .frame")).to_have_count(2)
    assert await shows_a_picture(tab, ".note.user img[alt='dropped.jpg']")
    await expect(tab.locator(".note.loupe")).to_contain_text("KRW 301")
    names = [file.name for file in served.bot.accepted[0].attachments]
    assert names == ["notice_double_parking.jpg", "dropped.jpg"]
    await expect(tab.locator("#thumbs")).to_be_hidden()


async def test_words_that_are_pasted_stay_words(tab: Page) -> None:
    await put_files(tab, "paste", "picture-of-words.png", ("text/plain",))
    await expect(tab.locator("#thumbs li")).to_have_count(0)


async def test_a_photo_is_enlarged_and_put_back(tab: Page) -> None:
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await tab.get_by_role("button", name="notice_double_parking.jpg").click()
    viewer = tab.get_by_role("dialog")
    await expect(viewer.get_by_role("img", name="notice_double_parking.jpg")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)


async def test_a_file_that_no_browser_shows_is_a_chip(tab: Page, served: Served) -> None:
    await tab.set_input_files("#picker", MEDIA / "arrow.heic")
    await expect(tab.locator("#thumbs .file")).to_have_text("arrow.heic")
    await tab.click("#send")
    chip = tab.locator(".note.user a.file")
    await expect(chip).to_contain_text("HEIC")
    async with tab.expect_download() as download:
        await chip.click()
    path = await (await download.value).path()
    assert path.read_bytes() == (MEDIA / "arrow.heic").read_bytes()


async def test_a_photo_that_was_erased_says_so(tab: Page, tmp_path: Path) -> None:
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await expect(tab.locator(".note.user .frame")).to_be_visible()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    await tab.reload()
    await expect(tab.locator(".note.user .file")).to_have_text(
        "notice_double_parking.jpg is no longer kept"
    )


async def test_a_file_that_is_refused_keeps_the_message(
    chromium: Browser, redis: Redis, tmp_path: Path
) -> None:
    async with serve(redis, tmp_path, page_upload_bytes=1000) as served:
        page = await chromium.new_page()
        await page.goto(served.address)
        await expect(page.locator("#model option")).to_have_count(2)
        await page.set_input_files("#picker", PHOTO)
        await expect(page.get_by_role("alert")).to_contain_text("is too large")
        await expect(page.locator("#thumbs li")).to_have_count(0)
        await page.close()


@pytest.mark.parametrize("how", ["button", "escape"])
async def test_stop_ends_the_answer_and_keeps_its_beginning(
    tab: Page, served: Served, how: str
) -> None:
    served.bot.held = True
    await say(tab, "What is this?")
    served.bot.step()
    await expect(tab.locator(".note.loupe")).to_contain_text("A red car")
    if how == "button":
        await tab.get_by_role("button", name="Stop").click()
    else:
        await tab.keyboard.press("Escape")
    await expect(tab.locator(STOP)).to_have_count(0)
    await expect(tab.locator(".note.loupe .markdown p")).to_have_text(["A red car", "Stopped."])
    await expect(tab.locator(".note.loupe .foot")).to_have_text("AI-generated, stopped early")
    await expect(tab.locator(".note")).to_have_count(2)
    assert served.bot.texts == ["What is this?", "/stop"]


async def test_a_reload_in_the_middle_of_an_answer_goes_on(tab: Page, served: Served) -> None:
    served.bot.held = True
    await say(tab, "What is this?")
    served.bot.step()
    await expect(tab.locator(".note.loupe")).to_contain_text("A red car")
    await tab.fill("#words", "Half a thou")
    await tab.reload()
    await expect(tab.locator(".note.loupe .markdown")).to_have_text("A red car")
    await expect(tab.locator(STOP)).to_be_visible()
    await expect(tab.locator("#words")).to_have_value("Half a thou")
    served.bot.step(5)
    await expect(tab.locator(".note.loupe")).to_contain_text("KRW 301")
    await expect(tab.locator(".note")).to_have_count(2)


async def test_the_system_message_changes_after_the_confirmation(tab: Page, served: Served) -> None:
    system, apply = tab.locator("#system"), tab.get_by_role("button", name="Apply changes")
    await expect(system).to_have_value(SYSTEM)
    await expect(apply).to_be_disabled()
    await system.fill("You are a car expert.\nBe brief.")
    await expect(tab.locator("#system-status")).to_have_text(
        "Not applied to this conversation yet."
    )
    await apply.click()
    dialog = tab.get_by_role("dialog")
    await expect(dialog.locator("blockquote").first).to_have_text(SYSTEM)
    await expect(dialog.locator("blockquote").last).to_contain_text("You are a car expert.")
    await dialog.get_by_role("button", name="Continue").click()
    await expect(tab.locator("#toast")).to_contain_text("The new system message holds")
    await expect(apply).to_be_disabled()
    await expect(tab.locator(".note")).to_have_count(0)
    assert served.bot.texts == [
        "/system You are a car expert.\nBe brief.",
        "/system continue",
    ]
    assert served.bot.state["system"] == "You are a car expert.\nBe brief."


async def test_a_new_system_message_can_be_dropped(tab: Page, served: Served) -> None:
    await tab.fill("#system", "Something else")
    await tab.get_by_role("button", name="Apply changes").click()
    await expect(tab.get_by_role("dialog")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#toast")).to_contain_text("stays as it is")
    await expect(tab.locator("#system")).to_have_value("Something else")
    await expect(tab.locator("#apply")).to_be_enabled()
    assert served.bot.texts[-1] == "/system cancel"
    assert served.bot.state["system"] == SYSTEM


async def test_an_open_confirmation_survives_a_reload(tab: Page, served: Served) -> None:
    await tab.fill("#system", "Something else")
    await tab.get_by_role("button", name="Apply changes").click()
    await expect(tab.get_by_role("dialog")).to_be_visible()
    await tab.reload()
    await tab.get_by_role("dialog").get_by_role("button", name="Continue").click()
    await expect(tab.locator("#system")).to_have_value("Something else")


async def test_a_typed_command_shows_with_its_buttons(tab: Page, served: Served) -> None:
    await say(tab, "/system Typed by hand")
    answer = tab.locator(".note.loupe")
    await answer.get_by_role("button", name="Continue").click()
    await expect(tab.locator(".note.user").last).to_have_text(re.compile("/system continue$"))
    await expect(tab.locator("#system")).to_have_value("Typed by hand")
    await expect(tab.get_by_role("dialog")).to_have_count(0)


async def test_the_deployment_and_vision_are_chosen_by_commands(tab: Page, served: Served) -> None:
    await tab.select_option("#model", "gpt-4.1-mini")
    await expect(tab.locator("#toast")).to_contain_text("gpt-4.1-mini answers in this chat")
    vision = tab.get_by_role("switch", name="Vision")
    await expect(vision).to_have_attribute("aria-checked", "true")
    await vision.click()
    await expect(vision).to_have_attribute("aria-checked", "false")
    await expect(tab.locator("#model")).to_have_value("gpt-4.1-mini")
    assert served.bot.texts == ["/model gpt-4.1-mini", "/vision off"]
    await expect(tab.locator(".note")).to_have_count(0)


@pytest.mark.parametrize("ready", [False, True])
async def test_the_vision_switch_is_honest(tab: Page, served: Served, ready: bool) -> None:
    served.bot.state["vision_ready"] = ready
    await tab.reload()
    told = "Reads text" if ready else "comes with the next version; the setting is remembered."
    await expect(tab.locator("#vision-help")).to_contain_text(told)


@pytest.mark.parametrize("as_file", [False, True])
async def test_the_raw_json_parses(tab: Page, served: Served, as_file: bool) -> None:
    transcript = [
        {"role": "system", "content": [SYSTEM]},
        {"role": "user", "content": ["```\n</pre><script>\\ 'é\u2028☕"]},
    ]
    served.bot.transcript = json.dumps(transcript)
    served.bot.file = json.dumps(transcript).encode() if as_file else b""
    await tab.get_by_role("button", name="Show raw JSON").click()
    shown = tab.locator("#raw-text")
    await expect(shown).to_be_visible()
    assert json.loads(await shown.text_content() or "") == transcript
    async with tab.expect_download() as download:
        await tab.get_by_role("button", name="Download").click()
    file = await download.value
    assert file.suggested_filename == "transcript.json"
    assert json.loads((await file.path()).read_text()) == transcript
    await tab.get_by_role("button", name="Close").click()
    await expect(tab.locator(".note")).to_have_count(0)


async def test_the_raw_json_is_copied(tab: Page) -> None:
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.get_by_role("button", name="Show raw JSON").click()
    await tab.get_by_role("button", name="Copy").click()
    await expect(tab.locator("#raw-status")).to_have_text("Copied.")
    copied = await tab.evaluate("() => navigator.clipboard.readText()")
    assert json.loads(copied)[0]["role"] == "system"


async def test_a_new_conversation_starts_empty_and_the_old_one_is_found_again(tab: Page) -> None:
    await say(tab, "The first question")
    await expect(tab.locator(".note.loupe")).to_contain_text("KRW 301")
    before = tab.url
    await tab.fill("#system", "Goes along")
    await tab.get_by_role("button", name="New conversation").click()
    await expect(tab.locator("#empty h2")).to_be_visible()
    assert tab.url != before
    await expect(tab.locator("#system")).to_have_value("Goes along")
    await expect(tab.locator("#apply")).to_be_enabled()
    await tab.get_by_role("link", name="The first question").click()
    await expect(tab.locator(".note")).to_have_count(2)
    assert tab.url == before


async def test_a_suggestion_goes_into_the_message_box(tab: Page) -> None:
    await expect(tab.locator(".chip")).to_have_count(3)
    await tab.get_by_role("button", name="Describe this image").click()
    await expect(tab.locator("#words")).to_have_value("Describe this image")
    await expect(tab.locator("#words")).to_be_focused()


async def test_a_store_that_is_down_keeps_what_was_typed(tab: Page, served: Served) -> None:
    served.bot.down = True
    await say(tab, "Do not lose me")
    await expect(tab.get_by_role("alert")).to_contain_text("cannot store anything just now")
    await expect(tab.locator("#words")).to_have_value("Do not lose me")
    await expect(tab.locator(".note")).to_have_count(0)
    served.bot.down = False
    await tab.press("#words", "Enter")
    await expect(tab.locator(".note.loupe")).to_contain_text("KRW 301")
    await expect(tab.locator(".note.user")).to_have_count(1)
    await expect(tab.get_by_role("alert")).to_be_empty()


async def test_a_lost_connection_is_told_and_resumed(
    chromium: Browser, redis: Redis, tmp_path: Path
) -> None:
    page = await chromium.new_page()
    async with serve(redis, tmp_path) as first:
        await page.goto(first.address)
        await say(page, "Before")
        await expect(page.locator(".note.loupe")).to_contain_text("KRW 301")
        port = int(first.origin.rpartition(":")[2])
    await expect(page.locator("#banner")).to_have_text("Reconnecting…")
    await say(page, "Kept")
    await expect(page.get_by_role("alert")).to_contain_text("Loupe cannot be reached")
    await expect(page.locator("#words")).to_have_value("Kept")
    async with serve(redis, tmp_path, port=port) as second:
        address = address_of(conversation_of(page), "", quiet=False)
        await second.page.channel.post(address, Post("Back again"))
        await expect(page.locator(".note.loupe").last).to_contain_text("Back again", timeout=15_000)
        await expect(page.locator("#banner")).to_be_empty()
        await page.press("#words", "Enter")
        await expect(page.locator(".note.user").last).to_contain_text("Kept")
        await page.close()


async def test_an_ended_session_says_how_to_come_back(tab: Page, served: Served) -> None:
    await tab.context.clear_cookies()
    await say(tab, "Hello")
    await expect(tab.get_by_role("alert")).to_contain_text("This page's session has ended")
    await expect(tab.locator("#words")).to_have_value("Hello")


async def test_hostile_text_is_inert(tab: Page, served: Served) -> None:
    served.bot.pieces = (HOSTILE, "The end.")
    await say(tab, HOSTILE)
    await expect(tab.locator(".note.loupe")).to_contain_text("The end.")
    assert await tab.evaluate("() => window.hurt") is None
    markdown = tab.locator(".note.loupe .markdown")
    await expect(markdown.locator("img, script, iframe, b")).to_have_count(0)
    await expect(tab.locator(".note.user")).to_contain_text("<script>window.hurt=1</script>")
    links = await markdown.locator("a").evaluate_all("(all) => all.map((link) => link.href)")
    assert links == ["https://evil.example/c", "https://evil.example/d"]
    await expect(markdown.locator(".host")).to_have_text("(evil.example)")
    for link in await markdown.locator("a").all():
        assert await link.get_attribute("rel") == "noopener noreferrer"


@pytest.mark.parametrize(
    "text",
    [
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
    ],
    ids=range(12),
)
async def test_no_text_makes_the_page_hang(tab: Page, text: str) -> None:
    script = """async (text) => {
      const { show } = await import("/page/static/markdown.js");
      const start = performance.now();
      show(document.createElement("div"), text);
      return performance.now() - start;
    }"""
    assert await tab.evaluate(script, text) < 2_000


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a<br>b</p>"),
        ("# T #\n\n- a\n- b\n  1. c", "<h3>T</h3><ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
        ("**a *b* c** ~~d~~", "<p><strong>a <em>b</em> c</strong> <s>d</s></p>"),
        ("2 * 3 * 4, snake_case_name, \\*", "<p>2 * 3 * 4, snake_case_name, *</p>"),
        ("`` a`b `` and `open", "<p><code>a`b</code> and `open</p>"),
        ("````\n```\nx\n````", "<pre><code>```\nx</code></pre>"),
        ("```py\nx = 1", "<pre><code>x = 1</code></pre>"),
        ("> q\n> r", "<blockquote><p>q<br>r</p></blockquote>"),
        ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
        ("a\n---\nb", "<p>a</p><hr><p>b</p>"),
        (
            "|a|b|\n|-|:-:|\n|1|`x`|",
            "<div><table><tr><th>a</th><th>b</th></tr>"
            "<tr><td>1</td><td><code>x</code></td></tr></table></div>",
        ),
        ("5 < 6 &amp; 7 &nope;", "<p>5 &lt; 6 &amp; 7 &amp;nope;</p>"),
        ("1. a\n\n   b\n2. c", "<ol><li>a<p>b</p></li><li>c</li></ol>"),
    ],
)
async def test_markdown_is_shown(tab: Page, text: str, html: str) -> None:
    script = """async (text) => {
      const { show } = await import("/page/static/markdown.js");
      const box = document.createElement("div");
      for (let end = 1; end <= text.length; end += 1) show(box, text.slice(0, end));
      for (const node of box.querySelectorAll("*"))
        for (const { name } of [...node.attributes]) if (name !== "start") node.removeAttribute(name);
      return box.innerHTML.replace('<ol start="1">', "<ol>");
    }"""
    assert await tab.evaluate(script, text) == html


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


async def test_the_answer_to_a_photo_without_words_stands_below_the_words(
    tab: Page, served: Served
) -> None:
    served.bot.held = True
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await expect(tab.locator(".note.loupe")).to_contain_text("Looking at 1 photo…")
    await say(tab, "What is this?")
    await expect(tab.locator(".note.user")).to_have_count(2)
    served.bot.step(9)
    await expect(tab.locator(".note.loupe").first).to_contain_text("KRW 301")
    kinds = await tab.locator(".note").evaluate_all(
        "(all) => all.map((note) => note.classList.contains('user') ? 'user' : 'loupe')"
    )
    assert kinds[:3] == ["user", "user", "loupe"]


async def test_a_placeholder_that_was_left_behind_is_not_shown(tab: Page, served: Served) -> None:
    served.bot.held = True
    await say(tab, "What is this?")
    await expect(tab.locator(".note.loupe")).to_contain_text("Thinking")
    address = served.bot.accepted[0].address
    sent = await served.page.channel.post(address, Post("Thinking anew…", Stage.OPENING))
    await expect(tab.locator(".note.loupe")).to_have_count(2)
    await served.page.channel.edit(address, sent, Post("Here it is."))
    await expect(tab.locator(".note.loupe")).to_have_text(re.compile("Here it is."))
    await expect(tab.locator(STOP)).to_have_count(0)


async def test_everything_can_be_reached_by_keyboard(tab: Page, served: Served) -> None:
    await tab.keyboard.type("First line")
    await tab.keyboard.press("Shift+Enter")
    await tab.keyboard.type("second line")
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".note.loupe")).to_contain_text("KRW 301")
    assert served.bot.texts == ["First line\nsecond line"]
    await tab.reload()
    await expect(tab.locator(".note")).to_have_count(2)
    await tab.evaluate("() => document.activeElement.blur()")
    reached = []
    for _ in range(20):
        await tab.keyboard.press("Tab")
        reached.append(await tab.evaluate("() => document.activeElement.id"))
        outline = await tab.evaluate(
            "() => getComputedStyle(document.activeElement).outlineStyle"
            " + getComputedStyle(document.activeElement.closest('.desk') ?? document.body).boxShadow"
        )
        assert outline != "nonenone"
    for control in (
        "system",
        "model",
        "vision",
        "json",
        "new",
        "scroll",
        "words",
        "attach",
        "send",
    ):
        assert control in reached


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_light_and_dark_wide_and_narrow(
    chromium: Browser, served: Served, scheme: Any, width: int
) -> None:
    context = await chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 740}
    )
    page = await context.new_page()
    await page.goto(served.address)
    await say(page, "x" * 300)
    await expect(page.locator(".note.loupe")).to_contain_text("KRW 301")
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert await page.evaluate(CONTRAST) >= 4.5
    ground = await page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", ground)[:3]) / 3
    assert (brightness > 128) is (scheme == "light")
    await context.close()


CONTRAST = """() => {
  // The least contrast of any text on the page, as WCAG 2.2 defines it.
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return (parts(colour)[3] ?? 1) > 0 || !node.parentElement ? colour : ground(node.parentElement);
  };
  const ratio = (node) => {
    const [dark, bright] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const shown = [...document.querySelectorAll("body *")].filter((node) =>
    node.checkVisibility() && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
  return Math.min(...shown.map(ratio));
}"""


async def test_the_setup_opens_and_closes_on_a_narrow_screen(
    chromium: Browser, served: Served
) -> None:
    page = await chromium.new_page(viewport={"width": 360, "height": 740})
    await page.goto(served.address)
    await expect(page.locator("#setup")).to_be_hidden()
    await page.get_by_role("button", name="Setup").click()
    await expect(page.locator("#system")).to_have_value(SYSTEM)
    await expect(page.locator("#setup-close")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#setup")).to_be_hidden()
    await expect(page.locator("#setup-open")).to_be_focused()
    await page.close()


async def test_controls_have_names_for_screen_readers(tab: Page) -> None:
    nameless = await tab.evaluate(
        """() => [...document.querySelectorAll("button, select, textarea, a, [role]")]
          .filter((node) => node.checkVisibility() && !node.ariaLabel && !node.textContent.trim()
            && !node.labels?.length && !node.hasAttribute("aria-labelledby")
            && !["status", "alert"].includes(node.role))
          .map((node) => node.outerHTML)"""
    )
    assert nameless == []


async def test_motion_is_reduced_for_those_who_ask(chromium: Browser, served: Served) -> None:
    served.bot.held = True
    context = await chromium.new_context(reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(served.address)
    await say(page, "What is this?")
    face = page.locator(".note.loupe .face")
    assert await face.evaluate("(node) => getComputedStyle(node).animationName") == "none"
    await context.close()
