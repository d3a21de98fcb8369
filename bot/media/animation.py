"""Animated pictures, GIF and WebP, as short videos: read by Pillow, in a child process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageSequence

from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.photo_metadata import quiet, tolerant
from bot.media.video_container import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.limits import FileLimits

LEAST_SHOWN = 0.02
USUAL_SHOWN = 0.1
"""Seconds that browsers show a frame that asks for less than the first: the second."""


@dataclass(frozen=True, slots=True)
class Animation:
    """An animated picture, opened."""

    image: Image.Image

    @property
    def several(self) -> bool:
        """Whether it has more than one frame; a reader raises whatever the file makes it raise."""
        with quiet():
            return getattr(self.image, "is_animated", False)

    def pages(self) -> Iterator[tuple[float, Image.Image]]:
        """Yield each frame with its time; a file that is cut ends early.

        So does one whose frames grow beyond its canvas, which have been held against no limit.
        """
        at, size = 0.0, self.image.size
        with quiet(), tolerant():
            frames = iter(ImageSequence.Iterator(self.image))
            while True:
                try:
                    page = next(frames)
                    if page.size != size:
                        return
                    page.load()
                except StopIteration:
                    return
                except MemoryError:
                    raise
                except Exception:  # A reader raises whatever the file makes it raise.
                    return
                yield at, page
                at += shown(page)


def shown(page: Image.Image) -> float:
    """Tell how many seconds a frame is shown."""
    seconds = float(page.info.get("duration") or 0) / 1000
    return seconds if seconds >= LEAST_SHOWN else USUAL_SHOWN


@contextmanager
def leafed(path: Path, limits: FileLimits) -> Iterator[Animation]:
    """Open an animated picture; raises `FileProblem` (`DAMAGED`, `TOO_MANY_PIXELS`)."""
    kind = kind_of(path)
    Image.MAX_IMAGE_PIXELS = limits.max_photo_pixels
    try:
        with quiet():
            image = Image.open(path, formats=kind.readers)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileProblem(Reason.TOO_MANY_PIXELS) from None
    except MemoryError:
        raise
    except Exception as error:
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from None
    with image:
        if image.width * image.height > limits.max_photo_pixels:
            raise FileProblem(Reason.TOO_MANY_PIXELS, f"{image.width}x{image.height}")
        yield Animation(image)


def moves(path: Path, limits: FileLimits) -> bool:
    """Tell whether a file is a picture of several frames; one too damaged to tell does not."""
    if kind_of(path) not in kinds.ANIMATED:
        return False
    try:
        with leafed(path, limits) as book:
            return book.several
    except MemoryError:
        raise
    except Exception:  # As for `several`.
        return False
