"""What Slack counts together, and how much of it there may be."""

from __future__ import annotations

import pytest

from adapters.slack.errors import POSTS
from adapters.slack.rate_limits import RATES, bucket_of


def test_posts_are_counted_in_each_channel() -> None:
    assert RATES["chat.postMessage"] == ((1, 1.0),)
    buckets = {bucket_of("T1", "chat.postMessage", channel) for channel in ("C1", "C2")}
    assert len(buckets) == 2


@pytest.mark.parametrize("method", sorted(set(RATES) - {"chat.postMessage"}))
def test_all_else_is_counted_in_the_workspace(method: str) -> None:
    assert bucket_of("T1", method, "C1") == bucket_of("T1", method, "C2")
    assert bucket_of("T1", method, "C1") != bucket_of("T2", method, "C1")
    assert RATES[method] in {((20, 60.0),), ((50, 60.0),), ((100, 60.0),)}


def test_each_method_has_a_bucket_of_its_own() -> None:
    assert len({bucket_of("T1", method, "C1") for method in RATES}) == len(RATES)


def test_every_way_to_post_has_a_rate() -> None:
    assert set(RATES) >= POSTS
