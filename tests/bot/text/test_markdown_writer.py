import pytest

from bot.text.escape import INERT
from bot.text.markdown_writer import MarkdownPiece, MarkdownToken, MarkdownWriter, code, raw


def joined(*pieces: MarkdownPiece) -> str:
    writer = MarkdownWriter()
    return "".join(writer.write(MarkdownToken(0, (piece,))) for piece in pieces)


def test_text_is_joined_as_it_stood() -> None:
    assert joined(MarkdownPiece("a"), MarkdownPiece("b"), code("c"), MarkdownPiece(".")) == "ab`c`."


@pytest.mark.parametrize("last", ["`", "\\", "!", "]"])
def test_a_span_keeps_away_from_what_would_change_it(last: str) -> None:
    assert joined(MarkdownPiece(last), code("c")) == f"{last}{INERT}`c`"


def test_text_out_of_a_mark_does_not_run_into_its_neighbours() -> None:
    moved = MarkdownPiece("everyone", "moved")
    assert joined(MarkdownPiece("@"), moved, MarkdownPiece("/x")) == f"@{INERT}everyone{INERT}/x"


def test_between_spaces_nothing_is_put() -> None:
    assert joined(MarkdownPiece("a "), MarkdownPiece("b", "moved"), MarkdownPiece(" (")) == "a b ("
    assert joined(MarkdownPiece("**"), MarkdownPiece("b", "moved")) == "**b"


def test_an_address_cannot_end_its_code_or_table_cell() -> None:
    assert code(" https://e.org/`|a ") == MarkdownPiece("`https://e.org/%60%7Ca`", "whole")
    assert not code("").text


def test_nothing_is_written_for_an_empty_piece() -> None:
    writer = MarkdownWriter()
    assert writer.write(raw(1, "")) == ""
    assert writer.write(MarkdownToken(3, (code(""), MarkdownPiece("x")))) == "x"
