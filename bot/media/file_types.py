"""What a file is, by its first bytes alone, never by its name or declared type.

Sources of the magic numbers: the WHATWG MIME Sniffing Standard (JPEG, PNG, GIF, WebP, BMP, AVI,
EBML, MP4, HTML, PDF, ZIP); TIFF 6.0 and BigTIFF; ISO/IEC 14496-12 (the `ftyp` box) with the brands
of ISO/IEC 23008-12 (HEIF), AV1-AVIF and ISO/IEC 14496-14; ISO/IEC 13818-1 (MPEG streams);
ISO/IEC 18181-2 (JPEG XL); ISO/IEC 15444-1 (JPEG 2000); Microsoft's ASF, CFB and BITMAPINFOHEADER.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.errors import Reason

HEAD_BYTES = 4096
"""Bytes of a file's beginning that `sniff` looks at; a comment before `<svg` may be long."""


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file.

    `name` is for people ("JPEG", "PDF document"). `readers` are the Pillow formats that may open
    it, and `demuxer` is what FFmpeg calls the only one that may open a video. A file
    without either cannot be looked at; `problem` says why.
    """

    name: str
    readers: tuple[str, ...] = ()
    demuxer: str = ""
    problem: Reason | None = None


JPEG = FileType("JPEG", ("JPEG", "MPO"))
PNG = FileType("PNG", ("PNG",))
WEBP = FileType("WebP", ("WEBP",))
GIF = FileType("GIF", ("GIF",))
HEIC = FileType("HEIC", ("HEIF",))
BMP = FileType("BMP", ("BMP",))
TIFF = FileType("TIFF", ("TIFF",))


def _unsupported(name: str) -> FileType:
    return FileType(name, problem=Reason.UNSUPPORTED)


MP4 = FileType("MP4 video", demuxer="mov")
QUICKTIME = FileType("QuickTime video", demuxer="mov")
MATROSKA = FileType("Matroska or WebM video", demuxer="matroska")
AVI = FileType("AVI video", demuxer="avi")
ANIMATED = {GIF, WEBP}
"""Types of pictures that may be animated."""

UNKNOWN = _unsupported("unknown format")
HTML = _unsupported("web page")
SVG = _unsupported("SVG drawing")

SIGNATURES: tuple[tuple[re.Pattern[bytes], FileType], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\xff\xd8\xff", JPEG),
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"GIF8[79]a", GIF),
        (rb"RIFF....WEBP", WEBP),
        # The size of the header, which follows "BM", tells a bitmap from a text.
        (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BMP),
        (rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]", TIFF),
        (rb"RIFF....AVI ", AVI),
        (rb"\x1a\x45\xdf\xa3", MATROSKA),
        (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _unsupported("Windows Media video")),
        (rb"FLV\x01", _unsupported("Flash video")),
        (rb"\0\0\x01[\xba\xb3]", _unsupported("MPEG video")),
        (rb"(?:\x47.{187}){3}", _unsupported("MPEG video")),
        (rb"....(?:moov|mdat|wide|pnot)", QUICKTIME),
        (rb"RIFF....WAVE|OggS|fLaC|ID3", _unsupported("sound recording")),
        (rb"%PDF-", _unsupported("PDF document")),
        (rb"PK\x03\x04|PK\x05\x06", _unsupported("Office document or ZIP archive")),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _unsupported("old Office document")),
        (rb"8BPS", _unsupported("Photoshop file")),
        (rb"\0\0\x01\0", _unsupported("icon")),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", _unsupported("JPEG XL picture")),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", _unsupported("JPEG 2000 picture")),
    )
)

FTYP = re.compile(rb"(....)ftyp", re.DOTALL)
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
HEIF_BRANDS = {b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}

# Possessive, so that no file can make the match slow.
_MARKUP = rb"(?:\xef\xbb\xbf)?(?:\s+|<\?xml.*?\?>|<!--.*?-->|<!doctype svg.*?>)*+"
SVG_START = re.compile(_MARKUP + rb"<svg[\s>]", re.DOTALL | re.IGNORECASE)
HTML_START = re.compile(
    _MARKUP + rb"<(?:!doctype html|html|head|body|title|script|meta|div|p|h1|table|iframe)[\s>]",
    re.DOTALL | re.IGNORECASE,
)


def sniff(head: bytes) -> FileType:
    """Return what a file is by its first `HEAD_BYTES` bytes; `UNKNOWN` when nothing matches."""
    head = head[:HEAD_BYTES]
    if FTYP.match(head):
        return _by_brand(head)
    for signature, kind in SIGNATURES:
        if signature.match(head):
            return kind
    if SVG_START.match(head):
        return SVG
    return HTML if HTML_START.match(head) else UNKNOWN


def _by_brand(head: bytes) -> FileType:
    """Return the type of an ISO base media file by the brands in its `ftyp` box."""
    size = int.from_bytes(head[:4])
    major, compatible = head[8:12], head[16:size]
    brands = {major, *(compatible[at : at + 4] for at in range(0, len(compatible), 4))}
    if brands & HEIC_BRANDS:
        return HEIC
    if brands & AVIF_BRANDS:
        return _unsupported("AVIF picture")
    if brands & HEIF_BRANDS:
        return HEIC
    if major == b"crx ":
        return _unsupported("raw camera picture")
    if major.startswith(b"M4A"):
        return _unsupported("sound recording")
    return QUICKTIME if major == b"qt  " else MP4
