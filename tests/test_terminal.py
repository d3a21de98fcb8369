"""The terminal: progress on stderr, the answer on stdout, files from this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.messages import Attachment
from bot.problems import FileProblem, Reason
from bot.terminal import Terminal, fetch, question

if TYPE_CHECKING:
    from pathlib import Path


def test_progress_and_answer_go_their_own_ways(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(quiet=False)
    terminal.progress("Looking at 1 photo…")
    for text in ("A red", "A red car", "A red car"):
        terminal.grow(text)
    terminal.finish("A red car by the road.")
    shown = capsys.readouterr()
    assert shown.err == "Looking at 1 photo…\n"
    assert shown.out == "A red car by the road.\n"


def test_the_answer_is_printed_as_it_grows(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(quiet=False)
    terminal.grow("A red")
    assert capsys.readouterr().out == "A red"
    terminal.grow("A red car")
    assert capsys.readouterr().out == " car"


def test_quietly_only_progress_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(quiet=True)
    terminal.progress("Looking at 1 photo…")
    terminal.grow("A red")
    terminal.finish("A red car.")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "Looking at 1 photo…\n")


def local(path: Path) -> Attachment:
    return Attachment(path.name, source={"path": str(path)})


async def test_a_file_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    await fetch(local(tmp_path / "a.jpg"), tmp_path / "copy", 4)
    assert (tmp_path / "copy").read_bytes() == b"jpeg"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a.jpg", Reason.TOO_LARGE), ("none.jpg", Reason.NOT_FOUND), (".", Reason.NOT_FOUND)],
)
async def test_a_file_that_cannot_be_copied(tmp_path: Path, name: str, reason: Reason) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x" * 100_000)
    with pytest.raises(FileProblem) as problem:
        await fetch(local(tmp_path / name), tmp_path / "copy", 50_000)
    assert problem.value.reason is reason


async def test_files_and_words_become_a_question(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    asked = question([tmp_path / "a.jpg"], "What is it?")
    (file,) = asked.files
    assert (asked.words, file.attachment.name, asked.shared) == ("What is it?", "a.jpg", False)
    await file.fetch(file.attachment, tmp_path / "copy", 100)
    assert (tmp_path / "copy").read_bytes() == b"jpeg"
