"""Boxes of lines, tightened around the ink of their letters.

The detector's boxes are loose, the more so the smaller the picture that was searched, and often
include the paper around a line. The pixels of the file are more exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.vision.polygons import inner, rectangle, sides

if TYPE_CHECKING:
    from adapters.vision.polygons import Corners
    from bot.media.pixels import Pixels

Marks = NDArray[np.bool_]
Span = tuple[int, int]

HEIGHT = 48
"""Height in pixels that a line is scaled to before it is measured."""
MIDDLE = slice(HEIGHT // 4, -HEIGHT // 4)
"""Rows that contain letters, however loose the box is."""
LEAST = 4.0
"""Sides of a box below this, in pixels of the file, are too short to measure."""
TALL = 1.5
"""Height by width from which the engine turns a box, whose line runs downwards."""
CLEAR = 97
"""Percentile of the brightness changes along a line that its clearest strokes reach."""
STROKE = 0.3
"""Share of that change from which a pixel counts as the side of a stroke."""
DENSE = 0.2
"""Share of the density of fuller rows from which a row belongs to the letters."""
SOME = 0.06
"""Share of strokes, within the letters' rows, from which a column belongs to the letters."""
AROUND = 13, 3
"""Columns and rows around a pixel that decide whether it belongs to a stroke."""
STROKE_SHARE = 0.4
"""Share of strokes there from which it does."""
TAIL = 0.5
"""How far tall parts may reach out, relative to the height of the rows of most letters."""
GAP = 0.1
"""Share of a box's height that may be empty within a letter, as below the dot of an i."""
APART, THIN = 0.6, 0.45
"""Distance from the letters, and width, of the paper's edge, relative to their height."""
EDGE = 0.2
"""Share of strokes above and below the letters from which columns are such an edge."""
MARGIN = 0.15
"""Margin around the letters, relative to their height."""
SMALLEST = 0.3, 0.5
"""Shares of a box's height and width below which the result cannot be the line."""


def tighten(pixels: Pixels, shape: Corners) -> Corners:
    """Tighten a line's box around its letters; it never grows, and stays if none are visible."""
    wide, high = sides(shape)
    if min(wide, high) < LEAST or high >= TALL * wide:
        return shape
    strokes = _strokes(_level_line(pixels, shape, wide, high))
    rows = _rows(strokes)
    if rows[1] - rows[0] < SMALLEST[0] * HEIGHT:
        return shape
    columns = _columns(strokes, rows)
    if columns[1] - columns[0] < SMALLEST[1] * strokes.shape[1]:
        return shape
    rows = _with_tails(strokes[:, slice(*columns)], rows)
    margin = MARGIN * (rows[1] - rows[0])
    return inner(shape, _shares(columns, margin, strokes.shape[1]), _shares(rows, margin, HEIGHT))


def _level_line(pixels: Pixels, shape: Corners, wide: float, high: float) -> Pixels:
    """Return a line level and grey, `HEIGHT` pixels high."""
    size = round(wide), round(high)
    turn = cv2.getPerspectiveTransform(shape, rectangle(0, 0, *size))
    line = cv2.warpPerspective(pixels, turn, size, borderMode=cv2.BORDER_REPLICATE)
    way = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_LINEAR
    scaled_line = cv2.resize(line, (max(1, round(wide * HEIGHT / high)), HEIGHT), interpolation=way)
    grey: Pixels = cv2.cvtColor(scaled_line, cv2.COLOR_BGR2GRAY)
    return grey


def _strokes(line: Pixels) -> Marks:
    """Mark the sides of strokes, where the brightness changes along the line."""
    smooth = cv2.GaussianBlur(line.astype(np.float32), (0, 0), 1)
    changes = np.abs(cv2.Sobel(smooth, cv2.CV_32F, 1, 0))
    marks: Marks = changes > STROKE * np.percentile(changes[MIDDLE], CLEAR)
    return marks


def _rows(strokes: Marks) -> Span:
    """Return the rows of the letters, which are around the middle."""
    density = strokes.mean(axis=1)
    dense = density > DENSE * np.percentile(density[MIDDLE], 75)
    runs = _runs(dense, GAP * HEIGHT)
    return min(runs, key=lambda run: abs(run[0] + run[1] - HEIGHT), default=(0, 0))


def _with_tails(strokes: Marks, rows: Span) -> Span:
    """Extend the rows by parts that only few letters have, such as a single tall one."""
    density = cv2.blur(strokes.astype(np.float32), AROUND).max(axis=1)
    outer = next(
        (run for run in _runs(density > STROKE_SHARE, GAP * HEIGHT) if _meet(run, rows)), rows
    )
    reach = round(TAIL * (rows[1] - rows[0]))
    top, bottom = max(outer[0], rows[0] - reach), min(outer[1], rows[1] + reach)
    return min(top, rows[0]), max(bottom, rows[1])


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _columns(strokes: Marks, rows: Span) -> Span:
    """Return the columns of the letters, without the edges of the paper around them."""
    high = rows[1] - rows[0]
    runs = _runs(strokes[slice(*rows)].mean(axis=0) > SOME, APART * high)
    beside = np.delete(strokes, slice(*rows), axis=0)
    for end in (0, -1):
        while len(runs) > 1 and _is_edge(runs[end], high, beside):
            runs.pop(end)
    return (runs[0][0], runs[-1][1]) if runs else (0, 0)


def _is_edge(run: Span, high: int, beside: Marks) -> bool:
    """Return whether a run is an edge: it is thin, and goes on above and below the letters."""
    part = beside[:, slice(*run)]
    return run[1] - run[0] < THIN * high and int(np.count_nonzero(part)) > EDGE * part.size


def _runs(marks: Marks, gap: float) -> list[Span]:
    """Return the runs of marks (start, end), joined across gaps of at most so many."""
    places = np.flatnonzero(marks)
    parts = np.split(places, np.flatnonzero(np.diff(places) > gap + 1) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def _shares(span: Span, margin: float, length: int) -> tuple[float, float]:
    return max(0.0, (span[0] - margin) / length), min(1.0, (span[1] + margin) / length)
