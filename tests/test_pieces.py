import pytest

from bot.pieces import INERT, Piece, Token, Writer, code, raw


def joined(*pieces: Piece) -> str:
    writer = Writer()
    return "".join(writer.write(Token(0, (piece,))) for piece in pieces)


def test_text_is_joined_as_it_stood() -> None:
    assert joined(Piece("a"), Piece("b"), code("c"), Piece(".")) == "ab`c`."


@pytest.mark.parametrize("last", ["`", "\\", "!", "]"])
def test_a_span_keeps_away_from_what_would_change_it(last: str) -> None:
    assert joined(Piece(last), code("c")) == f"{last}{INERT}`c`"


def test_text_out_of_a_mark_does_not_run_into_its_neighbours() -> None:
    moved = Piece("everyone", "moved")
    assert joined(Piece("@"), moved, Piece("/x")) == f"@{INERT}everyone{INERT}/x"


def test_between_spaces_nothing_is_put() -> None:
    assert joined(Piece("a "), Piece("b", "moved"), Piece(" (")) == "a b ("
    assert joined(Piece("**"), Piece("b", "moved")) == "**b"


def test_an_address_cannot_end_its_code_or_table_cell() -> None:
    assert code(" https://e.org/`|a ") == Piece("`https://e.org/%60%7Ca`", "whole")
    assert not code("").text


def test_nothing_is_written_for_an_empty_piece() -> None:
    writer = Writer()
    assert writer.write(raw(1, "")) == ""
    assert writer.write(Token(3, (code(""), Piece("x")))) == "x"
