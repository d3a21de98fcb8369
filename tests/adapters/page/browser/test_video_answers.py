"""A conversation about a video on the page, in a real browser, with the whole bot behind it."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from bot import strings as texts
from tests.helpers.browser import PHOTO, STOP, open_page, say
from tests.helpers.scene_videos import scene_video, share
from tests.helpers.tool_calls import frames_call, outline_call
from tests.helpers.video_questions import frame_times
from tests.servers.openai import call_tools
from tests.servers.openai import say as answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWER = "It is **dark red** from 0:01.0 to 0:02.0, then olive."
CELLS = ".message.loupe .cells li"
VIEWER = "#viewer[open]"


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Browser, video_bot: RunningBot) -> AsyncIterator[Page]:
    """The page of the whole bot."""
    async with open_page(chromium, video_bot) as page:
        yield page


def clip(data: bytes = b"", name: str = "day.mp4") -> Any:
    return {"name": name, "mimeType": "video/mp4", "buffer": data or scene_video()}


async def ask(page: Page, words: str, *files: Any) -> None:
    """Attach files and ask about them."""
    await page.set_input_files("#picker", [*files])
    await expect(page.locator("#thumbs li:not(.loading)")).to_have_count(len(files))
    await say(page, words)


async def loaded(page: Page, count: int) -> None:
    """Wait until so many frames are shown."""
    await expect(page.locator(CELLS)).to_have_count(count)
    await page.wait_for_function(
        "() => [...document.querySelectorAll('.cells img')].every((one) => one.naturalWidth)"
    )


async def test_a_video_is_posted_worked_on_and_answered_with_its_frames(
    tab: Page, video_bot: RunningBot
) -> None:
    video_bot.vision.gate = asyncio.Event()
    video_bot.model.then(answer(ANSWER))
    await ask(tab, "When is it red?", clip())
    told = tab.locator(".message.loupe .markdown")
    await expect(told).to_have_text(texts.choosing_progress("V1 day.mp4"))
    await expect(tab.locator(STOP)).to_be_visible()
    video_bot.vision.gate.set()
    await expect(told).to_have_text("It is dark red from 0:01.0 to 0:02.0, then olive.")
    await loaded(tab, 2)
    await expect(tab.locator(".message.loupe")).to_have_count(1)
    await expect(tab.locator(STOP)).to_have_count(0)
    await expect(tab.locator(f"{CELLS} > button")).to_have_text(["0:01.0", "0:02.0"])
    (request,) = video_bot.model.requests
    assert frame_times(request) == ["0:00.0", "0:01.0", "0:02.0"]


async def test_a_frame_is_opened_large_from_its_cell_and_from_the_text(
    tab: Page, video_bot: RunningBot
) -> None:
    video_bot.model.then(answer(ANSWER))
    await ask(tab, "When is it red?", clip())
    await loaded(tab, 2)
    await tab.locator(f"{CELLS} .canvas").first.click()
    await expect(tab.get_by_role("dialog", name="V1 0:01.0 (1 of 2)")).to_be_visible()
    shown = Image.open(io.BytesIO(await tab.locator(f"{VIEWER} img").screenshot()))
    assert share(shown, "darkred") > 0.9
    await tab.keyboard.press("Escape")
    await tab.locator(".markdown .time", has_text="0:02.0").click()
    await expect(tab.get_by_role("dialog", name="V1 0:02.0 (2 of 2)")).to_be_visible()


async def test_an_outline_lies_on_the_frame_that_the_model_asked_for(
    tab: Page, video_bot: RunningBot
) -> None:
    video_bot.model.then(
        call_tools(frames_call("0:01.2", "0:01.2")),
        call_tools(outline_call("door", [200, 300, 400, 600], photo="V1 0:01.2")),
        answer("A door [1] stands open at 0:01.2."),
    )
    await ask(tab, "What is it?", clip())
    await loaded(tab, 1)
    await expect(tab.locator(f"{CELLS} > button")).to_have_text("0:01.2")
    await expect(tab.locator(f"{CELLS} .badge")).to_have_text("1")
    await tab.locator(".cite", has_text="1").hover()
    await expect(tab.locator(f"{CELLS} .badge.lit")).to_have_count(1)


async def test_a_reload_and_a_question_afterwards_keep_the_video(
    tab: Page, video_bot: RunningBot
) -> None:
    video_bot.model.then(answer(ANSWER), answer("It is navy at 0:00.5."))
    await ask(tab, "When is it red?", clip())
    await loaded(tab, 2)
    await tab.reload()
    await loaded(tab, 2)
    await expect(tab.locator(".message.user video")).to_have_count(1)
    await say(tab, "And at 0:00.5?")
    await loaded(tab, 3)
    assert "0:00.5" in frame_times(video_bot.model.requests[-1])


async def test_photos_and_videos_go_together(tab: Page, video_bot: RunningBot) -> None:
    video_bot.model.then(answer("Red at V1 0:01.0, white at V2 0:00.0."))
    white = scene_video((1.0, "white", ""), (0.7, "black", ""))
    photo = {"name": PHOTO.name, "mimeType": "image/jpeg", "buffer": PHOTO.read_bytes()}
    await ask(tab, "Compare them", photo, clip(), clip(white, "night.mp4"))
    await loaded(tab, 2)
    figures = tab.locator(".message.loupe figure")
    await expect(figures).to_have_count(2)


async def test_stop_ends_the_work_on_a_video(tab: Page, video_bot: RunningBot) -> None:
    video_bot.vision.gate = asyncio.Event()
    await ask(tab, "When is it red?", clip())
    await expect(tab.locator(".message.loupe .markdown")).to_have_text(
        texts.choosing_progress("V1 day.mp4")
    )
    await tab.get_by_role("button", name="Stop").click()
    await expect(tab.locator(".message.loupe .markdown")).to_have_text(
        "Stopped before the answer began."
    )
    await expect(tab.locator(STOP)).to_have_count(0)
    assert video_bot.model.requests == []


async def test_a_narrow_page_shows_frames_side_by_side(
    chromium: Browser, video_bot: RunningBot
) -> None:
    video_bot.model.then(answer(ANSWER))
    async with open_page(chromium, video_bot, width=360) as page:
        await ask(page, "When is it red?", clip())
        await loaded(page, 2)
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 360
