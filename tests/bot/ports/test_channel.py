"""The port to a chat platform: names of pictures as file names, and what a place can do."""

from __future__ import annotations

import unicodedata

import pytest

from bot.attachments.store import MAX_NAME, display_name
from bot.domain.files import Photo, PhotoFacts
from bot.ports.channel import Capabilities, FrameAttachment, PictureAttachment

FACTS = PhotoFacts("JPEG", 1, 1, 1)


def picture(name: str) -> PictureAttachment:
    return PictureAttachment(name, "A car.", b"drawn", b"small", b"photo")


def file_name(uploaded: str) -> str:
    """The file that a person gets for the outlines of a photo that another one named."""
    photo = Photo(1, "0" * 64, display_name(uploaded), FACTS, "Alex", 0)
    return picture(photo.label).file_name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("P1 IMG_0042.heic", "P1 IMG_0042.jpg"),
        ("P1 IMG_0042.HEIC", "P1 IMG_0042.jpg"),
        ("P1 a.jpg", "P1 a.jpg"),
        ("P1 a.JPEG", "P1 a.jpg"),
        ("P1 a.tif", "P1 a.jpg"),
        ("P1 a.jpg.png", "P1 a.jpg.jpg"),
        ("P1 a.heic.exe", "P1 a.heic.exe.jpg"),
        ("P1 a.b.c", "P1 a.b.c.jpg"),
        ("P1 ajpg", "P1 ajpg.jpg"),
        ("P1", "P1.jpg"),
        ("V1 clip.mp4", "V1 clip.mp4.jpg"),
        ("P2 Straße 写真 🙂.webp", "P2 Straße 写真 🙂.jpg"),
    ],
)
def test_the_file_is_a_jpeg_whatever_the_photo_was(name: str, file: str) -> None:
    assert picture(name).file_name == file


@pytest.mark.parametrize(
    ("uploaded", "file"),
    [
        ("", "P1.jpg"),
        (" \t\n", "P1.jpg"),
        ("../../etc/passwd", "P1 passwd.jpg"),
        ("C:\\Windows\\car.heic", "P1 car.jpg"),
        ("car.heic\r\nX-Header: 1", "P1 car.heicX-Header: 1.jpg"),
        ("car\x00.exe\x00.png", "P1 car.exe.jpg"),
        ("car\u202egpj.exe", "P1 cargpj.exe.jpg"),
        ("<script>|car`*.gif", "P1 scriptcar.jpg"),
        ("\ud83d.png", "P1 .jpg"),
    ],
)
def test_a_hostile_name_does_no_harm(uploaded: str, file: str) -> None:
    assert file_name(uploaded) == file


@pytest.mark.parametrize("letter", ["a", ".", "写", "🙂", "e\u0301", "/"])
def test_a_very_long_name_is_cut_and_keeps_its_kind(letter: str) -> None:
    name = file_name(letter * 100_000 + "x.heic")
    assert name.startswith("P1 ")
    assert name.endswith("x.jpg")
    assert len(name) <= MAX_NAME + 10
    assert all(unicodedata.category(character)[0] != "C" for character in name)


def test_pictures_are_not_written_into_logs() -> None:
    shown = repr(picture("P1 a.jpg")) + repr(FrameAttachment("V1 0:03", "A road.", b"road"))
    for data in ("drawn", "small", "photo", "b'road'"):
        assert data not in shown


def test_a_place_that_says_nothing_of_itself_only_takes_texts_that_change() -> None:
    """Channels declare what they can do; what is added later must not be promised for them."""
    able = Capabilities()
    assert (able.edits, able.prefix) == (True, "/")
    optional = (able.files, able.pictures, able.earlier_messages, able.streams, able.stop_button)
    assert not any((*optional, able.edit_events, able.private_posts))
