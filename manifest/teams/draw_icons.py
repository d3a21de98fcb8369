"""Draws the icons of the Teams app: `python manifest/teams/draw_icons.py`."""

from pathlib import Path

from PIL import Image, ImageDraw

COLOR = "#0F4C5C"
FINER = 8


def draw_loupe(size: int, mark: float, stroke: float, background: str | None) -> Image.Image:
    """Draw a white loupe in the middle; `mark` and `stroke` are fractions of the size."""
    scale = size * FINER
    picture = Image.new("RGBA", (scale, scale), background or (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    width = stroke * scale
    start, lens = (1 - mark) / 2 * scale, mark * scale * 0.74
    end = start + mark * scale
    pen.ellipse((start, start, start + lens, start + lens), outline="white", width=round(width))
    rim = start + lens / 2 + (lens - width) / 2 * 0.7071
    tip = end - width * 0.6
    pen.line((rim, rim, tip, tip), fill="white", width=round(width * 1.3))
    for center in (rim, tip):
        draw_dot(pen, center, center, width * 0.65)
    if background:
        draw_dot(pen, start + lens * 0.5, start + lens * 0.5, lens * 0.1)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def draw_dot(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    """Draw a white disc."""
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill="white")


def white_where_seen(picture: Image.Image) -> Image.Image:
    """Return the picture in pure white, its shape in the transparency alone."""
    white = Image.new("RGBA", picture.size, (255, 255, 255, 0))
    white.putalpha(picture.getchannel("A"))
    return white


if __name__ == "__main__":
    folder = Path(__file__).parent
    # Teams shows the square with its corners cut off, so the mark keeps to the middle half.
    color = draw_loupe(192, mark=0.5, stroke=0.05, background=COLOR).convert("RGB")
    color.save(folder / "color.png", optimize=True)
    outline = white_where_seen(draw_loupe(32, mark=0.82, stroke=0.09, background=None))
    outline.save(folder / "outline.png", optimize=True)
