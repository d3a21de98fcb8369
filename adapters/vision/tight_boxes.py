"""Where the letters of a line are: its box drawn in to their ink.

The detector's boxes are made for reading: they are loose, the more so the smaller the picture was
that was searched, and often take in the paper around a line. The pixels of the file tell more.
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
"""Pixels that a line is brought to in height before it is measured."""
MIDDLE = slice(HEIGHT // 4, -HEIGHT // 4)
"""Rows of it that letters take, however loose its box is."""
LEAST = 4.0
"""Pixels of the file below which the side of a box tells nothing."""
TALL = 1.5
"""How many times its width a box is high that the engine turns: its line runs downwards."""
CLEAR = 97
"""Percentile of the changes of brightness along a line that its clearest strokes reach."""
STROKE = 0.3
"""Share of that change from which a pixel is at the side of a stroke."""
DENSE = 0.2
"""Share of the strokes of the fuller rows from which a row belongs to the letters."""
SOME = 0.06
"""Share of the letters' rows that strokes take of a column from which it belongs to them."""
AROUND = 13, 3
"""Columns and rows around a pixel that tell whether it is of a stroke or stands alone."""
STROKE_SHARE = 0.4
"""Share of strokes there from which it is of one."""
TAIL = 0.5
"""How far such a part may stand out, to the height of the rows that most letters take."""
GAP = 0.1
"""Share of a box's height that may be empty within letters, as below the dot of an i."""
APART, THIN = 0.6, 0.45
"""How far from letters, and how wide, to their height, the edge of their paper may be."""
EDGE = 0.2
"""Share of the rows above and below the letters that such an edge takes of its columns."""
MARGIN = 0.15
"""Room left around letters, to their height."""
SMALLEST = 0.3, 0.5
"""Shares of a box's height and width below which what was found is not the line."""


def tighten(pixels: Pixels, shape: Corners) -> Corners:
    """Draw a line's box in to its letters; it never grows, and stays where they do not show."""
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
    """Cut a line out level and grey, `HEIGHT` pixels high."""
    size = round(wide), round(high)
    turn = cv2.getPerspectiveTransform(shape, rectangle(0, 0, *size))
    line = cv2.warpPerspective(pixels, turn, size, borderMode=cv2.BORDER_REPLICATE)
    way = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_LINEAR
    resized = cv2.resize(line, (max(1, round(wide * HEIGHT / high)), HEIGHT), interpolation=way)
    grey: Pixels = cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY)
    return grey


def _strokes(line: Pixels) -> Marks:
    """Mark the sides of strokes: where brightness changes along the line, as letters do it."""
    smooth = cv2.GaussianBlur(line.astype(np.float32), (0, 0), 1)
    changes = np.abs(cv2.Sobel(smooth, cv2.CV_32F, 1, 0))
    marks: Marks = changes > STROKE * np.percentile(changes[MIDDLE], CLEAR)
    return marks


def _rows(strokes: Marks) -> Span:
    """Tell which rows the letters take, from the middle up and down."""
    density = strokes.mean(axis=1)
    dense = density > DENSE * np.percentile(density[MIDDLE], 75)
    runs = _runs(dense, GAP * HEIGHT)
    return min(runs, key=lambda run: abs(run[0] + run[1] - HEIGHT), default=(0, 0))


def _with_tails(strokes: Marks, rows: Span) -> Span:
    """Add what few letters have above or below the others, such as a single tall one."""
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
    """Tell which columns the letters take, without the edges of what they stand on."""
    high = rows[1] - rows[0]
    runs = _runs(strokes[slice(*rows)].mean(axis=0) > SOME, APART * high)
    beside = np.delete(strokes, slice(*rows), axis=0)
    for end in (0, -1):
        while len(runs) > 1 and _is_edge(runs[end], high, beside):
            runs.pop(end)
    return (runs[0][0], runs[-1][1]) if runs else (0, 0)


def _is_edge(run: Span, high: int, beside: Marks) -> bool:
    """Tell an edge from a letter: it is thin, and goes on above and below the letters."""
    part = beside[:, slice(*run)]
    return run[1] - run[0] < THIN * high and int(np.count_nonzero(part)) > EDGE * part.size


def _runs(marks: Marks, gap: float) -> list[Span]:
    """Tell where marks are (start, end), those together that a gap of so much does not part."""
    places = np.flatnonzero(marks)
    parts = np.split(places, np.flatnonzero(np.diff(places) > gap + 1) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def _shares(span: Span, margin: float, length: int) -> tuple[float, float]:
    return max(0.0, (span[0] - margin) / length), min(1.0, (span[1] + margin) / length)
