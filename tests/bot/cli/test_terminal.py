"""The terminal: progress on stderr, the answer on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli.terminal import Terminal

if TYPE_CHECKING:
    import pytest


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
