"""What is declared of the places that the Bot Framework brings."""

from __future__ import annotations

import pytest

from adapters.teams import capabilities as places
from adapters.teams.addresses import TeamsAddress
from adapters.teams.capabilities import PLACES, place_of


@pytest.mark.parametrize(
    ("channel", "scope", "place"),
    [
        ("msteams", "personal", places.PERSONAL),
        ("msteams", "groupChat", places.GROUP),
        ("msteams", "channel", places.CHANNEL),
        ("msteams", "", places.GROUP),
        ("emulator", "", places.EMULATOR),
        ("emulator", "personal", places.EMULATOR),
        ("webchat", "", places.OTHERS),
        ("slack", "", places.OTHERS),
        ("", "", places.OTHERS),
    ],
)
def test_which_place_an_address_is_in(channel: str, scope: str, place: str) -> None:
    assert place_of(TeamsAddress("c", channel=channel, scope=scope)) == place
    assert place in PLACES


def test_an_address_that_says_nothing_is_somewhere_else() -> None:
    assert place_of(TeamsAddress("c")) == places.OTHERS


def test_only_what_can_be_edited_streams_and_only_streams_are_stopped() -> None:
    for able in PLACES.values():
        assert able.edits or not able.streams
        assert able.streams == able.stop_button
