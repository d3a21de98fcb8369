"""What EXIF says of a picture: when, where and with what it was taken, and which way is up.

The tags are those of CIPA DC-008 (Exif 3.0). A file may hold anything in them, so each function
returns an empty value rather than nonsense, and raises nothing.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PIL import ExifTags

if TYPE_CHECKING:
    from PIL import Image

UPRIGHT = 1
MAX_CAMERA = 64
"""Most characters of a camera's name."""

_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")


def orientation(exif: Image.Exif) -> int:
    """Return the orientation 1..8; upright for any other value."""
    return exif[ExifTags.Base.Orientation] if has_orientation(exif) else UPRIGHT


def has_orientation(exif: Image.Exif) -> bool:
    """Return whether there is a valid orientation."""
    value = exif.get(ExifTags.Base.Orientation)
    return isinstance(value, int) and 1 <= value <= 8


def time_taken(exif: Image.Exif) -> str:
    """Return the camera's local time as ISO 8601, with its offset from UTC if the file has one."""
    with suppress(Exception):
        tags = exif.get_ifd(ExifTags.IFD.Exif)
        stamp = _text(tags.get(ExifTags.Base.DateTimeOriginal, ""))
        local = datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S").isoformat()
        offset = _text(tags.get(ExifTags.Base.OffsetTimeOriginal, ""))
        return local + offset if _OFFSET.fullmatch(offset) else local
    return ""


def position(exif: Image.Exif) -> tuple[float, float] | tuple[None, None]:
    """Return latitude and longitude in degrees, north and east positive, to about 0.1 m."""
    with suppress(Exception):
        tags = exif.get_ifd(ExifTags.IFD.GPSInfo)
        latitude = _degrees(tags.get(ExifTags.GPS.GPSLatitude), 90)
        longitude = _degrees(tags.get(ExifTags.GPS.GPSLongitude), 180)
        north = {"N": 1, "S": -1}[_text(tags.get(ExifTags.GPS.GPSLatitudeRef)).upper()]
        east = {"E": 1, "W": -1}[_text(tags.get(ExifTags.GPS.GPSLongitudeRef)).upper()]
        # A camera without a fix writes zeros.
        if latitude or longitude:
            return round(north * latitude, 6), round(east * longitude, 6)
    return None, None


def camera(exif: Image.Exif) -> str:
    """Return make and model; the make is not repeated ("Canon Canon EOS 5D")."""
    with suppress(Exception):
        make = _text(exif.get(ExifTags.Base.Make, ""))
        model = _text(exif.get(ExifTags.Base.Model, ""))
        brand = make.partition(" ")[0].casefold()
        name = model if brand and model.casefold().startswith(brand) else f"{make} {model}"
        return name.strip()[:MAX_CAMERA].rstrip()
    return ""


def _degrees(parts: Any, limit: int) -> float:
    """Add up degrees, minutes and seconds; raises `ValueError` for no place on Earth."""
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or min(degrees, minutes, seconds) < 0 or value > limit:
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    """Return the printable characters of a tag on one line, without control and bidi characters."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
