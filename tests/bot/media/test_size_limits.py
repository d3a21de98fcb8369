"""How large a file may be, judged while it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media import file_types as kinds
from bot.media.file_types import HEAD_BYTES, FileType
from bot.media.size_limits import ByteCounter, check_file, check_size, size_limits

if TYPE_CHECKING:
    from pathlib import Path

PHOTO, VIDEO = 10_000, 50_000
LIMITS = SizeLimits(PHOTO, VIDEO)
JPEG = b"\xff\xd8\xff"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
PDF = b"%PDF-1.7\n"


def test_both_limits_are_settings() -> None:
    limits = size_limits(FileLimits(max_photo_bytes=3, max_video_bytes=7))
    assert (limits, limits.most) == (SizeLimits(3, 7), 7)
    assert SizeLimits(7, 3).most == 7


@pytest.mark.parametrize(
    ("kind", "most", "reason"),
    [
        (kinds.JPEG, PHOTO, Reason.TOO_LARGE),
        (kinds.GIF, PHOTO, Reason.TOO_LARGE),
        (kinds.WEBP, PHOTO, Reason.TOO_LARGE),
        (kinds.MP4, VIDEO, Reason.TOO_LARGE_VIDEO),
        (kinds.MATROSKA, VIDEO, Reason.TOO_LARGE_VIDEO),
        (kinds.HTML, PHOTO, Reason.UNSUPPORTED),
        (kinds.UNKNOWN, PHOTO, Reason.UNSUPPORTED),
    ],
)
def test_what_it_is_tells_how_large_it_may_be(kind: FileType, most: int, reason: Reason) -> None:
    check_size(LIMITS, kind, most)
    with pytest.raises(FileProblem) as error:
        check_size(LIMITS, kind, most + 1)
    assert error.value.reason is reason
    assert error.value.detail == (kind.name if reason is Reason.UNSUPPORTED else "")


def test_a_file_that_is_there_is_judged_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(MP4 + bytes(PHOTO))
    check_file(LIMITS, path)
    path.write_bytes(PDF + bytes(PHOTO))
    with pytest.raises(FileProblem, match="unsupported"):
        check_file(LIMITS, path)


def refused(head: bytes, piece: int, length: int = 0) -> tuple[Reason, int]:
    """Let an endless file arrive in pieces; tells why it was refused, and after how many bytes."""
    tally = ByteCounter(LIMITS, length)
    try:
        tally.add(head)
        while tally.size < 2 * VIDEO:
            tally.add(bytes(piece))
    except FileProblem as problem:
        return problem.reason, tally.size
    raise AssertionError("it was never refused")


@pytest.mark.parametrize("piece", [1, 1000, HEAD_BYTES])
@pytest.mark.parametrize(
    ("head", "most", "reason"),
    [
        (JPEG, PHOTO, Reason.TOO_LARGE),
        (MP4, VIDEO, Reason.TOO_LARGE_VIDEO),
        (PDF, PHOTO, Reason.UNSUPPORTED),
    ],
)
def test_a_file_is_refused_with_the_piece_that_is_too_much(
    head: bytes, most: int, reason: Reason, piece: int
) -> None:
    why, size = refused(head, piece)
    assert why is reason
    assert most < size <= most + piece


@pytest.mark.parametrize(("head", "reason"), [(JPEG, Reason.TOO_LARGE), (PDF, Reason.UNSUPPORTED)])
def test_a_declared_length_is_judged_with_the_head(head: bytes, reason: Reason) -> None:
    why, size = refused(head, 100, length=PHOTO + 1)
    assert why is reason
    assert HEAD_BYTES <= size < HEAD_BYTES + 100


def test_a_length_that_no_file_may_have_is_refused_at_once() -> None:
    ByteCounter(LIMITS, VIDEO)
    with pytest.raises(FileProblem, match="too_large_video"):
        ByteCounter(LIMITS, VIDEO + 1)


def test_a_declared_length_makes_no_video_of_a_few_bytes() -> None:
    tally = ByteCounter(LIMITS, VIDEO)
    for at in range(len(MP4)):
        tally.add(MP4[at : at + 1])
    assert (tally.kind, tally.size) == (kinds.MP4, len(MP4))


@given(st.lists(st.binary(max_size=3000), max_size=4))
def test_however_it_arrives_it_is_counted_and_known(chunks: list[bytes]) -> None:
    tally, whole = ByteCounter(SizeLimits(99_999, 99_999)), b"".join(chunks)
    for chunk in chunks:
        tally.add(chunk)
    assert (tally.size, tally.kind) == (len(whole), kinds.sniff(whole))
