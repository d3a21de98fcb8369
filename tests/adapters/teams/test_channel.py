"""The channel to Teams: its capabilities, pictures and files."""

from __future__ import annotations

import pytest

from adapters.teams import addresses as places
from adapters.teams.addresses import PLACES, TeamsAddress, place_of
from bot.domain.messages import Attachment, Author, Message
from bot.domain.size_limits import SizeLimits
from bot.domain.threads import Thread
from bot.errors import FileProblem
from bot.ports.channel import (
    Channel,
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    PictureAttachment,
    Post,
)
from tests.helpers.teams_connector import connector_settings, teams_clients
from tests.servers.teams import CHANNEL, TeamsServer
from tests.servers.teams_services import PASSWORD


@pytest.fixture
async def teams():
    async with TeamsServer(authorize=True) as server:
        yield server


@pytest.fixture
async def channel(teams):
    async with teams_clients(connector_settings(teams), request_seconds=0.5) as parts:
        port: Channel = parts.channel
        yield port


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
    for capabilities in PLACES.values():
        assert capabilities.edits or not capabilities.streams
        assert capabilities.streams == capabilities.stop_button


@pytest.mark.parametrize(
    ("kind", "scope", "edits", "pace", "files"),
    [
        ("msteams", "personal", True, 1.5, True),
        ("msteams", "groupChat", True, 2.0, False),
        ("msteams", "channel", True, 2.0, False),
        ("emulator", "", True, 2.0, False),
        ("webchat", "", False, 2.0, False),
        ("directline", "", False, 2.0, False),
        ("", "", False, 2.0, False),
    ],
)
def test_what_can_be_done_where(teams, channel, kind, scope, edits, pace, files):
    capabilities = channel.capabilities(TeamsAddress("c", channel=kind, scope=scope))
    assert (capabilities.edits, capabilities.pace, capabilities.files) == (edits, pace, files)
    assert (capabilities.streams, capabilities.stop_button) == (files, files)
    assert not any(
        (capabilities.earlier_messages, capabilities.edit_events, capabilities.private_posts)
    )
    assert capabilities.text_limit == 20_000
    assert capabilities.pictures


async def test_a_message_of_teams_is_complete_and_nothing_earlier_is_told(channel):
    message = Message("1", Thread("msteams", "t", "c"), Author("29:alex", "Alex"), "hello")
    assert await channel.add_details(message) is message
    assert await channel.earlier_messages(message) == ()


LARGE, SMALL = b"\xff\xd8" + bytes(900_000), b"\xff\xd8" + bytes(50_000)
PICTURE = PictureAttachment("P1 a.heic", "P1 a.heic with outlines: 1 car.", LARGE, SMALL, b"plain")


@pytest.mark.parametrize("scope", ["personal", "groupChat", "channel"])
async def test_a_picture_is_a_message_of_its_own(teams, channel, scope):
    await channel.send_picture(teams.address(scope), PICTURE)
    [message] = teams.messages(teams.address(scope).conversation)
    assert (message.text, message.pictures) == ("", [LARGE])
    assert message.cards[0]["name"] == "P1 a.jpg"


@pytest.mark.parametrize("pages", [False, True])
async def test_a_picture_that_is_too_large_goes_once_more_and_smaller(teams, channel, pages):
    teams.error_pages = pages
    teams.chats.picture_bytes = 60_000
    await channel.send_picture(teams.address("channel"), PICTURE)
    [message] = teams.messages(CHANNEL)
    assert message.pictures == [SMALL]
    assert [request.status for request in teams.requests] == [413, 201]


async def test_a_picture_that_is_never_small_enough_is_refused(teams, channel):
    teams.chats.picture_bytes = 1_000
    with pytest.raises(DeliveryRefused):
        await channel.send_picture(teams.address(), PICTURE)
    assert len(teams.requests) == 2
    assert teams.messages() == []


async def test_a_throttled_picture_arrives_once(teams, channel):
    teams.throttle(times=2, retry_after="1")
    await channel.send_picture(teams.address(), PICTURE)
    assert [message.pictures for message in teams.messages()] == [[LARGE]]


async def test_a_picture_that_may_have_arrived_is_not_repeated(teams, channel):
    teams.fail(502, after=True)
    with pytest.raises(DeliveryUnknown):
        await channel.send_picture(teams.address(), PICTURE)
    assert len(teams.messages()) == 1
    teams.refuse(403, "BotNotInConversationRoster")
    with pytest.raises(ConversationGone):
        await channel.send_picture(teams.address(), PICTURE)


async def test_files_are_fetched_with_the_bots_token(teams, channel, tmp_path):
    picture = Attachment(source={"url": teams.picture(b"jpeg")["contentUrl"], "credential": "bot"})
    await channel.fetch(teams.address(), picture, tmp_path / "a", SizeLimits(100, 100))
    assert (tmp_path / "a").read_bytes() == b"jpeg"


async def test_no_log_shows_a_token_a_secret_or_a_signed_address(teams, channel, tmp_path, capfd):
    url = teams.file(b"", "a.png")["contentUrl"].replace("/files/", "/nofiles/")
    with pytest.raises(FileProblem):
        await channel.fetch(
            teams.address(),
            Attachment(source={"url": url}),
            tmp_path / "a",
            SizeLimits(100, 100),
        )
    teams.throttle()
    teams.tokens.faults.append(503)
    await channel.post(teams.address("groupChat"), Post("words of a person"))
    teams.fail(503, times=9)
    with pytest.raises(DeliveryUnknown):
        await channel.edit(teams.address("groupChat"), "1", Post("words of a person"))
    logs = "".join(capfd.readouterr())
    assert "connector_failed" in logs
    for secret in ("token-1", PASSWORD, "tempauth", "words of a person"):
        assert secret not in logs
