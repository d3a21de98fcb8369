"""The page for every eye and hand, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.helpers.browser import say
from tests.helpers.browser_pictures import CONTRAST
from tests.servers.page import SYSTEM

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


MARKED = """() => {
  // Whether people see where the focus is; the message box shows it on its frame.
  const node = document.activeElement;
  const frame = node.id === "words" ? getComputedStyle(node.closest(".input")).boxShadow : "none";
  const outline = getComputedStyle(node).outlineStyle;
  return node === document.body || outline !== "none" || frame !== "none";
}"""


async def test_everything_can_be_reached_by_keyboard(tab: Page, page_server: ServedPage) -> None:
    await tab.keyboard.type("First line")
    await tab.keyboard.press("Shift+Enter")
    await tab.keyboard.type("second line")
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".message.loupe")).to_contain_text("KRW 301")
    assert page_server.bot.texts == ["First line\nsecond line"]
    await tab.reload()
    await expect(tab.locator(".message")).to_have_count(2)
    await tab.evaluate("() => document.activeElement.blur()")
    reached, marked = [], []
    for _ in range(20):
        await tab.keyboard.press("Tab")
        reached.append(await tab.evaluate("() => document.activeElement.id"))
        marked.append(await tab.evaluate(MARKED))
    assert all(marked)
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
    chromium: Browser, page_server: ServedPage, scheme: Any, width: int
) -> None:
    context = await chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 740}
    )
    page = await context.new_page()
    await page.goto(page_server.address)
    await say(page, "x" * 300)
    await expect(page.locator(".message.loupe")).to_contain_text("KRW 301")
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert await page.evaluate(CONTRAST) >= 4.5
    ground = await page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", ground)[:3]) / 3
    assert (brightness > 128) is (scheme == "light")
    await context.close()


async def test_the_setup_opens_and_closes_on_a_narrow_screen(
    chromium: Browser, page_server: ServedPage
) -> None:
    page = await chromium.new_page(viewport={"width": 360, "height": 740})
    await page.goto(page_server.address)
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


async def test_motion_is_reduced_for_those_who_ask(
    chromium: Browser, page_server: ServedPage
) -> None:
    page_server.bot.held = True
    context = await chromium.new_context(reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(page_server.address)
    await say(page, "What is this?")
    face = page.locator(".message.loupe .face")
    assert await face.evaluate("(node) => getComputedStyle(node).animationName") == "none"
    await context.close()
