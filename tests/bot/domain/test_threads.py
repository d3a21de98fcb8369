"""Threads and places: names that nothing a stranger chooses can make collide."""

from __future__ import annotations

import itertools
import re

import pytest

from bot.domain.threads import Place, Thread

THREAD = Thread("msteams", "tenant", "19:a@thread.tacv2", "1")


def test_a_thread_stands_in_a_place() -> None:
    assert THREAD.place == Place("msteams", "tenant", "19:a@thread.tacv2")


def test_keys_stay_what_they_are_for_what_is_stored_under_them() -> None:
    assert THREAD.key == "14f8bac041b27511ba0e74ed8d9d88cf37f46671"
    assert THREAD.place.key == "4e610935e0fe077e509b8402e4860013d4b7881e"


def test_every_name_counts() -> None:
    threads = [
        THREAD,
        Thread("page", "tenant", "19:a@thread.tacv2", "1"),
        Thread("msteams", "another tenant", "19:a@thread.tacv2", "1"),
        Thread("msteams", "tenant", "19:b@thread.tacv2", "1"),
        Thread("msteams", "tenant", "19:a@thread.tacv2", "2"),
        Thread("msteams", "tenant", "19:a@thread.tacv2"),
    ]
    assert len({thread.key for thread in threads}) == len(threads)


def test_names_that_read_alike_side_by_side_are_not_alike() -> None:
    names = ["ab", "a", "b", "", '","', "a:b", ":"]
    keys = {Thread(*four).key for four in itertools.product(names, repeat=4)}
    assert len(keys) == len(names) ** 4


def test_a_place_is_not_its_flat_thread() -> None:
    flat = Thread("msteams", "tenant", "a:personal")
    assert flat.key != flat.place.key


@pytest.mark.parametrize("name", ["", "\x00", "\ud800", "ü😀", "{0}", "\r\n", "x" * 100_000])
def test_keys_are_hexadecimal_whatever_the_names(name: str) -> None:
    thread = Thread(name, name, name, name)
    assert re.fullmatch(r"[0-9a-f]{40}", thread.key)
    assert re.fullmatch(r"[0-9a-f]{40}", thread.place.key)
