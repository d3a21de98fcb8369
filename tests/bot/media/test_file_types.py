"""Telling files apart by their bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Reason
from bot.media import file_types as kinds
from bot.media.file_types import HEAD_BYTES, sniff
from tests.helpers.images import MEDIA, corners_image, encode_image


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = b"".join(compatible)
    return struct.pack(">I4s4sI", 16 + len(brands), b"ftyp", major, 0) + brands + b"\0\0\0\x08free"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("leuvenA.jpg", kinds.JPEG),
        ("plate_KRW301.png", kinds.PNG),
        ("passat_cc.webp", kinds.WEBP),
        ("iss634.gif", kinds.GIF),
        ("arrow.heic", kinds.HEIC),
        ("broken.png", kinds.PNG),
    ],
)
def test_real_files(name: str, kind: kinds.FileType) -> None:
    assert sniff((MEDIA / name).read_bytes()[:HEAD_BYTES]) == kind


@pytest.mark.parametrize(
    ("writer", "kind"),
    [
        ("JPEG", kinds.JPEG),
        ("MPO", kinds.JPEG),
        ("PNG", kinds.PNG),
        ("WEBP", kinds.WEBP),
        ("GIF", kinds.GIF),
        ("BMP", kinds.BMP),
        ("TIFF", kinds.TIFF),
    ],
)
def test_written_pictures(writer: str, kind: kinds.FileType) -> None:
    assert sniff(encode_image(corners_image(), writer)) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"MM\0\x2a\0\0\0\x08", kinds.TIFF),
        (b"II\x2b\0\x08\0\0\0", kinds.TIFF),
        (ftyp(b"heic", b"mif1", b"heic"), kinds.HEIC),
        (ftyp(b"mif1", b"mif1", b"heic"), kinds.HEIC),
        (ftyp(b"heix"), kinds.HEIC),
        (ftyp(b"mif1"), kinds.HEIC),
        (ftyp(b"msf1", b"hevc"), kinds.HEIC),
    ],
)
def test_pictures_by_their_head(head: bytes, kind: kinds.FileType) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (ftyp(b"avif", b"mif1", b"miaf"), "AVIF picture"),
        (ftyp(b"mif1", b"avif"), "AVIF picture"),
        (ftyp(b"crx "), "raw camera picture"),
        (ftyp(b"M4A "), "sound recording"),
        (b"ID3\x04\0\0", "sound recording"),
        (b"%PDF-1.7\n", "PDF document"),
        (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "Office document or ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
        (b"8BPS\0\x01", "Photoshop file"),
        (b"\xff\x0a\xfa", "JPEG XL picture"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 picture"),
        (b"\0\0\x01\0\x01\0\x10\x10", "icon"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg width='1'>", "SVG drawing"),
        (b"<!DOCTYPE html><title>Sign in</title>", "web page"),
        (b"\r\n  <HTML lang=en>", "web page"),
        (b"<!-- saved -->\n<html>", "web page"),
    ],
)
def test_unsupported_files_have_a_name_for_people(head: bytes, name: str) -> None:
    assert sniff(head) == kinds.FileType(name, problem=Reason.UNSUPPORTED)


@pytest.mark.parametrize(
    "head",
    [
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
        b"FLV\x01\x05",
        b"\0\0\x01\xba\x44",
        (b"\x47" + bytes(187)) * 3,
    ],
)
def test_videos_that_are_not_taken(head: bytes) -> None:
    kind = sniff(head)
    assert (kind.problem, kind.demuxer, kind.name[-5:]) == (Reason.UNSUPPORTED, "", "video")


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (ftyp(b"isom", b"isom", b"avc1"), "mov"),
        (ftyp(b"mp42"), "mov"),
        (ftyp(b"qt  "), "mov"),
        (ftyp(b"3gp4"), "mov"),
        (b"\0\0\0\x08wide\0\0\0\x08mdat", "mov"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0", "matroska"),
        (b"RIFF\x10\0\0\0AVI LIST", "avi"),
    ],
)
def test_a_video_is_opened_by_one_demuxer_only(head: bytes, demuxer: str) -> None:
    kind = sniff(head)
    assert (kind.problem, kind.demuxer, kind.readers) == (None, demuxer, ())


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff", b"BM is how this text begins", b"Good morning. " * 40, b"RIFF", b"\0" * 64],
)
def test_what_nothing_fits_is_unknown(head: bytes) -> None:
    assert sniff(head) == kinds.UNKNOWN


@pytest.mark.parametrize("piece", [b"<!---->", b" ", b"<?xml?>", b"<!-- --> <!--"])
def test_markup_without_end_is_told_at_once(piece: bytes) -> None:
    assert sniff(piece * HEAD_BYTES) == kinds.UNKNOWN


@given(st.binary(max_size=64))
def test_no_bytes_make_it_fail(head: bytes) -> None:
    assert sniff(head).name
