"""Animated pictures, GIF and WebP, as short videos: read by Pillow, in a child process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageSequence

from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.photo_metadata import allow_truncation, ignore_warnings
from bot.media.video_container import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.limits import FileLimits

MIN_SECONDS = 0.02
DEFAULT_SECONDS = 0.1
"""A frame that asks for less than the first is shown for the second, as browsers do."""


@dataclass(frozen=True, slots=True)
class Animation:
    """An open animated picture."""

    image: Image.Image

    @property
    def is_animated(self) -> bool:
        """Whether it has more than one frame; a reader raises whatever the file makes it raise."""
        with ignore_warnings():
            return getattr(self.image, "is_animated", False)

    def frames(self) -> Iterator[tuple[float, Image.Image]]:
        """Yield each frame with its time in seconds; a truncated file ends early.

        So does one whose frames grow beyond its canvas, since only the canvas was checked against
        the limits.
        """
        at, size = 0.0, self.image.size
        with ignore_warnings(), allow_truncation():
            frames = iter(ImageSequence.Iterator(self.image))
            while True:
                try:
                    frame = next(frames)
                    if frame.size != size:
                        return
                    frame.load()
                except StopIteration:
                    return
                except MemoryError:
                    raise
                except Exception:  # A reader raises whatever the file makes it raise.
                    return
                yield at, frame
                at += frame_seconds(frame)


def frame_seconds(frame: Image.Image) -> float:
    """Return for how many seconds a frame is shown."""
    seconds = float(frame.info.get("duration") or 0) / 1000
    return seconds if seconds >= MIN_SECONDS else DEFAULT_SECONDS


@contextmanager
def open_animation(path: Path, limits: FileLimits) -> Iterator[Animation]:
    """Open an animated picture; raises `FileProblem` (`DAMAGED`, `TOO_MANY_PIXELS`)."""
    kind = kind_of(path)
    Image.MAX_IMAGE_PIXELS = limits.max_photo_pixels
    try:
        with ignore_warnings():
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


def is_animated(path: Path, limits: FileLimits) -> bool:
    """Return whether a file is a picture of several frames; False if it is too damaged to see."""
    if kind_of(path) not in kinds.ANIMATED:
        return False
    try:
        with open_animation(path, limits) as animation:
            return animation.is_animated
    except MemoryError:
        raise
    except Exception:  # As in `Animation.is_animated`.
        return False
