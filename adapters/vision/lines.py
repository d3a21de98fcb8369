"""Lines of text, merged from the whole picture and its tiles, in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.vision.polygons import overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adapters.vision.ocr import RecognizedLine
    from bot.domain.sightings import TextLine

SAME = 0.5
"""Lines that overlap by this share of the smaller one are readings of the same text."""


def merge(
    whole: Sequence[RecognizedLine], closer: Sequence[RecognizedLine]
) -> list[RecognizedLine]:
    """Merge the lines of a closer look into those of the whole picture.

    If both read the same place, the closer look prevails if it is more confident and reads no
    less, so that no text is lost.
    """
    lines: list[RecognizedLine] = []
    for one, other in _groups(whole, closer):
        lines += other if _prevails(other, one) else one
    return lines


def _groups(
    whole: Sequence[RecognizedLine], closer: Sequence[RecognizedLine]
) -> list[tuple[list[RecognizedLine], list[RecognizedLine]]]:
    """Group lines by place, each group with those of the whole picture and of the closer look."""
    groups: list[tuple[list[RecognizedLine], list[RecognizedLine]]] = [
        ([line], []) for line in whole
    ]
    for line in closer:
        meeting = [group for group in groups if _meets(line, group[0]) or _meets(line, group[1])]
        groups = [group for group in groups if not any(group is other for other in meeting)]
        before = [old for group in meeting for old in group[0]]
        groups.append((before, [*(new for group in meeting for new in group[1]), line]))
    return groups


def _meets(line: RecognizedLine, others: Iterable[RecognizedLine]) -> bool:
    return any(overlap(line.corners, other.corners) > SAME for other in others)


def _prevails(closer: Sequence[RecognizedLine], whole: Sequence[RecognizedLine]) -> bool:
    if not closer or not whole:
        return bool(closer)
    return _letters(closer) >= _letters(whole) and _confidence(closer) > _confidence(whole)


def _letters(lines: Iterable[RecognizedLine]) -> int:
    return sum(character.isalnum() for line in lines for character in line.text)


def _confidence(lines: Sequence[RecognizedLine]) -> float:
    """Return the mean confidence, weighted by characters."""
    weight = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / weight


def reading_order(lines: Iterable[TextLine]) -> tuple[TextLine, ...]:
    """Sort lines row by row from the top, each row from the left."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=_middle):
        if rows and _middle(line) - _middle(rows[-1][0]) < _height(rows[-1][0]) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=_left))


def _left(line: TextLine) -> float:
    return min(x for x, _ in line.polygon)


def _middle(line: TextLine) -> float:
    return sum(y for _, y in line.polygon) / len(line.polygon)


def _height(line: TextLine) -> float:
    """Return the height along the sides of a line, since a slanted line spans more rows."""
    (_, left_top), (_, right_top), (_, right_bottom), (_, left_bottom) = line.polygon
    return abs(left_bottom - left_top + right_bottom - right_top) / 2
