"""Files of this machine: read where they stand, asked about by `loupe ask`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.local_files import fetch, question
from bot.domain.messages import Attachment
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason


def local(path: Path) -> Attachment:
    return Attachment(path.name, source={"path": str(path)})


async def test_a_file_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    monkeypatch.chdir(tmp_path)
    (spool := tmp_path / "spool").mkdir()
    await fetch(local(Path("a.jpg")), spool / "link", SizeLimits(4, 4))
    assert (spool / "link").read_bytes() == b"jpeg"
    assert (spool / "link").is_symlink()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.jpg", Reason.TOO_LARGE),
        ("a.mp4", Reason.TOO_LARGE_VIDEO),
        ("a.pdf", Reason.UNSUPPORTED),
        ("none.jpg", Reason.NOT_FOUND),
        (".", Reason.NOT_FOUND),
    ],
)
async def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, reason: Reason) -> None:
    heads = {"a.jpg": b"\xff\xd8\xff", "a.mp4": b"\0\0\0\x18ftypmp42", "a.pdf": b"%PDF-1.7"}
    for file, head in heads.items():
        (tmp_path / file).write_bytes(head + bytes(100_000))
    with pytest.raises(FileProblem) as problem:
        await fetch(local(tmp_path / name), tmp_path / "link", SizeLimits(20_000, 50_000))
    assert problem.value.reason is reason
    assert not (tmp_path / "link").is_symlink()


async def test_files_and_words_become_a_question(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    asked = question([tmp_path / "a.jpg"], "What is it?")
    (file,) = asked.files
    assert (asked.words, file.attachment.name, asked.is_shared) == ("What is it?", "a.jpg", False)
    await file.fetch(file.attachment, tmp_path / "link", SizeLimits(100, 100))
    assert (tmp_path / "link").read_bytes() == b"jpeg"
