"""Photos with known truth: real ones, and generated plates, signs, odometers and VINs.

Generated things stand on real photos, in the bundled font of Pillow, and are the same at each run.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bot.text.vin import CHECK_PLACE, VALUES, check_digit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Colour = tuple[int, int, int]

Pixels = NDArray[np.uint8]

MEDIA = Path(__file__).parents[1] / "tests" / "media"
READABLE = {
    "notice_double_parking.jpg": "NOTICE DOUBLE PARKING PROHIBITED AT ALL TIMES",
    "passat_cc.webp": "Passat CC",
    "copy_centre.jpg": "the copy centre",
    "sign_sports_centre.jpg": "Sports Centre Conference Centre Car Parks Wivenhoe Park",
    "motorway.jpg": "Refuge areas for emergency use only",
    "plate_KRW301.png": "KRW 301",
}
GROUNDS = ("leuvenA.jpg", "motorway.jpg", "fruits.jpg", "sign_sports_centre.jpg")
PHONE = (4032, 3024)
MEDIUM = (1600, 1200)
CAP = 0.72
"""Height of a capital in the font, as a share of its size."""


@dataclass(frozen=True, slots=True)
class Item:
    """Text that stands in a photo, its kind, and its corners in pixels (none where unknown)."""

    kind: str
    text: str
    corners: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo file's bytes, with the text in it; `group` names what is hard about it."""

    name: str
    group: str
    data: bytes
    items: tuple[Item, ...]


def real() -> Iterator[Scene]:
    """Yield the photos of the tests in which people can read text."""
    for name, words in READABLE.items():
        kind = "plate" if name.startswith("plate") else "words"
        yield Scene(name, "real photos", (MEDIA / name).read_bytes(), (Item(kind, words),))


def generated() -> Iterator[Scene]:
    """Yield photos of 2 megapixels with large text, damaged in one way each."""
    damages: dict[str, Callable[[Pixels], Pixels]] = {
        "clear": lambda pixels: pixels,
        "dim": lambda pixels: grainy(cv2.convertScaleAbs(pixels, alpha=0.15), 3),
        "blurred": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 2.2),
        "JPEG-damaged": lambda pixels: decoded(jpeg(pixels, 12)),
    }
    for number, (group, damage) in enumerate(damages.items()):
        yield scene(f"{group} text", MEDIUM, (34, 60), 6, 20 + number, damage)
    for angle in (15, 30):
        yield scene(f"leaning {angle}°", MEDIUM, (34, 60), 6, 30 + angle, lean=angle)


def small(count: int) -> Iterator[Scene]:
    """Yield photos of 12 megapixels, as a phone's, with capitals of 6 to 9 pixels."""
    for number in range(count):
        yield scene("small in 12 MP", PHONE, (6, 9), 12, 50 + number, noisy)


def noisy(pixels: Pixels) -> Pixels:
    """Add what a phone's lens and sensor do."""
    return grainy(cv2.GaussianBlur(pixels, (0, 0), 0.7), 3)


def scene(
    group: str,
    size: tuple[int, int],
    heights: tuple[int, int],
    count: int,
    seed: int,
    damage: Callable[[Pixels], Pixels] = lambda pixels: pixels,
    lean: float = 4,
) -> Scene:
    """Put things with text on a photo, apart from each other, and damage it."""
    rng = random.Random(seed)
    ground = cv2.imread(str(MEDIA / GROUNDS[seed % len(GROUNDS)]))
    ground = cv2.GaussianBlur(cv2.resize(ground, size, interpolation=cv2.INTER_CUBIC), (0, 0), 2)
    items: list[Item] = []
    cells = [(column, row) for row in range(4) for column in range(3)]
    for (column, row), make in zip(rng.sample(cells, count), MAKERS * count, strict=False):
        patch, item = make(rng, rng.uniform(*heights))
        place = size[0] * (column + 0.5) / 3, size[1] * (row + 0.5) / 4
        angle = rng.choice((-1, 1)) * lean * rng.uniform(0.7, 1)
        items.append(lay(ground, patch, item, place, angle))
    return Scene(f"{group} {seed}", group, jpeg(damage(ground), 90), tuple(items))


def lay(
    ground: Pixels, patch: Pixels, item: Item, place: tuple[float, float], angle: float
) -> Item:
    """Lay the middle of a patch on a place, turned; returns the item with its corners."""
    height, width = patch.shape[:2]
    size = ground.shape[1::-1]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turn[:, 2] += np.array(place) - (width / 2, height / 2)
    mask = cv2.warpAffine(np.full((height, width), 255, np.uint8), turn, size)
    layer = cv2.warpAffine(
        patch, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    ground[mask > 127] = layer[mask > 127]
    assert item.corners is not None
    return replace(item, corners=cv2.transform(item.corners[None], turn)[0].astype(np.float32))


def plate(rng: random.Random, height: float) -> tuple[Pixels, Item]:
    """Make a number plate: dark on white or yellow."""
    letters = string.ascii_uppercase.replace("I", "").replace("O", "").replace("Q", "")
    text = f"{''.join(rng.choices(letters, k=2))}{rng.randrange(10, 99)} "
    text += "".join(rng.choices(letters, k=3))
    return written(
        "plate", text, height, (25, 25, 25), rng.choice([(235, 235, 235), (60, 200, 240)])
    )


def sign(rng: random.Random, height: float) -> tuple[Pixels, Item]:
    """Make a sign of two words: white on a colour, or grey on grey."""
    words = ("STATION", "HARBOUR", "MUSEUM", "PARKING", "Hospital", "Library", "Exit", "Garage")
    ink, paper = rng.choice([((245,) * 3, (120, 60, 20)), ((105,) * 3, (165,) * 3)])
    return written("words", " ".join(rng.sample(words, 2)), height, ink, paper)


def odometer(rng: random.Random, height: float) -> tuple[Pixels, Item]:
    """Make an odometer: six light digits on dark, as wide apart as on wheels."""
    digits = str(rng.randrange(10_000, 299_999)).zfill(6)
    return written("digits", digits, height, (210, 225, 225), (30, 30, 30), spacing=0.35)


def vin(rng: random.Random, height: float) -> tuple[Pixels, Item]:
    """Make a VIN with its check digit: grey on lighter grey, as stamped."""
    bare = "".join(rng.choices(sorted(VALUES), k=13)) + f"{rng.randrange(10_000):04}"
    number = bare[:CHECK_PLACE] + check_digit(bare) + bare[CHECK_PLACE + 1 :]
    return written("VIN", number, 0.7 * height, (70, 72, 74), (150, 155, 158), spacing=0.12)


MAKERS = [plate, sign, odometer, vin]


def written(
    kind: str, text: str, height: float, ink: Colour, paper: Colour, spacing: float = 0.0
) -> tuple[Pixels, Item]:
    """Write text with capitals of so many pixels on a patch, four times larger first."""
    font = ImageFont.load_default(4 * height / CAP)
    steps = [font.getlength(sign) + 4 * height * spacing for sign in text]
    width, high = int(sum(steps)), int(4 * height)
    patch = Image.new("RGB", (width + 2 * high, 2 * high), paper)
    pen = ImageDraw.Draw(patch)
    for place, sign in enumerate(text):
        pen.text((high + sum(steps[:place]), 1.5 * high), sign, ink, font, anchor="ls")
    size = round(patch.width / 4), round(patch.height / 4)
    pixels = cv2.resize(np.asarray(patch), size, interpolation=cv2.INTER_AREA)
    left, top = 0.85 * height, 0.35 * height
    right, bottom = 1.15 * height + width / 4, 1.65 * height
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return pixels, Item(kind, text, corners)


def grainy(pixels: Pixels, strength: float) -> Pixels:
    """Add the noise of a sensor."""
    noise = np.random.default_rng(1).normal(0, strength, pixels.shape)
    noised: Pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return noised


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """Write a JPEG file."""
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def decoded(data: bytes) -> Pixels:
    """Read a JPEG file."""
    pixels: Pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return pixels
