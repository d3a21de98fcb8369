"""Numbers in the answer and outlines on the photo, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from adapters.page.channel import PageAddress
from bot.domain.outlines import Outline
from bot.ports.channel import Citation, PictureAttachment, Post
from tests.helpers.browser_pictures import CONTRAST, box, lit_marks
from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from tests.servers.page import ServedPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHOTO = MEDIA / "motorway.jpg"
ASKS = "m1"


CAR = Outline(1, 1, "red car", box(0.35, 0.45, 0.4, 0.54))
SIGN = Outline(2, 1, "emergency sign", box(0.02, 0.46, 0.1, 0.56))
GANTRY = Outline(3, 1, "gantry", ((0.7, 0.3), (0.82, 0.2), (0.84, 0.25), (0.72, 0.36)))
OUTLINES = (CAR, SIGN, GANTRY)
TEXT = (
    "Three things matter here:\n\n- The **red car** [1] is in the second lane.\n"
    "- An emergency sign [2] stands at the left; `code[1]` is none, and [9] is nothing.\n\n"
    "[3] gantry"
)


async def show(
    page: Page,
    page_server: ServedPage,
    outlines: tuple[Outline, ...] = OUTLINES,
    photo: bytes = b"",
) -> Locator:
    """Have an answer shown with its picture; returns the photo with its outlines."""
    address = PageAddress(page.url.rpartition("/c/")[2], ASKS, quiet=False)
    cited = tuple(Citation(one.number, one.label, "Outlined on P1.") for one in outlines)
    photo = photo or PHOTO.read_bytes()
    channel = page_server.page.channel
    await channel.post(address, Post(TEXT, is_generated=True, citations=cited))
    alt = "P1 motorway.jpg with outlines: 1 red car, 2 emergency sign, 3 gantry."
    picture = PictureAttachment("P1 motorway.jpg", alt, photo, photo, photo, outlines)
    await channel.send_picture(address, picture)
    canvas = page.locator(".message .canvas")
    await expect(canvas.locator(".badge")).to_have_count(len(outlines))
    await page.wait_for_function(
        "() => document.querySelector('.message .canvas img').clientWidth > 50"
    )
    return canvas


async def test_cited_numbers_are_buttons_and_others_are_words(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    chips = tab.locator(".message.loupe .cite")
    await expect(chips).to_have_text(["1", "2", "3"])
    await expect(chips.first).to_have_attribute("aria-label", "1: red car")
    await expect(tab.locator(".message.loupe code")).to_have_text("code[1]")
    await expect(tab.locator(".message.loupe .markdown")).to_contain_text("and [9] is nothing")


async def test_the_photo_stands_in_the_answer_and_says_what_it_shows(
    tab: Page, page_server: ServedPage
) -> None:
    canvas = await show(tab, page_server)
    alt = "P1 motorway.jpg with outlines: 1 red car, 2 emergency sign, 3 gantry."
    await expect(tab.get_by_role("img", name=alt)).to_be_visible()
    await expect(tab.locator("[role=log]")).to_contain_text(alt)
    await expect(tab.locator(".message")).to_have_count(1)
    text = await tab.locator(".message .markdown").bounding_box()
    photo = await canvas.bounding_box()
    assert text is not None
    assert photo is not None
    assert 0 < photo["y"] - text["y"] - text["height"] < 60
    polygon = canvas.locator("[data-mark='3'] polygon").last
    drawn = await polygon.evaluate("(node) => node.getBoundingClientRect().toJSON()")
    assert drawn["left"] == pytest.approx(photo["x"] + 0.7 * photo["width"], abs=4)
    assert drawn["bottom"] == pytest.approx(photo["y"] + 0.36 * photo["height"], abs=4)


async def test_the_pointer_lights_the_other_up(tab: Page, page_server: ServedPage) -> None:
    canvas = await show(tab, page_server)
    await tab.locator(".cite", has_text="1").hover()
    assert await lit_marks(tab) == {"cite 1", "badge 1", "outline 1"}
    others = canvas.locator("[data-mark='2']").first
    assert await others.evaluate("(node) => getComputedStyle(node).opacity") == "0.4"
    await canvas.locator("g[data-mark='2'] polygon").last.hover()
    assert await lit_marks(tab) == {"cite 2", "badge 2", "outline 2"}
    await tab.locator("#words").hover()
    assert await lit_marks(tab) == set()


async def test_keys_go_from_the_text_to_the_photo_and_back(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    chip = tab.get_by_role("button", name="2: emergency sign").first
    badge = tab.get_by_role("button", name="2: emergency sign").last
    await chip.focus()
    assert await lit_marks(tab) == {"cite 2", "badge 2", "outline 2"}
    await tab.keyboard.press("Enter")
    await expect(badge).to_be_focused()
    await tab.keyboard.press("Tab")
    assert await lit_marks(tab) >= {"cite 3", "badge 3"}
    await tab.keyboard.press("Space")
    await expect(tab.locator(".cite", has_text="3")).to_be_focused()


async def test_a_tap_leads_to_the_photo_and_back(
    chromium: Browser, page_server: ServedPage
) -> None:
    context = await chromium.new_context(has_touch=True, viewport={"width": 360, "height": 500})
    page = await context.new_page()
    await page.goto(page_server.address)
    canvas = await show(page, page_server)
    await page.locator(".cite", has_text="1").tap()
    await expect(canvas.locator(".badge.lit")).to_have_text("1")
    await expect(canvas).to_be_in_viewport(ratio=0.9)
    await canvas.locator("g[data-mark='2'] polygon").last.tap()
    await expect(page.locator(".cite.lit")).to_have_text("2")
    await expect(page.locator(".cite.lit")).to_be_in_viewport()
    await context.close()


@pytest.mark.parametrize("width", [360, 1200])
async def test_badges_are_apart_and_beside_what_they_name(
    chromium: Browser, page_server: ServedPage, width: int
) -> None:
    context = await chromium.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    await page.goto(page_server.address)
    row = tuple(
        Outline(at + 1, 1, "car", box(0.3 + at / 20, 0.5, 0.33 + at / 20, 0.55)) for at in range(6)
    )
    await show(page, page_server, (*row, Outline(12, 1, "all", box(0, 0, 1, 1))))
    shapes: list[dict[str, Any]] = await page.locator(".badge").evaluate_all(
        "(all) => all.map((node) => node.getBoundingClientRect().toJSON())"
    )
    frame = await page.locator(".canvas").bounding_box()
    assert frame is not None
    for at, one in enumerate(shapes):
        assert frame["x"] - 1 <= one["left"] < one["right"] <= frame["x"] + frame["width"] + 1
        assert frame["y"] - 1 <= one["top"] < one["bottom"] <= frame["y"] + frame["height"] + 1
        for other in shapes[:at]:
            apart = one["left"] >= other["right"] or other["left"] >= one["right"]
            assert apart or one["top"] >= other["bottom"] or other["top"] >= one["bottom"]
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_can_be_read(
    chromium: Browser, page_server: ServedPage, scheme: Any
) -> None:
    context = await chromium.new_context(color_scheme=scheme)
    page = await context.new_page()
    await page.goto(page_server.address)
    hues = tuple(
        Outline(at, 1, f"thing {at}", box(at / 12, 0.4, at / 12 + 0.02, 0.5)) for at in range(1, 8)
    )
    await show(page, page_server, hues)
    assert await page.evaluate(CONTRAST) >= 4.5
    await context.close()


async def test_the_photo_is_enlarged_with_its_outlines(tab: Page, page_server: ServedPage) -> None:
    await show(tab, page_server)
    enlarge = tab.get_by_role("button", name="Enlarge")
    outside, inside = await tab.locator(".figure").bounding_box(), await enlarge.bounding_box()
    assert outside is not None
    assert inside is not None
    assert inside["x"] + inside["width"] <= outside["x"] + outside["width"]
    await enlarge.click()
    viewer = tab.get_by_role("dialog")
    await expect(viewer.locator(".badge")).to_have_text(["1", "2", "3"])
    await tab.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)


async def test_a_small_photo_is_enlarged_until_its_numbers_leave_it_visible(
    tab: Page, page_server: ServedPage
) -> None:
    plate = Outline(1, 1, "plate", box(0.1, 0.2, 0.9, 0.8))
    await show(tab, page_server, (plate,), (MEDIA / "plate_KRW301.png").read_bytes())
    await expect(tab.locator(".canvas img")).to_have_attribute("width", "320")


async def test_answers_are_not_mixed_up(tab: Page, page_server: ServedPage) -> None:
    await show(tab, page_server)
    address = PageAddress(tab.url.rpartition("/c/")[2], "m2", quiet=False)
    cited = (Citation(1, "another car", "Outlined on P2."),)
    await page_server.page.channel.post(address, Post("Another [1].", citations=cited))
    await tab.get_by_role("button", name="1: another car").hover()
    assert await lit_marks(tab) == {"cite 1"}


async def test_a_reload_shows_it_all_again_and_a_photo_that_is_gone_says_so(
    tab: Page, page_server: ServedPage
) -> None:
    await show(tab, page_server)
    await tab.reload()
    await expect(tab.locator(".canvas .badge")).to_have_text(["1", "2", "3"])
    await tab.route("**/page/blob/**", lambda route: route.fulfill(status=404))
    await tab.reload()
    await expect(tab.locator(".message .file")).to_have_text(
        "P1 motorway.jpg is no longer available"
    )
    await expect(tab.locator(".canvas")).to_have_count(0)
