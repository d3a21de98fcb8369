"""The controls around the chat, in a real browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.helpers.browser import say
from tests.servers.page import SYSTEM

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_system_message_changes_after_the_confirmation(
    tab: Page, page_server: ServedPage
) -> None:
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
    await expect(tab.locator("#toast")).to_contain_text("The new system message applies")
    await expect(apply).to_be_disabled()
    await expect(tab.locator(".message")).to_have_count(0)
    assert page_server.bot.texts == [
        "/system You are a car expert.\nBe brief.",
        "/system continue",
    ]
    assert page_server.bot.state["system"] == "You are a car expert.\nBe brief."


async def test_a_new_system_message_can_be_dropped(tab: Page, page_server: ServedPage) -> None:
    await tab.fill("#system", "Something else")
    await tab.get_by_role("button", name="Apply changes").click()
    await expect(tab.get_by_role("dialog")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#toast")).to_contain_text("stays as it is")
    await expect(tab.locator("#system")).to_have_value("Something else")
    await expect(tab.locator("#apply")).to_be_enabled()
    assert page_server.bot.texts[-1] == "/system cancel"
    assert page_server.bot.state["system"] == SYSTEM


async def test_an_open_confirmation_survives_a_reload(tab: Page, page_server: ServedPage) -> None:
    await tab.fill("#system", "Something else")
    await tab.get_by_role("button", name="Apply changes").click()
    await expect(tab.get_by_role("dialog")).to_be_visible()
    await tab.reload()
    await tab.get_by_role("dialog").get_by_role("button", name="Continue").click()
    await expect(tab.locator("#system")).to_have_value("Something else")


async def test_a_typed_command_shows_with_its_buttons(tab: Page, page_server: ServedPage) -> None:
    await say(tab, "/system Typed by hand")
    answer = tab.locator(".message.loupe")
    await answer.get_by_role("button", name="Continue").click()
    await expect(tab.locator(".message.user").last).to_have_text(re.compile("/system continue$"))
    await expect(tab.locator("#system")).to_have_value("Typed by hand")
    await expect(tab.get_by_role("dialog")).to_have_count(0)


async def test_the_deployment_and_vision_are_chosen_by_commands(
    tab: Page, page_server: ServedPage
) -> None:
    await tab.select_option("#model", "gpt-4.1-mini")
    await expect(tab.locator("#toast")).to_contain_text("gpt-4.1-mini will answer in this chat")
    vision = tab.get_by_role("switch", name="Vision")
    await expect(vision).to_have_attribute("aria-checked", "true")
    await vision.click()
    await expect(vision).to_have_attribute("aria-checked", "false")
    await expect(tab.locator("#model")).to_have_value("gpt-4.1-mini")
    assert page_server.bot.texts == ["/model gpt-4.1-mini", "/vision off"]
    await expect(tab.locator(".message")).to_have_count(0)


@pytest.mark.parametrize("as_file", [False, True])
async def test_the_raw_json_parses(tab: Page, page_server: ServedPage, as_file: bool) -> None:
    transcript = [
        {"role": "system", "content": [SYSTEM]},
        {"role": "user", "content": ["```\n</pre><script>\\ 'é\u2028☕"]},
    ]
    page_server.bot.transcript = json.dumps(transcript)
    page_server.bot.file = json.dumps(transcript).encode() if as_file else b""
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
    await expect(tab.locator(".message")).to_have_count(0)


async def test_the_raw_json_is_copied(tab: Page) -> None:
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.get_by_role("button", name="Show raw JSON").click()
    await tab.get_by_role("button", name="Copy").click()
    await expect(tab.locator("#raw-status")).to_have_text("Copied.")
    copied = await tab.evaluate("() => navigator.clipboard.readText()")
    assert json.loads(copied)[0]["role"] == "system"


async def test_a_new_conversation_starts_empty_and_the_old_one_is_found_again(tab: Page) -> None:
    await say(tab, "The first question")
    await expect(tab.locator(".message.loupe")).to_contain_text("KRW 301")
    before = tab.url
    await tab.fill("#system", "Goes along")
    await tab.get_by_role("button", name="New conversation").click()
    await expect(tab.locator("#empty h2")).to_be_visible()
    assert tab.url != before
    await expect(tab.locator("#system")).to_have_value("Goes along")
    await expect(tab.locator("#apply")).to_be_enabled()
    await tab.get_by_role("link", name="The first question").click()
    await expect(tab.locator(".message")).to_have_count(2)
    assert tab.url == before
