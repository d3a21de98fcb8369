"""A real browser, and the local page in a tab of it."""

from __future__ import annotations

import base64
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.async_api import async_playwright, expect

from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page, Request

CHROMIUM = shutil.which("chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHOTO = MEDIA / "notice_double_parking.jpg"
STOP = "#send.stop"


@asynccontextmanager
async def launch_browser() -> AsyncIterator[Browser]:
    """Run Chromium until the block ends; a machine without it skips the test."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    expect.set_options(timeout=30_000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        await browser.close()


class PageAddress(Protocol):
    """Where the page is served, and the address that opens it."""

    @property
    def origin(self) -> str: ...

    @property
    def address(self) -> str: ...


@asynccontextmanager
async def open_page(
    browser: Browser, address: PageAddress, width: int = 1200
) -> AsyncIterator[Page]:
    """Open the page by its printed address; whatever it complains of fails the test."""
    context = await browser.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.extend(_foreign(request, address.origin)))
    await page.goto(address.address)
    await expect(page.locator("#model option")).to_have_count(2)
    yield page
    await context.close()
    assert errors == []


def _foreign(request: Request, origin: str) -> list[str]:
    """Complain of a request that leaves the machine."""
    inside = request.url.startswith((origin, f"blob:{origin}"))
    return [] if inside else [f"asked for {request.url}"]


async def say(page: Page, text: str) -> None:
    """Type a message and send it."""
    await page.fill("#words", text)
    await page.press("#words", "Enter")


async def put_photo(page: Page, event: str, name: str, types: tuple[str, ...] = ()) -> None:
    """Paste or drop a photo as a browser does, with other `types` beside it."""
    data = base64.b64encode(PHOTO.read_bytes()).decode()
    script = """([event, name, data, types]) => {
      const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
      types.forEach((type) => transfer.setData(type, "words"));
      const common = { bubbles: true, cancelable: true };
      const made = event === "paste"
        ? new ClipboardEvent(event, { clipboardData: transfer, ...common })
        : new DragEvent(event, { dataTransfer: transfer, ...common });
      document.getElementById("words").dispatchEvent(made);
    }"""
    await page.evaluate(script, [event, name, data, list(types)])


async def shows_a_picture(page: Page, selector: str) -> bool:
    """Return whether an image was really loaded."""
    width = await page.locator(selector).evaluate(
        "(image) => image.decode().then(() => image.naturalWidth)"
    )
    return bool(width)
