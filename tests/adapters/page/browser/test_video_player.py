"""Videos that are posted on the page, in a real browser."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from playwright.async_api import expect

from tests.helpers.browser import PHOTO
from tests.helpers.images import MEDIA
from tests.servers.page import serve

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Page, Route
    from redis.asyncio import Redis

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIP = MEDIA / "vtest12_vp9.webm"
PLAYER = ".message.user video"


def sound_only() -> bytes:
    """An MP4 file without any picture."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=44_100)
        samples = np.zeros((1, 44_100), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return buffer.getvalue()


def file(name: str, data: bytes, media_type: str = "video/mp4") -> Any:
    return {"name": name, "mimeType": media_type, "buffer": data}


async def test_a_posted_video_plays_in_the_post(tab: Page, page_server: ServedPage) -> None:
    await tab.set_input_files("#picker", CLIP)
    thumb = tab.locator("#thumbs video")
    await tab.wait_for_function("() => document.querySelector('#thumbs video')?.videoWidth > 0")
    await expect(thumb).to_have_attribute("aria-label", CLIP.name)
    await tab.click("#send")
    player = tab.locator(PLAYER)
    await expect(player).to_have_attribute("aria-label", CLIP.name)
    await expect(player).to_have_attribute("preload", "metadata")
    await tab.wait_for_function(f"() => document.querySelector('{PLAYER}')?.duration > 10")
    await expect(tab.locator(".message.user .caption")).to_have_text(CLIP.name)
    (attachment,) = page_server.bot.accepted[0].attachments
    assert attachment.name == CLIP.name
    seeked = """(player) => new Promise((resolve) => {
      player.onseeked = () => resolve(player.currentTime);
      player.currentTime = 10;
    })"""
    assert await player.evaluate(seeked) == pytest.approx(10, abs=0.1)


async def test_only_parts_of_a_video_are_asked_for(tab: Page) -> None:
    statuses: list[int] = []
    tab.on("response", lambda got: "/blob/" in got.url and statuses.append(got.status))
    await tab.set_input_files("#picker", CLIP)
    await tab.click("#send")
    await tab.wait_for_function(f"() => document.querySelector('{PLAYER}')?.videoWidth > 0")
    assert set(statuses) == {206}


@pytest.mark.parametrize(
    ("name", "data", "chip"),
    [
        ("dash.avi", b"RIFF\0\0\0\0AVI LIST", "AVI"),
        ("cut.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500), "MP4"),
        ("song.mp4", sound_only(), "MP4"),
    ],
)
async def test_what_the_browser_cannot_show_is_a_chip(
    tab: Page, name: str, data: bytes, chip: str
) -> None:
    await tab.set_input_files("#picker", file(name, data))
    await expect(tab.locator("#thumbs .file")).to_have_text(name)
    await tab.click("#send")
    shown = tab.locator(".message.user a.file")
    await expect(shown).to_have_text(f"{chip}{name}")
    await expect(tab.locator(PLAYER)).to_have_count(0)
    async with tab.expect_download() as download:
        await shown.click()
    assert (await (await download.value).path()).read_bytes() == data


async def test_a_video_that_was_erased_says_so(tab: Page, tmp_path: Path) -> None:
    await tab.set_input_files("#picker", CLIP)
    await tab.click("#send")
    await expect(tab.locator(PLAYER)).to_be_visible()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    await tab.reload()
    await expect(tab.locator(".message.user .file")).to_have_text(
        f"{CLIP.name} is no longer available"
    )


async def test_photos_and_a_video_go_in_one_message(tab: Page, page_server: ServedPage) -> None:
    await tab.set_input_files("#picker", [PHOTO, CLIP])
    await expect(tab.locator("#thumbs li")).to_have_count(2)
    await tab.click("#send")
    await expect(tab.locator(".message.user li img")).to_have_count(1)
    await expect(tab.locator(PLAYER)).to_be_visible()
    names = [attachment.name for attachment in page_server.bot.accepted[0].attachments]
    assert names == [PHOTO.name, CLIP.name]


async def test_an_upload_shows_how_far_it_is(tab: Page) -> None:
    release = asyncio.Event()

    async def held(route: Route) -> None:
        await release.wait()
        await route.continue_()

    await tab.route("**/page/files?*", held)
    await tab.set_input_files("#picker", CLIP)
    bar = tab.get_by_role("progressbar", name=f"Uploading {CLIP.name}")
    await expect(bar).to_be_visible()
    release.set()
    await expect(bar).to_have_count(0)
    await expect(tab.locator("#thumbs .failed")).to_have_count(0)


async def test_the_bar_grows_with_what_was_sent(tab: Page) -> None:
    await tab.evaluate(
        """() => {
          window.shares = [];
          const watched = new MutationObserver(() => {
            const bar = document.querySelector("#thumbs progress");
            if (bar) window.shares.push(bar.value);
          });
          const all = { subtree: true, attributes: true, childList: true };
          watched.observe(document.getElementById("thumbs"), all);
        }"""
    )
    await tab.set_input_files("#picker", CLIP)
    await expect(tab.locator("#thumbs .loading")).to_have_count(0)
    shares = await tab.evaluate("() => window.shares")
    assert shares[0] == 0
    assert shares[-1] == 1


async def test_an_upload_that_is_taken_back_says_nothing(tab: Page) -> None:
    await tab.route("**/page/files?*", lambda route: asyncio.sleep(0))
    await tab.set_input_files("#picker", CLIP)
    await tab.get_by_role("button", name=f"Remove {CLIP.name}").click()
    await expect(tab.locator("#thumbs")).to_be_hidden()
    await expect(tab.get_by_role("alert")).to_be_empty()


async def test_an_upload_that_the_server_refuses_says_why(
    chromium: Browser, page_store: Redis, tmp_path: Path
) -> None:
    limits = {"max_photo_bytes": 1_000, "max_video_bytes": 2_000_000}
    async with serve(page_store, tmp_path, **limits) as page_server:
        page = await chromium.new_page()
        await page.goto(page_server.address)
        await page.set_input_files("#picker", file("notes.mp4", b"%PDF-1.7" + bytes(5_000)))
        await expect(page.locator("#thumbs .failed")).to_be_visible()
        await expect(page.get_by_role("alert")).to_contain_text("cannot read this type of file")
        await page.close()


async def test_the_picker_offers_videos(tab: Page) -> None:
    accepted = await tab.locator("#picker").get_attribute("accept")
    assert {"image/*", "video/*"} <= set((accepted or "").split(","))
    await expect(tab.get_by_role("button", name="Attach photos or videos")).to_be_visible()
