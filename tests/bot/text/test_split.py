import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text.markdown import render
from bot.text.split import closing, split

PIECES = ("w1 ", "w2. ", "w3", "\n", "\n\n", "```py\n", "\n```\n", "`w4 w5`", "    ", "日本語。")
ROWS = ("\n| a | b |\n", "| - | - |\n", "| cc | dd |\n" * 5, "| cc")
PILES = ("x" * 30, "y" * 250, "lorem ipsum " * 12, "e\u0301" * 9, "👩\u200d👧", "`", "@\u200bz")
texts = st.lists(st.sampled_from(PIECES + PILES + ROWS), max_size=40).map("".join)
limits = st.sampled_from([200, 211, 256, 400])
relaxed = settings(deadline=None, max_examples=200)


def words(count: int) -> str:
    return "word " * (count // 5)


def test_a_short_text_is_one_part() -> None:
    assert split("  Hello.\n\nThere. \n", 200) == ["Hello.\n\nThere."]
    assert split(" \n ", 200) == []


def test_paragraph_ends_are_preferred() -> None:
    first, second = words(160).strip(), words(150).strip()
    assert split(f"{first}\n\n{second}", 200) == [first, second]


def test_then_line_ends() -> None:
    first = f"{words(100)}\n\n{words(70)}".strip()
    assert split(f"{first}\n  - next\n{words(50)}", 200) == [first, f"- next\n{words(50)}".strip()]


def test_then_sentence_ends() -> None:
    first, second = words(179) + "End.", words(60).strip()
    assert split(f"{first} {second}", 200) == [first, second]
    assert split("日本語。" * 60, 200) == ["日本語。" * 44, "日本語。" * 16]


def test_then_words() -> None:
    assert split(words(300), 200) == [("word " * 38).strip(), ("word " * 22).strip()]


def test_then_characters_which_stay_whole() -> None:
    parts = split("👩\u200d👧" * 100, 200)
    assert "".join(parts) == "👩\u200d👧" * 100
    assert all(part.startswith("👩") and part.endswith("👧") for part in parts)


def test_code_is_closed_and_opened_again_with_its_language() -> None:
    lines = [f"line {number}" for number in range(60)]
    parts = split("Look:\n```py\n" + "\n".join(lines) + "\n```\nDone.", 200)
    assert len(parts) == 3
    assert all(part.count("```") == 2 and len(part) <= 200 for part in parts)
    assert [part.startswith("```py\nline ") for part in parts] == [False, True, True]
    assert re.findall(r"line \d+", "\n".join(parts)) == lines


def test_no_empty_code_is_opened_at_a_cut() -> None:
    code = "```py\n" + "a = 1\n" * 27
    parts = split(f"{code}```\nDone.", 200)
    assert parts == [f"{code}```", "Done."]


def table(rows: int) -> list[str]:
    head = ["| part | cost |", "| :--- | ---: |"]
    return [*head, *(f"| door {row} | {row} € |" for row in range(rows))]


def test_a_table_goes_on_below_its_heading() -> None:
    head, lines = "| part | cost |\n| :--- | ---: |\n", table(30)
    parts = split("Look:\n\n" + "\n".join(lines) + "\n\nDone.", 300)
    assert len(parts) == 3
    assert parts[0].startswith(f"Look:\n\n{head}| door 0 ")
    assert all(part.startswith(f"{head}| door") and len(part) <= 300 for part in parts[1:])
    assert re.findall(r"\| door .*\|", "\n".join(parts)) == lines[2:]
    assert parts[-1].endswith("\n\nDone.")


def test_what_follows_a_table_gets_no_heading() -> None:
    whole = "\n".join(table(13))
    assert split(f"{whole}\n\nDone.", 300) == [whole, "Done."]
    assert split(f"{whole}\nDone.", 300) == [whole, "Done."]


def test_a_heading_stays_with_its_table() -> None:
    first, second = split("\n".join([words(315).strip(), *table(4)]), 400)
    assert first.endswith("| :--- | ---: |\n| door 0 | 0 € |")
    assert second.startswith("| part | cost |\n| :--- | ---: |\n| door 1 | 1 € |")


def test_lines_of_code_are_no_table() -> None:
    parts = split("```\n" + "\n".join(table(30)) + "\n```", 300)
    assert all(part.startswith("```\n|") for part in parts)
    assert "\n".join(parts).count("| part |") == 1


def test_a_heading_too_long_to_repeat_is_not() -> None:
    head = "| " + "x" * 60 + " |\n| --- |\n"
    parts = split(head + "| cell |\n" * 60, 300)
    assert len(parts) > 1
    assert "".join(parts).count("x" * 60) == 1


def test_a_span_is_closed_and_opened_again() -> None:
    parts = split("`" + "x" * 300 + "`", 200)
    assert [part[0] + part[-1] for part in parts] == ["``", "``"]
    assert "".join(parts).replace("`", "") == "x" * 300


def test_a_cut_never_makes_a_fence_of_code() -> None:
    parts = split("```py\n" + "x" * 170 + " " * 40 + "```\nmore\n```", 200)
    assert not re.search(r"^ *```\n", parts[1].split("\n", 1)[1].removesuffix("```"), re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", ""),
        ("Look: `x", ""),
        ("```py\na = 1", "\n```"),
        ("```py\na = 1\n```", ""),
        ("```py\na = 1\n```\nDone. ````", ""),
        ("````\n```\n", "\n````"),
        ("Look:\n```", "\n```"),
    ],
)
def test_code_that_a_text_ends_in_is_closed(text: str, end: str) -> None:
    assert closing(text, 200) == end


@relaxed
@given(texts, limits)
def test_parts_keep_the_limit_and_none_is_empty(text: str, limit: int) -> None:
    assert all(part.strip() and len(part) <= limit for part in split(text, limit))


@relaxed
@given(texts, limits)
def test_nothing_is_lost(text: str, limit: int) -> None:
    safe = render(text)
    found = re.findall(r"[w\dlorem日本語]", "".join(split(safe, limit)))
    assert found == re.findall(r"[w\dlorem日本語]", safe)


@relaxed
@given(texts, limits, st.integers(1, 7))
def test_parts_only_grow_and_earlier_ones_are_final(text: str, limit: int, step: int) -> None:
    before: list[str] = []
    for end in range(0, len(text) + 1, step):
        now = split(text[:end], limit)
        assert now[: len(before) - 1] == before[:-1]
        assert all(new.startswith(old) for old, new in zip(before, now, strict=False))
        assert len(now) >= len(before)
        before = now


@pytest.mark.parametrize("limit", [200, 4_000, 20_000])
def test_no_part_is_needlessly_short(limit: int) -> None:
    parts = split((words(230).strip() + "\n\n") * 400, limit)
    assert all(len(part) >= limit * 0.7 for part in parts[:-1])
