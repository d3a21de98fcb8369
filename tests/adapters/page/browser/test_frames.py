"""Frames of a video below an answer, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.async_api import expect

from adapters.page.channel import PageAddress
from bot.domain.outlines import Outline
from bot.ports.channel import Citation, FrameAttachment, PictureAttachment, Post
from tests.helpers.browser_pictures import CONTRAST, box, lit_marks
from tests.helpers.images import encode_image

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS = "m1"
ALT = "Frames of V1 crash.mp4 at 0:03.2, 0:12.4, 1:02.0 with outlines: 1 car, 2 plate."
CAR = Outline(1, 1, "car", box(0.3, 0.3, 0.7, 0.7))
PLATE = Outline(2, 2, "plate", box(0.1, 0.2, 0.3, 0.4))
TEXT = (
    "The **car** [1] comes at 0:03.2 and brakes (V1 0:12.4); its plate [2] can be read at 1:02. "
    "At 0:07.0 and V2 0:12.4 there is nothing, and `0:12.4` is code. "
    "[A link to 0:12.4](https://example.org/0:12.4) <b>0:12.4</b>"
)
VIEWER = "#viewer[open]"


def frame(video: int, clock: str, colour: str, *outlines: Outline) -> FrameAttachment:
    alt = f"Frame of V{video} at {clock}."
    jpeg = encode_image(Image.new("RGB", (1280, 720), colour))
    return FrameAttachment(f"V{video} {clock}", alt, jpeg, outlines)


FRAMES = (
    frame(1, "0:03.2", "darkred", CAR),
    frame(1, "0:12.4", "darkgreen"),
    frame(1, "1:02.0", "darkblue", PLATE),
)


async def show(
    page: Page,
    page_server: ServedPage,
    frames: tuple[FrameAttachment, ...] = FRAMES,
    text: str = TEXT,
) -> None:
    """Have an answer shown with its frames."""
    address = PageAddress(page.url.rpartition("/c/")[2], ASKS, quiet=False)
    outlines = [outline for frame in frames for outline in frame.outlines]
    cited = tuple(Citation(one.number, one.label, "Outlined on V1.") for one in outlines)
    await page_server.page.channel.post(address, Post(text, is_generated=True, citations=cited))
    sheet = PictureAttachment("V1 crash.mp4", ALT, b"sheet", b"sheet", b"sheet", frames=frames)
    await page_server.page.channel.send_picture(address, sheet)
    await expect(page.locator(".cells li")).to_have_count(len(frames))
    await page.wait_for_function(
        "() => [...document.querySelectorAll('.cells img')].every((one) => one.naturalWidth)"
    )


async def enlarged(page: Page) -> str:
    """Tell which frame is shown large."""
    await expect(page.locator(f"{VIEWER} img")).to_be_visible()
    return str(await page.locator(f"{VIEWER} img").get_attribute("alt"))


async def test_frames_stand_in_the_answer_with_their_times(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    await expect(tab.locator(".message")).to_have_count(1)
    sheet = tab.get_by_role("figure", name="V1 crash.mp4")
    await expect(sheet.get_by_role("listitem")).to_have_count(3)
    await expect(sheet.locator("li > button")).to_have_text(["0:03.2", "0:12.4", "1:02.0"])
    alts = await sheet.locator("img").evaluate_all("(all) => all.map((image) => image.alt)")
    assert alts == [frame.alt for frame in FRAMES]
    await expect(tab.locator("[role=log]")).to_contain_text(ALT)


async def test_outlines_lie_on_their_frames_and_light_up_with_the_text(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    first = tab.locator(".cells li").first
    canvas = await first.locator(".canvas").bounding_box()
    drawn = await first.locator("polygon").last.evaluate(
        "(node) => node.getBoundingClientRect().toJSON()"
    )
    assert canvas is not None
    assert drawn["left"] == pytest.approx(canvas["x"] + 0.3 * canvas["width"], abs=4)
    assert drawn["bottom"] == pytest.approx(canvas["y"] + 0.7 * canvas["height"], abs=4)
    await expect(tab.locator(".cells li").nth(1).locator("polygon")).to_have_count(0)
    await tab.locator(".cite", has_text="1").hover()
    assert await lit_marks(tab) == {"cite 1", "badge 1", "outline 1"}
    await tab.locator(".cells g[data-mark='2'] polygon").last.hover()
    assert await lit_marks(tab) == {"cite 2", "badge 2", "outline 2"}
    await first.locator(".badge").click()
    await expect(tab.locator(".cite", has_text="1")).to_be_focused()
    await expect(tab.locator(VIEWER)).to_have_count(0)


@pytest.mark.parametrize("spot", [(10, 10), (0, 0)])
async def test_a_press_anywhere_on_a_frame_opens_it_large_and_escape_closes_it(
    tab: Page, page_server: ServedPage, spot: tuple[int, int]
) -> None:
    await show(tab, page_server)
    canvas = tab.locator(".cells .canvas").first
    if spot == (0, 0):  # the middle, which is outlined
        await canvas.click()
    else:
        await canvas.click(position={"x": spot[0], "y": spot[1]})
    assert await enlarged(tab) == FRAMES[0].alt
    await expect(tab.locator(f"{VIEWER} .badge")).to_have_text("1")
    await expect(tab.get_by_role("dialog", name="V1 0:03.2 (1 of 3)")).to_be_visible()
    width = await tab.locator(f"{VIEWER} img").evaluate("(image) => image.clientWidth")
    assert width > 2 * await canvas.evaluate("(node) => node.clientWidth")
    await tab.keyboard.press("Escape")
    await expect(tab.locator(VIEWER)).to_have_count(0)
    await expect(tab.get_by_role("button", name="Enlarge V1 0:03.2")).to_be_focused()
    assert page_server.bot.texts == []


async def test_keys_open_a_frame_and_go_to_its_neighbours(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    time = tab.get_by_role("button", name="Enlarge V1 0:12.4")
    await time.focus()
    await tab.keyboard.press("Enter")
    assert await enlarged(tab) == FRAMES[1].alt
    await tab.keyboard.press("ArrowRight")
    assert await enlarged(tab) == FRAMES[2].alt
    name = tab.locator(f"{VIEWER} [role=status]")
    await expect(name).to_have_text("V1 1:02.0 (3 of 3)")
    await tab.keyboard.press("ArrowRight")
    assert await enlarged(tab) == FRAMES[2].alt
    later = tab.get_by_role("button", name="Later frame")
    await expect(later).to_have_attribute("aria-disabled", "true")
    await later.click(force=True)
    assert await enlarged(tab) == FRAMES[2].alt
    await tab.keyboard.press("ArrowLeft")
    await tab.get_by_role("button", name="Earlier frame").click()
    assert await enlarged(tab) == FRAMES[0].alt
    await tab.keyboard.press("Escape")
    await expect(time).to_be_focused()


async def test_a_photo_alone_has_no_neighbours(tab: Page, page_server: ServedPage) -> None:
    address = PageAddress(tab.url.rpartition("/c/")[2], ASKS, quiet=False)
    photo = FRAMES[0].jpeg
    await page_server.page.channel.send_picture(
        address, PictureAttachment("P1 a.jpg", "A car.", photo, photo, photo, (CAR,))
    )
    await tab.get_by_role("button", name="Enlarge").click()
    await expect(tab.get_by_role("dialog", name="P1 a.jpg")).to_be_visible()
    await expect(tab.get_by_role("button", name="Later frame")).to_have_count(0)
    await tab.keyboard.press("ArrowRight")
    assert await enlarged(tab) == "A car."


async def test_times_in_the_text_lead_to_their_frames(tab: Page, page_server: ServedPage) -> None:
    await show(tab, page_server)
    times = tab.locator(".markdown .time")
    await expect(times).to_have_text(["0:03.2", "V1 0:12.4", "1:02", "0:12.4"])
    await expect(tab.locator(".markdown a")).to_have_text("A link to 0:12.4")
    await expect(tab.locator(".message .markdown")).to_contain_text("<b>0:12.4</b>")
    await expect(tab.locator(".message .markdown b")).to_have_count(0)
    await times.nth(2).click()
    assert await enlarged(tab) == FRAMES[2].alt
    await tab.keyboard.press("Escape")
    await expect(times.nth(2)).to_be_focused()


@pytest.mark.parametrize(
    ("written", "times"),
    [
        ("0:12.4–0:16.0, then 0:15", ["0:12.4", "0:16.0"]),
        ("from 00:12.40 to 0:12", ["00:12.40", "0:12"]),
        ("1:00:12.4, 10:12.4, 0:12.4:5, 0:12.5", []),
        ("at 0:16 or 0:15.97", ["0:16", "0:15.97"]),
        ("At 0:12.4: a car. 0:16.0: another.", ["0:12.4", "0:16.0"]),
        (
            "- 0:12.4\n- **0:16.0**\n\n| a | b |\n|---|---|\n| 0:12.4 | x |",
            ["0:12.4", "0:16.0", "0:12.4"],
        ),
    ],
)
async def test_times_are_found_as_people_write_them(
    tab: Page, page_server: ServedPage, written: str, times: list[str]
) -> None:
    frames = (frame(1, "0:12.4", "darkred"), frame(1, "0:16.0", "darkblue"))
    await show(tab, page_server, frames, written)
    await expect(tab.locator(".markdown .time")).to_have_text(times)


async def test_a_time_with_the_number_of_a_video_leads_to_that_video(
    tab: Page, page_server: ServedPage
) -> None:
    frames = (frame(1, "0:12.4", "darkred"), frame(2, "0:12.4", "darkblue"))
    await show(tab, page_server, frames, "V2 0:12.4")
    await tab.locator(".markdown .time").click()
    assert await enlarged(tab) == frames[1].alt


async def test_a_reload_shows_it_all_again_and_a_frame_that_is_gone_says_so(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    await tab.reload()
    await expect(tab.locator(".cells .badge")).to_have_text(["1", "2"])
    await expect(tab.locator(".markdown .time")).to_have_count(4)
    await tab.route("**/page/blob/**", lambda route: route.fulfill(status=404))
    await tab.reload()
    gone = [f"{frame.name} is no longer available" for frame in FRAMES]
    await expect(tab.locator(".cells .file")).to_have_text(gone)


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
    many = tuple(frame(1, f"0:{at:02}.0", "grey", CAR) for at in range(10))
    await show(page, page_server, many)
    lefts = await page.locator(".cells li").evaluate_all(
        "(all) => all.map((node) => Math.round(node.getBoundingClientRect().left))"
    )
    assert len(set(lefts)) == (2 if width == 360 else 3)
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert await page.evaluate(CONTRAST) >= 4.5
    await page.locator(".cells .canvas").nth(4).click(position={"x": 5, "y": 5})
    await expect(page.locator(f"{VIEWER} .badge")).to_be_visible()
    assert await page.evaluate(CONTRAST) >= 4.5
    inside = await page.locator(VIEWER).evaluate("(node) => node.scrollWidth <= node.clientWidth")
    assert inside
    await context.close()
