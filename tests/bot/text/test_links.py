import time

import pytest

from bot.text.links import is_address, normalise, trim, urls


@pytest.mark.parametrize(
    "word",
    [
        "https://example.org",
        "HTTP://EXAMPLE.ORG/",
        "ftp://example.org/file",
        "ms-word:ofe|u|https://example.org",
        "www.example.org",
        "//example.org/a",
        "example.org",
        "example.zz/path",
        "example.zz:8080/?q=1",
        "somebody@example.org",
        "https&#58;//example.org",
        "https&colon;&sol;&sol;example.org",
    ],
)
def test_what_clients_make_links_of(word: str) -> None:
    assert is_address(word)


@pytest.mark.parametrize(
    "word",
    ["photo", "IMG_0042.jpg", "README.md", "e.g.", "v1.2", "and/or", "1/2", "5:30", "@here", "a@b"],
)
def test_what_is_no_address(word: str) -> None:
    assert not is_address(word)


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("https://e.org.", "https://e.org"),
        ("https://e.org/a_(b)", "https://e.org/a_(b)"),
        ("https://e.org/a)", "https://e.org/a"),
        ("https://e.org?!**", "https://e.org"),
        ("...", ""),
    ],
)
def test_punctuation_after_an_address_is_taken_off(word: str, address: str) -> None:
    assert trim(word) == address


def test_spellings_of_one_address_are_the_same() -> None:
    assert normalise("https://e.org/") == normalise("https://e.org")
    assert normalise("https://e.org/?a&amp;b") == normalise("https://e.org/?a&b")


def test_addresses_that_people_wrote_are_collected() -> None:
    messages = [
        "Is it (https://e.org/a)?",
        "no, [this](https://e.org/b) or www.e.org.",
        "see IMG_1.jpg",
    ]
    assert urls(messages) == {"https://e.org/a", "https://e.org/b", "www.e.org"}


@pytest.mark.parametrize("word", ["a" * 200_000, "https://" + "(" * 200_000 + "...", "a." * 99_999])
def test_a_very_long_word_costs_no_time(word: str) -> None:
    start = time.perf_counter()
    assert urls([word]) == frozenset()
    assert time.perf_counter() - start < 1
