"""A conversation on the page, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from adapters.page.channel import PageAddress
from bot.ports.channel import Post, Stage
from tests.helpers.browser import PHOTO, STOP, put_photo, say, shows_a_picture
from tests.helpers.images import MEDIA
from tests.servers.page import serve

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Page
    from redis.asyncio import Redis

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


def conversation_of(page: Page) -> str:
    return page.url.rpartition("/c/")[2]


async def test_the_token_leaves_the_address_and_every_visit_is_a_conversation(tab: Page) -> None:
    assert re.search(r"/c/[0-9a-f]{32}$", tab.url)
    await expect(tab.locator("#empty h2")).to_be_visible()
    await expect(tab.locator("#words")).to_be_focused()


async def test_a_question_is_answered_as_it_grows(tab: Page, page_server: ServedPage) -> None:
    page_server.bot.held = True
    await say(tab, "What is this?")
    await expect(tab.locator(".message.user")).to_contain_text("What is this?")
    answer = tab.locator(".message.loupe .markdown")
    await expect(answer).to_have_text("Thinking about it…")
    await expect(tab.locator(STOP)).to_have_attribute("aria-label", "Stop")
    page_server.bot.step()
    await expect(answer).to_have_text("A red car")
    page_server.bot.step()
    await expect(answer).to_have_text("A red car stands by the road.")
    page_server.bot.step()
    await expect(tab.locator(STOP)).to_have_count(0)
    await expect(answer.locator("strong")).to_have_text("KRW 301")
    await expect(tab.locator(".message.loupe .foot")).to_have_text("AI-generated")
    await expect(tab.locator("#words")).to_have_value("")
    assert page_server.bot.texts == ["What is this?"]


async def test_whole_answers_are_read_out_and_growing_ones_are_not(
    tab: Page, page_server: ServedPage
) -> None:
    log = tab.locator("[role=log][aria-live=polite]")
    page_server.bot.held = True
    await say(tab, "What is this?")
    await expect(log).to_have_text("Thinking about it…")
    page_server.bot.step()
    await expect(tab.locator(".message.loupe")).to_contain_text("A red car")
    page_server.bot.step(5)
    await expect(log).to_contain_text("Its plate reads KRW 301.")
    said = await log.locator("p").all_inner_texts()
    assert said == ["Thinking about it…", "A red car stands by the road. Its plate reads KRW 301."]


async def test_photos_are_attached_by_button_paste_and_drop(
    tab: Page, page_server: ServedPage
) -> None:
    async with tab.expect_file_chooser() as chooser:
        await tab.click("#attach")
    await (await chooser.value).set_files(PHOTO)
    await put_photo(tab, "paste", "pasted.jpg")
    await put_photo(tab, "dragover", "dropped.jpg")
    await expect(tab.locator("#drop")).to_be_visible()
    await put_photo(tab, "drop", "dropped.jpg")
    await expect(tab.locator("#drop")).to_be_hidden()
    for name in ("notice_double_parking.jpg", "pasted.jpg", "dropped.jpg"):
        assert await shows_a_picture(tab, f"#thumbs img[alt='{name}']")
    await tab.get_by_role("button", name="Remove pasted.jpg").click()
    await expect(tab.locator("#thumbs li")).to_have_count(2)
    await say(tab, "May I park?")
    await expect(tab.locator(".message.user .frame")).to_have_count(2)
    assert await shows_a_picture(tab, ".message.user img[alt='dropped.jpg']")
    await expect(tab.locator(".message.loupe")).to_contain_text("KRW 301")
    names = [file.name for file in page_server.bot.accepted[0].attachments]
    assert names == ["notice_double_parking.jpg", "dropped.jpg"]
    await expect(tab.locator("#thumbs")).to_be_hidden()


async def test_words_that_are_pasted_stay_words(tab: Page) -> None:
    await put_photo(tab, "paste", "picture-of-words.png", ("text/plain",))
    await expect(tab.locator("#thumbs li")).to_have_count(0)


async def test_a_photo_is_enlarged_and_put_back(tab: Page) -> None:
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await tab.locator(".message.user").get_by_role("button").click()
    viewer = tab.get_by_role("dialog")
    await expect(viewer.get_by_role("img", name="notice_double_parking.jpg")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)


async def test_a_file_that_no_browser_shows_is_a_chip(tab: Page, page_server: ServedPage) -> None:
    await tab.set_input_files("#picker", MEDIA / "arrow.heic")
    await expect(tab.locator("#thumbs .file")).to_have_text("arrow.heic")
    await tab.click("#send")
    chip = tab.locator(".message.user a.file")
    await expect(chip).to_contain_text("HEIC")
    async with tab.expect_download() as download:
        await chip.click()
    path = await (await download.value).path()
    assert path.read_bytes() == (MEDIA / "arrow.heic").read_bytes()


async def test_a_photo_that_was_erased_says_so(tab: Page, tmp_path: Path) -> None:
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await expect(tab.locator(".message.user .frame")).to_be_visible()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    await tab.reload()
    await expect(tab.locator(".message.user .file")).to_have_text(
        "notice_double_parking.jpg is no longer available"
    )


async def test_a_picture_that_no_browser_can_show_says_so(tab: Page) -> None:
    await tab.set_input_files("#picker", MEDIA / "broken.png")
    await tab.click("#send")
    await expect(tab.locator(".message.user .file")).to_have_text("broken.png cannot be shown")


async def test_a_picture_that_does_not_arrive_is_not_called_erased(tab: Page) -> None:
    await tab.route("**/page/blob/**", lambda route: route.fulfill(status=503))
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await expect(tab.locator(".message.user .file")).to_have_text(f"{PHOTO.name} cannot be shown")


async def test_a_file_that_is_refused_keeps_the_message(
    chromium: Browser, page_store: Redis, tmp_path: Path
) -> None:
    async with serve(page_store, tmp_path, max_photo_bytes=1000) as page_server:
        page = await chromium.new_page()
        await page.goto(page_server.address)
        await expect(page.locator("#model option")).to_have_count(2)
        await page.set_input_files("#picker", PHOTO)
        await expect(page.get_by_role("alert")).to_contain_text("is too large")
        await expect(page.locator("#thumbs li")).to_have_count(0)
        await page.close()


async def test_a_video_may_be_larger_than_a_photo(
    chromium: Browser, page_store: Redis, tmp_path: Path
) -> None:
    clip = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(2000)
    async with serve(page_store, tmp_path, max_photo_bytes=1000) as page_server:
        page = await chromium.new_page()
        await page.goto(page_server.address)
        await expect(page.locator("#model option")).to_have_count(2)
        await page.set_input_files(
            "#picker", {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": clip}
        )
        await expect(page.locator("#thumbs li:not(.loading):not(.failed)")).to_have_count(1)
        await expect(page.get_by_role("alert")).to_be_empty()
        await page.close()


async def test_a_file_that_did_not_arrive_holds_the_message_back(
    tab: Page, page_server: ServedPage
) -> None:
    await tab.route("**/page/files?*", lambda route: route.abort())
    await tab.set_input_files("#picker", PHOTO)
    await expect(tab.locator("#thumbs .failed")).to_be_visible()
    await expect(tab.get_by_role("alert")).to_contain_text("could not be attached")
    await say(tab, "What is this?")
    await expect(tab.get_by_role("alert")).to_contain_text("Please remove it")
    assert page_server.bot.accepted == []
    await tab.get_by_role("button", name="Remove").click()
    await tab.press("#words", "Enter")
    await expect(tab.locator(".message.loupe")).to_contain_text("KRW 301")


@pytest.mark.parametrize("how", ["button", "escape"])
async def test_stop_ends_the_answer_and_keeps_its_beginning(
    tab: Page, page_server: ServedPage, how: str
) -> None:
    page_server.bot.held = True
    await say(tab, "What is this?")
    page_server.bot.step()
    await expect(tab.locator(".message.loupe")).to_contain_text("A red car")
    if how == "button":
        await tab.get_by_role("button", name="Stop").click()
    else:
        await tab.keyboard.press("Escape")
    await expect(tab.locator(STOP)).to_have_count(0)
    await expect(tab.locator(".message.loupe .markdown p")).to_have_text(["A red car", "Stopped."])
    await expect(tab.locator(".message.loupe .foot")).to_have_text("AI-generated, stopped")
    await expect(tab.locator(".message")).to_have_count(2)
    assert page_server.bot.texts == ["What is this?", "/stop"]


async def test_a_reload_in_the_middle_of_an_answer_goes_on(
    tab: Page, page_server: ServedPage
) -> None:
    page_server.bot.held = True
    await say(tab, "What is this?")
    page_server.bot.step()
    await expect(tab.locator(".message.loupe")).to_contain_text("A red car")
    await tab.fill("#words", "Half a thou")
    await tab.reload()
    await expect(tab.locator(".message.loupe .markdown")).to_have_text("A red car")
    await expect(tab.locator(STOP)).to_be_visible()
    await expect(tab.locator("#words")).to_have_value("Half a thou")
    page_server.bot.step(5)
    await expect(tab.locator(".message.loupe")).to_contain_text("KRW 301")
    await expect(tab.locator(".message")).to_have_count(2)


async def test_a_suggestion_goes_into_the_message_box(tab: Page) -> None:
    await expect(tab.locator(".chip")).to_have_count(3)
    await tab.get_by_role("button", name="Describe this image").click()
    await expect(tab.locator("#words")).to_have_value("Describe this image")
    await expect(tab.locator("#words")).to_be_focused()


async def test_a_store_that_is_down_keeps_what_was_typed(
    tab: Page, page_server: ServedPage
) -> None:
    page_server.bot.down = True
    await say(tab, "Do not lose me")
    await expect(tab.get_by_role("alert")).to_contain_text("cannot store anything right now")
    await expect(tab.locator("#words")).to_have_value("Do not lose me")
    await expect(tab.locator(".message")).to_have_count(0)
    page_server.bot.down = False
    await tab.press("#words", "Enter")
    await expect(tab.locator(".message.loupe")).to_contain_text("KRW 301")
    await expect(tab.locator(".message.user")).to_have_count(1)
    await expect(tab.get_by_role("alert")).to_be_empty()


async def test_a_lost_connection_is_told_and_resumed(
    chromium: Browser, page_store: Redis, tmp_path: Path
) -> None:
    page = await chromium.new_page()
    async with serve(page_store, tmp_path) as first:
        await page.goto(first.address)
        await say(page, "Before")
        await expect(page.locator(".message.loupe")).to_contain_text("KRW 301")
        port = int(first.origin.rpartition(":")[2])
    await expect(page.locator("#banner")).to_have_text("Reconnecting…")
    await say(page, "Kept")
    await expect(page.get_by_role("alert")).to_contain_text("Loupe cannot be reached")
    await expect(page.locator("#words")).to_have_value("Kept")
    async with serve(page_store, tmp_path, port=port) as second:
        address = PageAddress(conversation_of(page), "", quiet=False)
        await second.page.channel.post(address, Post("Back again"))
        await expect(page.locator(".message.loupe").last).to_contain_text(
            "Back again", timeout=15_000
        )
        await expect(page.locator("#banner")).to_be_empty()
        await page.press("#words", "Enter")
        await expect(page.locator(".message.user").last).to_contain_text("Kept")
        await page.close()


async def test_an_ended_session_says_how_to_come_back(tab: Page, page_server: ServedPage) -> None:
    await tab.context.clear_cookies()
    await say(tab, "Hello")
    await expect(tab.get_by_role("alert")).to_contain_text("Your session has ended")
    await expect(tab.locator("#words")).to_have_value("Hello")


async def test_the_answer_to_a_photo_without_words_stands_below_the_words(
    tab: Page, page_server: ServedPage
) -> None:
    page_server.bot.held = True
    await tab.set_input_files("#picker", PHOTO)
    await tab.click("#send")
    await expect(tab.locator(".message.loupe")).to_contain_text("Looking at 1 photo…")
    await say(tab, "What is this?")
    await expect(tab.locator(".message.user")).to_have_count(2)
    page_server.bot.step(9)
    await expect(tab.locator(".message.loupe").first).to_contain_text("KRW 301")
    kinds = await tab.locator(".message").evaluate_all(
        "(all) => all.map((message) => message.classList.contains('user') ? 'user' : 'loupe')"
    )
    assert kinds[:3] == ["user", "user", "loupe"]


async def test_a_placeholder_that_was_left_behind_is_not_shown(
    tab: Page, page_server: ServedPage
) -> None:
    page_server.bot.held = True
    await say(tab, "What is this?")
    await expect(tab.locator(".message.loupe")).to_contain_text("Thinking")
    address = page_server.bot.accepted[0].address
    sent = await page_server.page.channel.post(address, Post("Thinking anew…", Stage.OPENING))
    await expect(tab.locator(".message.loupe")).to_have_count(2)
    await page_server.page.channel.edit(address, sent, Post("Here it is."))
    await expect(tab.locator(".message.loupe")).to_have_count(1)
    await expect(tab.locator(".message.loupe .markdown")).to_have_text("Here it is.")
    await expect(tab.locator(STOP)).to_have_count(0)
