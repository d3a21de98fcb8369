"""The text of a model, made safe to show while it grows.

No image is loaded, nobody is mentioned, no HTML works, and no link is active unless people of the
conversation wrote its address. The result is Markdown of the common subset; code stays as it is.

The text is read once from left to right, token by token. A token is decided when nothing that
follows could change it, then written and never taken back: what is shown now is the beginning of
whatever is shown later. A decision looks at most `LOOKAHEAD` code points ahead; a mark that does
not end by then, or not in its line, is plain text. Clients differ in what they take for code, so
only code that all of them read alike is passed on: spans in one line, and blocks between lines of
backticks, which are moved to the margin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.text.graphemes import boundary, well_formed
from bot.text.markdown_inline import InlineMarks, Lookahead
from bot.text.markdown_writer import MarkdownPiece, MarkdownToken, MarkdownWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE_ENDS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_CLEAN = {code: None for code in range(32) if chr(code) not in "\t\n"} | dict.fromkeys(
    map(ord, _LINE_ENDS), "\n"
)
_UNFINISHED = re.compile(r"[\r\ud800-\udbff]\Z")
_FENCE = re.compile(r"([ \t]*)(`{3,})([^`\n]*)(?:\n|\Z)")
_FENCE_SO_FAR = re.compile(r"[ \t]*(?:`{0,2}|`{3,}[^`\n]*)\Z")
_CLOSING = re.compile(r"[ \t]*(`{3,})[ \t]*(?:\n|\Z)")
_CLOSING_SO_FAR = re.compile(r"[ \t]*`*[ \t]*\Z")
_LANGUAGE = re.compile(r"\s*([A-Za-z][\w+#.-]{0,39})(?!\S)", re.ASCII)
_ROW = re.compile(r"[ \t]*\|")
_INDENT = re.compile(r"[ \t]*")


class Markdown:
    """A growing text: feed it what the model writes, and show what it returns."""

    def __init__(self, links: Iterable[str] = ()) -> None:
        """Take the addresses that may be active links, as `urls` returns them."""
        self._marks = InlineMarks(links)
        self._writer = MarkdownWriter()
        self._half = ""
        self._pending = ""
        self._line_start = True
        self._fence = ""
        self._indent = 0

    @property
    def pending_length(self) -> int:
        """How many code points wait for more text: at most `LOOKAHEAD`."""
        return len(self._half) + len(self._pending)

    def feed(self, text: str) -> str:
        """Take more of the text, and return what can be shown in addition."""
        return self._take(text, final=False)

    def finish(self) -> str:
        """End the text, and return the rest of what is shown. An open code block is closed."""
        output = self._take("", final=True)
        if self._fence:
            output += self._fence if self._line_start else f"\n{self._fence}"
            self._fence = ""
        return output

    def _take(self, text: str, *, final: bool) -> str:
        self._pending += self._clean(text, final=final)
        output, at = "", 0
        while at < len(self._pending):
            view = Lookahead(self._pending, at, final)
            token = self._code(view) if self._fence else self._text(view)
            if token is None:
                break
            output += self._writer.write(token)
            at = token.end
            self._line_start = self._pending[at - 1] == "\n"
        self._pending = self._pending[at:]
        return output

    def _clean(self, text: str, *, final: bool) -> str:
        """Make line ends and surrogates uniform; half of a pair waits for the other half."""
        text = self._half + text
        self._half = text[-1] if not final and _UNFINISHED.search(text) else ""
        ready_text = text[: len(text) - len(self._half)]
        return well_formed(ready_text).replace("\r\n", "\n").translate(_CLEAN)

    def _text(self, view: Lookahead) -> MarkdownToken | None:
        """Read outside code: a fence, a whole table row, or a mark."""
        if self._line_start:
            text, at, stop = view.text, view.at, view.stop
            fence = _FENCE.match(text, at, stop)
            if fence and (view.sees_end or fence[0].endswith("\n")):
                return self._open(fence)
            may_be = _FENCE_SO_FAR.match(text, at, stop) or _ROW.match(text, at, stop)
            if may_be and view.line_end < 0 and not view.is_final:
                return None
        return self._marks.token(view)

    def _open(self, fence: re.Match[str]) -> MarkdownToken:
        """Begin a code block, unless the text ends here."""
        if not fence[0].endswith("\n"):
            return MarkdownToken(fence.end(), ())
        self._fence, self._indent = fence[2], len(fence[1].expandtabs(4))
        language = _LANGUAGE.match(fence[3])
        opening = f"{self._fence}{language[1] if language else ''}\n"
        return MarkdownToken(fence.end(), (MarkdownPiece(opening),))

    def _code(self, view: Lookahead) -> MarkdownToken | None:
        """Read inside a code block: its closing fence, an indentation, or the rest of a line."""
        text, at = view.text, view.at
        if self._line_start:
            closing = _CLOSING.match(text, at, view.stop)
            is_complete = closing and (view.sees_end or closing[0].endswith("\n"))
            if closing and is_complete and len(closing[1]) >= len(self._fence):
                return self._close(closing)
            if _CLOSING_SO_FAR.match(text, at, view.stop) and not view.is_final:
                return None
            if self._indent and (lead := _INDENT.match(text, at, view.stop)) and lead[0]:
                rest = lead[0].expandtabs(4)[self._indent :]
                return MarkdownToken(lead.end(), (MarkdownPiece(rest),))
        end = text.find("\n", at) + 1 or len(text)
        if text[end - 1] != "\n" and not view.final:
            end = boundary(text, end - 1)
        return MarkdownToken(end, (MarkdownPiece(text[at:end]),)) if end > at else None

    def _close(self, closing: re.Match[str]) -> MarkdownToken:
        """End a code block."""
        line = self._fence + ("\n" if closing[0].endswith("\n") else "")
        self._fence = ""
        return MarkdownToken(closing.end(), (MarkdownPiece(line),))


def render(text: str, *, final: bool = True, links: Iterable[str] = ()) -> str:
    """Return a text made safe: all of it, or if more is to come the part that is decided.

    For any text and any beginning of it, the result for the beginning begins the result for the
    text. A text that grows by many small pieces is cheaper in a `Markdown` of its own.
    """
    markdown = Markdown(links)
    output = markdown.feed(text)
    return output + markdown.finish() if final else output
