"""What is lit and how well it can be read on the local page, and boxes on its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

    from bot.domain.sightings import Polygon


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
    const lights = [light(getComputedStyle(node).color), light(ground(node))];
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  };
  const speaks = (node) =>
    [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
  const shown = [...document.querySelectorAll("body *")].filter(
    (node) => node.checkVisibility() && speaks(node));
  return Math.min(...shown.map(ratio));
}"""


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


async def lit_marks(page: Page) -> set[str]:
    """Name all that is lit: kind and number."""
    kind = "node.tagName === 'g' ? 'outline' : node.classList[1]"
    marks = await page.locator(".lit").evaluate_all(
        f"(all) => all.map((node) => `${{{kind}}} ${{node.dataset.mark}}`)"
    )
    return set(marks)
